"""Values as Ruby literals: a Vagrantfile is a program, and nothing in it may come from data as text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Literal(str):
    """Ruby source of one value; only `literal` makes any."""

    __slots__ = ()


def literal(value: Any) -> Literal:
    """Return a value as Ruby source: text, numbers, truth, nil, and lists and hashes of those.

    Text is written in double quotes and ASCII, so neither ``#{}`` nor a line's end means anything in it.

    Raises:
        TypeError: there is no way to write the value.
    """
    if value is None:
        return Literal("nil")
    if isinstance(value, bool):
        return Literal("true" if value else "false")
    if isinstance(value, int):
        return Literal(value)
    if isinstance(value, str | Path):
        return Literal(f'"{"".join(map(_character, str(value)))}"')
    if isinstance(value, Mapping):
        return Literal(
            f"{{{', '.join(f'{literal(key)} => {literal(each)}' for key, each in value.items())}}}"
        )
    if isinstance(value, list | tuple):
        return Literal(f"[{', '.join(map(literal, value))}]")
    raise TypeError(f"no Ruby literal for {type(value).__name__}")


def require_literal(value: Any) -> Any:
    """Let nothing into a Vagrantfile that is no literal; Jinja2 asks for each value that it prints."""
    if not isinstance(value, Literal):
        raise TypeError(f"{value!r} went into a Vagrantfile without the filter `ruby`")
    return value


def _character(character: str) -> str:
    if character in '"\\#':
        return f"\\{character}"
    return character if " " <= character <= "~" else f"\\u{{{ord(character):x}}}"
