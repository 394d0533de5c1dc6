"""Tests of columns in a terminal."""

from __future__ import annotations

import pytest

from lpiclab.width import display_width, pad, wrap


@pytest.mark.parametrize(
    ("text", "columns"),
    [("", 0), ("raid1", 5), ("課題", 4), ("ガ", 2), ("か\u3099", 2), ("e\u0301", 1), ("ｱ", 1), ("Ａ", 2)],
)
def test_width_of_scripts(text: str, columns: int) -> None:
    """Wide characters take two columns, combining ones none, half-width ones one."""
    assert display_width(text) == columns


def test_padded_cells_align() -> None:
    """Cells of any script take the same columns; one that is too long stays whole."""
    assert [display_width(pad(text, 8)) for text in ("raid", "課題", "")] == [8, 8, 8]
    assert pad("longer than that", 8) == "longer than that"


def test_words_are_kept_whole() -> None:
    """Latin text breaks between words, and a word that does not fit sticks out."""
    assert wrap("make a mirror of two", 10) == ["make a", "mirror of", "two"]
    assert wrap("/etc/mdadm/mdadm.conf", 10) == ["/etc/mdadm/mdadm.conf"]
    assert wrap("", 10) == [""]


def test_wide_text_breaks_anywhere() -> None:
    """No line of Japanese text takes more columns than there are, and nothing is lost."""
    text = "ふたつのディスクで mdadm の鏡を作る"
    lines = wrap(text, 11)
    assert all(display_width(line) <= 11 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert len(lines) > 2
