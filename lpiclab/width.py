"""How many columns text takes in a terminal (Unicode Standard Annex #11)."""

from __future__ import annotations

import textwrap
import unicodedata


def display_width(text: str) -> int:
    """Return the columns that `text` takes: two for wide characters, none for combining ones."""
    return sum(map(_columns, text))


def pad(text: str, width: int) -> str:
    """Return `text` with spaces after it, so that it takes at least `width` columns."""
    return text + " " * (width - display_width(text))


def wrap(text: str, width: int) -> list[str]:
    """Return `text` as lines of at most `width` columns.

    Wide scripts have no spaces between words, so a line that is too long is cut between any two of
    their characters.
    """
    if display_width(text) == len(text):
        return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
    lines, line, used = [], "", 0
    for character in text:
        columns = _columns(character)
        if used + columns > width:
            lines.append(line.rstrip())
            line, used = "", 0
        line, used = line + character, used + columns
    return [*lines, line.rstrip()]


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
