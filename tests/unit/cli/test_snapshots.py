"""Tests of the commands that keep machines and go back, with the use cases replaced."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from lpiclab.engine import keeping
from lpiclab.errors import UsageError
from lpiclab.providers.base import Snapshot

Lpiclab = Callable[..., tuple[int, str, str]]
_MINE = Snapshot(name="mine", title="", created="2026-01-01", size_bytes=3 << 20)
_GREEN = Snapshot(name="green-001", title="Make it", created="2026-01-02", size_bytes=1 << 20)
_SPOILT = Snapshot(name="old", title="Old", created="2026-01-03", size_bytes=0, problem="state is damaged")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Return what the use cases were asked for."""
    words: list[tuple[object, ...]] = []

    def use(name: str, answer: object) -> None:
        def noted(_: object, *given: object) -> object:
            words.append((name, *given))
            return answer

        monkeypatch.setattr(keeping, name, noted)

    answers = {
        "save_as": 0.51,
        "go_back": None,
        "forget": None,
        "suspend": None,
        "resume": None,
        "rewind": _GREEN,
        "listing": [_MINE, _GREEN, _SPOILT],
        "greens": [_GREEN],
    }
    for name, answer in answers.items():
        use(name, answer)
    return words


@pytest.mark.parametrize(
    ("words", "wanted", "said"),
    [
        (
            ("snapshot", "save", "web"),
            ("save_as", "web", "saved"),
            "web is kept as saved; its machines stood",
        ),
        (("snapshot", "save", "web", "x"), ("save_as", "web", "x"), "for 0.5 s"),
        (("snapshot", "restore", "web", "x"), ("go_back", "web", "x"), "web is what it was as x"),
        (("snapshot", "rm", "web", "x"), ("forget", "web", "x"), "x is removed"),
        (("rewind", "web"), ("rewind", "web"), "when this turned green: Make it"),
        (("suspend", "web"), ("suspend", "web"), "`lpiclab resume web` lets it go on"),
        (("resume", "web"), ("resume", "web"), "web goes on"),
    ],
)
def test_command_is_its_use_case(
    lpiclab: Lpiclab,
    asked: list[tuple[object, ...]],
    words: tuple[str, ...],
    wanted: tuple[str, ...],
    said: str,
) -> None:
    """What was done is talk, not data."""
    code, stdout, stderr = lpiclab(*words)
    assert (code, stdout, asked) == (0, "", [wanted])
    assert said in stderr


@pytest.mark.usefixtures("asked")
def test_list_is_data(lpiclab: Lpiclab) -> None:
    """A line each, what is wrong instead of the title; with --json one document."""
    lines = lpiclab("snapshot", "list", "web")[1].splitlines()
    assert [line.split()[0] for line in lines] == ["SNAPSHOT", "mine", "green-001", "old"]
    assert [line.split("MiB")[1].strip() for line in lines[1:]] == ["-", "Make it", "state is damaged"]
    document = json.loads(lpiclab("snapshot", "list", "web", "--json")[1])
    assert [each["name"] for each in document["snapshots"]] == ["mine", "green-001", "old"]


def test_what_can_be_gone_back_to_is_only_shown(lpiclab: Lpiclab, asked: list[tuple[object, ...]]) -> None:
    """With --list or --json nothing is gone back to."""
    assert "green-001" in lpiclab("rewind", "web", "--list")[1]
    assert len(json.loads(lpiclab("rewind", "web", "--json")[1])["snapshots"]) == 1
    assert asked == [("greens", "web"), ("greens", "web")]


@pytest.mark.usefixtures("asked")
def test_nothing_kept_is_said(lpiclab: Lpiclab, monkeypatch: pytest.MonkeyPatch) -> None:
    """For people a sentence, for programs an empty list."""
    monkeypatch.setattr(keeping, "listing", lambda *_: [])
    code, stdout, stderr = lpiclab("snapshot", "list", "web")
    assert (code, stdout) == (0, "")
    assert "no snapshots" in stderr
    assert json.loads(lpiclab("snapshot", "list", "web", "--json")[1])["snapshots"] == []


def test_failure_is_told(lpiclab: Lpiclab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The use case's words and exit status are the command's."""

    def refuse(*_: object) -> None:
        raise UsageError("there is none", hint="make one")

    monkeypatch.setattr(keeping, "go_back", refuse)
    code, _, stderr = lpiclab("snapshot", "restore", "web", "x")
    assert code == 2
    assert "there is none" in stderr
    assert "make one" in stderr
