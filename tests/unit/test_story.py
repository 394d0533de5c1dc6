"""Tests of a lab's words for a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpiclab.model import Lab, LabText, Language, Task, TaskText
from lpiclab.story import render_story, render_tasks

_LAB = Lab(
    id="raid1",
    folder=Path("/labs/raid1"),
    objectives=("204.1", "204.2"),
    minutes=30,
    kind="build",
    families=("debian",),
    networks=(),
    machines=(),
    parameters=(),
    files=(),
    setup=(),
    tasks=(Task(id="array", points=35), Task(id="spare", points=15)),
    solutions=(),
    mutants=(),
)


def _text(language: Language, then_and_now: str = "| a | b |") -> LabText:
    tasks = {
        name: TaskText(
            title=f"Title {name}", body=f"Body {name}", hints=("secret hint",), reasons={"why": "x"}
        )
        for name in ("array", "spare")
    }
    return LabText(language=language, title="Mirror", story="Once …", then_and_now=then_and_now, tasks=tasks)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["## Then and now", "## Tasks", "(35 points)", "30 minutes"]),
        ("ja", ["## 昔と今", "## 課題", "(35 点)", "30 分"]),
    ],
)
def test_everything_is_told_in_order(language: Language, words: list[str]) -> None:
    """Title, facts, story, the slides' commands and the tasks follow each other; hints stay hidden."""
    shown = render_story(_LAB, _text(language), language)
    order = ["# Mirror", words[3], "Once …", words[0], "| a | b |", words[1], "Body array", "Body spare"]
    places = [shown.index(each) for each in order]
    assert places == sorted(places)
    assert "204.1, 204.2" in shown
    assert f"### array: Title array {words[2]}" in shown
    assert "secret hint" not in shown


def test_lab_without_slides_has_no_such_heading() -> None:
    """An empty table leaves no heading behind."""
    assert "Then and now" not in render_story(_LAB, _text("en", then_and_now=""), "en")


def test_tasks_alone() -> None:
    """The tasks can be shown without the story."""
    shown = render_tasks(_LAB, _text("en"), "en")
    assert shown.startswith("## Tasks")
    assert "Once" not in shown
    assert "(15 points)" in shown
