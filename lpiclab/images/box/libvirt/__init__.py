"""A box for libvirt: our image as it is.

It needs no boot loader: libvirt is told kernel and initrd, and our own initrd mounts the disk. What such a
box has to hold is in https://vagrant-libvirt.github.io/vagrant-libvirt/boxes.html.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from lpiclab.images import box
from lpiclab.images.cpio import Archive
from lpiclab.images.recipe import DISK_MIB
from lpiclab.model import Image

_PARTS = Path(__file__).resolve().parent
INITRD = _PARTS / "initrd"
"""What the initrd of a box has instead of, or beside, the files of the image's."""


def pack(image: Image, file: Path, progress: Callable[[str], None]) -> Path:
    """Write the box of an image to `file`, and return it.

    Raises:
        ImageError: it could not be written.
    """
    progress(f"packing {image.folder.name} as a box (1.5 GB)")
    metadata = {"provider": "libvirt", "format": "qcow2", "virtual_size": DISK_MIB // 1024}
    with box.told(file):
        texts = {
            "metadata.json": json.dumps(metadata).encode(),
            "Vagrantfile": (_PARTS / "Vagrantfile").read_bytes(),
            "initrd": _initrd(image),
        }
    return box.write(file, texts, {"vmlinux": image.kernel, "box.img": image.disk})


def _initrd(image: Image) -> bytes:
    """Return the image's initrd with a first process for Vagrant: of two archives, the later one wins."""
    archive = Archive()
    for name in ("init", "dhcp", "lpiclab-dhcp.service", "sshd.conf"):
        archive.file(name, (INITRD / name).read_bytes(), 0o644 if "." in name else 0o755)
    first = image.initrd.read_bytes()
    return first + bytes(-len(first) % 4) + archive.finish()
