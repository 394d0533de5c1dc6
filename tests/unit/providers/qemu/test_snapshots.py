"""Tests of snapshots, forks and suspension: a failure takes nothing from the learner."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from lpiclab.errors import ImageError, ProviderError, UsageError
from lpiclab.files import private_folder
from lpiclab.model import Instance
from lpiclab.providers.qemu import accelerator, frozen, generation, launch, process, snapshots
from lpiclab.providers.qemu.launch import Frozen
from lpiclab.providers.qemu.place import Place, places
from lpiclab.wait import Deadline

FillFrozen = Callable[..., Path]
Files = Callable[[], dict[str, bytes]]


@dataclass
class _Qemu:
    """What would have been done with QEMU; all machines run at first."""

    off: set[str] = field(default_factory=set)
    resumed: list[tuple[Place, Frozen, bool]] = field(default_factory=list)
    booted: list[Place] = field(default_factory=list)
    captured: list[Path] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)
    capture_fails: Exception | None = None
    resume_fails: Exception | None = None

    def capture(self, running: Sequence[Place], off: Sequence[Place], target: Path, **_: object) -> float:
        """Copy the machines' disks, or fail half-way."""
        for place in (*running, *off):
            folder = private_folder(target / place.machine.name)
            for _name, file in place.disks():
                (folder / file.name).write_bytes(file.read_bytes())
            if self.capture_fails:
                raise self.capture_fails
            if place in running:
                (folder / "state").write_text("state")
        self.captured.append(target)
        return 0.25

    async def resume(self, place: Place, _: str, whole: Frozen, *, dies_with_us: bool = False) -> None:
        """Note it, or fail."""
        if self.resume_fails:
            raise self.resume_fails
        self.resumed.append((place, whole, dies_with_us))

    async def boot(self, place: Place, *_: object) -> None:
        """Note it."""
        self.booted.append(place)

    def kill(self, uuid: str, **_: object) -> bool:
        """Note it."""
        self.killed.append(uuid)
        return True

    def find(self, uuids: Sequence[str]) -> dict[str, int]:
        """Find all processes but those that are off."""
        return {uuid: 1 for uuid in uuids if uuid not in self.off}


@pytest.fixture
def qemu(monkeypatch: pytest.MonkeyPatch) -> _Qemu:
    """Return what notes all that would be done with QEMU."""
    made = _Qemu()
    monkeypatch.setattr(frozen, "capture", made.capture)
    monkeypatch.setattr(launch, "resume", made.resume)
    monkeypatch.setattr(launch, "boot", made.boot)
    monkeypatch.setattr(process, "kill", made.kill)
    monkeypatch.setattr(process, "find", made.find)
    return made


@pytest.fixture
def files(instance: Instance) -> Files:
    """Return what tells all files of the machines in use, by what they are now."""

    def tell() -> dict[str, bytes]:
        current = generation.current(instance.folder)
        return {str(each): each.read_bytes() for each in sorted(current.rglob("*/*")) if each.is_file()}

    return tell


@pytest.fixture
def saved(instance: Instance, fill_frozen: FillFrozen) -> Path:
    """Return the folder of the snapshot ``before``."""
    return fill_frozen(instance.folder / "snapshots" / "before", instance)


def _soon() -> Deadline:
    return Deadline.after(20.0)


def _save(instance: Instance, name: str, title: str = "") -> float:
    return snapshots.save(instance, name, title, "tcg", deadline=_soon())


def _restore(instance: Instance, name: str, progress: Callable[[str], None] = lambda _: None) -> None:
    snapshots.restore(instance, name, "tcg", deadline=_soon(), progress=progress)


