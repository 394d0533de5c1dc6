"""Tests of snapshots, going back and suspending, with a provider that keeps names only."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from lpiclab.engine import keeping, lifecycle
from lpiclab.engine.context import Context
from lpiclab.errors import ProviderError, UsageError
from lpiclab.model import Instance, Outcome, Report, TaskResult
from lpiclab.paths import Home
from lpiclab.providers.base import Progress, Snapshot
from lpiclab.providers.fake import FakeProvider
from lpiclab.state import Record
from lpiclab.wait import Deadline


class _Keeper(FakeProvider):
    """Keep the names and titles of snapshots, the oldest first, and note what is asked for."""

    def __init__(self, home: Home) -> None:
        super().__init__(home)
        self.kept: dict[str, str] = {}
        self.restored: list[str] = []
        self.suspended: list[str] = []

    def save(self, _: Instance, name: str, /, *, title: str, deadline: Deadline) -> float:
        """Keep a name."""
        deadline.require(name)
        self.kept[name] = title
        return 0.5

    def restore(self, _: Instance, name: str, /, *, deadline: Deadline, progress: Progress) -> None:
        """Note it."""
        deadline.require(name)
        progress(name)
        self.restored.append(name)

    def snapshots(self, _: Instance, /) -> Sequence[Snapshot]:
        """Return what is kept."""
        kept = self.kept.items()
        return [Snapshot(name=name, title=title, created="", size_bytes=1) for name, title in kept]

    def forget(self, _: Instance, name: str, /) -> None:
        """Forget a name."""
        del self.kept[name]

    def suspend(self, instance: Instance, /, *, deadline: Deadline) -> None:
        """Stop the machines."""
        self.stop(instance, deadline=deadline)
        self.suspended.append(instance.id)


@pytest.fixture
def record(context: Context, commands: list[tuple[str, str]]) -> Record:
    """Return the record of `web`, up."""
    made = lifecycle.up(context, "web", lifecycle.Wish(provider="fake"))
    commands.clear()
    return made


@pytest.fixture
def keeper(context: Context, record: Record, monkeypatch: pytest.MonkeyPatch) -> _Keeper:
    """Return the provider that has the machines of `web`."""
    assert record
    made = _Keeper(context.home)
    monkeypatch.setattr(Context, "provider", lambda *_: made)
    return made


def _report(**outcomes: Outcome) -> Report:
    tasks = tuple(
        TaskResult(id=name, title=f"Do {name}", outcome=outcome, points=0, max_points=1, why="")
        for name, outcome in outcomes.items()
    )
    return Report(lab="web", seed="", passed=False, score=0, max_score=1, seconds=1.0, tasks=tasks)


def test_snapshots_are_saved_listed_gone_back_to_and_forgotten(context: Context, keeper: _Keeper) -> None:
    """Each is the provider's, by the name that the user gave."""
    assert keeping.save_as(context, "web", "mine") == 0.5
    assert [each.name for each in keeping.listing(context, "web")] == ["mine"]
    keeping.go_back(context, "web", "mine")
    assert keeper.restored == ["mine"]
    keeping.forget(context, "web", "mine")
    assert keeping.listing(context, "web") == []


def test_names_of_checks_snapshots_are_refused(context: Context, keeper: _Keeper) -> None:
    """Else `rewind` would go back to what no task turned green at."""
    with pytest.raises(UsageError, match='"green-001" cannot name a snapshot'):
        keeping.save_as(context, "web", "green-001")
    assert keeper.kept == {}


def test_what_is_not_up_has_no_snapshots(context: Context, keeper: _Keeper) -> None:
    """Each use says so, and asks no provider."""
    lifecycle.down(context, "web")
    for use in (keeping.save_as, keeping.go_back, keeping.forget):
        with pytest.raises(UsageError, match="web is not up"):
            use(context, "web", "mine")
    with pytest.raises(UsageError, match="web is not up"):
        keeping.suspend(context, "web")
    assert (keeper.kept, keeper.suspended) == ({}, [])


