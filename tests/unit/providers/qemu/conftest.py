"""Instances of the provider `qemu` without any QEMU: their folders, and those of frozen machines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lpiclab.files import private_folder
from lpiclab.keys import make_key_pair
from lpiclab.model import Disk, Image, Instance, Machine, Nic, Plan
from lpiclab.providers.qemu import accelerator, disk, frozen, generation, launch, process
from lpiclab.providers.qemu.identity import Identity
from lpiclab.providers.qemu.launch import Frozen
from lpiclab.providers.qemu.place import Place, places
from lpiclab.providers.qemu.templates import Templates

MakeInstance = Callable[..., Instance]
FillFrozen = Callable[..., Path]


@pytest.fixture
def same_qemu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every host have the same QEMU."""
    monkeypatch.setattr(accelerator, "qemu_fingerprint", lambda: (1000, 5))


@pytest.fixture
def image(tmp_path: Path) -> Image:
    """Return an image whose files are there."""
    folder = private_folder(tmp_path / "images" / "debian-13-0123")
    for name in ("disk.qcow2", "vmlinux", "initrd"):
        (folder / name).write_text(name)
    return Image(distro="debian-13", digest="0123", folder=folder, command_line="root=/dev/sda")


@pytest.fixture
def make_instance(
    tmp_path: Path, image: Image, make_plan: Callable[..., Plan], same_qemu: None
) -> MakeInstance:
    """Return a maker of instances that have no files yet: two machines, unless told others."""
    assert same_qemu is None

    def make(name: str = "raid1", *machines: Machine) -> Instance:
        chosen = machines or (
            Machine(
                name="ns1",
                distro="debian-13",
                disks=(Disk(name="sdb", size_mib=64),),
                nics=(Nic(network="lan"),),
            ),
            Machine(name="ns2", distro="debian-13", nics=(Nic(network="lan"),)),
        )
        folder = private_folder(tmp_path / "instances" / name)
        return Instance(id=name, folder=folder, plan=make_plan(*chosen), images={"debian-13": image})

    return make


@pytest.fixture
def instance(make_instance: MakeInstance) -> Instance:
    """Return an instance whose machines have started once, of which no process runs."""
    made = make_instance()
    make_key_pair(made.folder / "key", "lpiclab")
    generation.adopt(made.folder, generation.new(made.folder))
    for place in places(made):
        private_folder(place.folder)
        Identity.give(place.folder, instance_folder=made.folder)
        make_key_pair(place.folder / "host_key", place.machine.name)
        place.port.write_text("43211")
        for name, file in place.disks():
            file.write_text(f"{name} of {place.machine.name} now")
    return made


@pytest.fixture
def fill_frozen() -> FillFrozen:
    """Return a function that makes a folder one of an instance's frozen machines."""

    def fill(folder: Path, instance: Instance, *, memory: bool = False, seal: bool = True) -> Path:
        for place in places(instance):
            machine = private_folder(folder / place.machine.name)
            (machine / "state").write_text(f"state of {place.machine.name}")
            if memory:
                (machine / "memory").write_text(f"memory of {place.machine.name}")
            for name, file in place.disks():
                (machine / file.name).write_text(f"{name} of {place.machine.name} kept")
        if seal:
            shape = frozen.shape(instance, "tcg")
            frozen.seal(folder, title="kept", shape=shape, instance=instance)
        return folder

    return fill


@dataclass
class Qemu:
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
def qemu(monkeypatch: pytest.MonkeyPatch) -> Qemu:
    """Return what notes all that would be done with QEMU."""
    made = Qemu()
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
