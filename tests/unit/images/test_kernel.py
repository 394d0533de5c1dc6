"""The kernel and the initrd that are taken out of an image's root folder."""

from __future__ import annotations

import gzip
import lzma
import struct
from pathlib import Path

import pytest

from lpiclab.errors import ImageError
from lpiclab.images.kernel import build_initrd, extract_vmlinux, kernel_version, module_files
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
