"""Tests of instances on machines that exist already, with the provider `ssh` and machines that are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lpiclab.engine import lifecycle
from lpiclab.engine.context import Context
from lpiclab.engine.lifecycle import Wish
from lpiclab.engine.status import look
from lpiclab.errors import CommandFailed, ConnectFailed, ProviderError, SpecError, UsageError
from lpiclab.model import MachineState

if TYPE_CHECKING:
    from tests.unit.conftest import Stranger

Commands = list[tuple[str, str]]
Edit = Callable[[str, str, str], None]
Strangers = dict[str, "Stranger"]
_UNDO = "undo:\n  - {machine: web, script: setup/web.sh}\n"


@pytest.fixture
def wish(inventory: Path) -> Wish:
    """Return the wish for machines of an inventory."""
    return Wish(provider="ssh", inventory=inventory)


@pytest.fixture
def undoable(edit: Edit) -> None:
    """Let the lab have an undo step."""
    edit("lab.yaml", "tasks:\n", f"{_UNDO}tasks:\n")


def _undone(stranger: Stranger) -> int:
    return stranger.log.count("bash /var/lib/lpiclab/undo")


def test_up_takes_machines_and_sets_them_up(
    context: Context, commands: Commands, strangers: Strangers, wish: Wish, told: list[str]
) -> None:
    """They are looked at, taken, and set up as all others; cards have the names that they have there."""
    record = lifecycle.up(context, "web", wish)
    assert (record.phase, record.provider) == ("ready", "ssh")
    for stranger in strangers.values():
        assert '"instance":"web"' in stranger.owner
        assert stranger.log.index("cat /etc/os-release") < next(
            index for index, line in enumerate(stranger.log) if "install" in line.split()[:1]
        )
    said = [command for machine, command in commands if machine == "web"]
    assert any("/etc/systemd/system/lpiclab-cards.service" in each for each in said)
    assert any("/etc/example.net.conf" in each for each in said)
    assert record.plan.machines[0].nics[0].interface == "ens4"
    assert any("setup/web.sh on web" in each for each in told)


def test_what_can_not_be_undone_is_told_beforehand(
    context: Context, commands: Commands, strangers: Strangers, wish: Wish, told: list[str]
) -> None:
    """The scripts are named before anything is changed."""
    lifecycle.up(context, "web", wish)
    warning = "`down` can't undo what setup/web.sh will change: the lab doesn't say how"
    assert told.index(warning) < told.index("disks and keys")
    assert (len(commands) > 0, len(strangers)) == (True, 2)


@pytest.mark.usefixtures("undoable", "commands")
def test_lab_with_undo_steps_needs_no_warning(
    context: Context, strangers: Strangers, wish: Wish, told: list[str]
) -> None:
    """Its steps are on the machine from the beginning."""
    lifecycle.up(context, "web", wish)
    assert not any("can't undo" in each for each in told)
    assert any("steps/01-web.sh" in each for each in strangers["web.example"].log)
    assert not any("steps/" in each for each in strangers["client.example"].log)


@pytest.mark.usefixtures("commands")
def test_later_commands_need_no_inventory(
    context: Context, strangers: Strangers, wish: Wish, inventory: Path
) -> None:
    """What is needed of it is in the instance's folder, for this user only."""
    lifecycle.up(context, "web", wish)
    inventory.unlink()
    (status,) = look(context)
    assert {each.state for each in status.machines.values()} == {MachineState.RUNNING}
    assert (context.store.folder("web") / "hosts.json").stat().st_mode & 0o777 == 0o600
    assert lifecycle.up(context, "web", Wish()).phase == "ready"
    lifecycle.restart(context, "web", "web-client")
    assert [stranger.boots for stranger in strangers.values()] == [1, 2]
    lifecycle.down(context, "web")
    assert [stranger.owner for stranger in strangers.values()] == ["", ""]
    assert context.store.ids() == []


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (Wish(provider="ssh"), "the provider ssh needs an inventory"),
        (Wish(inventory=Path("x.yaml")), "the provider qemu makes its machines"),
        (Wish(provider="fake", inventory=Path("x.yaml")), "the provider fake makes its machines"),
    ],
)
def test_inventory_belongs_to_machines_that_exist(context: Context, wish: Wish, message: str) -> None:
    """One without the other is a user's mistake, and leaves nothing."""
    with pytest.raises(UsageError, match=message):
        lifecycle.up(context, "web", wish)
    assert context.store.ids() == []