def _folders(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []


def test_snapshot_is_kept_and_listed(instance: Instance, qemu: _Qemu) -> None:
    """Its name, its title and when it was made are told, and that it is sound."""
    assert _save(instance, "one", "Make a mirror") == 0.25
    (only,) = snapshots.listing(instance)
    assert (only.name, only.title, only.problem) == ("one", "Make a mirror", "")
    assert only.created
    assert only.size_bytes > 0
    assert qemu.killed == []
    assert frozen.verify(instance.folder / "snapshots" / "one", frozen.shape(instance, "tcg"))


def test_snapshots_are_listed_oldest_first(instance: Instance, saved: Path, fill_frozen: FillFrozen) -> None:
    """A damaged one is listed with what is wrong; what is being made is not."""
    fill_frozen(saved.with_name("a-later"), instance)
    fill_frozen(saved.with_name(".part.part"), instance)
    manifest = saved.with_name("a-later") / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"created": "2', '"created": "3'))
    (saved / "ns1" / "state").unlink()
    first, second = snapshots.listing(instance)
    assert (first.name, second.name) == ("before", "a-later")
    assert "ns1/state is damaged" in first.problem
    assert second.problem == ""


def test_taken_name_is_refused(instance: Instance, saved: Path, qemu: _Qemu) -> None:
    """A snapshot is never overwritten."""
    content = (saved / "manifest.json").read_bytes()
    with pytest.raises(UsageError, match='raid1 has a snapshot "before" already') as raised:
        _save(instance, "before")
    assert raised.value.hint == "choose another name"
    assert (saved / "manifest.json").read_bytes() == content
    assert qemu.captured == []


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (
            OSError(28, "No space left on device"),
            "raid1 could not be kept: No space left on device; its machines go on",
        ),
        (ProviderError("QEMU could not migrate: why"), "QEMU could not migrate: why"),
    ],
    ids=["disk", "qemu"],
)
def test_failed_capture_leaves_nothing(
    instance: Instance, qemu: _Qemu, files: Files, failure: Exception, message: str
) -> None:
    """The error says that the machines go on; no part of the snapshot stays, and its name is free."""
    before = files()
    qemu.capture_fails = failure
    with pytest.raises(ProviderError, match=message):
        _save(instance, "one")
    assert _folders(instance.folder / "snapshots") == []
    assert files() == before
    qemu.capture_fails = None
    _save(instance, "one")


def test_part_of_a_killed_command_is_no_hindrance(instance: Instance, qemu: _Qemu) -> None:
    """What it left is cleared when the name is used again."""
    left = private_folder(instance.folder / "snapshots" / ".one.part") / "left"
    left.touch()
    _save(instance, "one")
    assert _folders(instance.folder / "snapshots") == ["one"]
    assert not (instance.folder / "snapshots" / "one" / "left").exists()
    assert qemu.captured


def test_nothing_runs_nothing_is_kept(instance: Instance, qemu: _Qemu) -> None:
    """The hint is what starts the machines."""
    qemu.off = {place.identity.uuid for place in places(instance)}
    with pytest.raises(ProviderError, match="no machine of raid1 is running") as raised:
        _save(instance, "one")
    assert "lpiclab up raid1" in raised.value.hint
    assert _folders(instance.folder / "snapshots") == []


@pytest.mark.parametrize(
    "use",
    [
        lambda instance: _save(instance, "one"),
        lambda instance: snapshots.fork(instance, "tcg", deadline=_soon()),
        lambda instance: snapshots.suspend(instance, "tcg", deadline=_soon()),
    ],
    ids=["save", "fork", "suspend"],
)
def test_machine_that_has_not_finished_starting_is_told(
    instance: Instance, qemu: _Qemu, use: Callable[[Instance], object]
) -> None:
    """It may lack its memory yet, so there is nothing to keep; the hint is what finishes it."""
    places(instance)[1].port.unlink()
    with pytest.raises(ProviderError, match="raid1/ns2 has not finished starting") as raised:
        use(instance)
    assert raised.value.hint == "`lpiclab up raid1` finishes it"
    assert qemu.captured == []


def test_restored_instance_is_what_it_was(instance: Instance, saved: Path, qemu: _Qemu) -> None:
    """Copies of the kept disks are in use, under the same keys; then the old processes end."""
    before = [(place.identity, (place.folder / "host_key").read_bytes()) for place in places(instance)]
    _restore(instance, "before")
    every = places(instance)
    assert [file.read_text() for _, file in every[0].disks()] == ["sda of ns1 kept", "sdb of ns1 kept"]
    assert [place.identity.individual for place in every] == [each.individual for each, _ in before]
    assert [(place.folder / "host_key").read_bytes() for place in every] == [key for _, key in before]
    assert [whole.state for _, whole, _ in qemu.resumed] == [saved / n / "state" for n in ("ns1", "ns2")]
    assert [dies for _, _, dies in qemu.resumed] == [False, False]
    assert qemu.killed == [each.uuid for each, _ in before]
    assert generation.others(instance.folder) == []
    assert (saved / "ns1" / "sda.qcow2").exists()


