"""Tests of making a box for VirtualBox."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from lpiclab import catalog, proc
from lpiclab.errors import ImageError, ToolFailed
from lpiclab.images import bootable, sandbox
from lpiclab.images.box import virtualbox
from lpiclab.images.recipe import DISK_MIB, make_recipe
from lpiclab.paths import Home

_OVF = "{http://schemas.dmtf.org/ovf/envelope/1}"
_RASD = "{http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData}"
_DEBIAN = catalog.find_distro("debian-13")


@pytest.fixture
def converted(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return what qemu-img is told; disks are made by nobody."""
    told: list[list[str]] = []

    def convert(argv: list[str | Path], **_: object) -> None:
        told.append([str(word) for word in argv])
        Path(argv[-1]).write_bytes(b"streamed")

    monkeypatch.setattr(sandbox, "require", lambda: None)
    monkeypatch.setattr(bootable, "make", lambda _disk, folder, **_: folder / "disk.raw")
    monkeypatch.setattr(proc, "run", convert)
    return told


def test_box_has_what_virtualbox_needs(home: Home, tmp_path: Path, converted: list[list[str]]) -> None:
    """Metadata, an appliance and its disk are in it; nothing else is left of making it."""
    file = virtualbox.pack(_DEBIAN, home, tmp_path / "debian.box", print)
    with tarfile.open(file) as packed:
        content = {entry.name: packed.extractfile(entry).read() for entry in packed}  # type: ignore[union-attr]  # all are files
    assert sorted(content) == ["Vagrantfile", "box.ovf", "box.vmdk", "metadata.json"]
    assert json.loads(content["metadata.json"]) == {"provider": "virtualbox"}
    assert content["box.vmdk"] == b"streamed"
    assert "subformat=streamOptimized" in converted[0]
    assert [each.name for each in home.images.iterdir() if each.is_dir()] == []


def test_appliance_names_its_disk_and_controller() -> None:
    """The disk is the file in the box, as large as an image, at a SATA controller: more can be added."""
    envelope = ET.fromstring(virtualbox.appliance(_DEBIAN))  # noqa: S314 - it is our own text
    file = envelope.find(f"{_OVF}References/{_OVF}File")
    disk = envelope.find(f"{_OVF}DiskSection/{_OVF}Disk")
    system = envelope.find(f"{_OVF}VirtualSystem")
    assert file is not None
    assert disk is not None
    assert system is not None
    assert (file.get(f"{_OVF}href"), file.get(f"{_OVF}id")) == ("box.vmdk", disk.get(f"{_OVF}fileRef"))
    assert disk.get(f"{_OVF}capacity") == str(DISK_MIB << 20)
    assert system.get(f"{_OVF}id") == "lpiclab-debian-13"
    items = {}
    for item in system.iter(f"{_OVF}Item"):
        names = [each.tag for each in item]
        assert names == sorted(names), "the schema wants them in this order"
        items[item.findtext(f"{_RASD}InstanceID")] = item
    (drive,) = (each for each in items.values() if each.findtext(f"{_RASD}HostResource") == "/disk/disk1")
    controller = items[drive.findtext(f"{_RASD}Parent")]
    assert controller.findtext(f"{_RASD}ResourceSubType") == "AHCI"


def test_disk_has_the_labs_packages() -> None:
    """What labs need is in it: no internet is needed where it is used."""
    recipe = make_recipe(_DEBIAN)
    disk = virtualbox.contents(recipe)
    assert disk.bootstrap.packages == recipe.bootstrap.packages
    assert {"grub-pc", "initramfs-tools", "linux-image-amd64"} <= set(disk.bootstrap.packages)
    assert f"LABEL={disk.label} / ext4" in disk.customize
    subprocess.run(["sh", "-n"], input=disk.customize, text=True, check=True)


@pytest.mark.usefixtures("converted")
def test_failed_build_leaves_nothing(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that fails is told as what it means, and neither a box nor a folder stays."""

    def fail(_: bootable.Disk, folder: Path, **__: object) -> Path:
        (folder / "disk.raw").write_bytes(b"half")
        raise ToolFailed("mmdebstrap ended with status 25")

    monkeypatch.setattr(bootable, "make", fail)
    with pytest.raises(ImageError, match="could not be built: mmdebstrap"):
        virtualbox.pack(_DEBIAN, home, tmp_path / "debian.box", print)
    assert not (tmp_path / "debian.box").exists()
    assert [each.name for each in home.images.iterdir() if each.is_dir()] == []


@pytest.mark.usefixtures("converted")
def test_distribution_that_is_not_bootstrapped_is_refused(home: Home, tmp_path: Path) -> None:
    """There is no other way to make such a disk."""
    with pytest.raises(ImageError, match="AlmaLinux"):
        virtualbox.pack(catalog.find_distro("almalinux-9"), home, tmp_path / "alma.box", print)
    assert not home.images.exists()
