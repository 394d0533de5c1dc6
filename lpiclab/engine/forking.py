"""Reach an instance's machines for grading, and copies of them for proofs that would hurt."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from lpiclab.checks.fork import Copies, Forker
from lpiclab.checks.reach import Connection, Connector
from lpiclab.engine.context import Progress, silent
from lpiclab.engine.lifecycle import settle
from lpiclab.engine.portshell import PortShell
from lpiclab.model import Instance
from lpiclab.providers.base import Forks, Provider, Shells
from lpiclab.wait import Deadline


class Reach:
    """How an instance's machines are reached for one grading, and copied."""

    def __init__(self, provider: Provider, instance: Instance, progress: Progress = silent) -> None:
        self._provider = provider
        self._instance = instance
        self._progress = progress
        self._ports: list[PortShell] = []

    @property
    def connectors(self) -> Mapping[str, Connector]:
        """Return how to reach each machine, once it has started what it starts at boot."""
        names = [machine.name for machine in self._instance.plan.machines]
        return {name: partial(self._connect, name) for name in names}

    @property
    def forker(self) -> Forker | None:
        """Return what makes copies of the instance; None where its provider can't."""
        return self._forked if isinstance(self._provider, Forks) else None

    def _connect(self, machine: str, deadline: Deadline) -> Connection:
        label = f"{self._instance.id}/{machine}"
        runner = self._runner(machine, label, deadline)
        # What is still starting is no wrong answer: a machine may have been rebooted just now.
        settle(runner, label, deadline=deadline, progress=self._progress)
        return runner

    def _runner(self, machine: str, label: str, deadline: Deadline) -> Connection:
        if isinstance(self._provider, Shells):
            self._ports.append(PortShell(self._provider, self._instance, machine))
            return self._ports[-1]
        from lpiclab.ssh import Session  # noqa: PLC0415 - paramiko costs 100 ms

        endpoint = self._provider.endpoint(self._instance, machine)
        return Session.connect(endpoint, machine=label, deadline=deadline)

    @contextlib.contextmanager
    def _forked(self, deadline: Deadline) -> Iterator[Copies]:
        provider = self._provider
        assert isinstance(provider, Forks)  # noqa: S101 - `forker` has seen to it
        for port in self._ports:
            port.release()
        made = provider.fork(self._instance, deadline=deadline)
        try:
            yield _Forked(provider, made, Reach(provider, made).connectors)
        finally:
            provider.destroy(made)
            shutil.rmtree(made.folder, ignore_errors=True)


@dataclass(frozen=True)
class _Forked:
    provider: Provider
    instance: Instance
    connectors: Mapping[str, Connector]

    def restart(self, machines: Sequence[str], *, deadline: Deadline) -> None:
        self.provider.restart(self.instance, machines, deadline=deadline)

    def cut_power(self, machine: str) -> None:
        assert isinstance(self.provider, Forks)  # noqa: S101 - it made this fork
        self.provider.cut_power(self.instance, machine)

    def unplug(self, machine: str, disk: str) -> None:
        assert isinstance(self.provider, Forks)  # noqa: S101 - it made this fork
        self.provider.unplug(self.instance, machine, disk)
