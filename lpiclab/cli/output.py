"""Print: data on standard output, talk on standard error, colour only where it is welcome."""

from __future__ import annotations

import os
import sys
import time
from typing import Any, TextIO

from lpiclab.model import Language


def data(text: str) -> None:
    """Print what the command was asked for."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


def json_data(value: Any) -> None:
    """Print data for programs; dataclasses, paths and times are understood."""
    import msgspec  # noqa: PLC0415 - only where it is used

    data(msgspec.json.format(msgspec.json.encode(value, enc_hook=str)).decode())


def raw(text: bytes) -> None:
    """Hand bytes of a machine through as they come."""
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


def talk(text: str, stream: TextIO | None = None) -> None:
    """Tell the person at the terminal something; `stream` is what standard error was before."""
    stream = stream or sys.stderr
    sys.stdout.flush()
    stream.write(text + "\n")
    stream.flush()


class Steps:
    """Progress by step: each line with the seconds since the command began."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()

    def __call__(self, step: str) -> None:
        """Show that a step begins."""
        talk(dim(f"{time.monotonic() - self._began_s:6.1f} s  {step}"))


def colour(stream: Any = None) -> bool:
    """Tell whether colour is welcome: a terminal, and no ``NO_COLOR`` (no-color.org)."""
    return not os.environ.get("NO_COLOR") and bool((stream or sys.stderr).isatty())


def red(text: str) -> str:
    """Return text for an error."""
    return _styled("31;1", text)


def bold(text: str) -> str:
    """Return text that stands out."""
    return _styled("1", text)


def dim(text: str) -> str:
    """Return text that steps back."""
    return _styled("2", text)


def _styled(code: str, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour() else text


def language(asked: str | None) -> Language:
    """Return the language to speak: as asked, else ``LPICLAB_LANG``, else the locale's, else English."""
    places = ("LPICLAB_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    wish = asked or next((value for name in places if (value := os.environ.get(name))), "en")
    return "ja" if wish.lower().startswith("ja") else "en"


def table(rows: list[list[str]], heads: list[str]) -> str:
    """Return rows under their heads, columns aligned by display width."""
    from lpiclab.width import pad  # noqa: PLC0415 - only for tables

    everything = [heads, *rows]
    widths = [max(_width(row[column]) for row in everything) for column in range(len(heads))]
    lines = [
        "  ".join(pad(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in everything
    ]
    return "\n".join(lines)


def _width(text: str) -> int:
    from lpiclab.width import display_width  # noqa: PLC0415 - only for tables

    return display_width(text)
