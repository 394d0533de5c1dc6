"""Pack an image as a box that Vagrant takes, for places without internet.

A box for libvirt needs no boot loader: libvirt is told kernel and initrd, and our own initrd mounts
the disk. What such a box has to hold is in
https://vagrant-libvirt.github.io/vagrant-libvirt/boxes.html.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

from lpiclab.errors import ImageError, UsageError
from lpiclab.images.cpio import Archive
from lpiclab.images.recipe import DISK_MIB
from lpiclab.model import Image
from lpiclab.names import nearest

KINDS = ("libvirt", "virtualbox")
_PARTS = Path(__file__).resolve().parent
INITRD = _PARTS / "initrd"
"""What the initrd of a box has instead of, or beside, the files of the image's."""


def box_name(distro: str) -> str:
    """Return the name under which the box of a distribution's own image is added to Vagrant."""
    return f"lpiclab/{distro}"


def require_kind(kind: str) -> None:
    """Refuse a Vagrant provider that no box can be packed for.

    Raises:
        UsageError: its name is not known.
        ImageError: it needs a box that starts by itself, which our image can't.
    """
    if kind not in KINDS:
        raise UsageError(f'no box can be packed for "{kind}"', hint=nearest(kind, KINDS))
    if kind != "libvirt":
        raise ImageError(
            f"a box for {kind} can't be packed yet: it has to start by itself, with a boot loader",
            hint="pack one for libvirt; for others Vagrant fetches a public box by itself",
        )


def pack(image: Image, file: Path, progress: Callable[[str], None]) -> Path:
    """Write the box of an image for libvirt to `file`, and return it; half a box is never left there.

    Raises:
        ImageError: it could not be written.
    """
    progress(f"packing {image.folder.name} as a box (1.5 GB)")
    part = file.with_name(f".{file.name}.{os.getpid()}")
    metadata = {"provider": "libvirt", "format": "qcow2", "virtual_size": DISK_MIB // 1024}
    try:
        with tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as archive:
            _add(archive, "metadata.json", json.dumps(metadata).encode())
            _add(archive, "Vagrantfile", (_PARTS / "Vagrantfile").read_bytes())
            _add(archive, "initrd", _initrd(image))
            archive.add(image.kernel, "vmlinux", filter=_anybodys)
            archive.add(image.disk, "box.img", filter=_anybodys)
        part.replace(file)
    except OSError as error:
        raise ImageError(f"the box {file} could not be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return file


def _initrd(image: Image) -> bytes:
    """Return the image's initrd with a first process for Vagrant: of two archives, the later one wins."""
    archive = Archive()
    for name in ("init", "dhcp", "lpiclab-dhcp.service", "sshd.conf"):
        archive.file(name, (INITRD / name).read_bytes(), 0o644 if "." in name else 0o755)
    first = image.initrd.read_bytes()
    return first + bytes(-len(first) % 4) + archive.finish()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = 0o644
    archive.addfile(entry, io.BytesIO(content))


def _anybodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Let libvirt's user read a file, and leave out who packed it."""
    entry.mode, entry.uid, entry.gid, entry.uname, entry.gname = 0o644, 0, 0, "", ""
    return entry
