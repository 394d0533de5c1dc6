"""Tests of instance records."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from lpiclab.errors import StateError, UsageError
from lpiclab.model import Disk, Host, Machine, Nic, Plan, RenderedFile, RenderedStep
from lpiclab.paths import Home
from lpiclab.state import Record, Store, new_record


@pytest.fixture
def store(home: Home) -> Store:
    """Return an empty store."""
    return Store(home)


@pytest.fixture
def record(make_plan: Callable[..., Plan], tmp_path: Path) -> Record:
    """Return a record in which nothing is left out."""
    machine = Machine(
        name="ns1",
        distro="debian-13",
        disks=(Disk(name="sdb", size_mib=64),),
        nics=(Nic(network="lan", address="10.0.0.1/24"),),
    )
    file = RenderedFile(machine="ns1", path="/x", content="課題\n", owner="root", group="bind", mode=0o640)
    plan = make_plan(
        machine,
        seed="anna",
        parameters={"zone": "example.org", "lv_mib": 200},
        files=(file,),
        setup=(RenderedStep(machine="ns1", source="a.sh", content="true"),),
    )
    return new_record("raid1@anna", "qemu", tmp_path / "labs" / "raid1", {"debian-13": "abc"}, plan)


def test_record_comes_back_as_it_was_saved(store: Store, record: Record) -> None:
    """Everything of a plan survives, and only the user may read it."""
    store.save(record)
    assert store.load("raid1@anna") == record
    assert (record.phase, record.lab_id) == ("creating", "raid1")
    file = store.folder("raid1@anna") / "record.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_hosts_are_kept_apart_from_the_record(store: Store, record: Record) -> None:
    """They come back as they were saved, only the user may read them, and most instances have none."""
    hosts = {"ns1": Host(address="192.0.2.1", key="/id", host_key="ssh-ed25519 A", interfaces=("ens4",))}
    store.save(record)
    assert store.hosts(record.id) == {}
    store.save_hosts(record.id, hosts)
    assert store.hosts(record.id) == hosts
    file = store.folder(record.id) / "hosts.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("[")
    with pytest.raises(StateError, match=r"hosts\.json is damaged") as raised:
        store.hosts(record.id)
    assert "/var/lib/lpiclab/undo" in raised.value.hint


def test_completed_set_up_is_noted(store: Store, record: Record) -> None:
    """The new phase is on disk, and nothing else has changed."""
    store.save(record)
    done = store.ready(record)
    assert done.phase == "ready"
    assert store.load(record.id) == done
    assert done.plan == record.plan


def test_absent_record_is_none_or_a_users_mistake(store: Store) -> None:
    """Looking for an instance finds none; needing one says what starts it."""
    assert store.find("raid1") is None
    with pytest.raises(UsageError, match="raid1 is not up") as raised:
        store.load("raid1")
    assert "lpiclab up raid1" in raised.value.hint


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"id": 1}'])
def test_damaged_record_is_told_with_what_removes_it(store: Store, record: Record, damage: str) -> None:
    """A record that can't be read is no crash and no absent instance."""
    store.save(record)
    (store.folder(record.id) / "record.json").write_text(damage)
    with pytest.raises(StateError, match="record of raid1@anna is damaged") as raised:
        store.find(record.id)
    assert "lpiclab down raid1@anna" in raised.value.hint


def test_record_with_a_missing_part_is_damaged(store: Store, record: Record) -> None:
    """A record without its plan is not taken for one."""
    store.save(record)
    file = store.folder(record.id) / "record.json"
    words = json.loads(file.read_text())
    del words["plan"]
    file.write_text(json.dumps(words))
    with pytest.raises(StateError, match="damaged"):
        store.load(record.id)


def test_ids_are_those_of_folders(store: Store, record: Record) -> None:
    """Half-made instances count; locks and what is none of ours do not."""
    assert store.ids() == []
    store.save(record)
    store.folder("lvm").mkdir()
    (store.folder("lvm").parent / "Not an instance").mkdir()
    with store.lock("dns-tsig", "up dns-tsig", print):
        assert store.ids() == ["lvm", "raid1@anna"]


def test_removed_instance_is_gone(store: Store, record: Record) -> None:
    """The whole folder goes; removing once more is no mistake."""
    store.save(record)
    (store.folder(record.id) / "machines").mkdir()
    store.remove(record.id)
    assert not store.folder(record.id).exists()
    store.remove(record.id)
    assert store.ids() == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        "..",
        "../x",
        "a/b",
        "/etc",
        "Raid1",
        "raid1@",
        "@x",
        "raid1@a@b",
        "raid1@-x",
        "raid1@../x",
        "-x",
        "a b",
        "課題",
        "a" * 41,
        ".locks",
        "raid1\n",
    ],
)
def test_unsafe_names_never_become_paths(store: Store, name: str) -> None:
    """A name that could leave the store or hide in it is refused, in the lock too."""
    with pytest.raises(UsageError, match="cannot name an instance"):
        store.folder(name)
    with pytest.raises(UsageError), store.lock(name, "up", print):
        pass


@pytest.mark.parametrize("name", ["raid1", "dns-tsig", "raid1@Anna_2-b", "a" * 40])
def test_safe_names_have_folders_of_their_own(store: Store, home: Home, name: str) -> None:
    """LAB and LAB@NAME lie directly under the instances."""
    assert store.folder(name) == home.instances / name