def test_wrong_inventory_touches_nothing(
    context: Context, strangers: Strangers, wish: Wish, inventory: Path
) -> None:
    """A lab machine without an entry is told before any machine is asked."""
    inventory.write_text(inventory.read_text().replace("web-client:", "web-cleint:"))
    with pytest.raises(SpecError, match='did you mean "web-cleint"'):
        lifecycle.up(context, "web", wish)
    assert not any(stranger.log for stranger in strangers.values())
    assert context.store.ids() == []


def test_machines_that_do_not_fit_stay_as_they_are(
    context: Context, commands: Commands, strangers: Strangers, wish: Wish
) -> None:
    """What is wrong with all of them is told at once; nothing is left here either."""
    strangers["web.example"].refuses = "lsblk --json"
    strangers["client.example"].switched_off = True
    with pytest.raises(ProviderError, match="nothing was changed") as raised:
        lifecycle.up(context, "web", wish)
    assert raised.value.details.splitlines() == [
        "web/web: sdb is not there: `lsblk` on it shows what is",
        "web/web: sdc is not there: `lsblk` on it shows what is",
        "web/web-client: no connection (is it on?)",
    ]
    assert (context.store.ids(), commands) == ([], [])
    assert not any(line.startswith("install ") for line in strangers["web.example"].log)


@pytest.mark.usefixtures("commands")
def test_machine_has_one_instance(context: Context, strangers: Strangers, wish: Wish) -> None:
    """A second instance on the same machines is refused, and the first stays."""
    lifecycle.up(context, "web", wish)
    with pytest.raises(ProviderError) as raised:
        lifecycle.up(context, "web@two", wish)
    assert "web@two/web: is in use by web of " in raised.value.details
    assert '"instance":"web"' in strangers["web.example"].owner
    assert context.store.ids() == ["web"]


@pytest.mark.usefixtures("commands")
def test_up_on_other_machines_is_refused(
    context: Context, wish: Wish, inventory: Path, strangers: Strangers
) -> None:
    """The same inventory again is no other one."""
    lifecycle.up(context, "web", wish)
    assert lifecycle.up(context, "web", wish).phase == "ready"
    inventory.write_text(inventory.read_text().replace("web.example", "other.example"))
    with pytest.raises(UsageError, match="web is up on other machines"):
        lifecycle.up(context, "web", wish)
    assert strangers["web.example"].owner


@pytest.mark.usefixtures("undoable", "commands")
def test_reset_gives_back_and_sets_up_anew(context: Context, strangers: Strangers, wish: Wish) -> None:
    """With undo steps a machine is brought back and taken again, with another token."""
    before = lifecycle.up(context, "web", wish)
    owner = strangers["web.example"].owner
    after = lifecycle.reset(context, "web")
    assert (after.plan, after.provider, after.phase) == (before.plan, "ssh", "ready")
    assert [_undone(stranger) for stranger in strangers.values()] == [1, 1]
    assert strangers["web.example"].owner not in {"", owner}


@pytest.mark.usefixtures("commands")
def test_reset_is_refused_where_something_would_stay(
    context: Context, strangers: Strangers, wish: Wish
) -> None:
    """The scripts that nothing undoes are named; the instance stays."""
    lifecycle.up(context, "web", wish)
    with pytest.raises(
        UsageError, match=r"web can't be reset: nothing undoes what setup/web.sh changed"
    ) as raised:
        lifecycle.reset(context, "web")
    assert "lpiclab down web" in raised.value.hint
    assert context.record("web").phase == "ready"
    assert not any(map(_undone, strangers.values()))


