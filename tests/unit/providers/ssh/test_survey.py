"""Tests of looking at a machine of an inventory, by what its programs say."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from lpiclab import catalog
from lpiclab.model import Disk, Host, Machine, OfferedDisk
from lpiclab.providers.ssh import survey
from lpiclab.wait import Deadline

Answering = Callable[[Mapping[str, str | int | None]], mock.Mock]
_LSBLK = "lsblk --json --bytes --output NAME,TYPE,SIZE,RO,MOUNTPOINTS /dev/sdb"
_MACHINE = Machine(name="server", disks=(Disk(name="sdb", size_mib=320),))
_RELEASE = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n'


def _tree(**changes: Any) -> str:
    disk = {"name": "sdb", "type": "disk", "size": 320 << 20, "ro": False, "mountpoints": [None], **changes}
    return json.dumps({"blockdevices": [disk]})


def _part(name: str = "sdb1", mounted: str | None = None, **changes: Any) -> dict[str, Any]:
    return {"name": name, "type": "part", "size": 1, "ro": False, "mountpoints": [mounted], **changes}


def _card(**changes: Any) -> str:
    return json.dumps([{"ifname": "ens4", "addr_info": [{"local": "fe80::1", "scope": "link"}], **changes}])


@pytest.fixture
def sound() -> dict[str, str | int | None]:
    """Return what a machine says that is right in every way."""
    return {
        "sh -c 'for name; do command -v": "",
        "cat /etc/os-release": _RELEASE,
        "cat /var/lib/lpiclab/instance": None,
        _LSBLK: _tree(),
        "wipefs --noheadings": "",
        "wipefs --no-act --all /dev/sdb": "",
        "ip -json address show dev ens4": _card(),
    }


@pytest.fixture
def look(answering: Answering, host: Host, sound: dict[str, str | int | None]) -> Callable[..., list[str]]:
    """Return what looks at that machine, with a few answers changed."""

    def look(changes: Mapping[str, str | int | None] | None = None, *, wipe: bool = False) -> list[str]:
        offered = replace(host, disks=(OfferedDisk(name="sdb", wipe=wipe),), interfaces=("ens4",))
        runner = answering({**sound, **(changes or {})})
        found = survey.problems(
            runner, _MACHINE, offered, catalog.find_distro("debian-13"), deadline=Deadline.after(60)
        )
        told = [call.args[0] for call in runner.run.call_args_list]
        # Whatever looks must not change anything.
        readers = ("cat ", "ip -json address show ", "lsblk --json ", "sh -c 'for name; do command -v ")
        assert all(
            each.startswith((*readers, "wipefs --noheadings --output ", "wipefs --no-act ")) for each in told
        )
        return found

    return look


def test_sound_machine_has_no_problems(look: Callable[..., list[str]]) -> None:
    """An empty disk, a free card and the right distribution are all that is needed."""
    assert look() == []


@pytest.mark.parametrize(
    ("release", "problem"),
    [
        (
            'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n',
            "runs Debian GNU/Linux 12 (bookworm), not Debian 13 (trixie): `--distro debian-12` asks for that",
        ),
        (
            'PRETTY_NAME="Ubuntu 24.04"\nID=ubuntu\nVERSION_ID="24.04"\nID_LIKE=debian\n',
            "runs Ubuntu 24.04, not Debian 13 (trixie): Debian 13 (trixie) is needed",
        ),
        (None, "runs no distribution that says what it is, not Debian 13"),
    ],
)
def test_other_distribution_is_told(
    look: Callable[..., list[str]], release: str | None, problem: str
) -> None:
    """What runs there, and which option fits it if any does."""
    (found,) = look({"cat /etc/os-release": release})
    assert found.startswith(problem)


def test_point_release_is_the_release(look: Callable[..., list[str]]) -> None:
    """A version with a point in it is that of the catalogue."""
    assert look({"cat /etc/os-release": "ID=debian\nVERSION_ID='13.2'\n"}) == []


@pytest.mark.parametrize(
    ("tree", "problem"),
    [
        (_tree(type="part"), "sdb is no whole disk but a part: offer a whole disk"),
        (_tree(size=64 << 20), "sdb has 64 MiB, 320 are needed: offer a larger disk"),
        (_tree(ro=True), "sdb can only be read: offer another disk"),
        (_tree(mountpoints=["/srv"]), "sdb is in use: sdb is mounted at /srv; `umount` it"),
        (_tree(children=[_part(mounted="/srv")]), "sdb is in use: sdb1 is mounted at /srv; `umount` it"),
        (_tree(children=[_part(mounted="[SWAP]")]), "sdb is in use: sdb1 is swap space; `swapoff` it"),
        (
            _tree(children=[_part(children=[_part("md0", type="raid1")])]),
            "sdb is in use: sdb1 is part of md0 (raid1); offer another disk",
        ),
        (
            _tree(children=[_part("vg-lv", type="lvm")]),
            "sdb is in use: sdb is part of vg-lv (lvm); offer another disk",
        ),
        (
            _tree(children=[_part("safe", type="crypt")]),
            "sdb is in use: sdb is part of safe (crypt); offer another disk",
        ),
        (None, "sdb is not there"),
    ],
)
@pytest.mark.parametrize("wipe", [False, True])
def test_disk_in_use_is_refused(
    look: Callable[..., list[str]], tree: str | None, problem: str, wipe: bool
) -> None:
    """Whatever uses a disk keeps it, also where the inventory lets it be overwritten."""
    (found,) = look({_LSBLK: tree}, wipe=wipe)
    assert found.startswith(problem)


def test_disk_that_the_kernel_gives_to_nobody_is_refused(look: Callable[..., list[str]]) -> None:
    """A user that lsblk does not see is noticed too."""
    (found,) = look({"wipefs --no-act --all /dev/sdb": None}, wipe=True)
    assert found.startswith("sdb is in use: the kernel gives it to nobody else")


def test_disk_with_something_on_it_needs_the_owners_word(look: Callable[..., list[str]]) -> None:
    """A signature or partition table is overwritten only where the inventory says so."""
    signatures: Mapping[str, str | int | None] = {"wipefs --noheadings": "dos\ndos\next4\n"}
    (found,) = look(signatures)
    assert found == "sdb is not empty (dos, ext4): `wipe: true` in the inventory allows to overwrite it"
    assert look(signatures, wipe=True) == []


@pytest.mark.parametrize(
    ("card", "problem"),
    [
        (_card(addr_info=[{"local": "192.0.2.1", "scope": "global"}]), "ens4 is in use: it has the address"),
        (_card(master="br0"), "ens4 is in use: it belongs to br0"),
        (None, "ens4 is not there"),
    ],
)
def test_card_in_use_is_refused(look: Callable[..., list[str]], card: str | None, problem: str) -> None:
    """A card with an address may be the way by which we came."""
    (found,) = look({"ip -json address show dev ens4": card})
    assert found.startswith(problem)


def test_machine_of_another_instance_is_refused(look: Callable[..., list[str]]) -> None:
    """Whose it is, and both ways of getting it back."""
    theirs = json.dumps({"token": "00", "instance": "lvm", "by": "hanako@desk"})
    (found,) = look({"cat /var/lib/lpiclab/instance": theirs})
    assert "is in use by lvm of hanako@desk" in found
    assert "`lpiclab down lvm`" in found
    assert "`bash /var/lib/lpiclab/undo`" in found


def test_all_problems_are_told_at_once(look: Callable[..., list[str]]) -> None:
    """One look is enough to mend everything."""
    found = look({_LSBLK: None, "ip -json address show dev ens4": None, "cat /etc/os-release": None})
    assert len(found) == 3


def test_machine_without_the_programs_is_told_first(look: Callable[..., list[str]]) -> None:
    """Nothing else can be asked of it."""
    (found,) = look({"sh -c 'for name; do command -v": "lsblk\nwipefs\n"})
    assert found == "lacks lsblk, wipefs: install what they belong to"
