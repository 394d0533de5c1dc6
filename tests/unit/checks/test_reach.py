"""Tests of lpiclab.checks.reach."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from lpiclab.checks.reach import Machine
from lpiclab.errors import ConnectFailed, GuestError, TimedOut
from lpiclab.wait import Deadline

Fake = Callable[..., Any]


def _soon() -> Deadline:
    return Deadline.after(30)


def test_commands_go_to_the_one_connection(fake: Fake) -> None:
    """A machine is connected to once, and closed once."""
    runner, connects = fake({"a": b"1", "b": b"2"}), []

    def connect(deadline: Deadline) -> Any:
        connects.append(deadline)
        return runner

    given = _soon()
    machine = Machine("ns1", connect, given)
    assert machine.run("a", deadline=_soon()).stdout == b"1"
    assert machine.run("b", stdin=b"x", deadline=_soon()).stdout == b"2"
    machine.close()
    assert connects == [given]
    assert (runner.commands, runner.stdin, runner.closed) == (["a", "b"], [b"", b"x"], 1)


def test_failed_connection_is_not_tried_again() -> None:
    """A machine that did not answer is lost at once for every further command."""
    error, connects = ConnectFailed("ns1: no connection"), []

    def connect(_deadline: Deadline) -> Any:
        connects.append(1)
        raise error

    machine = Machine("ns1", connect, _soon())
    for _ in range(2):
        with pytest.raises(ConnectFailed) as caught:
            machine.run("true", deadline=_soon())
        assert caught.value is error
    machine.close()
    assert (connects, machine.trouble) == ([1], error)


def test_slow_connection_is_a_time_out_and_still_closed(fake: Fake) -> None:
    """A command does not wait for the connection past its deadline; a late one is closed."""
    runner, gate, closed = fake(), threading.Event(), threading.Event()
    runner.close = closed.set

    def connect(_deadline: Deadline) -> Any:
        gate.wait(30)
        return runner

    machine = Machine("ns1", connect, _soon())
    with pytest.raises(TimedOut, match="ns1: timed out waiting for a connection"):
        machine.run("true", deadline=Deadline.after(0))
    machine.close()
    assert not closed.is_set()
    gate.set()
    assert closed.wait(30)


def test_connection_can_be_waited_for(fake: Fake) -> None:
    """The wait ends when the machine can be reached, when it can't, and at the deadline."""
    gate = threading.Event()

    def connect(_deadline: Deadline) -> Any:
        gate.wait(30)
        return fake({"id": b"0"})

    slow = Machine("ns1", connect, _soon())
    slow.wait(Deadline.after(0))
    gate.set()
    slow.wait(_soon())
    assert slow.run("id", deadline=Deadline.after(0.5)).stdout == b"0"
    failing = Machine("ns1", mock.Mock(side_effect=ConnectFailed("ns1: no connection")), _soon())
    failing.wait(_soon())
    assert failing.trouble is None
    with pytest.raises(ConnectFailed):
        failing.run("id", deadline=_soon())


def test_hung_command_does_not_lose_a_living_machine(fake: Fake) -> None:
    """After a time-out the machine is asked for a sign of life, and goes on."""
    runner = fake({"hang": TimedOut("ns1: timed out"), "id": b"0"})
    machine = Machine("ns1", lambda _deadline: runner, _soon())
    with pytest.raises(TimedOut):
        machine.run("hang", deadline=_soon())
    assert machine.run("id", deadline=_soon()).stdout == b"0"
    assert machine.run("id", deadline=_soon()).stdout == b"0"
    assert runner.commands == ["hang", ":", "id", "id"]


def test_machine_without_a_sign_of_life_is_given_up(fake: Fake) -> None:
    """A second failure in a row costs one short question, and further commands none."""
    dead = TimedOut("ns1: timed out waiting for `:`")
    runner = fake({"hang": GuestError("ns1: the shell ended"), ":": dead})
    machine = Machine("ns1", lambda _deadline: runner, _soon())
    with pytest.raises(GuestError):
        machine.run("hang", deadline=_soon())
    for _ in range(3):
        with pytest.raises(TimedOut) as caught:
            machine.run("id", deadline=_soon())
        assert caught.value is dead
    assert runner.commands == ["hang", ":"]
    assert runner.deadlines[1].left_s() <= 10


def test_bad_command_is_no_trouble_with_the_machine(fake: Fake) -> None:
    """What the lab's author got wrong is raised, and not held against the machine."""
    runner = fake({"a\0b": ValueError("NUL"), "boom": RuntimeError("boom")})
    machine = Machine("ns1", lambda _deadline: runner, _soon())
    with pytest.raises(ValueError, match="NUL"):
        machine.run("a\0b", deadline=_soon())
    assert machine.trouble is None
    with pytest.raises(RuntimeError):
        machine.run("boom", deadline=_soon())
    assert isinstance(machine.trouble, RuntimeError)