@pytest.mark.usefixtures("undoable", "commands")
@pytest.mark.parametrize(
    "change",
    [
        ("{name: sdc, size_mib: 64}", "{name: sdc, size_mib: 64}, {name: sdd, size_mib: 64}"),
        ('"{{ net }}.2/24"}, {network: lan}', '"{{ net }}.2/24"}'),
        ("parameters:\n", "  - name: third\nparameters:\n"),
    ],
)
def test_reset_of_a_lab_that_needs_other_machines_is_refused(
    context: Context, strangers: Strangers, wish: Wish, edit: Edit, change: tuple[str, str]
) -> None:
    """A lab may have been edited since its inventory was read; nothing is given back over that."""
    lifecycle.up(context, "web", wish)
    edit("lab.yaml", *change)
    with pytest.raises(UsageError, match="web needs other machines, disks or network cards"):
        lifecycle.reset(context, "web")
    assert not any(map(_undone, strangers.values()))


@pytest.mark.usefixtures("commands")
def test_failed_set_up_can_be_given_back(
    context: Context, refused: set[str], strangers: Strangers, wish: Wish, told: list[str]
) -> None:
    """It stays as it is, for a look; the next `up` gives it back, knows the machines, and starts over."""
    refused.add("mkdir -p")
    with pytest.raises(CommandFailed):
        lifecycle.up(context, "web", wish)
    assert not any(map(_undone, strangers.values()))
    assert told[-1] == "its machines stay as they are: `lpiclab down web` gives them back"
    refused.clear()
    assert lifecycle.up(context, "web", Wish()).provider == "ssh"
    assert [_undone(stranger) for stranger in strangers.values()] == [1, 1]
    assert "an earlier `up web` did not finish: starting over" in told


@pytest.mark.usefixtures("commands")
@pytest.mark.parametrize("damage", ["damaged", None])
def test_machines_are_given_back_without_a_record(
    context: Context, strangers: Strangers, wish: Wish, damage: str | None
) -> None:
    """Where the machines are is written down apart from the record."""
    lifecycle.up(context, "web", wish)
    record = context.store.folder("web") / "record.json"
    record.write_text(damage) if damage else record.unlink()
    lifecycle.down(context, "web")
    assert [stranger.owner for stranger in strangers.values()] == ["", ""]


@pytest.mark.usefixtures("commands")
def test_machine_that_does_not_answer_is_not_forgotten(
    context: Context, strangers: Strangers, wish: Wish
) -> None:
    """`down` gives back those that answer, and once more the one that did not."""
    lifecycle.up(context, "web", wish)
    strangers["web.example"].switched_off = True
    with pytest.raises(ConnectFailed, match="web/web: no connection") as raised:
        lifecycle.down(context, "web")
    assert "is it on?; a machine that is gone for good is forgotten with its file in " in raised.value.hint
    assert not strangers["client.example"].owner
    strangers["web.example"].switched_off = False
    lifecycle.down(context, "web")
    assert not strangers["web.example"].owner
    assert _undone(strangers["client.example"]) == 1
    assert context.store.ids() == []


@pytest.mark.usefixtures("commands")
def test_damaged_hosts_are_told(context: Context, strangers: Strangers, wish: Wish) -> None:
    """`status` shows the rest, and says how machines are given back by hand."""
    lifecycle.up(context, "web", wish)
    (context.store.folder("web") / "hosts.json").write_text("[")
    (status,) = look(context)
    assert status.phase == "broken"
    assert "hosts.json is damaged" in status.problem
    assert strangers["web.example"].owner


@pytest.mark.usefixtures("commands")
def test_suspending_and_snapshots_are_refused(context: Context, strangers: Strangers, wish: Wish) -> None:
    """Machines that are not ours can't be frozen."""
    from lpiclab.engine import keeping  # noqa: PLC0415

    lifecycle.up(context, "web", wish)
    for refused in (
        lambda: keeping.save_as(context, "web", "x"),
        lambda: keeping.rewind(context, "web"),
        lambda: keeping.suspend(context, "web"),
    ):
        with pytest.raises(ProviderError, match="the provider ssh can't"):
            refused()
    assert keeping.resume(context, "web").id == "web"
    assert strangers["web.example"].owner
