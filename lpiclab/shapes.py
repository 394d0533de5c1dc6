"""Shapes: what a YAML file has to look like, declared once for the reader and for editors.

    DISK = Record(Disk, required={"name": Text(), "size_mib": Integer(minimum=1)})
    disk = yamlio.load(Path("disk.yaml"), DISK).value

Keys of a `Record` that are absent are not passed on, so defaults live in the dataclass only.
`schema` of a shape is the JSON Schema (draft 2020-12) of the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from lpiclab.names import nearest
from lpiclab.yamlio import Node, PlacedText, Rejected, Shape

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Text:
    """Text that is not empty and matches `pattern` as a whole; `expected` is the pattern in words."""

    pattern: str = ""
    expected: str = "text"

    def read(self, node: Node) -> str:
        """Return the text."""
        value = node.text()
        if value is None:
            node.reject(self.expected, "; put it in quotes" if node.is_number_or_flag() else "")
        if not value or (self.pattern and not re.fullmatch(self.pattern, value)):
            node.reject(self.expected)
        return value

    def schema(self) -> dict[str, Any]:
        """Return a string schema."""
        return {"type": "string"} | (
            {"pattern": f"^(?:{self.pattern})$"} if self.pattern else {"minLength": 1}
        )


@dataclass(frozen=True, slots=True)
class TemplateText:
    """Jinja2 template text that is not empty, as a `PlacedText`."""

    def read(self, node: Node) -> PlacedText:
        """Return the template."""
        return node.placed(Text(expected="text or a template").read(node))

    def schema(self) -> dict[str, Any]:
        """Return a string schema."""
        return Text().schema()


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number in decimal digits, both bounds included."""

    minimum: int | None = None
    maximum: int | None = None

    def read(self, node: Node) -> int:
        """Return the number."""
        number = node.integer()
        if number is None or not self._is_within(number):
            node.reject(self._expected())
        return number

    def schema(self) -> dict[str, Any]:
        """Return an integer schema."""
        bounds = {"minimum": self.minimum, "maximum": self.maximum}
        return {"type": "integer"} | {name: bound for name, bound in bounds.items() if bound is not None}

    def _is_within(self, number: int) -> bool:
        above = self.minimum is None or number >= self.minimum
        return above and (self.maximum is None or number <= self.maximum)

    def _expected(self) -> str:
        if self.minimum is not None and self.maximum is not None:
            if self.minimum == self.maximum:
                return str(self.minimum)
            return f"a whole number from {self.minimum} to {self.maximum}"
        if self.minimum is not None:
            return f"a whole number of at least {self.minimum}"
        return "a whole number" + (f" of at most {self.maximum}" if self.maximum is not None else "")


@dataclass(frozen=True, slots=True)
class Flag:
    """``true`` or ``false``."""

    def read(self, node: Node) -> bool:
        """Return the truth value."""
        value = node.flag()
        if value is None:
            node.reject("true or false")
        return value

    def schema(self) -> dict[str, Any]:
        """Return a boolean schema."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class TextOrInteger:
    """Text, or a whole number in decimal digits."""

    def read(self, node: Node) -> str | int:
        """Return the text or the number."""
        text, number = node.text(), node.integer()
        if text is not None:
            return text
        if number is None:
            node.reject("text or a whole number")
        return number

    def schema(self) -> dict[str, Any]:
        """Return a schema of both types."""
        return {"type": ["string", "integer"]}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def read(self, node: Node) -> str:
        """Return the word."""
        value = node.text()
        if value is None or value not in self.words:
            node.reject("a known word", f"; {nearest(value or '', self.words)}")
        return value

    def schema(self) -> dict[str, Any]:
        """Return an enumeration."""
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class ListOf(Generic[T]):
    """A list of one shape, as a tuple."""

    item: Shape[T]
    minimum: int = 0

    def read(self, node: Node) -> tuple[T, ...]:
        """Return the values; an item that does not fit gives the list up after all were read."""
        nodes = list(node.items())
        if len(nodes) < self.minimum:
            node.note(f"expected at least {self.minimum} in the list, found {len(nodes)}")
            raise Rejected
        values: list[T] = []
        for child in nodes:
            with suppress(Rejected):
                values.append(self.item.read(child))
        if len(values) < len(nodes):
            raise Rejected
        return tuple(values)

    def schema(self) -> dict[str, Any]:
        """Return an array schema."""
        return {"type": "array", "items": self.item.schema()} | (
            {"minItems": self.minimum} if self.minimum else {}
        )


@dataclass(frozen=True, slots=True)
class MapOf(Generic[T]):
    """A mapping with keys of the author's choice that match `key`, each value of one shape."""

    item: Shape[T]
    key: str = r"[a-z][a-z0-9_]*"

    def read(self, node: Node) -> dict[str, T]:
        """Return the values by key, in the file's order."""
        entries = node.entries()
        values: dict[str, T] = {}
        for key, child in entries.items():
            if not re.fullmatch(self.key, key):
                child.note(f"a key must match {self.key}")
            with suppress(Rejected):
                values[key] = self.item.read(child)
        if len(values) < len(entries):
            raise Rejected
        return values

    def schema(self) -> dict[str, Any]:
        """Return an object schema."""
        names = {"pattern": f"^(?:{self.key})$"}
        return {"type": "object", "propertyNames": names, "additionalProperties": self.item.schema()}


@dataclass(frozen=True, slots=True)
class Record(Generic[T]):
    """A mapping with known keys, passed to `make` by name.

    `make` may raise ValueError: its text becomes a problem at the mapping.
    """

    make: Callable[..., T]
    required: Mapping[str, Shape[Any]] = field(default_factory=dict)
    optional: Mapping[str, Shape[Any]] = field(default_factory=dict)

    def read(self, node: Node) -> T:
        """Return what `make` makes of the values."""
        shapes = {**self.required, **self.optional}
        entries = node.entries(shapes)
        values: dict[str, Any] = {}
        for key, child in entries.items():
            with suppress(Rejected):
                values[key] = shapes[key].read(child)
        missing = [key for key in self.required if key not in entries]
        for key in missing:
            node.note(f'missing "{key}"')
        if missing or len(values) < len(entries):
            raise Rejected
        return _converted(node, lambda: self.make(**values))

    def schema(self) -> dict[str, Any]:
        """Return an object schema that allows no other keys."""
        shapes = {**self.required, **self.optional}
        properties = {key: shape.schema() for key, shape in shapes.items()}
        return {
            "type": "object",
            "properties": properties,
            "required": list(self.required),
            "additionalProperties": False,
        }


@dataclass(frozen=True, slots=True)
class Converted(Generic[S, T]):
    """Another shape's value passed through `convert`, whose ValueError becomes a problem."""

    shape: Shape[S]
    convert: Callable[[S], T]

    def read(self, node: Node) -> T:
        """Return the converted value."""
        value = self.shape.read(node)
        return _converted(node, lambda: self.convert(value))

    def schema(self) -> dict[str, Any]:
        """Return the other shape's schema."""
        return self.shape.schema()


def _converted(node: Node, make: Callable[[], T]) -> T:
    try:
        return make()
    except ValueError as error:
        node.note(str(error))
        raise Rejected from error
