"""Tests of making machines: as templates have them, by booting; and of keeping set-ups."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import pytest

from lpiclab.errors import ProviderError, TimedOut
from lpiclab.files import private_folder
from lpiclab.model import Instance
from lpiclab.providers.qemu import disk, frozen, generation, launch, making, process
from lpiclab.providers.qemu.identity import Identity
from lpiclab.providers.qemu.launch import Frozen
from lpiclab.providers.qemu.place import Place, places
from lpiclab.providers.qemu.templates import Templates
from lpiclab.wait import Deadline

MakeInstance = Callable[..., Instance]
FillFrozen = Callable[..., Path]
_KEY = "0123456789abcdef"


@dataclass
class _Qemu:
    """What would have been done with QEMU."""

    resumed: list[tuple[str, Frozen]] = field(default_factory=list)
    booted: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)
    backings: dict[str, Path] = field(default_factory=dict)
    failures: dict[str, Exception] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)

    async def resume(
        self,
        place: Place,
        _: str,
        whole: Frozen,
        *,
        going_on: Callable[[], object] = lambda: None,
    ) -> None:
        """Note it, or fail for the machine."""
        if place.machine.name in self.failures:
            raise self.failures[place.machine.name]
        going_on()
        self.resumed.append((place.label, whole))
        self.running.add(place.identity.uuid)

    async def boot(self, place: Place, *_: object) -> None:
        """Note it."""
        self.booted.append(place.label)

    async def finish(self, place: Place) -> None:
        """Note it."""
        self.finished.append(place.label)

    def kill(self, uuid: str, **_: object) -> bool:
        """Note it."""
        self.killed.append(uuid)
        self.running.discard(uuid)
        return True

    def ensure_overlay(self, file: Path, *, backing: Path, **_: object) -> None:
        """Make a file that stands on nothing, unless there is one."""
        if not file.exists():
            self.backings[f"{file.parent.name}/{file.name}"] = backing
            file.write_text("overlay")

    def ensure_empty(self, file: Path, **_: object) -> None:
        """Make a file, unless there is one."""
        if not file.exists():
            file.write_text("empty")


@pytest.fixture
def qemu(monkeypatch: pytest.MonkeyPatch) -> _Qemu:
    """Return what notes all that would be done with QEMU."""
    made = _Qemu()
    monkeypatch.setattr(launch, "resume", made.resume)
    monkeypatch.setattr(launch, "boot", made.boot)
    monkeypatch.setattr(launch, "finish", made.finish)
    monkeypatch.setattr(process, "kill", made.kill)
    monkeypatch.setattr(process, "runs", made.running.__contains__)
    monkeypatch.setattr(disk, "ensure_overlay", made.ensure_overlay)
    monkeypatch.setattr(disk, "ensure_empty", made.ensure_empty)
    return made


@pytest.fixture
def kept(tmp_path: Path) -> Templates:
    """Return the templates of a host."""
    return Templates(private_folder(tmp_path / "templates"), tmp_path / "instances")


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


def _start(place: Place) -> None:
    asyncio.run(making.start(place, "tcg", lambda _: None))


def test_machines_are_made_on_their_templates(
    make_instance: MakeInstance, kept: Templates, qemu: _Qemu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has keys, an identity, disks on its bare template, and is noted to stand on that."""
    instance = make_instance()
    template = private_folder(kept.root / "bare" / "machine")
    (template / "sda.qcow2").touch()
    monkeypatch.setattr(Templates, "bare", lambda *_, **__: "bare")
    making.create(instance, kept, "tcg", deadline=_soon(), progress=lambda _: None)
    assert (instance.folder / "key.pub").exists()
    for place in places(instance):
        assert (place.folder / "host_key.pub").exists()
        assert place.identity.individual != place.identity.uuid
        assert place.template.resolve() == template.parent
        assert (place.folder / "origin").read_text() == "bare"
    assert qemu.backings == {f"{name}/sda.qcow2": template / "sda.qcow2" for name in ("ns1", "ns2")}
    assert places(instance)[0].disks()[1][1].read_text() == "empty"
    assert kept.users() == {"bare": ["raid1"]}


