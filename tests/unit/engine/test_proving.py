"""Tests of the labs' contract (`engine.contract`), with a grader that only reads what machines were told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lpiclab.engine import contract, grading, lifecycle
from lpiclab.engine.context import Context
from lpiclab.engine.lifecycle import Wish
from lpiclab.engine.proof import Proof
from lpiclab.errors import UsageError
from lpiclab.model import Lab, Outcome, Report, TaskResult
from lpiclab.state import Record

Commands = list[tuple[str, str]]
Edit = Callable[[str, str, str], None]


def _report(outcomes: dict[str, Outcome]) -> Report:
    tasks = tuple(
        TaskResult(id=name, title=name, outcome=outcome, points=0, max_points=50, why=f"why {name}")
        for name, outcome in outcomes.items()
    )
    passed = all(task.outcome is Outcome.PASS for task in tasks)
    return Report(lab="web", seed="", passed=passed, score=0, max_score=100, seconds=0, tasks=tasks)


def _outcomes(commands: Commands) -> dict[str, Outcome]:
    """Grade what the machines were told since they were made: the page first, then the service."""
    made = max(index for index, (_, command) in enumerate(commands) if "mkdir -p" in command)
    page = boot = False
    for _, command in commands[made:]:
        if "systemctl enable" in command:
            page = boot = True
        elif "systemctl disable" in command:
            boot = False
        elif ": > " in command:
            page = False
    if not page:
        return {"page": Outcome.FAIL, "boot": Outcome.SKIP}
    return {"page": Outcome.PASS, "boot": Outcome.PASS if boot else Outcome.FAIL}


@pytest.fixture
def graded(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Outcome]]:
    """Return the outcomes of each grading so far; a test may add a spoilt one by patching."""
    done: list[dict[str, Outcome]] = []

    def grade(context: Context, record: Record, lab: Lab, language: str, *, quick: bool = False) -> Report:
        del context, record, lab, language, quick
        done.append(_outcomes(commands))
        return _report(done[-1])

    monkeypatch.setattr(grading, "grade", grade)
    return done


def _proofs(context: Context, *only: str) -> dict[str, tuple[str, ...]]:
    wanted = contract.parts(context.lab("web"), "web", only)
    proofs: list[Proof] = list(contract.prove(context, Wish(provider="fake"), lambda _: None, wanted))
    return {proof.step: proof.problems for proof in proofs}


def test_good_lab_is_proved_and_leaves_nothing(
    context: Context, graded: list[dict[str, Outcome]], told: list[str]
) -> None:
    """Each step is tried in order, on an instance of its own that is gone afterwards."""
    assert _proofs(context) == {
        "fresh: no task passes": (),
        "solution reference: all pass": (),
        "solution reference: graded again, the same": (),
        "solution reference: all pass after a reboot": (),
        "wrong solution not-enabled: fails boot": (),
        "wrong solution empty-page: fails page": (),
    }
    assert len(graded) == 6
    assert sum(each.startswith("reboot") for each in told) == 2
    assert context.store.ids() == []


def test_wrong_solution_that_passes_is_told(
    context: Context, graded: list[dict[str, Outcome]], edit: Edit
) -> None:
    """A check that lets a wrong solution pass breaks the contract."""
    edit("mutants/not-enabled.sh", "disable", "enable")
    problems = {step: each for step, each in _proofs(context).items() if each}
    assert list(problems) == ["wrong solution not-enabled: fails boot"]
    assert "boot is pass, not fail" in problems["wrong solution not-enabled: fails boot"][0]
    assert graded


def test_wrong_solution_that_fails_too_much_is_told(
    context: Context, graded: list[dict[str, Outcome]], edit: Edit
) -> None:
    """What should pass and does not is told task by task, with the reason."""
    edit("mutants/not-enabled.sh", "systemctl disable", ": > /page #")
    (problems,) = [each for each in _proofs(context).values() if each]
    assert [each.partition(":")[0] for each in problems] == [
        "page is fail, not pass",
        "boot is skip, not fail",
    ]
    assert "why page" in problems[0]
    assert graded


def test_lab_that_is_solved_already_is_told(
    context: Context, graded: list[dict[str, Outcome]], edit: Edit
) -> None:
    """A task that passes on a fresh machine, and a solution that does not hold, are told."""
    edit("setup/web.sh", "mkdir -p", "systemctl enable it; mkdir -p")
    edit("solution/web.sh", "systemctl enable", "systemctl disable")
    broken = {step for step, problems in _proofs(context).items() if problems}
    assert {
        "fresh: no task passes",
        "solution reference: all pass",
        "solution reference: all pass after a reboot",
    } <= broken
    assert "solution reference: graded again, the same" not in broken
    assert graded


def test_grade_that_changes_by_itself_is_told(
    context: Context, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Grading must not change what it measures."""

    def grade(*_: object, **__: object) -> Report:
        outcomes = _outcomes(commands)
        commands.append(("web", "systemctl disable"))
        return _report(outcomes)

    monkeypatch.setattr(grading, "grade", grade)
    step = "solution reference: graded again, the same"
    assert _proofs(context)[step] == ("boot was pass, then fail (why boot)",)


