"""Tests of folders of frozen machines: what can go on from them, and whether they are sound."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from lpiclab.errors import ImageError, ProviderError, TimedOut
from lpiclab.files import file_lock
from lpiclab.model import Disk, Instance, Machine
from lpiclab.providers.qemu import accelerator, frozen, monitor, process
from lpiclab.providers.qemu.place import places
from lpiclab.wait import Deadline

MakeInstance = Callable[..., Instance]
FillFrozen = Callable[..., Path]
_SHAPE = "a shape"
_PLAIN = Machine(name="ns1", distro="debian-13", memory_mib=256, processors=1)


@pytest.fixture
def folder(instance: Instance, fill_frozen: FillFrozen, tmp_path: Path) -> Path:
    """Return a sound folder of frozen machines."""
    return fill_frozen(tmp_path / "kept", instance)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Return what each machine's monitor is told; `migrate` writes a state."""
    told: list[tuple[str, str]] = []

    @contextlib.asynccontextmanager
    async def fake_monitor(_: Path, machine: str) -> AsyncIterator[mock.Mock]:
        async def execute(command: str, *_: object) -> dict[str, str]:
            if command != "query-status":
                told.append((machine, command))
            return {"status": "paused"}

        yield mock.Mock(execute=execute, machine=machine)

    async def write_state(client: mock.Mock, file: Path, *, with_memory: bool) -> None:
        told.append((client.machine, "migrate with memory" if with_memory else "migrate"))
        await asyncio.to_thread(file.write_text, f"state of {client.machine}")

    monkeypatch.setattr(monitor, "monitor", fake_monitor)
    monkeypatch.setattr(monitor, "write_state", write_state)
    return told


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the processes that were ended; all of them could be."""
    uuids: list[str] = []

    def kill(uuid: str, **_: object) -> bool:
        uuids.append(uuid)
        return True

    monkeypatch.setattr(process, "kill", kill)
    return uuids


def _soon() -> Deadline:
    return Deadline.after(20.0)


def _changed_machines() -> dict[str, Machine]:
    return {
        "memory": replace(_PLAIN, memory_mib=512),
        "processors": replace(_PLAIN, processors=2),
        "disks": replace(_PLAIN, disks=(Disk(name="sdb", size_mib=64),)),
    }


@pytest.mark.parametrize("what", list(_changed_machines()))
def test_shape_is_of_the_hardware(make_instance: MakeInstance, what: str) -> None:
    """A machine with other hardware can't go on from a frozen one."""
    one, two = make_instance("raid1", _PLAIN), make_instance("raid1", _changed_machines()[what])
    assert frozen.shape(one, "tcg") != frozen.shape(two, "tcg")


