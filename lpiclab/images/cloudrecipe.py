"""What an image made of a published cloud disk is made from, and the digest of that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from lpiclab.errors import ImageError
from lpiclab.hardware import ARCHITECTURES, Architecture, host_architecture
from lpiclab.images.recipe import DISK_MIB, GUEST, guest_files, pack
from lpiclab.model import CloudDisk, Distro
from lpiclab.paths import Home

_BUILDER = 1
"""To be raised when the way of building changes what is built."""
_COMMAND_LINE = (
    "root=/dev/sda console={console} quiet net.ifnames=0 mitigations=off audit=0 cryptomgr.notests "
    "scsi_mod.scan=manual panic=1 {more}"
)
_MORE = {
    "debian": "lsm=landlock,yama modprobe.blacklist=ip_tables,qemu_fw_cfg",
    "el": "modprobe.blacklist=qemu_fw_cfg",
}
"""Where `lsm=` is absent the kernel starts all security modules that it was built for, SELinux too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudRecipe:
    """All that determines an image, except the versions that the distribution has today.

    `overlay` is a tar archive of our files for the root folder, `copy` the script that copies the system
    to the image's disk, `customize` one to be run in the copy, `preseed` answers to debconf where there
    is one, `init` the initrd's first process.
    """

    distro: str
    family: str
    architecture: str
    processor: str
    disk: CloudDisk
    packages: tuple[str, ...]
    repositories: tuple[str, ...]
    command_line: str
    overlay: bytes
    copy: bytes
    customize: bytes
    preseed: bytes
    init: bytes

    @property
    def digest(self) -> str:
        """Return the SHA-256 of everything in the recipe, in hexadecimal digits.

        Where the disk lies, and how large it is, says nothing about what is in it.
        """
        facts = {
            **{name: value for name, value in asdict(self).items() if not isinstance(value, bytes)},
            "disk": [self.disk.digest, self.disk.format],
            "builder": _BUILDER,
            "disk_mib": DISK_MIB,
            "parts": [
                hashlib.sha256(part).hexdigest()
                for part in (self.overlay, self.copy, self.customize, self.preseed, self.init)
            ],
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def make_cloud_recipe(distro: Distro, *, architecture: str | None = None, guest: Path = GUEST) -> CloudRecipe:
    """Return the recipe of a distribution's image for an architecture, that of this host by default.

    Raises:
        ImageError: the catalogue has no disk for it.
    """
    name = architecture or host_architecture()
    disk = distro.cloud.disks.get(name) if distro.cloud else None
    if distro.cloud is None or disk is None or name not in ARCHITECTURES:
        raise ImageError(
            f"{distro.id} has no cloud image for {name} in the catalogue",
            hint=f"add one, with its digest, to {Home.from_environment().distros / distro.id}.yaml "
            "(docs/distributions.md says how)",
        )
    kind = ARCHITECTURES[name]
    family = guest / "cloud" / distro.family
    return CloudRecipe(
        distro=distro.id,
        family=distro.family,
        architecture=name,
        processor=distro.processor,
        disk=disk,
        packages=distro.cloud.packages,
        repositories=distro.cloud.repositories,
        command_line=_COMMAND_LINE.format(console=kind.console, more=_MORE[distro.family]),
        overlay=pack(_overlay(guest, family, kind)),
        copy=(guest / "cloud/copy").read_bytes(),
        customize=(family / "customize" if family.is_dir() else guest / "customize").read_bytes(),
        preseed=(guest / "preseed").read_bytes() if distro.family == "debian" else b"",
        init=(guest / "initrd/init").read_bytes(),
    )


def _overlay(guest: Path, family: Path, kind: Architecture) -> Mapping[Path, bytes]:
    """Return the files for all images, over which go those of the family; an empty one takes a file away."""
    files = {**guest_files(guest / "root")}
    if family.is_dir():
        own = guest_files(family / "root")
        files = {path: content for path, content in {**files, **own}.items() if content or path not in own}
    unit = Path("usr/lib/systemd/system/lpiclab-console.service")
    files[unit] = files[unit].replace(b"ttyS0", kind.console.encode())
    return files
