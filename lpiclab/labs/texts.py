"""Read `text.en.md` and `text.ja.md`: a fixed outline of headings with free Markdown in between."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lpiclab.errors import SpecError, SpecProblem
from lpiclab.model import LabText, Language, TaskText
from lpiclab.names import nearest
from lpiclab.yamlio import PlacedText, read_text

_TITLE, _PART, _TASK, _LIST = 1, 2, 3, 4
_WORDS = {
    _PART: {"Then and now": "then", "昔と今": "then", "Tasks": "tasks", "課題": "tasks"},
    _LIST: {"Hints": "hints", "ヒント": "hints", "Reasons": "reasons", "理由": "reasons"},
}
_HEADING = re.compile(r"(#{1,4}) +(\S.*?)(?: +#+)? *")
_FENCE = re.compile(r" *(`{3,}|~{3,})")
_TASK_WORDS = re.compile(r"([a-z][a-z0-9-]*): +(\S.*)")
_HINT = re.compile(r"([0-9]+)\. +(?=\S)")
_REASON = re.compile(r"- +`([a-z][a-z0-9_-]*)`: +(?=\S)")


@dataclass(slots=True)
class _Section:
    """A heading and the lines under it; `line` is the heading's own."""

    level: int
    words: str
    line: int
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Task:
    title: PlacedText
    body: PlacedText
    line: int
    hints: tuple[str, ...] | None = None
    reasons: dict[str, str] | None = None


def read_lab_text(file: Path, language: Language) -> LabText:
    """Return a file's words; what may hold templates is `PlacedText`, not rendered.

    Raises:
        SpecError: it can't be read or its outline is wrong; holds every problem.
    """
    return _Reader(file).read(language)


class _Reader:
    """One pass over a file's sections."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._problems: list[SpecProblem] = []
        self._parts: dict[str, PlacedText] = {}
        self._tasks: dict[str, _Task] = {}
        self._task: _Task | None = None

    def read(self, language: Language) -> LabText:
        sections = list(_sections(read_text(self._file)))
        title, *rest = sections
        if title.level != _TITLE:
            self._note(title.line, 'expected "# Title" as the first line with words')
            rest = [section for section in sections if section.level]
        for section in rest:
            self._take(section)
        if "tasks" not in self._parts:
            self._note(0, 'there is no "## Tasks" or "## 課題"')
        for task in self._tasks.values():
            if not task.hints:
                self._note(task.line, "the task has no hints")
        if self._problems:
            raise SpecError(self._problems)
        return LabText(
            language=language,
            title=self._placed(title.line, title.words),
            story=self._body(title),
            then_and_now=self._parts.get("then", ""),
            tasks={
                id_: TaskText(
                    title=task.title, body=task.body, hints=task.hints or (), reasons=task.reasons or {}
                )
                for id_, task in self._tasks.items()
            },
        )

    def _take(self, section: _Section) -> None:
        if section.level == _TITLE:
            self._note(section.line, "a second title")
        elif section.level == _PART:
            self._take_part(section)
        elif section.level == _TASK:
            self._take_task(section)
        else:
            self._take_list(section)

    def _take_part(self, section: _Section) -> None:
        self._task = None
        part = self._word(section)
        if part in self._parts:
            self._note(section.line, f'"{section.words}" is there twice')
        elif part:
            self._parts[part] = self._body(section)
        if part == "tasks" and self._body(section):
            self._note(section.line, "expected tasks (### id: title), found text")

    def _take_task(self, section: _Section) -> None:
        words = _TASK_WORDS.fullmatch(section.words)
        if "tasks" not in self._parts:
            self._note(section.line, 'a task before "## Tasks"')
        if words is None:
            self._note(section.line, f'expected "### id: title", found "### {section.words}"')
            self._task = None
            return
        title = self._placed(section.line, words[2])
        self._task = _Task(title, self._body(section), section.line)
        if words[1] in self._tasks:
            self._note(section.line, f'the task "{words[1]}" is there twice')
        self._tasks[words[1]] = self._task
        if not self._task.body:
            self._note(section.line, "the task does not say what is to be done")

    def _take_list(self, section: _Section) -> None:
        which = self._word(section)
        if not which:
            return
        if self._task is None:
            self._note(section.line, f'"{section.words}" outside of a task')
            return
        if getattr(self._task, which) is not None:
            self._note(section.line, f'"{section.words}" is there twice')
        if which == "hints":
            self._task.hints = self._hints(section)
        else:
            self._task.reasons = self._reasons(section)

    def _word(self, section: _Section) -> str:
        words = _WORDS[section.level]
        if section.words not in words:
            mark = "#" * section.level
            self._note(
                section.line, f'unknown heading "{mark} {section.words}"; {nearest(section.words, words)}'
            )
        return words.get(section.words, "")

    def _hints(self, section: _Section) -> tuple[str, ...]:
        hints: list[str] = []
        for number, hint in self._items(section, _HINT, '"1. …"'):
            hints.append(hint)
            if int(number) != len(hints):
                self._note(hint.line, f"expected hint {len(hints)}, found {number}")
        return tuple(hints)

    def _reasons(self, section: _Section) -> dict[str, str]:
        reasons: dict[str, str] = {}
        for id_, reason in self._items(section, _REASON, '"- `id`: …"'):
            if id_ in reasons:
                self._note(reason.line, f'the reason "{id_}" is there twice')
            reasons[id_] = reason
        return reasons

    def _items(
        self, section: _Section, marker: re.Pattern[str], example: str
    ) -> Iterator[tuple[str, PlacedText]]:
        """Yield the mark and the text of each item of a list; later lines of an item are indented."""
        items: list[tuple[str, int, list[str]]] = []
        for line, (text, is_code) in enumerate(_with_fences(section.lines), section.line + 1):
            start = None if is_code else marker.match(text)
            if start:
                items.append((start[1], line, [text[start.end() :]]))
            elif items and (not text.strip() or text.startswith("  ")):
                items[-1][2].append(re.sub(r"^ {2,3}", "", text))
            elif text.strip():
                self._note(line, f"expected {example}, or an indented line that goes on with it")
        for mark, line, lines in items:
            yield mark, self._placed(line, "\n".join(lines).rstrip())

    def _body(self, section: _Section) -> PlacedText:
        blank = next((number for number, line in enumerate(section.lines) if line.strip()), 0)
        return self._placed(section.line + 1 + blank, "\n".join(section.lines[blank:]).rstrip())

    def _placed(self, line: int, text: str) -> PlacedText:
        return PlacedText.at(text, self._file, line)

    def _note(self, line: int, message: str) -> None:
        self._problems.append(SpecProblem(self._file, line, 1 if line else 0, message))


def _sections(text: str) -> Iterator[_Section]:
    """Yield the sections; what comes before the first heading is one of level 0, if it has words."""
    section = _Section(0, "", 1)
    for number, (line, is_code) in enumerate(_with_fences(text.splitlines()), 1):
        heading = None if is_code else _HEADING.fullmatch(line)
        if heading is None:
            section.lines.append(line)
            continue
        if section.level or any(each.strip() for each in section.lines):
            yield section
        section = _Section(len(heading[1]), heading[2], number)
    yield section


def _with_fences(lines: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Yield each line and whether it is part of a fenced block of code."""
    fence = ""
    for line in lines:
        mark = _FENCE.match(line)
        yield line, bool(fence or mark)
        if mark and not fence:
            fence = mark[1]
        elif mark and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            fence = ""
