"""Tests of packing an image as a box for libvirt."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from lpiclab.errors import ImageError
from lpiclab.images.box import libvirt
from lpiclab.images.cpio import Archive
from lpiclab.model import Image


@pytest.fixture
def image(tmp_path: Path) -> Image:
    """Return a small image with an initrd of one file and an odd length."""
    folder = tmp_path / "debian-13-abc"
    folder.mkdir()
    archive = Archive()
    archive.file("init", b"the image's own\n")
    (folder / "initrd").write_bytes(archive.finish() + b"\0")
    (folder / "vmlinux").write_bytes(b"kernel")
    (folder / "disk.qcow2").write_bytes(b"disk")
    (folder / "disk.qcow2").chmod(0o400)
    return Image(distro="debian-13", digest="abc", folder=folder, command_line="root=/dev/sda")


def test_box_has_what_libvirt_needs(image: Image, tmp_path: Path) -> None:
    """Metadata, disk, kernel and initrd are there for anybody to read, and nothing of who packed them."""
    told: list[str] = []
    file = libvirt.pack(image, tmp_path / "debian.box", told.append)
    with tarfile.open(file) as packed:
        entries = {entry.name: entry for entry in packed}
        content = {name: packed.extractfile(name).read() for name in entries}  # type: ignore[union-attr]  # all are files
    assert json.loads(content["metadata.json"]) == {
        "provider": "libvirt",
        "format": "qcow2",
        "virtual_size": 8,
    }
    assert (content["box.img"], content["vmlinux"]) == (b"disk", b"kernel")
    assert b'File.join(__dir__, "vmlinux")' in content["Vagrantfile"]
    assert {entry.mode for entry in entries.values()} == {0o644}
    assert {(entry.uid, entry.uname) for entry in entries.values()} == {(0, "")}
    assert told == ["packing debian-13-abc as a box (1.5 GB)"]


def test_first_process_is_replaced(image: Image, tmp_path: Path) -> None:
    """The kernel unpacks archives one after the other: the box's init is the later, and begins aligned."""
    with tarfile.open(libvirt.pack(image, tmp_path / "debian.box", print)) as packed:
        initrd = packed.extractfile("initrd").read()  # type: ignore[union-attr]  # it is a file
    second = initrd.rindex(b"070701", 0, initrd.index((libvirt.INITRD / "init").read_bytes()))
    assert initrd.startswith(image.initrd.read_bytes())
    assert second % 4 == 0
    assert initrd.count(b"TRAILER!!!") == 2


@pytest.mark.parametrize("script", ["init", "dhcp"])
def test_scripts_are_shell(script: str) -> None:
    """What runs before anybody could look has no mistake of grammar."""
    subprocess.run(["sh", "-n", str(libvirt.INITRD / script)], check=True)


def test_half_a_box_is_not_left(image: Image, tmp_path: Path) -> None:
    """A box that can't be written is told, and its part is removed."""
    image.kernel.unlink()
    with pytest.raises(ImageError, match=r"debian\.box could not be written: No such file"):
        libvirt.pack(image, tmp_path / "debian.box", print)
    assert [each.name for each in tmp_path.iterdir()] == ["debian-13-abc"]
