"""What a grading of the contract should have come to, and how it differed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lpiclab.model import Lab, Outcome, Report, TaskResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One step of a lab's contract: what was tried, and what was wrong (empty: as it should be)."""

    lab: str
    step: str
    problems: tuple[str, ...]


def expected(lab: Lab, fails: Collection[str]) -> Mapping[str, Outcome]:
    """Return each task's outcome when those in `fails` can't pass: what needs one of them is skipped."""
    needs = {task.id: task.needs for task in lab.tasks}

    def skipped(task: str) -> bool:
        return any(need in fails or skipped(need) for need in needs[task])

    return {
        task: Outcome.SKIP if skipped(task) else Outcome.FAIL if task in fails else Outcome.PASS
        for task in needs
    }


def not_as(lab: Lab, fails: Collection[str], report: Report) -> tuple[str, ...]:
    """Return how a grade differs from "exactly `fails` fail, what needs them is skipped"."""
    outcomes = expected(lab, fails)
    return tuple(
        f"{task.id} is {task.outcome}, not {outcomes[task.id]}: {task.why}"
        for task in report.tasks
        if task.outcome is not outcomes[task.id]
    )


def passing(report: Report) -> tuple[str, ...]:
    """Return the tasks that pass, or could not be measured, although nothing was done yet."""
    return tuple(
        f"{task.id} is {task.outcome} before the learner did anything{_because(task)}"
        for task in report.tasks
        if task.outcome not in {Outcome.FAIL, Outcome.SKIP}
    )


def not_passing(report: Report) -> tuple[str, ...]:
    """Return the tasks that do not pass."""
    return tuple(
        f"{task.id} is {task.outcome}: seen {task.seen!r}, wanted {task.wanted!r}: {task.why}"
        for task in report.tasks
        if task.outcome is not Outcome.PASS
    )


def differences(first: Report, second: Report) -> tuple[str, ...]:
    """Return the tasks that were graded in two ways."""
    return tuple(
        f"{one.id} was {one.outcome}{_because(one)}, then {two.outcome}{_because(two)}"
        for one, two in zip(first.tasks, second.tasks, strict=True)
        if one.outcome is not two.outcome
    )


def _because(task: TaskResult) -> str:
    return f" ({task.why.strip()})" if task.outcome in {Outcome.FAIL, Outcome.ERROR} else ""
