"""Our files for machines from boxes that are not lpiclab's own, in one archive."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from lpiclab.files import write_private
from lpiclab.images.box.libvirt import INITRD
from lpiclab.images.recipe import make_recipe
from lpiclab.model import Distro
from lpiclab.paths import bundled

_LIBRARY = "usr/lib/lpiclab"
_UNIT = "usr/lib/systemd/system/lpiclab-dhcp.service"
_NOT_HERE = frozenset({"linux-image-amd64", "grub-pc", "initramfs-tools"})
"""Packages of an image that a box has in its own way, as it starts by itself."""

_NOT_OVER = frozenset(
    {
        "etc/fstab",
        "etc/resolv.conf",
        "etc/systemd/system/systemd-udev-trigger.service.d/lpiclab.conf",
    }
)
"""Files of an image that know its only disk and its devices: a box has others."""


def packages(distro: Distro) -> Sequence[str]:
    """Return the packages that a box has to have for the labs."""
    wanted = distro.bootstrap.packages if distro.bootstrap else ()
    return [name for name in wanted if name not in _NOT_HERE]


def write(distro: Distro, file: Path) -> None:
    """Write what lpiclab's own image has more than its packages, and what the cards' names need."""
    recipe = make_recipe(distro)
    guest = bundled("vagrant") / "guest"
    dhcp_unit = (
        (INITRD / "lpiclab-dhcp.service").read_text().replace("/run/lpiclab-dhcp", f"/{_LIBRARY}/dhcp")
    )
    files = {
        **_image_files(recipe.overlay),
        f"{_LIBRARY}/customize": recipe.customize,
        f"{_LIBRARY}/preseed": recipe.preseed,
        f"{_LIBRARY}/dhcp": (INITRD / "dhcp").read_bytes(),
        _UNIT: f"{dhcp_unit}\n[Install]\nWantedBy=sysinit.target\n".encode(),
        **{str(each.relative_to(guest)): each.read_bytes() for each in guest.rglob("*") if each.is_file()},
    }
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o755 if content.startswith(b"#!") else 0o644
            entry.uname = entry.gname = "root"
            archive.addfile(entry, io.BytesIO(content))
    write_private(file, stream.getvalue())


def _image_files(overlay: bytes) -> Mapping[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(overlay)) as archive:
        entries = [entry for entry in archive if entry.isfile() and entry.name not in _NOT_OVER]
        return {entry.name: archive.extractfile(entry).read() for entry in entries}  # type: ignore[union-attr]  # they are files