def test_green_state_is_kept_once_a_task(context: Context, record: Record, keeper: _Keeper) -> None:
    """Only what passes for the first time makes a snapshot, titled by the tasks that did."""
    assert keeping.keep_green(context, record, _report(page=Outcome.FAIL)) == ""
    assert keeping.keep_green(context, record, _report(page=Outcome.PASS, boot=Outcome.FAIL)) == "green-001"
    assert keeping.keep_green(context, record, _report(page=Outcome.PASS)) == ""
    assert keeping.keep_green(context, record, _report(page=Outcome.PASS, boot=Outcome.PASS)) == "green-002"
    assert keeper.kept == {"green-001": "Do page", "green-002": "Do boot"}


def test_five_green_states_are_kept(context: Context, record: Record, keeper: _Keeper) -> None:
    """The oldest goes when a sixth comes; what the learner kept stays."""
    keeping.save_as(context, "web", "mine")
    for number in range(1, 8):
        keeping.keep_green(context, record, _report(**{f"task{number}": Outcome.PASS}))
    assert list(keeper.kept) == ["mine", *(f"green-00{number}" for number in range(3, 8))]


def test_green_state_that_could_not_be_kept_is_tried_again(
    context: Context, record: Record, keeper: _Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task counts as green before only when its state was kept; none is dropped for it."""

    def full(*_: object, **__: object) -> float:
        raise ProviderError("no space")

    with monkeypatch.context() as patch:
        patch.setattr(keeper, "save", full)
        with pytest.raises(ProviderError, match="no space"):
            keeping.keep_green(context, record, _report(page=Outcome.PASS))
    assert keeping.keep_green(context, record, _report(page=Outcome.PASS)) == "green-001"


@pytest.mark.parametrize("content", ["{", "{}", "[1]"])
def test_damaged_memory_of_green_tasks_begins_anew(
    context: Context, record: Record, keeper: _Keeper, content: str
) -> None:
    """It costs one snapshot more, and is whole again."""
    file = context.store.folder("web") / lifecycle.GREENS_FILE
    file.write_text(content)
    assert keeping.keep_green(context, record, _report(page=Outcome.PASS)) == "green-001"
    assert json.loads(file.read_text()) == ["page"]
    assert keeper.kept


def test_rewind_is_to_the_last_green_state(context: Context, record: Record, keeper: _Keeper) -> None:
    """Without any it says how one comes to be; the learner's own are none."""
    keeping.save_as(context, "web", "mine")
    with pytest.raises(UsageError, match="web has nothing to go back to") as raised:
        keeping.rewind(context, "web")
    assert "`check` keeps a state" in raised.value.hint
    keeping.keep_green(context, record, _report(page=Outcome.PASS))
    keeping.keep_green(context, record, _report(boot=Outcome.PASS))
    assert keeping.rewind(context, "web").title == "Do boot"
    assert keeper.restored == ["green-002"]


def test_suspended_machines_are_resumed(
    context: Context, record: Record, keeper: _Keeper, commands: list[tuple[str, str]]
) -> None:
    """They are started, and what they start is waited for, but nothing is set up again."""
    keeping.suspend(context, "web")
    assert keeper.suspended == ["web"]
    assert keeping.resume(context, "web") == record
    assert {each.state.value for each in keeper.status(context.instance(record)).values()} == {"running"}
    assert {command for _, command in commands} == {"systemctl is-system-running"}


def test_provider_without_the_ability_is_told(context: Context, record: Record) -> None:
    """The user's command is refused with its name; `check` does without."""
    for use in (keeping.save_as, keeping.go_back, keeping.forget):
        with pytest.raises(ProviderError, match="the provider fake can't keep snapshots"):
            use(context, "web", "mine")
    with pytest.raises(ProviderError, match="the provider fake can't suspend machines"):
        keeping.suspend(context, "web")
    assert not keeping.save(context, record, "mine", title="")
    assert not keeping.restore(context, record, "mine")
    assert keeping.keep_green(context, record, _report(page=Outcome.PASS)) == ""
