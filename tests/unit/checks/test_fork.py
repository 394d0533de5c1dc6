"""Tests of lpiclab.checks.fork: what a check does to a copy of the machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from lpiclab.checks.fork import Fork
from lpiclab.checks.reach import Connection, Connector
from lpiclab.wait import Deadline

Fake = Callable[..., Any]


class FakeCopies:
    """Two machines that note what is done to them, in order."""

    def __init__(self, fake: Fake) -> None:
        self.done: list[str] = []
        self.runners: list[Any] = []
        self._fake = fake

    @property
    def connectors(self) -> Mapping[str, Connector]:
        """Return one connector a machine."""
        return {name: self._connector(name) for name in ("web-1", "client")}

    def restart(self, machines: Sequence[str], *, deadline: Deadline) -> None:
        """Note it."""
        assert deadline
        self.done.append(f"restart {' '.join(machines)}")

    def cut_power(self, machine: str) -> None:
        """Note it."""
        self.done.append(f"cut {machine}")

    def unplug(self, machine: str, disk: str) -> None:
        """Note it."""
        self.done.append(f"unplug {disk} of {machine}")

    def _connector(self, name: str) -> Connector:
        def connect(deadline: Deadline) -> Connection:
            assert deadline
            self.done.append(f"connect {name}")
            runner = self._fake({"hostname": name.encode()})
            self.runners.append(runner)
            connection: Connection = runner
            return connection

        return connect


@pytest.fixture
def copies(fake: Fake) -> FakeCopies:
    """Return two machines of a copy."""
    return FakeCopies(fake)


@pytest.fixture
def fork(copies: FakeCopies) -> Fork:
    """Return the copy as checks see it."""
    return Fork(copies, lambda: Deadline.after(30), lambda: Deadline.after(60))


def test_a_machine_is_connected_to_once(fork: Fork, copies: FakeCopies) -> None:
    """A machine is a host by its name, with `_` for `-`, connected to when it is first asked for."""
    assert not copies.done
    assert [fork.web_1.run("hostname").stdout for _ in "12"] == ["web-1", "web-1"]
    assert copies.done == ["connect web-1"]


def test_an_unknown_machine_is_no_attribute(fork: Fork) -> None:
    """A name that the lab has no machine of is the author's mistake."""
    with pytest.raises(AttributeError, match="no machine proxy"):
        _ = fork.proxy


def test_a_rebooted_machine_has_started_everything(fork: Fork, copies: FakeCopies) -> None:
    """A reboot ends once the machine can be connected to anew, also when only others will be asked."""
    _ = fork.web_1, fork.client
    fork.reboot("web_1")
    assert copies.done[2:] == ["restart web-1", "connect web-1"]
    assert [runner.closed for runner in copies.runners] == [1, 0, 0]


def test_all_machines_are_rebooted_by_default(fork: Fork, copies: FakeCopies) -> None:
    """Without a name every machine is rebooted, and connected to."""
    fork.reboot()
    assert copies.done[0] == "restart web-1 client"
    assert sorted(copies.done[1:]) == ["connect client", "connect web-1"]


def test_a_machine_without_power_is_not_asked(fork: Fork, copies: FakeCopies) -> None:
    """A power cut ends the connection, and makes none."""
    _ = fork.web_1
    fork.cut_power("web_1")
    assert copies.done == ["connect web-1", "cut web-1"]
    assert copies.runners[0].closed == 1


def test_a_disk_is_pulled_by_its_name(fork: Fork, copies: FakeCopies) -> None:
    """Pulling a disk names the machine as the lab does."""
    fork.unplug("web_1", "sdb")
    assert copies.done == ["unplug sdb of web-1"]


def test_closing_ends_all_connections(fork: Fork, copies: FakeCopies) -> None:
    """Nothing stays connected when the check is over."""
    _ = fork.web_1, fork.client
    fork.close()
    assert [runner.closed for runner in copies.runners] == [1, 1]