def test_machine_that_was_off_stays_off(instance: Instance, qemu: _Qemu) -> None:
    """Only its disks were kept, and only those come back."""
    qemu.off = {places(instance)[1].identity.uuid}
    _save(instance, "one")
    _restore(instance, "one")
    assert [place.label for place, _, _ in qemu.resumed] == ["raid1/ns1"]
    assert places(instance)[1].disks()[0][1].exists()


def test_unknown_name_suggests_the_nearest(instance: Instance, saved: Path, qemu: _Qemu) -> None:
    """Restoring and removing know what there is."""
    for ask in (_restore, snapshots.forget):
        with pytest.raises(UsageError, match='raid1 has no snapshot "befor"') as raised:
            ask(instance, "befor")
        assert raised.value.hint == 'did you mean "before"?'
    assert saved.exists()
    assert qemu.resumed == []


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone", "manifest"])
def test_damaged_snapshot_is_refused_before_anything_is_touched(
    instance: Instance, saved: Path, qemu: _Qemu, files: Files, damage: str
) -> None:
    """The damaged file is named, with the command that removes the snapshot; the machines run on."""
    before = files()
    file = saved / ("manifest.json" if damage == "manifest" else "ns2/sda.qcow2")
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1] if damage == "cut" else file.read_bytes().swapcase())
        os.utime(file, ns=(1, 1))
    if damage == "manifest":
        file.write_text("{")
    with pytest.raises(ImageError, match=rf"before/{file.relative_to(saved)} is damaged") as raised:
        _restore(instance, "before")
    assert raised.value.hint == "`lpiclab snapshot rm raid1 before` removes it"
    assert (files(), qemu.resumed, qemu.killed) == (before, [], [])
    assert generation.others(instance.folder) == []


