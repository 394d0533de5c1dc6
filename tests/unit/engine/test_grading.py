"""Tests of grading, hints and the reference solution, with the provider `fake`."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lpiclab.checks import runner
from lpiclab.engine import grading, keeping, lifecycle
from lpiclab.engine.context import Context
from lpiclab.errors import CommandFailed, ProviderError, SpecError, StateError, UsageError
from lpiclab.model import Report
from lpiclab.state import Record, new_record

Commands = list[tuple[str, str]]
_REPORT = Report(lab="web", seed="anna", passed=True, score=100, max_score=100, seconds=1.0, tasks=())


@pytest.fixture
def record(context: Context, commands: Commands) -> Record:
    """Return the record of `web`, up with a seed."""
    made = lifecycle.up(context, "web", lifecycle.Wish(provider="fake", seed="anna"))
    commands.clear()
    return made


def test_runner_gets_what_it_needs(context: Context, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner gets the plan as it was made, rendered words, and a way to each machine."""
    given: dict[str, object] = {}

    def run_checks(lab: object, plan: object, distro: object, **more: object) -> Report:
        given.update(more, lab=lab, plan=plan, distro=distro)
        return _REPORT

    monkeypatch.setattr(runner, "grade", run_checks)
    assert grading.check(context, "web", ["boot"], "ja") == _REPORT
    assert given["plan"] == record.plan
    assert given["distro"] == context.distro("debian-13")
    assert set(given["connectors"]) == {"web", "web-client"}  # type: ignore[call-overload]  # a mapping
    assert given["only"] == ["boot"]
    text = given["text"]
    assert text.language == "ja"  # type: ignore[attr-defined]  # a LabText
    assert str(record.plan.parameters["secret"]) in text.tasks["page"].body  # type: ignore[attr-defined]  # the same


@pytest.mark.parametrize(
    "failure", [ProviderError("it stands still"), OSError(28, "No space left on device")]
)
def test_grade_is_not_lost_with_its_snapshot(
    context: Context, record: Record, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    """What could not be kept is told; the grade is given all the same."""
    assert record

    def refuse(*_: object) -> str:
        raise failure

    told: list[str] = []
    monkeypatch.setattr(runner, "grade", lambda *_, **__: _REPORT)
    monkeypatch.setattr(keeping, "keep_green", refuse)
    assert grading.check(replace(context, progress=told.append), "web", [], "en") == _REPORT
    assert told == [f"this state could not be kept for `rewind`: {failure}"]


def test_unknown_task_is_a_users_mistake(context: Context, record: Record) -> None:
    """The nearest task is suggested, for grading and for hints."""
    assert record
    for ask in (
        lambda: grading.check(context, "web", ["pgae"], "en"),
        lambda: grading.hint(context, "web", "pgae", "en"),
    ):
        with pytest.raises(UsageError, match='web has no task "pgae"') as raised:
            ask()
        assert raised.value.hint == 'did you mean "page"?'


def test_hints_go_from_gentle_to_nearly_the_answer(context: Context, record: Record) -> None:
    """Each call gives the next hint; the last one stays; tasks are counted apart."""
    shown = [grading.hint(context, "web", "page", "en") for _ in range(3)]
    assert [(number, count) for _, number, count in shown] == [(1, 2), (2, 2), (2, 2)]
    assert "Where does the server look" in shown[0][0]
    assert "/srv/example.net" in shown[1][0]
    assert grading.hint(context, "web", "boot", "en")[1:] == (1, 1)
    assert record


@pytest.mark.parametrize("damage", ["{", "[]", '{"page": "x"}'])
def test_damaged_memory_of_hints_begins_anew(context: Context, record: Record, damage: str) -> None:
    """A lost count costs nothing but the gentle hint once more."""
    (context.store.folder(record.id) / "hints.json").write_text(damage)
    assert grading.hint(context, "web", "page", "en")[1:] == (1, 2)


def test_solution_is_run_visibly(
    context: Context, record: Record, commands: Commands, told: list[str]
) -> None:
    """Each script is rendered, named, traced, and what it prints is shown."""
    shown: list[bytes] = []
    grading.solve(context, "web", shown.append)
    ((machine, command),) = commands
    assert machine == "web"
    assert f"echo {record.plan.parameters['secret']} > /srv/example.net/index.html" in command
    assert "-x" in command.split()
    assert shown == [b"web said\n"]
    assert "solution/web.sh on web" in told


def test_failing_solution_is_told(context: Context, record: Record, refused: set[str]) -> None:
    """The script and the machine are named."""
    refused.add("index.html")
    with pytest.raises(CommandFailed, match=r"web/web: solution/web.sh failed \(status 1\)"):
        grading.solve(context, record.id, lambda _: None)


@pytest.mark.parametrize("quick", [False, True])
def test_proofs_that_are_left_out_are_told(
    context: Context, record: Record, told: list[str], monkeypatch: pytest.MonkeyPatch, quick: bool
) -> None:
    """Where the provider can't copy machines and checks want copies; not where that was asked for."""
    monkeypatch.setattr(runner, "grade", lambda *_, **__: _REPORT)
    words = "the provider fake can't copy machines: what is proved on a copy is left out"
    grading.check(context, "web", [], "en")
    assert words not in told
    with (Path(record.lab_folder) / "checks.py").open("a") as file:
        file.write('\n\n@task("boot")\ndef test_again(fork):\n    fork.reboot()\n')
    grading.check(context, "web", [], "en", quick=quick)
    assert (words in told) is not quick


def test_half_made_instance_cannot_be_graded(context: Context, record: Record) -> None:
    """An instance whose `up` was interrupted is no learner's failure."""
    context.store.save(new_record("web", "fake", Path(record.lab_folder), {}, record.plan))
    for ask in (
        lambda: grading.check(context, "web", [], "en"),
        lambda: grading.hint(context, "web", "page", "en"),
        lambda: grading.solve(context, "web", lambda _: None),
    ):
        with pytest.raises(StateError, match="half set up") as raised:
            ask()
        assert "lpiclab up web" in raised.value.hint


def test_what_is_not_up_cannot_be_graded(context: Context) -> None:
    """A lab that is not up and a lab that does not exist are told apart."""
    with pytest.raises(UsageError, match="web is not up"):
        grading.check(context, "web", [], "en")
    with pytest.raises(UsageError) as raised:
        grading.check(context, "wbe", [], "en")
    assert raised.value.hint == 'did you mean "web"?'


def test_lab_that_is_gone_is_told(context: Context, record: Record) -> None:
    """An instance outlives its lab's folder; grading it says what is missing."""
    shutil.rmtree(record.lab_folder)
    with pytest.raises(SpecError, match="the lab of web is gone"):
        grading.check(context, "web", [], "en")
