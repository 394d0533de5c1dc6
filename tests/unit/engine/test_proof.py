"""Tests of what a grading should have come to (`engine.proof`)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lpiclab import labs
from lpiclab.engine.proof import differences, expected, not_as, not_passing, passing
from lpiclab.model import Lab, Outcome, Report, Task, TaskResult


@pytest.fixture
def lab(web_folder: Path, shared_templates: Path) -> Lab:
    """Return a lab whose last task needs the others through one another, in no order."""
    needs = {"boot": ("page",), "page": ("server",), "server": (), "log": ()}
    tasks = tuple(Task(id=name, points=25, needs=needed) for name, needed in needs.items())
    return replace(labs.load(web_folder, template_roots=[shared_templates]), tasks=tasks)


def _report(**outcomes: Outcome) -> Report:
    tasks = tuple(
        TaskResult(id=name, title=name, outcome=outcome, points=0, max_points=25, why=f"why {name}")
        for name, outcome in outcomes.items()
    )
    return Report(lab="web", seed="", passed=False, score=0, max_score=100, seconds=0, tasks=tasks)


def test_what_needs_a_failing_task_is_skipped(lab: Lab) -> None:
    """Tasks are skipped through any number of others, also when they would fail themselves."""
    assert expected(lab, ["server", "boot"]) == {
        "boot": Outcome.SKIP,
        "page": Outcome.SKIP,
        "server": Outcome.FAIL,
        "log": Outcome.PASS,
    }
    assert set(expected(lab, []).values()) == {Outcome.PASS}


def test_each_task_that_is_not_as_expected_is_told(lab: Lab) -> None:
    """Too little and too much are told with the reason; what is right is not."""
    report = _report(boot=Outcome.SKIP, page=Outcome.FAIL, server=Outcome.FAIL, log=Outcome.PASS)
    assert not_as(lab, ["page", "log"], report) == (
        "server is fail, not pass: why server",
        "log is pass, not fail: why log",
    )


def test_what_passes_and_what_does_not_is_told() -> None:
    """On fresh machines nothing may pass, after a solution everything has to; nothing may be unmeasured."""
    report = _report(boot=Outcome.SKIP, page=Outcome.FAIL, server=Outcome.PASS, log=Outcome.ERROR)
    assert passing(report) == (
        "server is pass before the learner did anything",
        "log is error before the learner did anything (why log)",
    )
    assert [each.split()[0] for each in not_passing(report)] == ["boot", "page", "log"]


def test_two_gradings_are_compared() -> None:
    """A task that is graded in two ways is told with both, and why it did not pass."""
    first, second = _report(page=Outcome.PASS, log=Outcome.FAIL), _report(page=Outcome.FAIL, log=Outcome.FAIL)
    assert differences(first, second) == ("page was pass, then fail (why page)",)
