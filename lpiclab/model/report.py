"""What grading comes to."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Outcome(enum.StrEnum):
    """How a task was graded; `ERROR` means that it was not measured."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    SKIP = "skip"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """One task's grade, in the learner's language.

    `on_fork` tells that the verdict was found, or confirmed, on a copy of the machines.
    """

    id: str
    title: str
    outcome: Outcome
    points: int
    max_points: int
    seen: str = ""
    wanted: str = ""
    why: str = ""
    hint: str = ""
    on_fork: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole grading; `score` is None when something could not be measured."""

    lab: str
    seed: str
    passed: bool
    score: int | None
    max_score: int
    seconds: float
    tasks: tuple[TaskResult, ...]