def test_snapshot_of_another_qemu_is_booted(
    instance: Instance, saved: Path, qemu: _Qemu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an upgrade of QEMU the memory is of no use: its machines boot."""
    (saved / "ns2" / "state").unlink()
    manifest = frozen.read(saved)
    files = {name: facts for name, facts in manifest.files.items() if name != "ns2/state"}
    frozen._write(saved, msgspec.structs.replace(manifest, files=files))
    monkeypatch.setattr(accelerator, "qemu_fingerprint", lambda: (1, 1))
    told: list[str] = []
    _restore(instance, "before", told.append)
    assert [place.label for place in qemu.booted] == ["raid1/ns1"]
    assert qemu.resumed == []
    assert told == ["before was kept by another QEMU: the machines boot, from their disks of that moment"]
    disk = generation.current(instance.folder) / "ns1" / "sda.qcow2"
    assert disk.read_bytes() == (saved / "ns1" / "sda.qcow2").read_bytes()


@pytest.mark.usefixtures("saved")
@pytest.mark.parametrize(
    "failure", [ProviderError("it does not fit"), KeyboardInterrupt()], ids=["qemu", "key"]
)
def test_failed_restore_leaves_the_instance_as_it_was(
    instance: Instance,
    qemu: _Qemu,
    files: Files,
    monkeypatch: pytest.MonkeyPatch,
    failure: BaseException,
) -> None:
    """What had been made of it goes, the old processes stay."""
    before = files()
    old = {place.identity.uuid for place in places(instance)}
    if isinstance(failure, Exception):
        qemu.resume_fails = failure
    else:
        monkeypatch.setattr(launch, "together", _raising(failure))
    with pytest.raises(type(failure)):
        _restore(instance, "before")
    assert files() == before
    assert generation.others(instance.folder) == []
    assert len(qemu.killed) == 2
    assert not old & set(qemu.killed)
    assert (instance.folder / "snapshots" / "before").is_dir()


def test_restore_on_a_full_disk_says_so(
    instance: Instance, saved: Path, qemu: _Qemu, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message has what the kernel said and that nothing is lost."""
    before = files()
    monkeypatch.setattr(snapshots, "copy_sparse", _raising(OSError(28, "No space left on device")))
    message = "raid1 could not go back to before: No space left on device; it is as it was"
    with pytest.raises(ProviderError, match=message):
        _restore(instance, "before")
    assert files() == before
    assert saved.exists()
    assert qemu.resumed == []


def test_forgotten_snapshot_is_gone(instance: Instance, saved: Path, fill_frozen: FillFrozen) -> None:
    """The others stay, and the machines too."""
    fill_frozen(saved.with_name("other"), instance)
    snapshots.forget(instance, "before")
    assert _folders(saved.parent) == ["other"]
    assert generation.current(instance.folder).is_dir()


@pytest.mark.parametrize("name", ["", ".", "..", "../machines", "a/b", "/absolute", ".before.part"])
def test_names_never_lead_out_of_the_folder(instance: Instance, saved: Path, files: Files, name: str) -> None:
    """Whatever the name is, nothing but a snapshot is looked at or removed by it."""
    before = files()
    for use in (_save, _restore, snapshots.forget):
        with pytest.raises(UsageError, match="cannot name a snapshot"):
            use(instance, name)
    assert (files(), saved.is_dir()) == (before, True)


def test_fork_is_a_copy_that_dies_with_us(instance: Instance, qemu: _Qemu, files: Files) -> None:
    """The same individuals run as other processes, in a folder of the fork's; the instance stays."""
    before = files()
    made = snapshots.fork(instance, "tcg", deadline=_soon())
    assert made.folder.is_relative_to(instance.folder / "forks")
    assert (made.id, made.plan) == (instance.id, instance.plan)
    for ours, theirs in zip(places(instance), places(made), strict=True):
        assert ours.identity.individual == theirs.identity.individual
        assert ours.identity.uuid != theirs.identity.uuid
        assert theirs.disks()[0][1].read_text() == ours.disks()[0][1].read_text()
        assert not theirs.state.exists()
    assert (made.folder / "key").read_bytes() == (instance.folder / "key").read_bytes()
    assert [dies for _, _, dies in qemu.resumed] == [True, True]
    assert files() == before
    assert qemu.killed == []


@pytest.mark.parametrize("step", ["capture", "resume"])
def test_failed_fork_leaves_nothing(instance: Instance, qemu: _Qemu, files: Files, step: str) -> None:
    """A full disk is told as such, and the instance runs on."""
    before = files()
    full = OSError(28, "No space left on device")
    if step == "capture":
        qemu.capture_fails = full
    else:
        qemu.resume_fails = full
    with pytest.raises(ProviderError, match="raid1 could not be forked: No space left on device"):
        snapshots.fork(instance, "tcg", deadline=_soon())
    assert _folders(instance.folder / "forks") == []
    assert files() == before
    assert not {place.identity.uuid for place in places(instance)} & set(qemu.killed)


def test_leftovers_of_killed_commands_are_cleared(instance: Instance, saved: Path, qemu: _Qemu) -> None:
    """Forks and generations that are not in use are ended and removed; snapshots stay."""
    fork = snapshots.fork(instance, "tcg", deadline=_soon())
    left = private_folder(generation.new(instance.folder) / "ns1")
    snapshots.clear_leftovers(instance)
    assert not fork.folder.exists()
    assert not left.exists()
    assert len(qemu.killed) == 3
    assert saved.exists()
    assert all(place.folder.is_dir() for place in places(instance))


def test_destroyed_instance_has_nothing_left(instance: Instance, saved: Path, qemu: _Qemu) -> None:
    """Machines of every generation and fork are ended; absent is success."""
    snapshots.fork(instance, "tcg", deadline=_soon())
    generation.new(instance.folder)
    snapshots.clear(instance)
    assert len(qemu.killed) == 4
    assert not saved.exists()
    assert not places(instance)[0].folder.exists()
    assert _folders(instance.folder / "forks") == []
    snapshots.clear(instance)


def test_suspending_is_of_what_runs(instance: Instance, qemu: _Qemu, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is off stays so."""
    written: list[str] = []
    monkeypatch.setattr(
        frozen, "write_states", lambda running, *_, **__: written.extend(each.label for each in running)
    )
    qemu.off = {places(instance)[0].identity.uuid}
    snapshots.suspend(instance, "tcg", deadline=_soon())
    assert written == ["raid1/ns2"]


def test_suspending_on_a_full_disk_says_so(
    instance: Instance, qemu: _Qemu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machines go on, and the message says so."""
    monkeypatch.setattr(frozen, "write_states", _raising(OSError(28, "No space left on device")))
    message = "raid1 could not be suspended: No space left on device; its machines go on"
    with pytest.raises(ProviderError, match=message):
        snapshots.suspend(instance, "tcg", deadline=_soon())
    assert qemu.killed == []


def _raising(error: BaseException) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail
