"""Tests of making machines as a set-up that was kept has them, and of keeping one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from lpiclab.errors import ProviderError, TimedOut
from lpiclab.files import private_folder
from lpiclab.model import Instance
from lpiclab.providers.qemu import frozen, generation, launch, making, process
from lpiclab.providers.qemu.identity import Identity
from lpiclab.providers.qemu.launch import Frozen
from lpiclab.providers.qemu.place import Place, places
from lpiclab.providers.qemu.templates import Templates
from lpiclab.wait import Deadline

MakeInstance = Callable[..., Instance]
FillFrozen = Callable[..., Path]
Qemu = Any
"""What would have been done with QEMU: `qemu/conftest.py` notes it."""
_KEY = "0123456789abcdef"


@pytest.fixture
def set_up(instance: Instance, kept: Templates, fill_frozen: FillFrozen) -> Path:
    """Return the template of the instance's set-up."""
    name = f"raid1-{_KEY[:12]}-{frozen.shape(instance, 'tcg')[:12]}"
    return fill_frozen(kept.folder(name), instance)


def _soon() -> Deadline:
    return Deadline.after(20.0)


def _begin(instance: Instance, kept: Templates, told: list[str] | None = None) -> bool:
    progress = (told if told is not None else []).append
    return making.begin(instance, _KEY, kept, "tcg", deadline=_soon(), progress=progress)


def _keep(instance: Instance, kept: Templates, told: list[str]) -> bool:
    return making.keep(instance, _KEY, "set-up of raid1", kept, "tcg", deadline=_soon(), progress=told.append)


def test_instance_begins_as_its_set_up(instance: Instance, kept: Templates, set_up: Path, qemu: Qemu) -> None:
    """New processes go on from the template, on disks of their own; then the old ones end."""
    before = [place.identity for place in places(instance)]
    old = generation.current(instance.folder).resolve()
    assert _begin(instance, kept)
    after = [place.identity for place in places(instance)]
    assert [whole for _, whole in qemu.resumed] == [
        Frozen(state=set_up / name / "state") for name in ("ns1", "ns2")
    ]
    assert qemu.backings["ns1/sdb.qcow2"] == set_up / "ns1" / "sdb.qcow2"
    assert [each.individual for each in before] == [each.individual for each in after]
    assert qemu.killed == [each.uuid for each in before]
    assert not old.exists()
    assert kept.users() == {set_up.name: ["raid1"]}


def test_machines_keep_their_host_keys(instance: Instance, kept: Templates, set_up: Path, qemu: Qemu) -> None:
    """A learner's own known_hosts stays right through a reset."""
    before = [(place.folder / "host_key.pub").read_text() for place in places(instance)]
    assert _begin(instance, kept)
    assert [(place.folder / "host_key.pub").read_text() for place in places(instance)] == before
    assert set_up.exists()
    assert qemu.resumed


def test_without_a_set_up_nothing_begins(instance: Instance, kept: Templates, qemu: Qemu) -> None:
    """The first instance of a lab is set up step by step; nothing is said about that."""
    told: list[str] = []
    assert not _begin(instance, kept, told)
    assert (told, qemu.resumed, generation.others(instance.folder)) == ([], [], [])


def test_spoilt_set_up_is_told_and_nothing_changes(
    instance: Instance, kept: Templates, set_up: Path, qemu: Qemu
) -> None:
    """No process is started from a file that is damaged."""
    (set_up / "ns2" / "state").write_text("")
    told: list[str] = []
    assert not _begin(instance, kept, told)
    assert "ns2/state is damaged" in told[0]
    assert (qemu.resumed, generation.others(instance.folder)) == ([], [])


def test_set_up_that_is_slow_is_kept(instance: Instance, kept: Templates, set_up: Path, qemu: Qemu) -> None:
    """A machine that did not answer in time says nothing about the template."""
    qemu.failures["ns2"] = TimedOut("timed out waiting")
    with pytest.raises(TimedOut):
        _begin(instance, kept)
    assert set_up.is_dir()
    assert generation.others(instance.folder) == []


def test_set_up_that_a_full_disk_keeps_from_running_stays(
    instance: Instance, kept: Templates, set_up: Path, qemu: Qemu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no space left, the template is not to blame."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: mock.Mock(free=0))
    qemu.failures["ns2"] = ProviderError("QEMU ended")
    with pytest.raises(ProviderError, match="QEMU ended") as raised:
        _begin(instance, kept)
    assert raised.value.hint == f"the disk with {instance.folder} is full"
    assert set_up.is_dir()
    assert generation.others(instance.folder) == []


def test_set_up_that_does_not_run_is_removed(
    instance: Instance, kept: Templates, set_up: Path, qemu: Qemu
) -> None:
    """One machine that can't go on ends the others that did; the old ones stay as they are."""
    old = generation.current(instance.folder).resolve()
    files = sorted(old.rglob("*"))
    failure = ProviderError("it does not fit")
    qemu.failures["ns2"] = failure
    told: list[str] = []
    assert not _begin(instance, kept, told)
    assert not set_up.exists()
    assert told == [f"{set_up.name} can't be used ({failure}); making it anew"]
    assert generation.current(instance.folder).resolve() == old
    assert sorted(old.rglob("*")) == files
    assert generation.others(instance.folder) == []
    assert len(qemu.killed) == 2
    assert not {Identity.of(old / name).uuid for name in ("ns1", "ns2")} & set(qemu.killed)


def test_set_up_that_goes_away_meanwhile_is_made_anew(
    instance: Instance, kept: Templates, set_up: Path, qemu: Qemu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who removed it did not see its user yet, so its user looks once more before its disks stand on it."""
    noted = making.note_origin

    def removed(place: Place, name: str) -> None:
        noted(place, name)
        if set_up.exists():
            set_up.rename(set_up.with_name(".gone"))

    monkeypatch.setattr(making, "note_origin", removed)
    told: list[str] = []
    assert not _begin(instance, kept, told)
    assert told == [f"{set_up.name} can't be used (it was removed just now); making it anew"]
    assert generation.others(instance.folder) == []
    assert qemu.running == set()


def test_set_up_that_lacks_a_machine_is_removed(
    instance: Instance, kept: Templates, set_up: Path, qemu: Qemu
) -> None:
    """A machine that was off when it was kept can't begin."""
    (set_up / "ns2" / "state").unlink()
    frozen.seal(set_up, title="kept", shape=frozen.shape(instance, "tcg"), instance=instance)
    told: list[str] = []
    assert not _begin(instance, kept, told)
    assert "lacks ns2" in told[0]
    assert not set_up.exists()
    assert qemu.running == set()


def test_interrupt_while_beginning_leaves_the_old_machines(
    instance: Instance, kept: Templates, set_up: Path, qemu: Qemu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C is no reason to throw the set-up away."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(launch, "together", interrupted)
    old = generation.current(instance.folder).resolve()
    with pytest.raises(KeyboardInterrupt):
        _begin(instance, kept)
    assert generation.current(instance.folder).resolve() == old
    assert generation.others(instance.folder) == []
    assert set_up.exists()
    assert len(qemu.killed) == 2


def test_set_up_is_kept_and_begun_from(
    instance: Instance, kept: Templates, qemu: Qemu, fill_frozen: FillFrozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The template notes which bare ones it stands on; the instance goes on from it."""
    for place in places(instance):
        place.memory.touch()
        qemu.running.add(place.identity.uuid)
    making.note_origin(places(instance)[0], "bare")

    def freeze(_: object, target: Path, **__: object) -> None:
        fill_frozen(target, instance, memory=True, seal=False)

    monkeypatch.setattr(frozen, "freeze", freeze)
    fill_frozen(kept.folder("bare"), instance)
    assert _keep(instance, kept, [])
    (made,) = [folder for folder in kept.root.glob("raid1-*") if folder.is_dir()]
    manifest = frozen.read(made)
    assert (manifest.title, manifest.origins) == ("set-up of raid1", ["bare"])
    assert [label for label, _ in qemu.resumed] == ["raid1/ns1", "raid1/ns2"]
    assert qemu.resumed[0][1].memory == made / "ns1" / "memory"
    assert kept.users() == {made.name: ["raid1"], "bare": ["raid1"]}


def test_set_up_that_another_instance_kept_meanwhile_stays(
    instance: Instance, kept: Templates, set_up: Path, qemu: Qemu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one's disks stand on it: this instance begins from it as well, and replaces nothing."""
    for place in places(instance):
        place.memory.touch()
        qemu.running.add(place.identity.uuid)

    def freeze(*_: object, **__: object) -> None:
        pytest.fail("it would replace the other one's template")

    monkeypatch.setattr(frozen, "freeze", freeze)
    before = set_up.stat().st_ino
    assert _keep(instance, kept, [])
    assert set_up.stat().st_ino == before
    assert [label for label, _ in qemu.resumed] == ["raid1/ns1", "raid1/ns2"]


def test_machines_that_were_booted_are_not_kept(instance: Instance, kept: Templates, qemu: Qemu) -> None:
    """Without memory in a file there is nothing to freeze: the instance goes on as it is."""
    qemu.running.update(place.identity.uuid for place in places(instance))
    assert _keep(instance, kept, [])
    assert kept.listing() == []
    assert qemu.killed == []


@pytest.mark.parametrize(
    "failure", [ProviderError("QEMU refused"), OSError(28, "No space left on device")], ids=["qemu", "disk"]
)
def test_set_up_that_could_not_be_kept_is_told(
    instance: Instance, kept: Templates, qemu: Qemu, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    """The caller learns that the instance is lost and why, and no half template stays."""
    for place in places(instance):
        place.memory.touch()
        qemu.running.add(place.identity.uuid)

    def refuse(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(frozen, "freeze", refuse)
    told: list[str] = []
    assert not _keep(instance, kept, told)
    assert told == [f"the set-up could not be kept: {failure}"]
    assert [each.name for each in kept.root.iterdir() if each.is_dir()] == []


def test_machine_that_does_not_end_is_named(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that can't be ended is told, not forgotten."""
    monkeypatch.setattr(process, "kill", lambda *_, **__: False)
    with pytest.raises(ProviderError, match="raid1/ns1: QEMU does not end"):
        making.kill(places(instance)[0])


def test_users_of_templates_are_found_by_files_alone(
    instance: Instance, kept: Templates, make_instance: MakeInstance
) -> None:
    """Every generation of every instance counts, also one that a crash left."""
    making.note_origin(places(instance)[0], "bare")
    left = generation.new(make_instance("web").folder)
    private_folder(left / "web")
    (left / "web" / "origin").write_text("set-up")
    assert kept.users() == {"bare": ["raid1"], "set-up": ["web"]}
    assert Templates(kept.root, instance.folder / "absent").users() == {}
