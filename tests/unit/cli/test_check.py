"""Tests of the command `check`, with the provider `fake`."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lpiclab.engine import grading, watching
from lpiclab.engine.context import Context
from lpiclab.errors import UsageError
from lpiclab.model import Outcome, Report, TaskResult

Lpiclab = Callable[..., tuple[int, str, str]]


def _report(outcome: Outcome, score: int | None) -> Report:
    task = TaskResult(id="page", title="Serve", outcome=outcome, points=0, max_points=60, why="because")
    return Report(
        lab="web",
        seed="",
        passed=outcome is Outcome.PASS,
        score=score,
        max_score=100,
        seconds=1.0,
        tasks=(task,),
    )


def _graded(monkeypatch: pytest.MonkeyPatch, outcome: Outcome, score: int | None) -> None:
    monkeypatch.setattr(grading, "check", lambda *_, **__: _report(outcome, score))


def test_check_tells_what_it_waits_for(web: Lpiclab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while the lab's checks run, whose own words go nowhere."""

    def waiting(context: Context, *_: object, **__: object) -> Report:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            context.progress("waiting for web/web to finish starting")
        raise UsageError("enough")

    monkeypatch.setattr(grading, "check", waiting)
    assert "waiting for web/web" in web("check", "web")[2]


@pytest.mark.parametrize(
    ("outcome", "score", "code"), [(Outcome.PASS, 100, 0), (Outcome.FAIL, 0, 1), (Outcome.ERROR, None, 4)]
)
def test_grade_is_the_exit_status(
    web: Lpiclab, monkeypatch: pytest.MonkeyPatch, outcome: Outcome, score: int | None, code: int
) -> None:
    """Passed, not passed and not measured are told apart; the grade is data."""
    _graded(monkeypatch, outcome, score)
    status, stdout, stderr = web("check", "web")
    assert (status, stderr) == (code, "")
    assert "because" in stdout
    assert "\x1b" not in stdout
    status, stdout, _ = web("check", "web", "--json")
    assert status == code
    assert json.loads(stdout)["score"] == score


def test_junit_is_written_as_well(web: Lpiclab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The report for other programs goes to a file; one that can't be written is the user's mistake."""
    _graded(monkeypatch, Outcome.PASS, 100)
    assert web("check", "web", "--junit", str(tmp_path / "report.xml"))[0] == 0
    assert "<testsuite" in (tmp_path / "report.xml").read_text()
    code, _, stderr = web("check", "web", "--junit", str(tmp_path / "absent" / "report.xml"))
    assert code == 2
    assert "No such file or directory" in stderr


def test_watching_until_all_is_green(web: Lpiclab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each grade that says something new is shown, what turned green is named; the last one counts."""

    def watch(*_: object, **__: object) -> Iterator[Report]:
        yield _report(Outcome.FAIL, 0)
        yield _report(Outcome.PASS, 100)

    monkeypatch.setattr(watching, "watch", watch)
    code, stdout, stderr = web("check", "web", "--watch")
    assert code == 0
    assert "0 of 100 points" in stdout
    assert "100 of 100 points" in stdout
    assert "\x1b" not in stdout
    assert "turned green: Serve" in stderr


def test_watching_is_left_with_ctrl_c(web: Lpiclab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who stops watching gets the status of the last grade."""

    def watch(*_: object, **__: object) -> Iterator[Report]:
        yield _report(Outcome.FAIL, 0)
        raise KeyboardInterrupt

    monkeypatch.setattr(watching, "watch", watch)
    code, _, stderr = web("check", "web", "--watch")
    assert code == 1
    assert "watching; Ctrl-C ends it" in stderr


@pytest.mark.parametrize("option", ["--quick", "--json", "page"])
def test_watching_is_of_the_whole_lab(web: Lpiclab, option: str) -> None:
    """What can't be watched is refused, not left out silently."""
    assert web("check", "web", "--watch", option)[0] == 2
