"""What becomes of each task: which are measured, in what order, and with what result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lpiclab.checks.api import CheckFailed
from lpiclab.errors import MachineryError, SpecError, SpecProblem
from lpiclab.model import Lab, LabText, Language, Outcome, Report, Task, TaskResult
from lpiclab.names import nearest

Reason = Callable[[str, object, object, Mapping[str, object]], str]
"""Renders a reason: its template, `seen`, `wanted` and the check's other values."""

_SHOWN_CHARACTERS = 1000
_FAILED_NEED: Mapping[Language, str] = {
    "en": "Not measured: it needs “{title}”, which has not passed.",
    "ja": "前提の課題「{title}」が合格していないため、採点していません。",
}
_LEFT_OUT: Mapping[Language, str] = {
    "en": "Not measured: only a copy of the machines can prove it, and none was made"
    " (`--quick`, or a provider that can't).",
    "ja": "マシンの複製でのみ採点する課題です。複製を作っていないため、採点していません"
    "(`--quick`、または複製できないプロバイダー)。",
}
_UNMEASURED_NEED: Mapping[Language, str] = {
    "en": "Not measured: it needs “{title}”, which could not be measured ({why}).",
    "ja": "前提の課題「{title}」を採点できなかったため、採点していません: {why}",
}


class Verdicts:
    """The results of one grading so far; a task without one has passed up to now.

    `tasks` are those to measure, each after the ones that it needs: all of a lab's, or those in
    `only` and what they need.
    """

    def __init__(self, lab: Lab, text: LabText, reason: Reason, only: Sequence[str] = ()) -> None:
        self._lab = lab
        self._text = text
        self._reason = reason
        self._only = frozenset(only)
        self._on_fork: set[str] = set()
        self._results: dict[str, TaskResult] = {}
        self.known = {task.id: task for task in lab.tasks}
        self.tasks = tuple(self._ordered(only or list(self.known), {}))

    def leave_out(self, ids: Iterable[str]) -> None:
        """Skip tasks that only a copy of the machines could prove."""
        for id_ in ids:
            self._record(id_, Outcome.SKIP, why=_LEFT_OUT[self._text.language])

    def on_fork(self, id_: str) -> None:
        """Note that a task is now being measured on a copy of the machines."""
        self._on_fork.add(id_)

    def open(self, id_: str) -> bool:
        """Tell whether to go on with a task; one whose needs have not passed is skipped here."""
        if id_ not in self._results:
            for need in self.known[id_].needs:
                if need in self._results:
                    self._record(id_, Outcome.SKIP, why=self._skipped(self._results[need]))
                    break
        return id_ not in self._results

    def fail(self, id_: str, failure: CheckFailed, file: Path, line: int) -> None:
        """Record that the learner's system is not as the task wants it.

        Raises:
            SpecError: the task's texts have no such reason (`file` and `line` say who named it), or
                it can't be rendered.
        """
        words = self._text.tasks[id_]
        if failure.why not in words.reasons:
            message = f'the task "{id_}" has no reason "{failure.why}"; {nearest(failure.why, words.reasons)}'
            raise SpecError([SpecProblem(file, line, 1, message)])
        self._record(
            id_,
            Outcome.FAIL,
            seen=_shown(failure.seen),
            wanted=_shown(failure.wanted),
            why=self._reason(
                words.reasons[failure.why], failure.seen, failure.wanted, failure.values
            ).strip(),
            hint=words.hints[0] if words.hints else "",
        )

    def error(self, id_: str, error: MachineryError) -> None:
        """Record that a task could not be measured."""
        self._record(id_, Outcome.ERROR, why=error.message, hint=error.hint)

    def report(self, *, seed: str, seconds: float) -> Report:
        """Return the report on the tasks that were asked for.

        `score` is None as well when only a task that these need could not be measured.
        """
        asked = [task for task in self._lab.tasks if not self._only or task.id in self._only]
        results = tuple(self._results.get(task.id) or self._passed(task) for task in asked)
        measured = all(result.outcome is not Outcome.ERROR for result in self._results.values())
        return Report(
            lab=self._lab.id,
            seed=seed,
            passed=all(result.outcome is Outcome.PASS for result in results),
            score=sum(result.points for result in results) if measured else None,
            max_score=sum(task.points for task in asked),
            seconds=round(seconds, 3),
            tasks=results,
        )

    def _ordered(self, ids: Sequence[str], seen: dict[str, None]) -> Iterator[Task]:
        for id_ in sorted(ids, key=list(self.known).index):
            if id_ not in seen:
                seen[id_] = None
                yield from self._ordered(self.known[id_].needs, seen)
                yield self.known[id_]

    def _skipped(self, need: TaskResult) -> str:
        texts = _UNMEASURED_NEED if need.outcome is Outcome.ERROR else _FAILED_NEED
        return texts[self._text.language].format(title=need.title, why=need.why)

    def _passed(self, task: Task) -> TaskResult:
        return TaskResult(
            id=task.id,
            title=self._text.tasks[task.id].title,
            outcome=Outcome.PASS,
            points=task.points,
            max_points=task.points,
            on_fork=task.id in self._on_fork,
        )

    def _record(self, id_: str, outcome: Outcome, **words: str) -> None:
        self._results[id_] = TaskResult(
            id=id_,
            title=self._text.tasks[id_].title,
            outcome=outcome,
            points=0,
            max_points=self.known[id_].points,
            on_fork=id_ in self._on_fork,
            **words,
        )


def _shown(value: object) -> str:
    """Return what a check saw or wanted as text for people, not too long."""
    if isinstance(value, bytes):
        text = value.decode(errors="replace")
    elif isinstance(value, list | tuple):
        text = ", ".join(map(str, value))
    elif isinstance(value, set | frozenset):
        text = ", ".join(sorted(map(str, value)))
    else:
        text = "" if value is None else str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
