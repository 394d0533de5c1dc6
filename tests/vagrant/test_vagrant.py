"""Labs on machines that Vagrant makes by libvirt, from the command line to nothing left."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Lpiclab = Callable[..., str]
_NOT_PASSED = 1
_MACHINERY = 4


@pytest.fixture(scope="module", autouse=True)
def _box(box: str) -> None:
    """Let all machines be made from lpiclab's own box."""
    assert box


def _left(inside: Any) -> list[str]:
    """Return the machines, lab networks and disks that libvirt knows; the box stays, as ever with Vagrant."""
    virsh = ("virsh", "--connect", "qemu:///system")
    found: list[str] = inside.run(*virsh, "list", "--all", "--name").split()
    found += [each for each in inside.run(*virsh, "net-list", "--all", "--name").split() if "lpiclab" in each]
    volumes = inside.run(*virsh, "vol-list", "default").splitlines()[2:]
    return found + [line for line in volumes if line.strip() and "_vagrant_box_image_" not in line]


def _states(lpiclab: Lpiclab, instance_id: str) -> list[str]:
    found = json.loads(lpiclab("status", "--json"))["instances"]
    (instance,) = (each for each in found if each["id"] == instance_id)
    return [machine["state"] for machine in instance["machines"].values()]


def test_one_machine_with_disks(lpiclab: Lpiclab, inside: Any) -> None:
    """A lab is set up, graded, solved, rebooted, begun anew, and gone."""
    lpiclab("up", "raid1", "--provider", "vagrant")
    assert _states(lpiclab, "raid1") == ["running"]
    assert lpiclab("ssh", "raid1", "--", "id -un; hostname --fqdn").split()[0] == "student"
    lpiclab("check", "raid1", status=_NOT_PASSED)
    lpiclab("solve", "raid1")
    lpiclab("check", "raid1", "--quick")
    lpiclab("restart", "raid1")
    lpiclab("check", "raid1", "--quick")
    lpiclab("reset", "raid1")
    lpiclab("check", "raid1", status=_NOT_PASSED)
    lpiclab("down", "raid1")
    assert _left(inside) == []


def test_two_machines_on_a_network(lpiclab: Lpiclab, inside: Any) -> None:
    """Machines of a lab reach each other; those of another instance beside it do not come into the way."""
    lpiclab("up", "dns-tsig", "--provider", "vagrant")
    lpiclab("check", "dns-tsig", status=_NOT_PASSED)
    lpiclab("solve", "dns-tsig")
    lpiclab("check", "dns-tsig", "--quick")
    lpiclab("up", "raid1@beside", "--provider", "vagrant")
    lpiclab("down", "dns-tsig")
    assert _states(lpiclab, "raid1@beside") == ["running"]
    lpiclab("down", "raid1@beside")
    assert _left(inside) == []


def test_snapshot(lpiclab: Lpiclab, inside: Any) -> None:
    """What was done after a snapshot is undone by going back to it."""
    lpiclab("up", "raid1", "--provider", "vagrant")
    lpiclab("snapshot", "save", "raid1", "before")
    lpiclab("solve", "raid1")
    lpiclab("check", "raid1", "--quick")
    lpiclab("snapshot", "restore", "raid1", "before")
    lpiclab("check", "raid1", "--quick", status=_NOT_PASSED)
    lpiclab("down", "raid1")
    assert _left(inside) == []


def test_machine_removed_by_hand(lpiclab: Lpiclab, inside: Any) -> None:
    """What somebody destroyed with Vagrant itself is told, and made anew when it is asked for."""
    lpiclab("up", "raid1", "--provider", "vagrant")
    folder = f"{inside.environment['LPICLAB_HOME']}/instances/raid1/vagrant"
    inside.run("env", f"VAGRANT_CWD={folder}", "vagrant", "destroy", "--force")
    assert _states(lpiclab, "raid1") == ["broken"]
    lpiclab("up", "raid1", status=_MACHINERY)
    lpiclab("reset", "raid1")
    lpiclab("check", "raid1", status=_NOT_PASSED)
    lpiclab("down", "raid1")
    assert _left(inside) == []


def test_contract_is_proved_on_such_machines(lpiclab: Lpiclab, inside: Any) -> None:
    """Authors prove labs there too; by `--only` this is the start and the reference solution."""
    told = lpiclab("test", "raid1", "--only", "brief", "--provider", "vagrant")
    assert told.splitlines() == [
        "proved  raid1: fresh: no task passes",
        "proved  raid1: solution reference: all pass",
    ]
    assert _left(inside) == []
