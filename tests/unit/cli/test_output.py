"""Tests of printing."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lpiclab.cli import output
from lpiclab.model import Disk, MachineState
from lpiclab.width import display_width


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "no_color", "welcome"),
    [
        (_Terminal(), None, True),
        (_Terminal(), "", True),
        (_Terminal(), "1", False),
        (io.StringIO(), None, False),
    ],
)
def test_colour_only_where_it_is_welcome(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, no_color: str | None, welcome: bool
) -> None:
    """A terminal gets colour unless NO_COLOR is set to something; a file or pipe never does."""
    if no_color is None:
        monkeypatch.delenv("NO_COLOR", raising=False)
    else:
        monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr("sys.stderr", stream)
    assert output.colour() is welcome
    assert ("\x1b" in output.red("x")) is welcome


@pytest.mark.parametrize(
    ("asked", "environment", "language"),
    [
        (None, {}, "en"),
        (None, {"LANG": "ja_JP.UTF-8"}, "ja"),
        (None, {"LANG": "de_DE.UTF-8"}, "en"),
        (None, {"LANG": "ja_JP.UTF-8", "LC_MESSAGES": "en_US"}, "en"),
        (None, {"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, "en"),
        (None, {"LC_ALL": "C", "LPICLAB_LANG": "ja"}, "ja"),
        ("en", {"LPICLAB_LANG": "ja"}, "en"),
        ("ja", {}, "ja"),
    ],
)
def test_language(
    monkeypatch: pytest.MonkeyPatch, asked: str | None, environment: dict[str, str], language: str
) -> None:
    """What is asked for counts, then LPICLAB_LANG, then the locale as in setlocale(3)."""
    for name in ("LPICLAB_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert output.language(asked) == language


def test_columns_align_in_any_script() -> None:
    """Cells start at the same column; no line ends in spaces."""
    table = output.table([["raid1", "鏡", "x"], ["dns-tsig", "a", ""]], ["LAB", "TITLE", "END"])
    heads, first, second = table.splitlines()
    assert display_width(first.partition("鏡")[0]) == heads.index("TITLE") == second.index("a")
    assert display_width(first[: first.index("x")]) == heads.index("END")
    assert not second.endswith(" ")


def test_json_holds_our_own_types(capsys: pytest.CaptureFixture[str]) -> None:
    """Dataclasses, paths, times and states are written in their plain form."""
    output.json_data(
        {
            "disk": Disk(name="sdb", size_mib=64),
            "path": Path("/x"),
            "state": MachineState.RUNNING,
            "at": datetime(2026, 1, 2, tzinfo=UTC),
            "words": "課題",
        }
    )
    assert json.loads(capsys.readouterr().out) == {
        "disk": {"name": "sdb", "size_mib": 64},
        "path": "/x",
        "state": "running",
        "at": "2026-01-02T00:00:00Z",
        "words": "課題",
    }


def test_data_ends_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Exactly one line's end closes what is printed; talk is apart from data."""
    output.data("one")
    output.data("two\n")
    output.talk("three")
    assert capsys.readouterr() == ("one\ntwo\n", "three\n")


def test_steps_have_their_times(capsys: pytest.CaptureFixture[str]) -> None:
    """Progress is talk: seconds since the beginning, and the step."""
    output.Steps()("disks and keys")
    assert capsys.readouterr().err.strip() == "0.0 s  disks and keys"
