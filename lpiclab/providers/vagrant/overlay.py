"""Our files for machines from boxes that are not lpiclab's own, in one archive."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

from lpiclab.files import write_private
from lpiclab.images.box import INITRD
from lpiclab.images.recipe import make_recipe
from lpiclab.model import Distro
from lpiclab.paths import bundled

_LIBRARY = "usr/lib/lpiclab"
_UNIT = "usr/lib/systemd/system/lpiclab-dhcp.service"
_NOT_HERE = frozenset({"linux-image-amd64", "grub-pc", "initramfs-tools"})
"""Packages of an image that a box has in its own way, as it starts by itself."""


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
    more = {
        f"{_LIBRARY}/customize": recipe.customize,
        f"{_LIBRARY}/preseed": recipe.preseed,
        f"{_LIBRARY}/dhcp": (INITRD / "dhcp").read_bytes(),
        _UNIT: f"{dhcp_unit}\n[Install]\nWantedBy=sysinit.target\n".encode(),
        **{str(each.relative_to(guest)): each.read_bytes() for each in guest.rglob("*") if each.is_file()},
    }
    stream = io.BytesIO(recipe.overlay)
    with tarfile.open(fileobj=stream, mode="a") as archive:
        for name, content in sorted(more.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o755 if content.startswith(b"#!") else 0o644
            entry.uname = entry.gname = "root"
            archive.addfile(entry, io.BytesIO(content))
    write_private(file, stream.getvalue())
