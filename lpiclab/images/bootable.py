"""Make a disk that starts by itself, for machines that are told no kernel: a partition table and GRUB.

GRUB's first sector finds the rest in the next ones, before the first partition (GNU GRUB manual, "BIOS
installation"); the rest is made in the new system itself, so nothing of GRUB has to be on this host.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lpiclab.errors import ImageError
from lpiclab.images import sandbox
from lpiclab.images.archive import find_keyring, host_archive, host_proxies
from lpiclab.images.builder import PRESEED_HOOK, bootstrap_argv
from lpiclab.model import Bootstrap
from lpiclab.wait import Deadline

_START_BYTES = 1 << 20
_SECTOR_BYTES = 512
_CODE_BYTES = 440
_TABLE_OFFSET = 446
_NO_CYLINDER = b"\xfe\xff\xff"
"""What says that a sector's number counts, as its cylinder, head and sector can't be told."""
_HOOKS = {"essential": PRESEED_HOOK, "customize": 'chroot "$1" sh -s < "$LPICLAB_CUSTOMIZE"'}
_INSTALL = """\
set -eu
cat > /boot/loader.cfg <<'LOADER'
search --no-floppy --label --set=root @LABEL@
linux /vmlinuz root=LABEL=@LABEL@ ro console=tty0 console=ttyS0 net.ifnames=0 quiet
initrd /initrd.img
boot
LOADER
modules='biosdisk part_msdos ext2 search linux'
grub-mkimage -O i386-pc -c /boot/loader.cfg -p /boot/grub -o /boot/core.img $modules
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """What is on a disk: a system, furnished by a script that runs in it, on a file system with a label.

    Its packages have to bring a kernel, initramfs-tools and GRUB (grub-pc-bin and grub-common).
    """

    bootstrap: Bootstrap
    label: str
    size_mib: int
    customize: str
    preseed: bytes = b""


def make(disk: Disk, folder: Path, *, progress: Callable[[str], None], deadline: Deadline) -> Path:
    """Make a disk in `folder`, a raw one with holes, and return it.

    Raises:
        ImageError: this host's apt knows no archive, or GRUB has grown too long.
        MissingTool: a keyring or program is not installed.
        ToolFailed: a program ended with an error.
        TimedOut: it took too long.
        OSError: a file could not be written.
    """
    root, raw = folder / "root", folder / "disk.raw"
    progress(f"installing {len(disk.bootstrap.packages)} packages and what they need (some minutes)")
    _bootstrap(disk, root, folder, deadline)
    progress("writing the disk")
    offset = f"lazy_itable_init=1,lazy_journal_init=1,offset={_START_BYTES}"
    options = ["-q", "-t", "ext4", "-L", disk.label, "-E", offset]
    sandbox.run(["mke2fs", *options, "-d", root, raw, f"{disk.size_mib - 1}M"], deadline=deadline)
    boot = (root / "usr/lib/grub/i386-pc/boot.img").read_bytes()
    _write_loader(raw, boot, (root / "boot/core.img").read_bytes(), disk.size_mib)
    sandbox.run(["rm", "-rf", root], deadline=deadline)
    return raw


def _bootstrap(disk: Disk, root: Path, folder: Path, deadline: Deadline) -> None:
    preseed, customize = folder / "preseed", folder / "customize"
    preseed.write_bytes(disk.preseed)
    customize.write_text(_INSTALL.replace("@LABEL@", disk.label) + disk.customize, encoding="utf-8")
    environment = {
        "LPICLAB_PRESEED": str(preseed),
        "LPICLAB_CUSTOMIZE": str(customize),
        **host_proxies(deadline=deadline),
    }
    keyring = find_keyring(disk.bootstrap.keyring)
    argv = bootstrap_argv(disk.bootstrap, root, host_archive(), keyring, _HOOKS)
    sandbox.run(argv, environment=environment, log=folder / "log", deadline=deadline)


def _write_loader(raw: Path, boot: bytes, core: bytes, size_mib: int) -> None:
    """Write GRUB before the first partition, and a table with that partition, to be started from.

    `boot.img` finds `core.img` in the next sector as it is, and that knows its own length.
    """
    start = _START_BYTES // _SECTOR_BYTES
    if len(core) > _START_BYTES - _SECTOR_BYTES:
        raise ImageError("GRUB does not fit before the first partition")
    sectors = (size_mib << 20) // _SECTOR_BYTES - start
    extent = struct.pack("<II", start, sectors)
    with raw.open("r+b") as stream:
        stream.truncate(size_mib << 20)
        stream.write(boot[:_CODE_BYTES])
        stream.seek(_TABLE_OFFSET)
        stream.write(b"\x80" + _NO_CYLINDER + b"\x83" + _NO_CYLINDER + extent)
        stream.write(bytes(3 * 16) + b"\x55\xaa" + core)
