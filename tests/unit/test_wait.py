"""Tests of deadlines, on a clock that the test moves."""

from __future__ import annotations

import time

import pytest

from lpiclab.errors import TimedOut
from lpiclab.wait import Deadline


class _Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    """Return the clock in place of the monotonic one."""
    made = _Clock()
    monkeypatch.setattr(time, "monotonic", made)
    return made


def test_time_runs_down_to_zero(clock: _Clock) -> None:
    """What is left shrinks with the clock and never goes below zero."""
    deadline = Deadline.after(10)
    clock.now_s += 4
    assert deadline.left_s() == pytest.approx(6)
    assert not deadline.expired()
    clock.now_s += 100
    assert deadline.left_s() == 0
    assert deadline.expired()


def test_required_time_is_given_or_refused_by_name(clock: _Clock) -> None:
    """While time is left it is returned; afterwards the error says what was waited for."""
    deadline = Deadline.after(5)
    assert deadline.require("ns1 to boot") == pytest.approx(5)
    clock.now_s += 5
    with pytest.raises(TimedOut, match="timed out waiting for ns1 to boot"):
        deadline.require("ns1 to boot")


@pytest.mark.parametrize(("seconds", "left_s"), [(3, 3), (30, 10)])
def test_sooner_never_adds_time(clock: _Clock, seconds: float, left_s: float) -> None:
    """A shorter limit counts, a longer one does not extend the deadline."""
    assert clock.now_s
    assert Deadline.after(10).sooner(seconds).left_s() == pytest.approx(left_s)
