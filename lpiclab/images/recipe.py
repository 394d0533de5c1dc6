"""What an image is made from, and the digest of that: an image's name follows from its content."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from lpiclab.errors import ImageError
from lpiclab.model import Bootstrap, Distro

GUEST = Path(__file__).resolve().parent / "guest"
DISK_MIB = 8192
"""The size of the system disk that a machine sees; the image holds only what is used of it."""
COMMAND_LINE = (
    "root=/dev/sda console=ttyS0 quiet net.ifnames=0 mitigations=off audit=0 cryptomgr.notests "
    "lsm=landlock,yama modprobe.blacklist=ip_tables,qemu_fw_cfg panic=1"
)
"""A kernel that panics boots again: emulated, it can trip over code that it is patching."""
_BUILDER = 1
"""To be raised when the way of building changes what is built."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that determines an image, except the versions that the archive has today.

    `overlay` is a tar archive of our files for the root folder, `preseed` answers to debconf,
    `customize` a script to be run in the new system, `init` the initrd's first process.
    """

    distro: str
    bootstrap: Bootstrap
    command_line: str
    overlay: bytes
    preseed: bytes
    customize: bytes
    init: bytes

    @property
    def digest(self) -> str:
        """Return the SHA-256 of everything in the recipe, in hexadecimal digits."""
        parts = (self.overlay, self.preseed, self.customize, self.init)
        facts = {
            "builder": _BUILDER,
            "distro": self.distro,
            "bootstrap": asdict(self.bootstrap),
            "command_line": self.command_line,
            "disk_mib": DISK_MIB,
            "parts": [hashlib.sha256(part).hexdigest() for part in parts],
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def make_recipe(distro: Distro, guest: Path = GUEST) -> Recipe:
    """Return the recipe of a distribution's image; `guest` holds our files for it.

    Raises:
        ImageError: the distribution can't be bootstrapped.
    """
    if distro.bootstrap is None:
        raise ImageError(
            f"lpiclab can't build an image of {distro.title}",
            hint="choose a distribution that is bootstrapped, such as debian-13",
        )
    return Recipe(
        distro=distro.id,
        bootstrap=distro.bootstrap,
        command_line=COMMAND_LINE,
        overlay=pack(guest_files(guest / "root")),
        preseed=(guest / "preseed").read_bytes(),
        customize=(guest / "customize").read_bytes(),
        init=(guest / "initrd/init").read_bytes(),
    )


def guest_files(folder: Path) -> Mapping[Path, bytes]:
    """Return the content of each file in a folder, by its path in there."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def pack(files: Mapping[Path, bytes]) -> bytes:
    """Return a tar archive of files, so that equal ones give equal bytes: sorted, root's, without dates.

    Scripts are executable and nothing else is, whatever a checkout or a wheel made of the modes.
    """
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(str(path))
            entry.size = len(content)
            entry.mode = 0o755 if content.startswith(b"#!") else 0o644
            entry.uname = entry.gname = "root"
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()
