"""Tests of a console's last words."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpiclab import console


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (b"\x1b[0;32m  OK  \x1b[0m Started \x1b[1mssh\x1b[0m\r\n", "  OK   Started ssh"),
        (b"\x1b[?7l\x1b[2J\x1bcplain\n", "plain"),
        (b"\x1b]0;title\x07one\x1b]3008;start=1\x1b\\ two\n", "one two"),
        (b"\x1b(B\x1b>\x1b7kept\x1b8\n", "kept"),
        ("課題 é\n".encode(), "課題 é"),
        (b"bell\x07 null\x00 delete\x7f\n", "bell null delete"),
        (b"broken \xff utf-8\n", "broken \ufffd utf-8"),
        (b"a\n\n   \nb\n", "a\nb"),
    ],
)
def test_control_sequences_are_removed(tmp_path: Path, written: bytes, shown: str) -> None:
    """What is shown can do nothing to the reader's terminal, and has no empty lines."""
    log = tmp_path / "console.log"
    log.write_bytes(written)
    assert console.tail(log) == shown


def test_only_the_end_is_shown(tmp_path: Path) -> None:
    """Of a long record the last dozen lines are returned."""
    log = tmp_path / "console.log"
    log.write_text("".join(f"line {number}\n" for number in range(10_000)))
    lines = console.tail(log).splitlines()
    assert lines == [f"line {number}" for number in range(9988, 10_000)]


def test_absent_record_is_empty(tmp_path: Path) -> None:
    """A machine that never started has said nothing."""
    assert console.tail(tmp_path / "console.log") == ""
