"""Whether a lab's texts agree with its `lab.yaml` and with each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lpiclab.errors import SpecProblem
from lpiclab.model import Lab, LabText, Language, TaskText
from lpiclab.names import nearest
from lpiclab.yamlio import PlacedText


def text_file(folder: Path, language: Language) -> Path:
    """Return the file of a lab's words in `language`."""
    return folder / f"text.{language}.md"


def text_problems(lab: Lab, texts: Mapping[Language, LabText]) -> list[SpecProblem]:
    """Return where a text has other tasks than `lab`, or one language other parts than the other."""
    problems = [problem for text in texts.values() for problem in _task_problems(lab, text)]
    if len(texts) > 1:
        first, second = texts.values()
        problems += _differences(lab.folder, first, second)
    return problems


def _task_problems(lab: Lab, text: LabText) -> Iterator[SpecProblem]:
    file = text_file(lab.folder, text.language)
    ids = [task.id for task in lab.tasks]
    for id_, task in text.tasks.items():
        if id_ not in ids:
            yield _at(file, task.title, f'lab.yaml has no task "{id_}"; {nearest(id_, ids)}')
    for id_ in ids:
        if id_ not in text.tasks:
            yield SpecProblem(file, 0, 0, f'the task "{id_}" of lab.yaml is missing')


def _differences(folder: Path, first: LabText, second: LabText) -> Iterator[SpecProblem]:
    one, other = (text_file(folder, text.language) for text in (first, second))
    if bool(first.then_and_now) != bool(second.then_and_now):
        lacking = other if first.then_and_now else one
        yield SpecProblem(lacking, 0, 0, 'the part "Then and now" (昔と今) is in the other language only')
    for id_ in first.tasks.keys() & second.tasks.keys():
        here, there = first.tasks[id_], second.tasks[id_]
        if len(here.hints) != len(there.hints):
            message = f"{id_}: {len(there.hints)} hints, but {len(here.hints)} in {one.name}"
            yield _at(other, there.title, message)
        yield from _missing_reasons(id_, one, here, other, there.reasons)
        yield from _missing_reasons(id_, other, there, one, here.reasons)


def _missing_reasons(
    id_: str, file: Path, task: TaskText, other: Path, reasons: Iterable[str]
) -> Iterator[SpecProblem]:
    for reason in task.reasons.keys() - set(reasons):
        text = task.reasons[reason]
        yield _at(file, text, f'{id_}: the reason "{reason}" is missing in {other.name}')


def _at(file: Path, text: str, message: str) -> SpecProblem:
    line, column = (text.line, text.column) if isinstance(text, PlacedText) else (0, 0)
    return SpecProblem(file, line, column, message)
