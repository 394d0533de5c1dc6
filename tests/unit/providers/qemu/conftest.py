"""Instances of the provider `qemu` without any QEMU: their folders, and those of frozen machines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lpiclab.files import private_folder
from lpiclab.keys import make_key_pair
from lpiclab.model import Disk, Image, Instance, Machine, Nic, Plan
from lpiclab.providers.qemu import accelerator, frozen, generation
from lpiclab.providers.qemu.identity import Identity
from lpiclab.providers.qemu.place import places

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
