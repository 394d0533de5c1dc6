"""Tests of the exception tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpiclab.errors import (
    CommandFailed,
    ConnectFailed,
    ImageError,
    LpiclabError,
    MissingTool,
    ProviderError,
    SpecError,
    SpecProblem,
    StateError,
    TimedOut,
    ToolFailed,
    UsageError,
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (UsageError, 2),
        *(
            (kind, 4)
            for kind in (
                CommandFailed,
                ConnectFailed,
                ImageError,
                MissingTool,
                ProviderError,
                StateError,
                TimedOut,
                ToolFailed,
            )
        ),
    ],
)
def test_kinds_of_trouble_have_their_exit_codes(kind: type[LpiclabError], code: int) -> None:
    """What the user got wrong and what broke are told apart by the exit status."""
    assert kind("x").exit_code == code
    assert SpecError([]).exit_code == 3


def test_error_keeps_what_to_try_and_the_evidence() -> None:
    """The message alone is the exception's text."""
    error = ToolFailed("it broke", hint="mend it", details="$ it")
    assert (str(error), error.hint, error.details) == ("it broke", "mend it", "$ it")


def test_all_problems_are_told_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Problems are sorted by place; files under the working folder are named from there."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "raid1" / "lab.yaml"
    problems = [
        SpecProblem(file, 12, 3, "late"),
        SpecProblem(file, 2, 1, "early"),
        SpecProblem(file, 0, 0, "all"),
    ]
    assert SpecError(problems).message.splitlines() == [
        "raid1/lab.yaml: all",
        "raid1/lab.yaml:2:1: early",
        "raid1/lab.yaml:12:3: late",
    ]


def test_files_elsewhere_keep_their_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that does not lie under the working folder is absolute."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert str(SpecProblem(tmp_path / "lab.yaml", 1, 2, "odd")) == f"{tmp_path}/lab.yaml:1:2: odd"
