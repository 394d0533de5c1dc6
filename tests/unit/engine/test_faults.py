"""Tests of the proof of faults (`engine.faults`), with a grader that only reads what machines were told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lpiclab.engine import contract, faults, grading, lifecycle
from lpiclab.engine.context import Context
from lpiclab.engine.lifecycle import Wish
from lpiclab.model import Lab, Outcome, Report, TaskResult
from lpiclab.state import Record

Commands = list[tuple[str, str]]
Edit = Callable[[str, str, str], None]

_FAULTS = """faults_drawn: 2
faults:
  - {id: page-lost, fails: [page], steps: [{machine: web, script: faults/page-lost.sh}]}
  - {id: disabled, fails: [boot], steps: [{machine: web, script: faults/disabled.sh}]}
  - {id: masked, fails: [boot], steps: [{machine: web, script: faults/masked.sh}]}
tasks:"""


@pytest.fixture
def fix_lab(web_folder: Path, edit: Edit) -> Path:
    """Make a lab with three faults of the lab `web`: its set-up does what its solution did."""
    edit("lab.yaml", "kind: build", "kind: fix")
    edit("lab.yaml", "tasks:", _FAULTS)
    edit("setup/web.sh", "mkdir -p", "systemctl enable it; mkdir -p")
    edit("mutants/empty-page.sh", ": >", "systemctl enable it; : >")
    edit("solution/web.sh", "systemctl enable", "systemctl unmask it; systemctl enable")
    (web_folder / "faults").mkdir()
    for name, script in (("page-lost", ": > /page"), ("disabled", "disable"), ("masked", "mask")):
        (web_folder / "faults" / f"{name}.sh").write_text(f"systemctl {script}\n".replace("systemctl :", ":"))
    return web_folder


def _outcomes(commands: Commands) -> dict[str, Outcome]:
    """Grade what the machines were told since they were made."""
    made = max(index for index, (_, command) in enumerate(commands) if "mkdir -p" in command)
    page = enabled = masked = False
    for _, command in commands[made:]:
        page = "enable" in command or (page and ": >" not in command)
        enabled = "enable" in command or (enabled and "disable" not in command)
        masked = "unmask" not in command and (masked or "systemctl mask" in command)
        page = page and ": >" not in command
    if not page:
        return {"page": Outcome.FAIL, "boot": Outcome.SKIP}
    return {"page": Outcome.PASS, "boot": Outcome.PASS if enabled and not masked else Outcome.FAIL}


@pytest.fixture
def gradings(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return of each grading whether it was quick."""
    done: list[bool] = []

    def grade(context: Context, record: Record, lab: Lab, language: str, *, quick: bool = False) -> Report:
        del context, record, lab, language
        done.append(quick)
        tasks = tuple(
            TaskResult(id=name, title=name, outcome=outcome, points=0, max_points=50)
            for name, outcome in _outcomes(commands).items()
        )
        return Report(lab="web", seed="", passed=False, score=0, max_score=100, seconds=0, tasks=tasks)

    monkeypatch.setattr(grading, "grade", grade)
    return done


def _proofs(context: Context, *only: str, seed: str = "") -> dict[str, tuple[str, ...]]:
    wish = Wish(provider="fake", seed=seed)
    wanted = contract.parts(context.lab("web"), "web", only)
    return {proof.step: proof.problems for proof in contract.prove(context, wish, lambda _: None, wanted)}


@pytest.mark.usefixtures("fix_lab", "forks")
def test_all_that_can_be_drawn_is_proved(context: Context, gradings: list[bool]) -> None:
    """The sound machine, each fault and each pair fails its tasks and is cured; then the lab is as ever."""
    assert [step for step, problems in _proofs(context).items() if not problems][:15] == [
        "no fault: all pass",
        "no fault: cured by reference",
        "fault page-lost: fails page",
        "fault page-lost: cured by reference",
        "fault disabled: fails boot",
        "fault disabled: cured by reference",
        "fault masked: fails boot",
        "fault masked: cured by reference",
        "faults page-lost and disabled: fails page",
        "faults page-lost and disabled: cured by reference",
        "faults page-lost and masked: fails page",
        "faults page-lost and masked: cured by reference",
        "faults disabled and masked: fails boot",
        "faults disabled and masked: cured by reference",
        "fresh, with faults page-lost and disabled: fails page",
    ]
    assert gradings[:14] == [False] * 8 + [True] * 6
    assert context.store.ids() == []


