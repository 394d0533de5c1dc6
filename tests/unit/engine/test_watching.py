"""Tests of grading while the learner works (`engine.watching`), with a grader that tells what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from lpiclab.engine import grading, watching
from lpiclab.engine.context import Context
from lpiclab.model import Outcome, Report, TaskResult

PASS, FAIL, SKIP, ERROR = Outcome.PASS, Outcome.FAIL, Outcome.SKIP, Outcome.ERROR
Watch = Callable[..., Iterator[Report]]


def _report(*outcomes: Outcome, why: str = "", seconds: float = 1.0) -> Report:
    tasks = tuple(
        TaskResult(id=f"t{number}", title=f"T{number}", outcome=outcome, points=0, max_points=1, why=why)
        for number, outcome in enumerate(outcomes)
    )
    passed = all(outcome is PASS for outcome in outcomes)
    return Report(lab="web", seed="", passed=passed, score=0, max_score=1, seconds=seconds, tasks=tasks)


@pytest.fixture
def watch(context: Context, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Return what watches a lab whose quick and full gradings come from two lists; a pause takes 10 s."""

    def start(quick: list[Report], full: list[Report]) -> Iterator[Report]:
        now = [0.0]

        def check(*_: object, quick: bool = False) -> Report:
            return (fast if quick else slow).pop(0)

        def pause() -> None:
            now[0] += 10.0

        fast, slow = quick, full
        monkeypatch.setattr(grading, "check", check)
        return watching.watch(context, "web", "en", pause=pause, clock=lambda: now[0])

    return start


def test_only_news_is_told(watch: Watch) -> None:
    """A grade that says the same again is not shown again, however long it took."""
    quick = [_report(FAIL), _report(FAIL, seconds=2.0), _report(FAIL, why="other"), _report(PASS)]
    told = list(watch(quick, [_report(PASS)]))
    assert [(report.tasks[0].outcome, report.tasks[0].why) for report in told] == [
        (FAIL, ""),
        (FAIL, "other"),
        (PASS, ""),
    ]


def test_proofs_wait_until_the_rest_is_green(watch: Watch) -> None:
    """What only a copy can prove is measured once nothing else fails, and ends the watch when it passes."""
    quick = [_report(FAIL, SKIP), _report(PASS, SKIP)]
    assert [report.passed for report in watch(quick, [_report(PASS, PASS)])] == [False, True]


def test_failed_proofs_are_not_repeated_at_once(watch: Watch) -> None:
    """Proofs that failed are tried again when something has changed, or after half a minute."""
    full = [_report(PASS, FAIL), _report(PASS, FAIL), _report(PASS, PASS)]
    quick = [_report(PASS, SKIP)] * 4 + [_report(PASS, SKIP, why="changed")]
    told = list(watch(quick, full))
    assert [report.tasks[1].outcome for report in told] == [FAIL, PASS]
    assert full == quick == []


def test_machine_that_is_away_does_not_end_it(watch: Watch) -> None:
    """While a machine reboots its tasks are errors, and then they are measured again."""
    told = list(watch([_report(ERROR), _report(PASS)], [_report(PASS)]))
    assert [report.tasks[0].outcome for report in told] == [ERROR, PASS]


def test_what_turned_green() -> None:
    """Tasks that pass for the first time are named."""
    assert watching.turned_green(_report(PASS, FAIL), _report(PASS, PASS)) == ["T1"]
    assert watching.turned_green(None, _report(PASS, FAIL)) == ["T0"]
