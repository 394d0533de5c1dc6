"""Tests of bringing instances up and down, with the provider `fake`."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from lpiclab.engine import lifecycle
from lpiclab.engine.context import Context
from lpiclab.engine.lifecycle import Wish
from lpiclab.engine.status import look
from lpiclab.errors import CommandFailed, ImageError, SpecError, UsageError
from lpiclab.model import CommandResult, MachineState
from lpiclab.providers.base import Snapshot
from lpiclab.providers.fake import FakeProvider
from lpiclab.state import Record
from lpiclab.wait import Deadline

Commands = list[tuple[str, str]]
Edit = Callable[[str, str, str], None]
_FAKE = Wish(provider="fake")


def _states(context: Context, record: Record) -> set[MachineState]:
    found = context.provider(record).status(context.instance(record))
    assert set(found) == {"web", "web-client"}
    return {each.state for each in found.values()}


def test_up_makes_and_sets_up(context: Context, commands: Commands, told: list[str]) -> None:
    """All machines run, files, networks and scripts have been applied, and it is on record."""
    record = lifecycle.up(context, "web", _FAKE)
    assert _states(context, record) == {MachineState.RUNNING}
    assert context.record("web") == record
    assert (record.phase, record.provider, record.plan.seed) == ("ready", "fake", "")
    said = [command for machine, command in commands if machine == "web"]
    assert any("/etc/network/interfaces" in each for each in said)
    assert any("/etc/example.net.conf" in each for each in said)
    assert "mkdir -p" in said[-1]
    assert any("setup/web.sh on web" in each for each in told)


def test_up_again_disturbs_nothing(context: Context, commands: Commands) -> None:
    """An instance that is up stays as it is, whatever of its own form is asked for again."""
    first = lifecycle.up(context, "web", Wish(provider="fake", seed="anna"))
    commands.clear()
    assert lifecycle.up(context, "web", Wish()) == first
    assert lifecycle.up(context, "web", Wish(provider="fake", seed="anna", distro="debian-13")) == first
    assert commands == []


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (Wish(seed="ben"), 'web is up with seed "anna", not "ben"'),
        (Wish(seed=""), 'web is up with seed "anna", not ""'),
        (Wish(distro="debian-12"), 'web is up with distro "debian-13", not "debian-12"'),
        (Wish(provider="qemu"), 'web is up with provider "fake", not "qemu"'),
    ],
)
def test_up_in_another_form_is_refused(
    context: Context, commands: Commands, wish: Wish, message: str
) -> None:
    """An instance is never silently another one than was asked for."""
    lifecycle.up(context, "web", Wish(provider="fake", seed="anna"))
    commands.clear()
    with pytest.raises(UsageError, match=message) as raised:
        lifecycle.up(context, "web", wish)
    assert "lpiclab up web@NAME" in raised.value.hint
    assert commands == []


def test_stopped_machines_are_started_not_made(context: Context, commands: Commands) -> None:
    """After a reboot of this host `up` boots the machines and waits, without setting them up again."""
    record = lifecycle.up(context, "web", _FAKE)
    (context.store.folder("web") / "machines" / "web" / "running").unlink()
    commands.clear()
    assert lifecycle.up(context, "web", Wish()) == record
    assert _states(context, record) == {MachineState.RUNNING}
    assert not any("mkdir" in command or "install" in command for _, command in commands)
    assert {machine for machine, _ in commands} == {"web", "web-client"}


def test_instances_of_one_lab_are_apart(context: Context, commands: Commands) -> None:
    """LAB@NAME is one more instance, which goes without the other."""
    assert commands == []
    lifecycle.up(context, "web", _FAKE)
    other = lifecycle.up(context, "web@two", Wish(provider="fake", seed="ben"))
    assert context.store.ids() == ["web", "web@two"]
    assert other.plan.parameters["secret"] != context.record("web").plan.parameters["secret"]
    lifecycle.down(context, "web@two")
    assert context.store.ids() == ["web"]


def test_lab_can_be_given_by_its_folder(context: Context, commands: Commands, web_folder: Path) -> None:
    """A lab's folder makes an instance with the folder's name."""
    record = lifecycle.up(context, str(web_folder), _FAKE)
    assert (record.id, record.lab_folder) == ("web", str(web_folder))
    assert commands


def test_instance_knows_its_own_lab(context: Context, commands: Commands, web_folder: Path) -> None:
    """A lab given by its folder is started again by its name; another lab of that name is refused."""
    own = shutil.copytree(web_folder, web_folder.parents[1] / "own" / "web")
    lifecycle.up(context, str(own), _FAKE)
    assert lifecycle.up(context, "web", _FAKE).lab_folder == str(own)
    with pytest.raises(UsageError, match="made from the lab in "):
        lifecycle.up(context, str(web_folder), _FAKE)
    context.store.save(replace(context.store.load("web"), phase="creating"))
    assert lifecycle.up(context, "web", _FAKE).lab_folder == str(own)
    assert commands


def test_failed_set_up_stops_the_machines(
    context: Context, commands: Commands, refused: set[str], told: list[str]
) -> None:
    """The failure says which script; nothing runs on; the next `up` starts over."""
    refused.add("mkdir -p")
    with pytest.raises(CommandFailed, match=r"web: setup/web.sh failed \(status 1\)") as raised:
        lifecycle.up(context, "web", _FAKE)
    assert raised.value.details == "it said no"
    left = context.store.load("web")
    assert left.phase == "creating"
    assert _states(context, left) == {MachineState.STOPPED}

    refused.clear()
    commands.clear()
    record = lifecycle.up(context, "web", _FAKE)
    assert _states(context, record) == {MachineState.RUNNING}
    assert "an earlier `up web` did not finish: starting over" in told
    assert any("mkdir -p" in command for _, command in commands)


def test_interrupt_leaves_nothing_running(
    context: Context, commands: Commands, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in `up` stops what had been started, and says how to go on."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lifecycle, "provision", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lifecycle.up(context, "web", _FAKE)
    assert _states(context, context.store.load("web")) == {MachineState.STOPPED}
    assert any("interrupted" in each and "lpiclab up web" in each for each in told)
    assert commands == []


def test_damaged_record_is_started_over(context: Context, commands: Commands, told: list[str]) -> None:
    """`up` on an instance whose record can't be read makes it anew."""
    lifecycle.up(context, "web", _FAKE)
    (context.store.folder("web") / "record.json").write_text("{")
    commands.clear()
    record = lifecycle.up(context, "web", _FAKE)
    assert record.phase == "ready"
    assert any("damaged" in each for each in told)
    assert any("mkdir -p" in command for _, command in commands)


