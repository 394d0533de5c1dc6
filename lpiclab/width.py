"""How many columns text takes in a terminal (Unicode Standard Annex #11)."""

from __future__ import annotations

import re
import unicodedata

_CLOSING = r"[、。，．・：；？！）」』】〉》〕々ーっゃゅょッャュョ,.:;?!)\]]"
_WIDE = r"[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]"
_PIECES = re.compile(rf"\s*(?:{_WIDE}|(?:(?!{_WIDE})\S)+){_CLOSING}*\s*")
"""What a line may be cut between: a wide character or a word, with what closes it."""


def display_width(text: str) -> int:
    """Return the columns that `text` takes: two for wide characters, none for combining ones."""
    return sum(map(_columns, text))


def pad(text: str, width: int) -> str:
    """Return `text` with spaces after it, so that it takes at least `width` columns."""
    return text + " " * (width - display_width(text))


def wrap(text: str, width: int) -> list[str]:
    """Return `text` as lines of at most `width` columns; a longer word stands on a line of its own.

    Lines are cut at spaces and, as wide scripts have none, between two wide characters; never before
    a closing mark (the basic rule of JIS X 4051).
    """
    lines, line = [], ""
    for piece in _PIECES.findall(text):
        if line and display_width(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
    return [*lines, line.rstrip()]


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
