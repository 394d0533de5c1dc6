"""Grade an instance again and again while the learner works on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lpiclab.engine import grading
from lpiclab.engine.context import Context
from lpiclab.model import Language, Outcome, Report

_PROVED_AGAIN_S = 30.0
"""After how long proofs that failed are tried again although nothing else has changed."""


@dataclass(frozen=True, slots=True)
class _Tried:
    """The last grade with proofs, the quick one that led to it, and when it was."""

    quick: Report
    whole: Report
    at_s: float


def watch(
    context: Context,
    name: str,
    language: Language,
    *,
    pause: Callable[[], None],
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Report]:
    """Yield the first report and each that says something new; the last one says that all passed.

    What is proved on a copy of the machines takes seconds, so it waits until the rest is green.

    Args:
        context: The folders in use.
        name: The instance.
        language: The language of the reports.
        pause: Called between two gradings; others can have the instance meanwhile.
        clock: Seconds that only grow.

    Raises:
        UsageError: there is no such instance.
        SpecError: a check is wrong.
    """
    shown: Report | None = None
    tried: _Tried | None = None
    while True:
        report = quick = grading.check(context, name, (), language, quick=True)
        if _only_proofs_are_left(quick):
            if tried is None or _news(tried.quick, quick) or clock() - tried.at_s >= _PROVED_AGAIN_S:
                tried = _Tried(quick, grading.check(context, name, (), language), clock())
            report = tried.whole
        if shown is None or _news(shown, report):
            yield report
            shown = report
        if report.passed:
            return
        pause()


def turned_green(before: Report | None, now: Report) -> list[str]:
    """Return the titles of the tasks that pass now and did not before."""
    passed = {task.id for task in before.tasks if task.outcome is Outcome.PASS} if before else set()
    return [task.title for task in now.tasks if task.outcome is Outcome.PASS and task.id not in passed]


def _only_proofs_are_left(report: Report) -> bool:
    return all(task.outcome in {Outcome.PASS, Outcome.SKIP} for task in report.tasks)


def _news(before: Report, now: Report) -> bool:
    return before.tasks != now.tasks