def test_failing_script_is_told_and_the_rest_is_tried(
    context: Context, graded: list[dict[str, Outcome]], refused: set[str]
) -> None:
    """A script that ends with an error breaks its own part of the contract; nothing is left."""
    refused.add("index.html")
    problems = {step: each for step, each in _proofs(context).items() if each}
    assert list(problems) == [
        "solution reference: runs to its end",
        "wrong solution not-enabled: runs to its end",
        "wrong solution empty-page: runs to its end",
    ]
    assert "solution/web.sh failed (status 1)" in problems["solution reference: runs to its end"][0]
    assert context.store.ids() == []
    assert len(graded) == 1


@pytest.mark.parametrize(
    ("only", "steps"),
    [
        (["fresh"], ["fresh: no task passes"]),
        (["not-enabled"], ["wrong solution not-enabled: fails boot"]),
        (["mutants"], ["wrong solution not-enabled: fails boot", "wrong solution empty-page: fails page"]),
        (["empty-page", "fresh"], ["fresh: no task passes", "wrong solution empty-page: fails page"]),
    ],
)
def test_parts_are_proved_alone(
    context: Context, graded: list[dict[str, Outcome]], only: list[str], steps: list[str]
) -> None:
    """A kind of parts, or a solution or mutant by its id, holds without the others."""
    assert _proofs(context, *only) == dict.fromkeys(steps, ())
    assert len(graded) == len(steps)


def test_unknown_part_is_refused(context: Context) -> None:
    """The nearest name is suggested."""
    with pytest.raises(UsageError) as caught:
        _proofs(context, "not-enbled")
    assert caught.value.hint == 'did you mean "not-enabled"?'