def test_shape_is_of_image_qemu_and_accelerator(
    make_instance: MakeInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs the machine, and what its disk stands on, must be the same as well."""
    instance = make_instance("raid1", _PLAIN)
    before = frozen.shape(instance, "tcg")
    assert frozen.shape(instance, "kvm") != before
    images = {"debian-13": replace(instance.images["debian-13"], digest="4567")}
    assert frozen.shape(replace(instance, images=images), "tcg") != before
    monkeypatch.setattr(accelerator, "qemu_fingerprint", lambda: (1000, 6))
    assert frozen.shape(instance, "tcg") != before


def test_shape_is_not_of_the_instance(make_instance: MakeInstance) -> None:
    """Instances of one lab can begin as each other, wherever they are and whatever they are called."""
    one, two = make_instance("raid1", _PLAIN), make_instance("raid1@two", _PLAIN)
    assert one.folder != two.folder
    assert frozen.shape(one, "tcg") == frozen.shape(two, "tcg")


def test_sealed_folder_tells_what_it_is(folder: Path, instance: Instance) -> None:
    """The manifest has every file, the images by their folders, and the templates it stands on."""
    frozen.seal(
        folder,
        title="mine",
        shape=frozen.shape(instance, "tcg"),
        instance=instance,
        origins=["b", "a", "b"],
    )
    manifest = frozen.verify(folder, frozen.shape(instance, "tcg"), thorough=True)
    assert (manifest.title, manifest.origins, manifest.images) == ("mine", ["a", "b"], ["debian-13-0123"])
    files = ["ns1/sda.qcow2", "ns1/sdb.qcow2", "ns1/state", "ns2/sda.qcow2", "ns2/state"]
    assert sorted(manifest.files) == files


@pytest.mark.parametrize("name", ["ns1/sda.qcow2", "ns1/state", "ns2/state"])
def test_damaged_file_is_named(folder: Path, name: str) -> None:
    """A file that was cut short, changed or removed makes the folder unusable, and is told."""
    file = folder / name
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    with pytest.raises(ImageError, match=rf"{name} is damaged: it has \d+ bytes, not \d+"):
        frozen.verify(folder)
    file.write_bytes(content.swapcase())
    os.utime(file, ns=(1, 1))
    with pytest.raises(ImageError, match=f"{name} is damaged: its content has changed"):
        frozen.verify(folder)
    file.unlink()
    with pytest.raises(ImageError, match=f"{name} is damaged: No such file"):
        frozen.verify(folder)


def test_new_date_of_a_right_file_is_noted(folder: Path) -> None:
    """A copied folder is read as a whole once, and not at each use."""
    os.utime(folder / "ns1" / "state", ns=(1, 1))
    assert frozen.verify(folder).files["ns1/state"].mtime_ns == 1
    assert frozen.read(folder).files["ns1/state"].mtime_ns == 1


def test_outdated_folder_is_told(folder: Path) -> None:
    """Whoever asks for another shape learns that it is not damaged, only of no use."""
    assert frozen.verify(folder)
    with pytest.raises(ImageError, match="kept was made with another QEMU, image or kind of machine"):
        frozen.verify(folder, "another")


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"schema": 2}'])
def test_folder_without_a_manifest_is_not_complete(folder: Path, content: str | None) -> None:
    """What was being made when its maker was killed is never used."""
    manifest = folder / "manifest.json"
    manifest.unlink()
    if content is not None:
        manifest.write_text(content)
    with pytest.raises(ImageError, match=r"manifest\.json is damaged"):
        frozen.verify(folder)


def test_use_is_noted(folder: Path, tmp_path: Path) -> None:
    """A folder knows when it was last of use; one without a manifest never was."""
    os.utime(folder / "manifest.json", (5, 5))
    assert frozen.used_at(folder) == 5
    frozen.note_use(folder)
    assert frozen.used_at(folder) > 5
    assert frozen.used_at(tmp_path / "absent") == 0


def test_machine_goes_on_from_its_state(folder: Path) -> None:
    """Memory is a file, or in the state; a machine that was off has neither."""
    whole = frozen.machine(folder, "ns1")
    assert whole is not None
    assert (whole.state, whole.memory) == (folder / "ns1" / "state", None)
    (folder / "ns1" / "memory").touch()
    whole = frozen.machine(folder, "ns1")
    assert whole is not None
    assert whole.memory == folder / "ns1" / "memory"
    (folder / "ns1" / "state").unlink()
    assert frozen.machine(folder, "ns1") is None


def test_freezing_moves_what_machines_are(
    instance: Instance, tmp_path: Path, said: list[tuple[str, str]], ended: list[str]
) -> None:
    """All machines stand still before the first state is written; their processes end."""
    every = places(instance)
    for place in every:
        place.memory.write_text("memory")
    frozen.freeze(every, tmp_path / "target", deadline=_soon())
    assert said == [
        ("raid1/ns1", "stop"),
        ("raid1/ns2", "stop"),
        ("raid1/ns1", "migrate"),
        ("raid1/ns2", "migrate"),
    ]
    assert ended == [place.identity.uuid for place in every]
    kept = sorted(str(file.relative_to(tmp_path / "target")) for file in (tmp_path / "target").rglob("*.*"))
    assert kept == ["ns1/sda.qcow2", "ns1/sdb.qcow2", "ns2/sda.qcow2"]
    assert (tmp_path / "target" / "ns2" / "memory").read_text() == "memory"
    assert (tmp_path / "target" / "ns2" / "state").read_text() == "state of raid1/ns2"
    assert not every[0].memory.exists()


def test_process_that_does_not_end_is_told(
    instance: Instance, tmp_path: Path, said: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disks of a machine that may still write to them are not moved away."""
    every = places(instance)
    every[0].memory.touch()
    monkeypatch.setattr(process, "kill", lambda *_, **__: False)
    with pytest.raises(ProviderError, match="raid1/ns1: QEMU does not end"):
        frozen.freeze(every[:1], tmp_path / "target", deadline=_soon())
    assert every[0].disks()[0][1].exists()
    assert said


def test_capturing_copies_and_lets_machines_go_on(
    instance: Instance, tmp_path: Path, said: list[tuple[str, str]]
) -> None:
    """Running machines stand still together and go on; of those that are off only disks are copied."""
    running, off = places(instance)
    seconds = frozen.capture([running], [off], tmp_path / "target", deadline=_soon())
    assert 0 <= seconds < 20
    assert [command for _, command in said] == ["stop", "migrate with memory", "cont"]
    assert {machine for machine, _ in said} == {"raid1/ns1"}
    assert (tmp_path / "target" / "ns1" / "sdb.qcow2").read_text() == "sdb of ns1 now"
    assert (tmp_path / "target" / "ns2" / "sda.qcow2").read_text() == "sda of ns2 now"
    assert not (tmp_path / "target" / "ns2" / "state").exists()
    assert running.disks()[0][1].exists()
    assert not (running.generation / "standing-still").exists()


def test_machines_go_on_after_a_failed_capture(
    instance: Instance, tmp_path: Path, said: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is raised as it is, when no machine stands still any more."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(frozen, "copy_sparse", full)
    every = places(instance)
    with pytest.raises(OSError, match="No space left"):
        frozen.capture(every, [], tmp_path / "target", deadline=_soon())
    assert said[-2:] == [("raid1/ns1", "cont"), ("raid1/ns2", "cont")]
    assert not (every[0].generation / "standing-still").exists()


def test_capture_that_takes_too_long_names_the_machines(
    instance: Instance, tmp_path: Path, said: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state that is never complete ends at the deadline, and the machines go on."""

    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(monitor, "write_state", never)
    with pytest.raises(TimedOut, match="raid1/ns1, raid1/ns2 to be kept"):
        frozen.capture(places(instance), [], tmp_path / "target", deadline=Deadline.after(0.05))
    assert said[-2:] == [("raid1/ns1", "cont"), ("raid1/ns2", "cont")]


def test_suspended_machines_have_their_states_and_have_ended(
    instance: Instance, said: list[tuple[str, str]], ended: list[str]
) -> None:
    """A state has its name only when the states of all machines are complete."""
    every = places(instance)
    every[0].state.with_name("state.part").write_text("left by a crash")
    frozen.write_states(every, _SHAPE, deadline=_soon())
    assert [place.state.read_text() for place in every] == ["state of raid1/ns1", "state of raid1/ns2"]
    assert ended == [place.identity.uuid for place in every]
    assert "cont" not in [command for _, command in said]
    assert not list(every[0].folder.glob("*.part"))
    assert not frozen.fits(every[0], "tcg")
    frozen.write_states(every, frozen.shape(instance, "tcg"), deadline=_soon())
    assert frozen.fits(every[0], "tcg")
    assert not frozen.fits(every[0], "kvm")


def test_machines_go_on_after_a_failed_suspension(
    instance: Instance, said: list[tuple[str, str]], ended: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without all states none is kept, also not in part, and nothing ends."""

    async def refused(client: mock.Mock, file: Path, **_: object) -> None:
        await asyncio.to_thread(file.write_text, "half a state")
        if client.machine == "raid1/ns2":
            raise ProviderError("QEMU could not migrate: no space")

    monkeypatch.setattr(monitor, "write_state", refused)
    every = places(instance)
    with pytest.raises(ProviderError, match="no space"):
        frozen.write_states(every, _SHAPE, deadline=_soon())
    assert said[-2:] == [("raid1/ns1", "cont"), ("raid1/ns2", "cont")]
    assert ended == []
    assert not [file for place in every for file in place.folder.glob("state*")]


def test_states_have_their_names_before_any_machine_ends(
    instance: Instance, said: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is killed among them leaves machines that run or that are suspended; else none is kept."""
    every = places(instance)
    seen: list[list[bool]] = []

    def kill(*_: object, **__: object) -> bool:
        seen.append([place.state.exists() for place in every])
        return True

    monkeypatch.setattr(process, "kill", kill)
    frozen.write_states(every, _SHAPE, deadline=_soon())
    assert seen == [[True, True], [True, True]]
    rename = Path.rename

    def full(file: Path, target: Path) -> Path:
        if target == every[1].state:
            raise OSError(28, "No space left on device")
        return rename(file, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OSError, match="No space left"):
        frozen.write_states(every, _SHAPE, deadline=_soon())
    assert len(seen) == 2
    assert not [file for place in every for file in place.folder.glob("state*")]
    assert said[-2:] == [("raid1/ns1", "cont"), ("raid1/ns2", "cont")]


def test_killed_commands_machines_are_woken(
    instance: Instance, said: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Machines left standing still go on, without a state; one that has ended keeps its, and is suspended."""
    running, gone = places(instance)
    monkeypatch.setattr(process, "runs", lambda uuid: uuid == running.identity.uuid)
    note = running.generation / "standing-still"
    note.touch()
    for place in (running, gone):
        place.state.write_text("state")
        place.state.with_name("state.part").write_text("half a state")
    frozen.wake([running, gone])
    assert said == [("raid1/ns1", "cont")]
    assert gone.state.read_text() == "state"
    assert [file.name for place in (running, gone) for file in place.folder.glob("state*")] == ["state"]
    assert not note.exists()


def test_state_of_a_machine_that_goes_on_is_gone_before(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the machine has run, its disks are not those of the state any more."""
    place = places(instance)[0]
    place.state.write_text("state")
    (place.generation / "standing-still").touch()
    seen: list[bool] = []

    @contextlib.asynccontextmanager
    async def fake_monitor(*_: object) -> AsyncIterator[mock.Mock]:
        async def execute(*_: object) -> dict[str, str]:
            seen.append(place.state.exists())
            return {"status": "paused"}

        yield mock.Mock(execute=execute)

    monkeypatch.setattr(process, "runs", lambda _: True)
    monkeypatch.setattr(monitor, "monitor", fake_monitor)
    frozen.wake([place])
    assert seen == [False, False]


def test_machine_that_is_being_started_is_not_woken(
    instance: Instance, said: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else gives it its state just now, which it still needs."""
    place = places(instance)[0]
    place.port.unlink()
    place.state.write_text("state")
    (place.generation / "standing-still").touch()
    monkeypatch.setattr(process, "runs", lambda _: True)
    frozen.wake([place])
    assert said == []
    assert place.state.exists()


def test_machines_that_stand_still_for_somebody_are_left_alone(
    instance: Instance, said: list[tuple[str, str]]
) -> None:
    """While another command holds the note it is at work; without a note there is nothing to do."""
    every = places(instance)
    frozen.wake(every)
    note = every[0].generation / "standing-still"
    with file_lock(note, "standing still", lambda _: None):
        frozen.wake(every)
        assert note.exists()
    assert said == []