def test_what_is_there_is_kept(
    instance: Instance, kept: Templates, qemu: _Qemu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Making an instance again changes no key, disk or identity, and looks for no template."""

    def no_template(*_: object, **__: object) -> str:
        raise AssertionError

    monkeypatch.setattr(Templates, "bare", no_template)
    before = {file: file.read_bytes() for file in instance.folder.rglob("*") if file.is_file()}
    making.create(instance, kept, "tcg", deadline=_soon(), progress=lambda _: None)
    assert {file: file.read_bytes() for file in instance.folder.rglob("*") if file.is_file()} == before
    assert qemu.backings == {}


def test_disk_lost_after_the_first_start_is_made_on_the_image(
    instance: Instance, kept: Templates, qemu: _Qemu
) -> None:
    """A machine that has begun needs no template's memory any more, so none of its disks either."""
    place = places(instance)[0]
    place.disks()[0][1].unlink()
    making.create(instance, kept, "tcg", deadline=_soon(), progress=lambda _: None)
    assert qemu.backings == {"ns1/sda.qcow2": place.image.disk}


def test_new_machine_starts_from_its_template(instance: Instance, tmp_path: Path, qemu: _Qemu) -> None:
    """It gets memory of its own, and from then on can't begin from the template once more."""
    template = private_folder(tmp_path / "bare" / "machine")
    (template / "memory").write_text("memory")
    place = places(instance)[0]
    place.template.symlink_to(tmp_path / "bare")
    _start(place)
    ((label, whole),) = qemu.resumed
    assert label == "raid1/ns1"
    assert whole == Frozen(state=template / "state", memory=place.memory, keep_memory=True, bare=True)
    assert place.memory.read_text() == "memory"
    assert not place.template.is_symlink()
    qemu.resumed.clear()
    qemu.running.clear()
    _start(place)
    assert (qemu.resumed, qemu.booted) == ([], ["raid1/ns1"])


def test_machine_that_could_not_begin_is_booted_next(instance: Instance, tmp_path: Path, qemu: _Qemu) -> None:
    """Its disk may have moved away from the template's memory, so that is not tried twice."""
    (private_folder(tmp_path / "bare" / "machine") / "memory").touch()
    place = places(instance)[0]
    place.template.symlink_to(tmp_path / "bare")
    qemu.failures["ns1"] = ProviderError("it does not fit")
    with pytest.raises(ProviderError, match="it does not fit"):
        _start(place)
    _start(place)
    assert qemu.booted == ["raid1/ns1"]


def test_machine_whose_template_is_gone_is_booted(instance: Instance, tmp_path: Path, qemu: _Qemu) -> None:
    """A link that leads nowhere is no reason not to start."""
    place = places(instance)[0]
    place.template.symlink_to(tmp_path / "gone")
    _start(place)
    assert qemu.booted == ["raid1/ns1"]
    assert not place.template.is_symlink()


def test_suspended_machine_goes_on_once(instance: Instance, qemu: _Qemu) -> None:
    """Its state is used up: going on from it twice would not fit the disks."""
    place = places(instance)[0]
    place.state.write_text("state")
    _start(place)
    assert [whole.memory for _, whole in qemu.resumed] == [None]
    assert not place.state.exists()
    assert not list(place.folder.glob("state*"))
    qemu.running.clear()
    _start(place)
    assert qemu.booted == ["raid1/ns1"]


def test_machine_suspended_with_another_qemu_is_booted(instance: Instance, qemu: _Qemu) -> None:
    """What it had in mind is lost, which is said; its disks are what they were."""
    place = places(instance)[0]
    place.state.write_text("state")
    (place.generation / "suspended-with").write_text("another shape")
    told: list[str] = []
    asyncio.run(making.start(place, "tcg", told.append))
    assert told == ["ns1: was suspended with another QEMU: it boots, from its disks of that moment"]
    assert (qemu.resumed, qemu.booted) == ([], ["raid1/ns1"])
    assert not place.state.exists()


def test_machine_suspended_with_this_qemu_goes_on(instance: Instance, qemu: _Qemu) -> None:
    """The same QEMU, image and accelerator go on where it was."""
    place = places(instance)[0]
    place.state.write_text("state")
    (place.generation / "suspended-with").write_text(frozen.shape(instance, "tcg"))
    _start(place)
    assert ([label for label, _ in qemu.resumed], qemu.booted) == (["raid1/ns1"], [])


@pytest.mark.parametrize("suspended", [True, False])
def test_start_that_was_interrupted_is_brought_to_its_end(
    instance: Instance, qemu: _Qemu, suspended: bool
) -> None:
    """A machine that has run since goes on running; one whose state is still there begins with it again."""
    place = places(instance)[0]
    qemu.running.add(place.identity.uuid)
    place.identified.touch()
    if suspended:
        place.state.write_text("state")
    _start(place)
    assert qemu.finished == ([] if suspended else ["raid1/ns1"])
    assert qemu.killed == ([place.identity.uuid] if suspended else [])
    assert [label for label, _ in qemu.resumed] == (["raid1/ns1"] if suspended else [])
    assert qemu.booted == []


def test_first_start_that_was_interrupted_is_a_boot(instance: Instance, qemu: _Qemu) -> None:
    """A machine that was never told who it is may lack the lab's disks and cards, and has nobody's work."""
    place = places(instance)[0]
    qemu.running.add(place.identity.uuid)
    _start(place)
    assert (qemu.finished, qemu.killed, qemu.booted) == ([], [place.identity.uuid], ["raid1/ns1"])


def test_suspended_machine_that_does_not_go_on_can_be_tried_again(instance: Instance, qemu: _Qemu) -> None:
    """As long as the machine has not run, what it had in mind is kept, and its half process ends."""
    place = places(instance)[0]
    place.state.write_text("state")
    qemu.failures["ns1"] = ProviderError("no memory left")
    with pytest.raises(ProviderError, match="no memory left") as raised:
        _start(place)
    assert "`lpiclab resume raid1` tries again" in raised.value.hint
    assert place.state.read_text() == "state"
    assert qemu.killed == [place.identity.uuid]
    qemu.failures.clear()
    _start(place)
    assert [label for label, _ in qemu.resumed] == ["raid1/ns1"]
    assert not place.state.exists()


def test_instance_begins_as_its_set_up(
    instance: Instance, kept: Templates, set_up: Path, qemu: _Qemu
) -> None:
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


def test_machines_keep_their_host_keys(
    instance: Instance, kept: Templates, set_up: Path, qemu: _Qemu
) -> None:
    """A learner's own known_hosts stays right through a reset."""
    before = [(place.folder / "host_key.pub").read_text() for place in places(instance)]
    assert _begin(instance, kept)
    assert [(place.folder / "host_key.pub").read_text() for place in places(instance)] == before
    assert set_up.exists()
    assert qemu.resumed


def test_without_a_set_up_nothing_begins(instance: Instance, kept: Templates, qemu: _Qemu) -> None:
    """The first instance of a lab is set up step by step; nothing is said about that."""
    told: list[str] = []
    assert not _begin(instance, kept, told)
    assert (told, qemu.resumed, generation.others(instance.folder)) == ([], [], [])


def test_spoilt_set_up_is_told_and_nothing_changes(
    instance: Instance, kept: Templates, set_up: Path, qemu: _Qemu
) -> None:
    """No process is started from a file that is damaged."""
    (set_up / "ns2" / "state").write_text("")
    told: list[str] = []
    assert not _begin(instance, kept, told)
    assert "ns2/state is damaged" in told[0]
    assert (qemu.resumed, generation.others(instance.folder)) == ([], [])


def test_set_up_that_is_slow_is_kept(instance: Instance, kept: Templates, set_up: Path, qemu: _Qemu) -> None:
    """A machine that did not answer in time says nothing about the template."""
    qemu.failures["ns2"] = TimedOut("timed out waiting")
    with pytest.raises(TimedOut):
        _begin(instance, kept)
    assert set_up.is_dir()
    assert generation.others(instance.folder) == []


def test_set_up_that_a_full_disk_keeps_from_running_stays(
    instance: Instance, kept: Templates, set_up: Path, qemu: _Qemu, monkeypatch: pytest.MonkeyPatch
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
    instance: Instance, kept: Templates, set_up: Path, qemu: _Qemu
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
    instance: Instance, kept: Templates, set_up: Path, qemu: _Qemu, monkeypatch: pytest.MonkeyPatch
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
    instance: Instance, kept: Templates, set_up: Path, qemu: _Qemu
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
    instance: Instance, kept: Templates, set_up: Path, qemu: _Qemu, monkeypatch: pytest.MonkeyPatch
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
    instance: Instance, kept: Templates, qemu: _Qemu, fill_frozen: FillFrozen, monkeypatch: pytest.MonkeyPatch
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
    instance: Instance, kept: Templates, set_up: Path, qemu: _Qemu, monkeypatch: pytest.MonkeyPatch
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


def test_machines_that_were_booted_are_not_kept(instance: Instance, kept: Templates, qemu: _Qemu) -> None:
    """Without memory in a file there is nothing to freeze: the instance goes on as it is."""
    qemu.running.update(place.identity.uuid for place in places(instance))
    assert _keep(instance, kept, [])
    assert kept.listing() == []
    assert qemu.killed == []


@pytest.mark.parametrize(
    "failure", [ProviderError("QEMU refused"), OSError(28, "No space left on device")], ids=["qemu", "disk"]
)
def test_set_up_that_could_not_be_kept_is_told(
    instance: Instance, kept: Templates, qemu: _Qemu, monkeypatch: pytest.MonkeyPatch, failure: Exception
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