@pytest.mark.usefixtures("forks")
def test_quick_proof_uses_forks_where_nothing_else_tells(
    context: Context, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong solution that only a fork finds out is found out; the others are not copied for it."""
    forked: list[str] = []

    def grade(*_: object, quick: bool = False) -> Report:
        outcomes = _outcomes(commands)
        if not quick:
            forked.append(str(outcomes["boot"]))
        elif outcomes["boot"] is Outcome.FAIL:
            outcomes["boot"] = Outcome.PASS
        return _report(outcomes)

    monkeypatch.setattr(grading, "grade", grade)
    wanted = contract.parts(context.lab("web"), "web")
    wish = Wish(provider="fake")
    proofs = list(contract.prove(context, wish, lambda _: None, wanted, quick=True))
    assert [proof.step for proof in proofs if proof.problems] == []
    assert forked == ["skip", "pass", "fail"]


def test_machines_are_rebooted_where_they_can_not_be_copied(
    context: Context, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong solution that nothing else finds out is found out so."""

    def grade(*_: object, quick: bool = False) -> Report:
        del quick
        outcomes = _outcomes(commands)
        if outcomes["page"] is Outcome.FAIL and commands[-1][1] != "reboot":
            outcomes = dict.fromkeys(outcomes, Outcome.PASS)
        return _report(outcomes)

    def reboot(*_: object) -> None:
        commands.append(("web", "reboot"))

    monkeypatch.setattr(grading, "grade", grade)
    monkeypatch.setattr(lifecycle, "reboot", reboot)
    assert _proofs(context, "empty-page") == {"wrong solution empty-page: fails page": ()}
    assert commands[-1][1] == "reboot"


def test_brief_proof_reboots_nothing(
    context: Context, graded: list[dict[str, Outcome]], told: list[str]
) -> None:
    """It is for whoever has just changed something: the start and the reference solution, at once."""
    assert _proofs(context, "brief") == {
        "fresh: no task passes": (),
        "solution reference: all pass": (),
    }
    assert len(graded) == 2
    assert not any("reboot" in each for each in told)


def test_seeds_are_proved_on_instances_of_their_own(
    context: Context, graded: list[dict[str, Outcome]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is drawn anew, fresh at first, and solved by the reference."""
    made: list[str] = []
    make = lifecycle.make

    def noted(*arguments: object, once: bool) -> Record:
        assert once  # nobody begins as one of them later
        record = make(*arguments)  # type: ignore[arg-type] # as they came
        made.append(record.plan.seed)
        return record

    monkeypatch.setattr(lifecycle, "make", noted)
    wanted = contract.parts(context.lab("web"), "web", ["seeds"], seeds=2)
    proofs = list(contract.prove(context, Wish(provider="fake"), lambda _: None, wanted))
    assert made == ["seed-1", "seed-2"]
    assert [proof.step for proof in proofs if not proof.problems] == [
        f"{seed}: {step}"
        for seed in made
        for step in (
            "fresh: no task passes",
            "solution reference: all pass",
            "solution reference: graded again, the same",
            "solution reference: all pass after a reboot",
        )
    ]
    assert len(graded) == 8
    assert context.store.ids() == []


@pytest.mark.parametrize(
    ("only", "seeds", "number"), [([], 0, 0), ([], 2, 2), (["seeds"], 0, 10), (["fresh"], 3, 3)]
)
def test_seeds_are_proved_when_asked_for(context: Context, only: list[str], seeds: int, number: int) -> None:
    """By a number, beside whatever else; without a number, ten."""
    wanted = contract.parts(context.lab("web"), "web", only, seeds=seeds)
    assert sum(part.kind == "seeds" for part in wanted) == number
    assert len(wanted) > number or only == ["seeds"]


def test_nothing_to_prove_is_no_proof(context: Context) -> None:
    """A lab without faults has none to prove: that is said, and not called proved."""
    with pytest.raises(UsageError, match="web has no faults to prove"):
        _proofs(context, "faults")


def test_workers_share_parts(context: Context, graded: list[dict[str, Outcome]]) -> None:
    """Two workers that take from one queue prove each part once, on instances of their own."""
    queue = iter(contract.parts(context.lab("web"), "web"))
    wish = Wish(provider="fake")
    one = contract.prove(context, wish, lambda _: None, queue, worker=1)
    two = contract.prove(context, wish, lambda _: None, queue, worker=2)
    steps = [next(one).step, next(two).step]
    assert context.store.ids() == ["web@contract-debian-13", "web@contract-debian-13-2"]
    steps += [each.step for each in (*two, *one)]
    assert len(steps) == len(set(steps)) == 6
    assert context.store.ids() == []
    assert graded


def test_earlier_attempt_is_cleared_away(context: Context, graded: list[dict[str, Outcome]]) -> None:
    """What a killed attempt left is removed first."""
    left = context.store.folder("web@contract-debian-13") / "machines" / "web"
    left.mkdir(parents=True)
    assert not any(_proofs(context).values())
    assert not left.exists()
    assert graded