@pytest.mark.usefixtures("fix_lab", "gradings")
def test_fault_that_does_nothing_is_told(context: Context, web_folder: Path) -> None:
    """A fault that breaks nothing breaks the contract, alone and with others that hide it not."""
    (web_folder / "faults" / "disabled.sh").write_text("echo nothing\n")
    broken = {step: problems for step, problems in _proofs(context).items() if problems}
    assert broken == {"fault disabled: fails boot": ("boot is pass, not fail: ",)}


@pytest.mark.usefixtures("fix_lab", "gradings")
def test_fault_that_the_solution_leaves_is_told(context: Context, edit: Edit) -> None:
    """The reference solution has to cure what other seeds draw."""
    edit("solution/web.sh", "systemctl unmask it; ", "")
    broken = [step for step, problems in _proofs(context).items() if problems]
    assert broken == [
        "fault masked: cured by reference",
        "faults page-lost and masked: cured by reference",
        "faults disabled and masked: cured by reference",
    ]


@pytest.mark.usefixtures("fix_lab")
def test_one_set_of_faults_alone(context: Context, gradings: list[bool]) -> None:
    """A set of faults is a part of the contract by the ids of its faults."""
    assert list(_proofs(context, "disabled+masked")) == [
        "faults disabled and masked: fails boot",
        "faults disabled and masked: cured by reference",
    ]
    assert gradings == [True, True]


@pytest.mark.usefixtures("fix_lab")
def test_quick_proof_is_of_single_faults(context: Context) -> None:
    """Sets of several faults are left out of a quick proof, unless they are asked for."""
    lab = context.lab("web")
    ids = [part.id for part in contract.parts(lab, "web", ["faults"], quick=True)]
    assert ids == ["no-fault", "page-lost", "disabled", "masked"]
    named = contract.parts(lab, "web", ["disabled+masked"], quick=True)
    assert [part.id for part in named] == ["disabled+masked"]


@pytest.mark.usefixtures("fix_lab", "gradings")
def test_fresh_machine_has_the_faults_of_its_seed(context: Context) -> None:
    """With a seed its own faults are put, and their tasks have to fail."""
    (step,) = [step for step in _proofs(context, "fresh", seed="b") if step.startswith("fresh")]
    assert step == "fresh, with faults page-lost and masked: fails page"


@pytest.mark.usefixtures("fix_lab")
def test_always_faults_are_in_each_set(context: Context, edit: Edit) -> None:
    """What is always there is never proved away."""
    edit("lab.yaml", "id: masked,", "id: masked, always: true,")
    lab = context.lab("web")
    sets = [[fault.id for fault in each] for each in faults.drawable(lab)]
    assert sets == [
        ["masked"],
        ["masked", "page-lost"],
        ["masked", "disabled"],
        ["masked", "page-lost", "disabled"],
    ]


@pytest.mark.usefixtures("fix_lab")
def test_the_record_has_the_faults_and_the_user_is_not_told(
    context: Context, commands: Commands, told: list[str]
) -> None:
    """An instance keeps what was drawn, so that a reset draws the same; words to the user don't say it."""
    record = lifecycle.up(context, "web", Wish(provider="fake"))
    assert [step.source for step in record.plan.faults] == ["faults/page-lost.sh", "faults/disabled.sh"]
    assert context.store.load("web").plan == record.plan
    assert commands[-1][1].endswith("'systemctl disable\n'")
    assert not any(fault in each for each in told for fault in ("page-lost", "disabled"))
