"""Read YAML into values: all problems at once, each with file, line and column.

What a file has to look like is a shape of `lpiclab.shapes`. Stricter than YAML 1.1 on purpose: no
tabs, anchors, aliases, tags or repeated keys; `yes` and `on` are no truth values, `0644` is no number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, NoReturn, Protocol, TypeVar

import yaml

from lpiclab.errors import SpecError, SpecProblem
from lpiclab.names import nearest

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_SHOWN_CHARACTERS = 40
_MAX_BYTES = 1 << 20
_MAX_DEPTH = 50

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(slots=True)
class Source:
    """A file being read: the place of each path in it (``machines[0].name``) and its problems."""

    file: Path
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    problems: list[SpecProblem] = field(default_factory=list)

    def problem(self, path: str, message: str) -> SpecProblem:
        """Return a problem at `path`, or at the nearest known place above it."""
        place = path
        while place and place not in self.places:
            place = place[: max(place.rfind("."), place.rfind("["), 0)]
        line, column = self.places.get(place, (0, 0))
        return SpecProblem(self.file, line, column, f"{path}: {message}" if path else message)

    def note(self, mark: Any, message: str) -> None:
        """Note a problem at a mark of PyYAML's, whose lines and columns count from 0."""
        self.problems.append(SpecProblem(self.file, *_place(mark), message))


@dataclass(frozen=True, slots=True)
class Document(Generic[T]):
    """A file that fitted its shape; `source` gives a place to problems that are found later."""

    value: T
    source: Source


class PlacedText(str):
    """Template text that knows where it was written: its mistakes show only when it is rendered.

    `line` and `column` are those of its first character; `path` names it in its file, or is empty.
    """

    __slots__ = ("column", "file", "line", "path")

    file: Path
    line: int
    column: int
    path: str

    @classmethod
    def at(cls, text: str, file: Path, line: int, column: int = 1, path: str = "") -> PlacedText:
        """Return `text` with its place."""
        placed = cls(text)
        placed.file, placed.line, placed.column, placed.path = file, line, column, path
        return placed


class Rejected(Exception):
    """A node did not fit; the problem is already noted, so shapes only pass it on."""


@dataclass(frozen=True, slots=True)
class Node:
    """A YAML node on its way through a shape."""

    raw: yaml.Node
    path: str
    source: Source

    def note(self, message: str) -> None:
        """Note a problem here and go on."""
        self.source.problems.append(self.source.problem(self.path, message))

    def reject(self, expected: str, advice: str = "") -> NoReturn:
        """Note that something else was expected here and give this node up."""
        self.note(f"expected {expected}, found {self._found()}{advice}")
        raise Rejected

    def is_number_or_flag(self) -> bool:
        """Tell whether YAML takes this for something else than text that quotes would make text."""
        return isinstance(self.raw, yaml.ScalarNode) and self.raw.tag not in {_TAG + "str", _TAG + "null"}

    def text(self) -> str | None:
        """Return the text of a text node."""
        return self._scalar("str")

    def placed(self, text: str) -> PlacedText:
        """Return `text` with this node's place."""
        return PlacedText.at(text, self.source.file, *self.source.places[self.path], self.path)

    def integer(self) -> int | None:
        """Return the number of a whole-number node in plain decimal digits."""
        value = self._scalar("int")
        return int(value) if value and _DECIMAL.fullmatch(value) else None

    def flag(self) -> bool | None:
        """Return the truth value of ``true`` or ``false``."""
        return {"true": True, "false": False}.get(self._scalar("bool") or "")

    def items(self) -> Iterator[Node]:
        """Yield the nodes of a list."""
        if not isinstance(self.raw, yaml.SequenceNode) or self.raw.tag != _TAG + "seq":
            self.reject("a list")
        for index, raw in enumerate(self.raw.value):
            yield self._child(raw, f"{self.path}[{index}]", raw.start_mark)

    def entries(self, known: Iterable[str] = ()) -> Mapping[str, Node]:
        """Return the nodes of a mapping by key; note keys that repeat or are not `known`, if given."""
        if not isinstance(self.raw, yaml.MappingNode) or self.raw.tag != _TAG + "map":
            self.reject("a mapping")
        known = tuple(known)
        entries: dict[str, Node] = {}
        for raw_key, raw in self.raw.value:
            key, mark = raw_key.value, raw_key.start_mark
            path = f"{self.path}.{key}" if self.path else f"{key}"
            if raw_key.tag != _TAG + "str":
                self.source.note(mark, "a key must be text; put it in quotes")
            elif key in entries:
                self.source.note(mark, f"{path}: given twice, first in line {entries[key].line()}")
            elif known and key not in known:
                where = f"{self.path}: " if self.path else ""
                self.source.note(mark, f'{where}unknown key "{key}"; {nearest(key, known)}')
            else:
                is_empty = raw.start_mark.index == raw.end_mark.index
                entries[key] = self._child(raw, path, mark if is_empty else raw.start_mark)
        return entries

    def line(self) -> int:
        """Return the line of this node, from 1."""
        return self.source.places[self.path][0]

    def _scalar(self, tag: str) -> str | None:
        fits = isinstance(self.raw, yaml.ScalarNode) and self.raw.tag == _TAG + tag
        return str(self.raw.value) if fits else None

    def _child(self, raw: yaml.Node, path: str, mark: Any) -> Node:
        self.source.places[path] = _place(mark)
        return Node(raw, path, self.source)

    def _found(self) -> str:
        if not self.raw.tag.startswith(_TAG) or "/" in self.raw.tag:
            return f"the tag {self.raw.tag}"
        if not isinstance(self.raw, yaml.ScalarNode):
            return "a list" if isinstance(self.raw, yaml.SequenceNode) else "a mapping"
        value = str(self.raw.value)
        if len(value) > _SHOWN_CHARACTERS:
            value = value[: _SHOWN_CHARACTERS - 1] + "…"
        if self.raw.tag == _TAG + "str":
            return json.dumps(value, ensure_ascii=False)
        return value if self.raw.tag != _TAG + "null" else "nothing"


