"""The kernel and the initrd that are taken out of an image's root folder."""

from __future__ import annotations

import gzip
import lzma
import struct
import subprocess
from pathlib import Path

import pytest

from lpiclab.errors import ImageError
from lpiclab.hardware import AARCH64
from lpiclab.images.kernel import (
    bootable,
    build_initrd,
    extract_vmlinux,
    has_pvh_entry,
    is_static,
    kernel_version,
    module_files,
)
from lpiclab.model import X86_64
from lpiclab.wait import Deadline

_KERNEL = b"\x7fELF" + bytes(range(256)) * 20


def _bzimage(packed: bytes) -> bytes:
    """Return a boot image with one sector of set-up, and a payload with its size behind it."""
    header = bytearray(1024)
    header[0x1F1] = 1
    header[0x202:0x206] = b"HdrS"
    payload = packed + struct.pack("<I", len(_KERNEL))
    struct.pack_into("<II", header, 0x248, 16, len(payload))
    return bytes(header) + bytes(16) + payload + b"what follows"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a root folder with a kernel 6.1, two modules that need each other, and busybox."""
    modules = tmp_path / "usr/lib/modules/6.1"
    modules.mkdir(parents=True)
    (tmp_path / "usr/bin").mkdir()
    (tmp_path / "usr/bin/busybox").write_bytes(b"BUSYBOX")
    (modules / "modules.dep").write_text(
        "kernel/sd_mod.ko.xz: kernel/scsi_mod.ko kernel/scsi_common.ko\n"
        "kernel/scsi_mod.ko: kernel/scsi_common.ko\n"
        "kernel/scsi_common.ko:\n"
        "kernel/virtio-rng.ko:\n"
        "kernel/unwanted.ko:\n"
    )
    (modules / "modules.devname").write_text("# Device nodes\nfuse fuse c10:229\nsnd snd/seq c116:1\n")
    (modules / "kernel").mkdir()
    (modules / "kernel/sd_mod.ko.xz").write_bytes(lzma.compress(b"SD"))
    for name in ("scsi_mod", "scsi_common", "virtio-rng"):
        (modules / f"kernel/{name}.ko").write_bytes(name.encode())
    return tmp_path


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_kernel_is_unpacked(pack: object) -> None:
    """The payload is found by the header, and what follows it does not matter."""
    assert callable(pack)
    assert extract_vmlinux(_bzimage(pack(_KERNEL)), deadline=Deadline.after(5)) == _KERNEL


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (bytes(2000), "not a bzImage"),
        (_bzimage(b"LZ4 or whatever"), "packed in an unknown way"),
        (_bzimage(gzip.compress(b"no kernel")), "not an ELF file"),
    ],
)
def test_what_is_no_kernel_is_refused(image: bytes, words: str) -> None:
    """Each way not to be a kernel has its message."""
    with pytest.raises(ImageError, match=words):
        extract_vmlinux(image, deadline=Deadline.after(5))


def test_modules_come_after_what_they_need(root: Path) -> None:
    """Modules are in the order to load them, each once; what the kernel does not have is left out."""
    files = module_files(root / "usr/lib/modules/6.1", ["scsi_mod", "built_in", "sd_mod", "virtio_rng"])
    assert [file.name for file in files] == [
        "scsi_common.ko",
        "scsi_mod.ko",
        "sd_mod.ko.xz",
        "virtio-rng.ko",
    ]


def test_initrd_holds_unpacked_modules_their_order_and_nodes(root: Path) -> None:
    """The init script finds modules unpacked, SCSI probing switched to manual, and the nodes to make."""
    initrd = build_initrd(root, "6.1", b"#!/bin/busybox sh\n")
    assert b"scsi_common.ko\nscsi_mod.ko scan=manual\nsd_mod.ko\nvirtio-rng.ko\n" in initrd
    assert b"modules/sd_mod.ko\0SD\0\0" in initrd
    assert b"fuse 10 229\n" in initrd
    assert b"snd" not in initrd


def test_exactly_one_kernel_is_expected(root: Path) -> None:
    """A root folder with two kernels is refused, with both named."""
    assert kernel_version(root) == "6.1"
    (root / "usr/lib/modules/6.2").mkdir()
    with pytest.raises(ImageError, match=r"found 6\.1, 6\.2"):
        kernel_version(root)


def _elf(kind: int, content: bytes) -> bytes:
    """Return an ELF file with one segment."""
    header = bytearray(64)
    header[:4] = b"\x7fELF"
    struct.pack_into("<Q", header, 0x20, 64)
    struct.pack_into("<HH", header, 0x36, 56, 1)
    segment = struct.pack("<IIQQQQQQ", kind, 0, 120, 0, 0, len(content), len(content), 4)
    return bytes(header) + segment + content


def _note(name: bytes, number: int, content: bytes = b"12345678") -> bytes:
    return struct.pack("<III", len(name), len(content), number) + name + content


@pytest.mark.parametrize(
    ("elf", "found"),
    [
        (_elf(4, _note(b"Xen\0", 18)), True),
        (_elf(4, _note(b"GNU\0", 3, b"abcde\0\0\0") + _note(b"Xen\0", 18)), True),
        (_elf(4, _note(b"Xen\0", 6)), False),
        (_elf(1, _note(b"Xen\0", 18)), False),
        (_elf(4, b""), False),
    ],
)
def test_entry_for_pvh_is_a_note(elf: bytes, *, found: bool) -> None:
    """Only Xen's note with that number says where a kernel may be entered."""
    assert has_pvh_entry(elf) is found


def test_kernel_is_unpacked_only_where_it_can_be_entered_then() -> None:
    """QEMU refuses an unpacked kernel without the entry, and boots the packed one."""
    for elf, unpacked in ((_elf(4, _note(b"Xen\0", 18)), True), (_elf(1, b""), False)):
        packed = _bzimage(gzip.compress(elf))
        assert bootable(packed, X86_64, deadline=Deadline.after(5)) == (elf if unpacked else packed)


def test_arm_kernel_is_unpacked_where_it_is_packed() -> None:
    """QEMU wants arm64's kernel as it is in memory."""
    for packed in (gzip.compress(b"MZ and more"), b"MZ and more"):
        assert bootable(packed, AARCH64, deadline=Deadline.after(5)) == b"MZ and more"


def test_program_without_a_loader_is_static() -> None:
    """A script is no program, and one that names a loader needs it."""
    assert is_static(_elf(1, b""))
    assert not is_static(_elf(3, b"/lib64/ld-linux-x86-64.so.2\0"))
    assert not is_static(b"#!/bin/sh\n")


def test_modules_packed_by_zstd_are_unpacked(root: Path) -> None:
    """Distributions pack modules in several ways."""
    modules = root / "usr/lib/modules/6.1"
    (modules / "modules.dep").write_text("kernel/ext4.ko.zst:\n")
    packed = subprocess.run(["zstd", "-qc"], input=b"EXTFOUR", capture_output=True, check=True).stdout
    (modules / "kernel/ext4.ko.zst").write_bytes(packed)
    assert b"EXTFOUR" in build_initrd(root, "6.1", b"#!/bin/sh\n")