@pytest.mark.parametrize("damage", ["record", "no record", "half made", "machines", "lab"])
def test_down_works_whatever_is_left(
    context: Context, commands: Commands, web_folder: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    """Every instance can be removed, and every provider that could have its machines is asked to."""
    record = lifecycle.up(context, "web", _FAKE)
    folder = context.store.folder("web")
    destroyed: list[list[str]] = []
    destroy = FakeProvider.destroy

    def noted(self: FakeProvider, instance: object) -> None:
        destroyed.append([machine.name for machine in instance.plan.machines])  # type: ignore[attr-defined]  # an Instance
        destroy(self, instance)  # type: ignore[arg-type]  # the same

    monkeypatch.setattr(FakeProvider, "destroy", noted)
    if damage == "record":
        (folder / "record.json").write_text("damaged")
    elif damage == "no record":
        (folder / "record.json").unlink()
    elif damage == "machines":
        shutil.rmtree(folder / "machines")
    elif damage == "lab":
        shutil.rmtree(web_folder)
    else:
        context.store.save(record)
        (folder / "machines" / "web" / "running").unlink()
    lifecycle.down(context, "web")
    assert destroyed == [["web", "web-client"]]
    assert not folder.exists()
    assert commands


def test_looking_and_removing_need_no_images(context: Context, commands: Commands) -> None:
    """A damaged image, or a distribution that is gone, keeps nobody from `status` and `down`."""
    record = lifecycle.up(context, "web", _FAKE)
    damaged = context.home.images / "debian-13-0123456789abcdef"
    damaged.mkdir(parents=True)
    context.store.save(replace(record, images={"debian-13": "0123456789abcdef", "gone-1": "0"}))
    with pytest.raises((ImageError, UsageError)):
        context.instance(context.store.load("web"))
    assert look(context)[0].phase == "ready"
    lifecycle.down(context, "web")
    assert context.store.ids() == []
    assert commands


def test_down_of_nothing_is_a_users_mistake(context: Context, commands: Commands) -> None:
    """What is up is listed instead."""
    with pytest.raises(UsageError, match="web is not up") as raised:
        lifecycle.down(context, "web")
    assert raised.value.hint == "nothing is up"
    lifecycle.up(context, "web@two", _FAKE)
    with pytest.raises(UsageError) as raised:
        lifecycle.down(context, "web")
    assert raised.value.hint == "up are: web@two"
    assert commands


def test_reset_makes_the_same_instance_anew(context: Context, commands: Commands) -> None:
    """After a reset the machines are new, with the seed and form they had."""
    before = lifecycle.up(context, "web", Wish(provider="fake", seed="anna"))
    learned = context.store.folder("web") / "machines" / "web" / "learners-work"
    learned.touch()
    commands.clear()
    after = lifecycle.reset(context, "web")
    assert not learned.exists()
    assert (after.plan, after.provider, after.phase) == (before.plan, "fake", "ready")
    assert any("mkdir -p" in command for _, command in commands)


@pytest.mark.parametrize(
    ("machine", "rebooted"), [(None, ["web", "web-client"]), ("web-client", ["web-client"])]
)
def test_restart_reboots_and_waits(
    context: Context, commands: Commands, machine: str | None, rebooted: list[str]
) -> None:
    """The machines named boot anew, and their services are waited for."""
    record = lifecycle.up(context, "web", _FAKE)
    commands.clear()
    lifecycle.restart(context, "web", machine)
    provider, instance = context.provider(record), context.instance(record)
    consoles = {name: provider.logs(instance, name)[0] for name in ("web", "web-client")}
    assert [name for name, console in consoles.items() if console.exists()] == rebooted
    assert any("is-system-running" in command for _, command in commands)


@pytest.mark.parametrize(("status", "gives_up"), [(0, False), (1, False), (124, True)])
def test_unit_that_never_comes_up_is_not_waited_for_for_ever(
    make_session: Callable[..., mock.Mock], told: list[str], status: int, gives_up: bool
) -> None:
    """The wait ends on the machine itself, so that the connection stays, and is told."""
    session = make_session({"systemctl is-system-running": (1, b"starting\n"), "--wait": (status, b"")})
    lifecycle.settle(session, "web/web", deadline=Deadline.after(60), progress=told.append)
    waited = session.run.call_args
    assert re.fullmatch(r"timeout (59|60) systemctl is-system-running --wait", waited.args[0])
    assert waited.kwargs["deadline"].left_s() > 60
    assert told[0] == "waiting for web/web to finish starting"
    assert ("list-jobs" in told[-1]) is gives_up


def test_machine_that_has_started_is_not_waited_for(
    make_session: Callable[..., mock.Mock], told: list[str]
) -> None:
    """Whatever became of its units: one question, and nothing is said."""
    session = make_session({"systemctl is-system-running": (1, b"degraded\n")})
    lifecycle.settle(session, "web/web", deadline=Deadline.after(60), progress=told.append)
    assert (session.run.call_count, told) == (1, [])


@pytest.fixture
def make_session() -> Callable[..., mock.Mock]:
    """Return a maker of sessions that answer a command by the longest end of it that they know."""

    def make(answers: dict[str, tuple[int, bytes]]) -> mock.Mock:
        def run(command: str, **_: object) -> CommandResult:
            known = min((each for each in answers if command.endswith(each)), key=len)
            status, stdout = answers[known]
            return CommandResult(command=command, status=status, stdout=stdout, stderr=b"")

        return mock.Mock(run=mock.Mock(side_effect=run))

    return make


def test_restart_of_an_unknown_machine_is_a_users_mistake(context: Context, commands: Commands) -> None:
    """The nearest machine is suggested."""
    lifecycle.up(context, "web", _FAKE)
    with pytest.raises(UsageError, match='web has no machine "wbe"') as raised:
        lifecycle.restart(context, "web", "wbe")
    assert raised.value.hint == 'did you mean "web"?'
    assert commands


@pytest.mark.parametrize(
    ("name", "wish", "hint"),
    [
        ("wbe", _FAKE, 'did you mean "web"?'),
        ("web", Wish(provider="fkae"), 'did you mean "fake"?'),
        ("web", Wish(provider="fake", distro="debian-31"), 'did you mean "debian-13"?'),
    ],
)
def test_wrong_names_leave_nothing_behind(
    context: Context, commands: Commands, name: str, wish: Wish, hint: str
) -> None:
    """A misspelt lab, provider or distribution is told with the nearest one, before anything is made."""
    with pytest.raises(UsageError) as raised:
        lifecycle.up(context, name, wish)
    assert raised.value.hint == hint
    assert context.store.ids() == []
    assert commands == []


@pytest.mark.usefixtures("commands")
def test_reset_that_loses_snapshots_says_so(context: Context, told: list[str], saved: Snapshot) -> None:
    """Where an instance can only be made anew, the snapshots that go with it are named."""
    lifecycle.up(context, "web", _FAKE)
    lifecycle.reset(context, "web")
    assert f"web is made anew; its snapshots go with what it was: {saved.name}" in told


def test_wrong_words_are_refused_before_there_are_machines(
    context: Context, commands: Commands, edit: Edit
) -> None:
    """A name that nothing defines, in a text of either language, leaves no instance and no machine."""
    edit("text.ja.md", "{{ secret }}", "{{ secert }}")
    with pytest.raises(SpecError, match=r"text\.ja\.md:\d+:.*secert"):
        lifecycle.up(context, "web", _FAKE)
    assert (context.store.ids(), commands) == ([], [])


def test_wrong_lab_leaves_nothing_behind(context: Context, commands: Commands, edit: Edit) -> None:
    """A lab with mistakes is told as such, before anything is made."""
    edit("setup/web.sh", "zone", "zoen")
    with pytest.raises(SpecError, match="zoen"):
        lifecycle.up(context, "web", _FAKE)
    assert context.store.ids() == []
    assert commands == []
