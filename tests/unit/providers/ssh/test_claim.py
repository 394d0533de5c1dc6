"""Tests of having a machine for one instance, by what it is told."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from lpiclab import catalog
from lpiclab.errors import CommandFailed, ProviderError
from lpiclab.model import Disk, Host, Machine, Nic, OfferedDisk, Plan, RenderedFile, RenderedStep, Restore
from lpiclab.providers.ssh import claim
from lpiclab.wait import Deadline

Answering = Callable[[Mapping[str, str | int | None]], mock.Mock]
_INSTANCE = "cat /var/lib/lpiclab/instance"
_OURS = claim.Owner(token="0123", instance="raid1", by="hanako@desk")  # noqa: S106 - no password: it tells instances apart
_THEIRS = claim.Owner(token="4567", instance="lvm", by="taro@lap")  # noqa: S106 - the same
_MACHINE = Machine(
    name="server",
    hostname="centos.example.net",
    disks=(Disk(name="sdb", size_mib=1),),
    nics=(Nic(network="lan", address="10.0.0.1/24", interface="ens4"),),
)


def _said(owner: claim.Owner) -> str:
    return json.dumps({"token": owner.token, "instance": owner.instance, "by": owner.by})


@pytest.fixture
def plan(make_plan: Callable[..., Plan]) -> Plan:
    """Return a plan with a file, restores and an undo step of this machine, and others of another one."""
    words: dict[str, Any] = {"owner": "root", "group": "root", "mode": 0o644, "content": ""}
    return make_plan(
        _MACHINE,
        files=(
            RenderedFile(machine="server", path="/etc/app.conf", **words),
            RenderedFile(machine="other", path="/etc/other.conf", **words),
        ),
        restores=(
            Restore(machine="server", paths=("/etc/app", "/srv/app"), services=("app",), users=("app",)),
            Restore(machine="other", paths=("/etc/other",)),
        ),
        undo=(
            RenderedStep(machine="server", source="undo/server.sh", content="rm /srv/x\n"),
            RenderedStep(machine="other", source="undo/other.sh", content="true\n"),
        ),
    )


@pytest.fixture
def take(plan: Plan, host: Host) -> Callable[[mock.Mock], None]:
    """Return what takes the machine for `raid1`."""

    def take(runner: mock.Mock) -> None:
        offered = replace(host, disks=(OfferedDisk(name="sdb"),), interfaces=("ens4",))
        distro = catalog.find_distro("debian-13")
        claim.take(
            runner, _MACHINE, offered, plan=plan, distro=distro, ours=_OURS, deadline=Deadline.after(60)
        )

    return take


def _told(runner: mock.Mock) -> list[list[str]]:
    return [shlex.split(call.args[0]) for call in runner.run.call_args_list]


def test_everything_that_set_up_changes_is_kept_first(
    answering: Answering, take: Callable[[mock.Mock], None]
) -> None:
    """Owner, undo script and steps are put beside the folder's place; one script keeps the rest."""
    runner = answering({"install": "", "bash": ""})
    take(runner)
    puts = {words[-1]: words for words in _told(runner) if words[0] == "install"}
    assert list(puts) == [
        f"/var/lib/lpiclab.0123/{each}" for each in ("instance", "undo", "steps/01-server.sh")
    ]
    assert all(words[words.index("-m") + 1] == "600" for words in puts.values())
    *_, last = runner.run.call_args_list
    assert last.kwargs["stdin"].decode().splitlines() == [
        "file /etc/hostname",
        "file /etc/hosts",
        "file /etc/fstab",
        "file /etc/crypttab",
        "file /etc/mdadm/mdadm.conf",
        "file /etc/mdadm.conf",
        "file /etc/systemd/system/lpiclab-cards.service",
        "file /etc/app.conf",
        "tree /etc/app",
        "tree /srv/app",
        "service app",
        "user app",
        "disk sdb",
        "card ens4",
    ]
    assert _told(runner)[-1][3:] == ["claim", "/var/lib/lpiclab.0123"]


def test_machine_that_is_ours_is_not_taken_again(
    answering: Answering, take: Callable[[mock.Mock], None]
) -> None:
    """Its originals are those of before the first set-up."""
    runner = answering({_INSTANCE: _said(_OURS)})
    take(runner)
    assert runner.run.call_count == 1


def test_machine_that_was_taken_meanwhile_is_refused(
    answering: Answering, take: Callable[[mock.Mock], None]
) -> None:
    """The one who comes second learns who was first."""
    with pytest.raises(ProviderError, match="server is in use by lvm of taro@lap") as raised:
        take(answering({_INSTANCE: _said(_THEIRS), "install": "", "bash": 3}))
    assert "`lpiclab down lvm`" in raised.value.hint


def test_folder_that_is_not_ours_is_refused(answering: Answering, take: Callable[[mock.Mock], None]) -> None:
    """A folder of that name that says nothing is not overwritten."""
    with pytest.raises(ProviderError, match="has a folder /var/lib/lpiclab that is not ours"):
        take(answering({"install": "", "bash": 3}))


def test_machine_of_which_nothing_could_be_kept_is_told(
    answering: Answering, take: Callable[[mock.Mock], None]
) -> None:
    """Nothing was changed, and what it said is there."""
    with pytest.raises(CommandFailed, match="nothing was changed") as raised:
        take(answering({"install": "", "bash": 1}))
    assert raised.value.details == "it said no"


def test_marker_that_can_not_be_read_is_somebodys(answering: Answering) -> None:
    """A damaged marker does not make a machine free."""
    found = claim.owner(answering({_INSTANCE: "{"}), deadline=Deadline.after(60))
    assert str(found) == "an instance of somebody unknown"


def test_only_disks_that_may_be_are_cleared(answering: Answering, host: Host) -> None:
    """The script gets the host name and the disks with `wipe`."""
    offered = replace(host, disks=(OfferedDisk(name="sdb"), OfferedDisk(name="sdc", wipe=True)))
    runner = answering({"bash": ""})
    claim.become(runner, _MACHINE, offered, deadline=Deadline.after(60))
    assert _told(runner)[0][3:] == ["become", "centos.example.net", "sdc"]


@pytest.mark.parametrize("owner", [None, _THEIRS])
def test_machine_that_is_not_ours_is_not_given_back(answering: Answering, owner: claim.Owner | None) -> None:
    """Another instance's work is not undone; only what we had prepared beside it goes."""
    runner = answering({_INSTANCE: _said(owner) if owner else None})
    claim.give_back(runner, "raid1/server", _OURS.token, deadline=Deadline.after(60))
    assert _told(runner)[1:] == [["rm", "-rf", "/var/lib/lpiclab.0123"]]


def test_machine_is_given_back_by_its_own_script(answering: Answering) -> None:
    """What it says when it can't is told, with what to do."""
    runner = answering({_INSTANCE: _said(_OURS), "bash /var/lib/lpiclab/undo": ""})
    claim.give_back(runner, "raid1/server", _OURS.token, deadline=Deadline.after(60))
    assert _told(runner)[-1] == ["bash", "/var/lib/lpiclab/undo"]
    with pytest.raises(CommandFailed, match="raid1/server: could not be given back") as raised:
        claim.give_back(
            answering({_INSTANCE: _said(_OURS)}), "raid1/server", _OURS.token, deadline=Deadline.after(60)
        )
    assert (raised.value.details, raised.value.hint) == ("it said no", "then `lpiclab down` again")
