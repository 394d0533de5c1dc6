"""Tests of doing things side by side."""

from __future__ import annotations

import threading

import pytest

from lpiclab.together import together

_LIMIT_S = 20.0


def test_results_keep_the_order_of_the_jobs() -> None:
    """The second job ends first, yet its result comes second; so both run at once."""
    second_done = threading.Event()

    def first() -> str:
        assert second_done.wait(_LIMIT_S)
        return "first"

    def second() -> str:
        second_done.set()
        return "second"

    assert together([first, second]) == ["first", "second"]


def test_first_failure_is_raised_at_once() -> None:
    """A failure does not wait for jobs that are still at work."""
    release = threading.Event()

    def slow() -> None:
        release.wait(_LIMIT_S)

    def bad() -> None:
        raise ValueError("ns2")

    try:
        with pytest.raises(ValueError, match="ns2"):
            together([slow, bad])
        assert not release.is_set()
        workers = [each for each in threading.enumerate() if each is not threading.main_thread()]
        assert any(each.daemon and each.is_alive() for each in workers)
    finally:
        release.set()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_interrupt_in_a_job_reaches_the_caller(kind: type[BaseException]) -> None:
    """What is no ordinary error is not lost in its thread."""

    def interrupted() -> None:
        raise kind

    with pytest.raises(kind):
        together([interrupted])


def test_nothing_to_do() -> None:
    """No jobs give no results."""
    assert together([]) == []