class Shape(Protocol[T_co]):
    """What a node must look like, and the value it becomes."""

    def read(self, node: Node, /) -> T_co:
        """Return the node's value, or note what is wrong and raise `Rejected`."""

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the accepted nodes."""


def load(file: Path, shape: Shape[T]) -> Document[T]:
    """Read `file` as `shape`.

    Raises:
        SpecError: the file can't be read, is not plain YAML, or does not fit; holds every problem.
    """
    source = Source(file)
    node = _compose(source)
    try:
        value = shape.read(node)
    except Rejected:
        raise SpecError(source.problems) from None
    if source.problems:
        raise SpecError(source.problems)
    return Document(value, source)


def read_text(file: Path) -> str:
    """Return the text of a UTF-8 file of ours.

    Raises:
        SpecError: it can't be read, is larger than 1 MiB, or is not UTF-8.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise SpecError([SpecProblem(file, 0, 0, f"can't be read: {error.strerror}")]) from error
    if len(content) > _MAX_BYTES:
        raise SpecError([SpecProblem(file, 0, 0, f"larger than {_MAX_BYTES} bytes")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        raise SpecError([SpecProblem(file, line, column, "not UTF-8")]) from error


def _compose(source: Source) -> Node:
    text = read_text(source.file)
    for row, line in enumerate(text.split("\n"), 1):
        if "\t" in line:
            source.problems.append(SpecProblem(source.file, row, line.index("\t") + 1, "a tab; use spaces"))
    if source.problems:
        raise SpecError(source.problems)
    try:
        _refuse_anchors_and_depth(text, source)
        raw = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        words = ", ".join(filter(None, [error.context, error.problem]))
        source.note(error.problem_mark or error.context_mark, f"not valid YAML: {words}")
        raise SpecError(source.problems) from error
    except yaml.YAMLError as error:
        source.note(None, f"not valid YAML: {' '.join(str(error).split())}")
        raise SpecError(source.problems) from error
    if raw is None:
        source.note(None, "the file is empty")
        raise SpecError(source.problems)
    source.places[""] = _place(raw.start_mark)
    return Node(raw, "", source)


def _refuse_anchors_and_depth(text: str, source: Source) -> None:
    """Look at the events first: composing recurses, and aliases can make a small file a huge one."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if getattr(event, "anchor", None) is not None:
            source.note(event.start_mark, "anchors and aliases are not allowed")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            source.note(event.start_mark, f"nested deeper than {_MAX_DEPTH} levels")
            break
    if source.problems:
        raise SpecError(source.problems)


def _place(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)
