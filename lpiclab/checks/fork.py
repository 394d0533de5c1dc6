"""A copy of the learner's machines, for checks that would hurt: the fixture `fork`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from testinfra.host import Host

from lpiclab.checks.host import make_host
from lpiclab.checks.reach import Connector, Machine
from lpiclab.wait import Deadline


class Copies(Protocol):
    """The machines of a fork, by the names of those that they are copies of."""

    @property
    def connectors(self) -> Mapping[str, Connector]:
        """Return how to reach each machine."""

    def restart(self, machines: Sequence[str], *, deadline: Deadline) -> None:
        """Reboot machines, and return when their management answers."""

    def cut_power(self, machine: str) -> None:
        """Switch a machine off as a power cut does."""

    def unplug(self, machine: str, disk: str) -> None:
        """Pull a disk out of a machine."""


Forker = Callable[[Deadline], AbstractContextManager[Copies]]
"""Makes a copy of the learner's machines and throws it away afterwards."""


class Fork:
    """The machines of a copy, as testinfra hosts: ``fork.ns1``; and what can be done to them."""

    def __init__(
        self, copies: Copies, deadline: Callable[[], Deadline], whole: Callable[[], Deadline]
    ) -> None:
        self._copies = copies
        self._deadline = deadline
        self._whole = whole
        self.machines: dict[str, Machine] = {}
        self._hosts: dict[str, Host] = {}
        self._names = {name.replace("-", "_"): name for name in copies.connectors}

    def __getattr__(self, name: str) -> Host:
        """Return a machine as a testinfra host, connected to when it is first asked for."""
        if name.startswith("_") or name not in self._names:
            raise AttributeError(f"the lab has no machine {name}")
        if name not in self._hosts:
            self._connect([name])
        return self._hosts[name]

    def reboot(self, *names: str) -> None:
        """Reboot machines, all by default, and wait until they have started what they start at boot."""
        machines = [self._names[name] for name in names or self._names]
        self._hang_up(machines)
        self._copies.restart(machines, deadline=self._whole())
        # A connection is made once the machine has started everything; a check may ask from another machine.
        self._connect([name for name, machine in self._names.items() if machine in machines])

    def cut_power(self, name: str) -> None:
        """Switch a machine off as a power cut does; it stays off."""
        self._hang_up([self._names[name]])
        self._copies.cut_power(self._names[name])

    def unplug(self, name: str, disk: str) -> None:
        """Pull a disk such as ``sdb`` out of a running machine."""
        self._copies.unplug(self._names[name], disk)

    def close(self) -> None:
        """End all connections."""
        self._hang_up(list(self._names.values()))

    def _connect(self, names: Sequence[str]) -> None:
        for name in names:
            machine = self._names[name]
            self.machines[name] = Machine(machine, self._copies.connectors[machine], self._whole())
            self._hosts[name] = make_host(machine, self.machines[name], self._deadline)
        for name in names:
            self.machines[name].wait(self._whole())

    def _hang_up(self, machines: Sequence[str]) -> None:
        for name, machine in self._names.items():
            if machine in machines and name in self.machines:
                self.machines.pop(name).close()
                self._hosts.pop(name)
