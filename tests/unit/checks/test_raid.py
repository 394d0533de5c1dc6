"""Tests of lpiclab.checks.raid: its commands are run by a real shell, mdadm is a stand-in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from testinfra.host import Host

from lpiclab.checks import raid
from lpiclab.checks.probes import NOTHING

Programs = Callable[..., Host]


@pytest.mark.parametrize(
    ("line", "device", "uuid"),
    [
        (
            "ARRAY /dev/md0 UUID=3aaa0122:29827cfa:5331ad66:ca767371",
            "/dev/md0",
            "3aaa012229827cfa5331ad66ca767371",
        ),
        ("array md0 metadata=1.2 uuid=3AAA0122:2982 name=x", "md0", "3aaa01222982"),
        ("ARRAY /dev/md/0\n  level=1\n  UUID=3aaa:0122", "/dev/md/0", "3aaa0122"),
        ("ARRAY <ignore> UUID=3aaa0122", "<ignore>", "3aaa0122"),
        ("ARRAY /dev/md0 devices=/dev/sdb1", "/dev/md0", ""),
        ("ARRAY /dev/md0 UUID= # none", "/dev/md0", ""),
    ],
)
def test_array_lines_are_read_as_mdadm_does(
    programs: Programs, tmp_path: Path, line: str, device: str, uuid: str
) -> None:
    """Keywords in any case, lines that go on, comments, and UUIDs however they are punctuated."""
    file = tmp_path / "mdadm.conf"
    file.write_text(f"# ARRAY /dev/md9 UUID=9\nMAILADDR root\n{line}\n")
    assert (device, uuid) in raid.array_lines(programs(), str(file))
    assert not any(found.device == "/dev/md9" for found in raid.array_lines(programs(), str(file)))


def test_array_lines_are_read_from_the_folder_too(programs: Programs, tmp_path: Path) -> None:
    """What lies beside the file, in its folder, counts as mdadm counts it."""
    (tmp_path / "mdadm.conf.d").mkdir()
    (tmp_path / "mdadm.conf.d" / "one.conf").write_text("ARRAY /dev/md7 UUID=7\n")
    assert raid.ArrayLine("/dev/md7", "7") in raid.array_lines(programs(), str(tmp_path / "mdadm.conf"))


def test_only_the_file_that_mdadm_prefers_is_read(programs: Programs, tmp_path: Path) -> None:
    """Where the preferred file is, mdadm passes over the other one; where it is not, it reads that."""
    paths = {"mdadm_config": "/etc/mdadm/mdadm.conf", "mdadm_config_preferred": f"{tmp_path}/mdadm.conf"}
    assert raid.config_file(programs(), paths) == "/etc/mdadm/mdadm.conf"
    (tmp_path / "mdadm.conf").touch()
    assert raid.config_file(programs(), paths) == f"{tmp_path}/mdadm.conf"


def test_arrays_are_those_that_the_kernel_holds(programs: Programs) -> None:
    """Also an array that does not run is one; what is left of a stopped one is none."""
    states = {"md5": "inactive", "md0": "clean", "md127": "clear"}
    lines = "; ".join(f"echo /sys/block/{name}/md/array_state:{state}" for name, state in states.items())
    assert raid.arrays(programs(grep=lines)) == ["md0", "md5"]
    assert raid.arrays(programs(grep="exit 2")) == []


def test_array_facts_are_the_kernels_words(programs: Programs) -> None:
    """Each file below the array's folder gives its name and its words; no array gives none."""
    host = programs(grep='shift 2; for file in "$@"; do echo "$file:1:2"; done')
    facts = raid.array_facts(host, "md0")
    assert facts["level"] == "1:2"
    assert {"degraded", "dev-*/state", "dev-*/slot"} <= set(facts)
    assert raid.array_facts(programs(grep="exit 2"), "md0") == {}


@pytest.mark.parametrize(
    ("state", "slot", "word"),
    [
        ("in_sync", "0", "in_sync"),
        ("in_sync,write_mostly", "1", "in_sync,write_mostly"),
        ("spare", "none", "spare"),
        ("spare", "1", "rebuilding"),
        ("faulty", "1", "faulty"),
    ],
)
def test_a_member_with_a_place_is_no_spare(state: str, slot: str, word: str) -> None:
    """What the kernel calls a spare is being filled if it has a place in the array already."""
    facts = {"level": "raid1", "dev-sdb1/slot": slot, "dev-sdb1/state": state}
    assert raid.array_members(facts) == {"sdb1": word}


def test_members_are_told_in_words() -> None:
    """Members are told by name, with their states; no member is a hyphen."""
    facts = {"dev-sdc1/state": "faulty", "dev-sdb1/state": "in_sync"}
    assert raid.in_words(raid.array_members(facts)) == "sdb1 in_sync, sdc1 faulty"
    assert raid.in_words({}) == NOTHING


def test_array_uuid_is_mdadms(programs: Programs) -> None:
    """The running array's UUID comes as digits only; no array has none."""
    host = programs(mdadm="echo MD_LEVEL=raid1; echo MD_UUID=3aaa0122:29827cfa")
    assert raid.array_uuid(host, "md0") == "3aaa012229827cfa"
    assert raid.array_uuid(programs(mdadm="exit 1"), "md0") == ""


def test_an_array_has_several_names() -> None:
    """The kernel's name, its device and the link in /dev/md all mean the same."""
    assert raid.array_names("md5") == {"md5", "/dev/md5", "/dev/md/md5", "/dev/md/5"}


def test_record_tells_our_lines_from_stale_ones(programs: Programs, tmp_path: Path) -> None:
    """A line with the array's UUID is its own, one with its name and another UUID is stale."""
    file = tmp_path / "mdadm.conf"
    file.write_text("ARRAY /dev/md/0 UUID=3a:01\nARRAY /dev/md0 UUID=5b:02\nARRAY /dev/md9 UUID=9\n")
    host = programs(mdadm="echo MD_UUID=3a01")
    paths = {"mdadm_config": "/none", "mdadm_config_preferred": str(file)}
    assert raid.record(host, "md0", paths) == (str(file), ["/dev/md/0"], ["5b02"])
