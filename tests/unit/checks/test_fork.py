"""Tests of the fixture `fork`, with machines that answer from a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from lpiclab.checks.fork import Fork
from lpiclab.wait import Deadline

FakeMaker = Callable[..., object]


class _Copies:
    """Two machines; what is done to them is noted, and so is each connection."""

    def __init__(self, fake: FakeMaker) -> None:
        self.made: dict[str, list[object]] = {"ns1": [], "web-client": []}
        self.done: list[object] = []
        self.connectors = {name: self._connector(name, fake) for name in self.made}

    def _connector(self, name: str, fake: FakeMaker) -> Callable[[Deadline], object]:
        def connect(_: Deadline) -> object:
            self.made[name].append(fake({"hostname": name.encode()}))
            return self.made[name][-1]

        return connect

    def restart(self, machines: Sequence[str], *, deadline: Deadline) -> None:
        """Note it."""
        deadline.require("to reboot")
        self.done.append(("restart", *machines))

    def cut_power(self, machine: str) -> None:
        """Note it."""
        self.done.append(("cut", machine))

    def unplug(self, machine: str, disk: str) -> None:
        """Note it."""
        self.done.append(("unplug", machine, disk))


@pytest.fixture
def copies(fake: FakeMaker) -> _Copies:
    """Return the machines of a fork."""
    return _Copies(fake)


@pytest.fixture
def fork(copies: _Copies) -> Fork:
    """Return the fixture that a check gets."""

    def soon() -> Deadline:
        return Deadline.after(20.0)

    return Fork(copies, soon, soon)  # type: ignore[arg-type]  # connections of the fake kind


def _closed(connection: object) -> int:
    closed: int = connection.closed  # type: ignore[attr-defined]  # a FakeRunner
    return closed


def test_machine_is_connected_to_when_it_is_asked_for(fork: Fork, copies: _Copies) -> None:
    """By its name with ``_`` for ``-``, once; a name that the lab has not is told."""
    assert copies.made == {"ns1": [], "web-client": []}
    assert fork.web_client is fork.web_client
    assert fork.web_client.run("hostname").stdout == "web-client"
    assert [len(each) for each in copies.made.values()] == [0, 1]
    with pytest.raises(AttributeError, match="the lab has no machine ns2"):
        assert fork.ns2


def test_rebooted_machines_are_connected_to_anew(fork: Fork, copies: _Copies) -> None:
    """All by default, else those named; a connection that ended with the machine is never used again."""
    assert fork.ns1
    assert fork.web_client
    fork.reboot("web_client")
    assert copies.done == [("restart", "web-client")]
    assert fork.ns1
    assert fork.web_client
    assert [len(each) for each in copies.made.values()] == [1, 2]
    assert _closed(copies.made["web-client"][0]) == 1
    fork.reboot()
    assert copies.done[-1] == ("restart", "ns1", "web-client")


def test_reboot_ends_when_the_machine_is_there_again(fork: Fork, copies: _Copies) -> None:
    """A check may ask from another machine then: the rebooted one is connected to, whoever is asked."""
    fork.reboot("web_client")
    assert [len(each) for each in copies.made.values()] == [0, 1]
    fork.reboot()
    assert [len(each) for each in copies.made.values()] == [1, 2]


def test_what_hurts_is_done_to_the_machine_named(fork: Fork, copies: _Copies) -> None:
    """A machine that is switched off is hung up; one that loses a disk goes on."""
    assert fork.ns1
    assert fork.web_client
    fork.cut_power("web_client")
    fork.unplug("ns1", "sdb")
    assert copies.done == [("cut", "web-client"), ("unplug", "ns1", "sdb")]
    assert _closed(copies.made["web-client"][0]) == 1
    assert _closed(copies.made["ns1"][0]) == 0


def test_closing_ends_all_connections(fork: Fork, copies: _Copies) -> None:
    """Also when some machine was never asked for."""
    assert fork.ns1
    fork.close()
    assert _closed(copies.made["ns1"][0]) == 1
    assert copies.made["web-client"] == []
