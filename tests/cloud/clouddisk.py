"""Make a disk as distributors publish them, in a folder: `clouddisk.py FOLDER`.

It is Debian with cloud-init, a boot loader and a partition table, bootstrapped as our images are, and stands
for a disk that a project's server has.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

from lpiclab import proc
from lpiclab.catalog import find_distro
from lpiclab.images import sandbox
from lpiclab.images.archive import find_keyring, host_archive, host_proxies
from lpiclab.images.builder import bootstrap_argv
from lpiclab.model import Bootstrap
from lpiclab.wait import Deadline

PACKAGES = (
    *("systemd-sysv", "udev", "dbus", "linux-image-amd64", "initramfs-tools", "cloud-init"),
    *("cloud-guest-utils", "fdisk", "openssh-server", "iproute2", "ca-certificates", "grub-pc-bin"),
    *("lvm2", "mdadm"),
)
"""What is in it from the start: also what makes a new initrd, which takes minutes in an emulated machine."""
SIZE_MIB = 2000
_LIMIT_S = 900.0
_START_BYTES = 1 << 20
_SECTOR_BYTES = 512
_LABEL = "published"
_LOADER = f"""\
search --no-floppy --label --set=root {_LABEL}
linux /vmlinuz root=LABEL={_LABEL} ro console=ttyS0 quiet
initrd /initrd.img
boot
"""
_NETWORK = "[Match]\nType=ether\n[Network]\nDHCP=ipv4\n"
_CUSTOMIZE = f"""\
set -eu
modules="biosdisk part_msdos ext2 search linux"
grub-mkimage -O i386-pc -o /boot/core.img -c /boot/loader.cfg -p /boot/grub $modules
cp /usr/lib/grub/i386-pc/boot.img /boot/boot.img
echo published > /etc/hostname
echo 'LABEL={_LABEL} / ext4 defaults 0 1' > /etc/fstab
echo 'datasource_list: [NoCloud, None]' > /etc/cloud/cloud.cfg.d/90-source.cfg
rm -f /etc/resolv.conf /etc/ssh/ssh_host_*
echo 'nameserver 10.0.2.3' > /etc/resolv.conf
systemctl enable systemd-networkd.service
: > /etc/machine-id
"""


def make(folder: Path) -> Path:
    """Make the disk in `folder`, a qcow2 file, and return it."""
    deadline = Deadline.after(_LIMIT_S)
    root, raw, disk = folder / "root", folder / "disk.raw", folder / "published.qcow2"
    bootstrap = find_distro("debian-13").bootstrap
    assert bootstrap is not None
    small = Bootstrap(
        suites=bootstrap.suites,
        security_suites=bootstrap.security_suites,
        keyring=bootstrap.keyring,
        packages=PACKAGES,
    )
    words = bootstrap_argv(small, root, host_archive(), find_keyring(small.keyring))
    argv = [word for word in words if not word.startswith(("--essential-hook", "--customize-hook"))]
    (folder / "loader.cfg").write_text(_LOADER)
    (folder / "customize").write_text(_CUSTOMIZE)
    hook = f'cp "{folder}/loader.cfg" "$1/boot/loader.cfg" && chroot "$1" sh < "{folder}/customize"'
    argv.insert(1, f"--customize-hook={hook}")
    sandbox.run(
        argv, environment=dict(host_proxies(deadline=deadline)), log=folder / "log", deadline=deadline
    )
    offset = f"lazy_itable_init=1,lazy_journal_init=1,offset={_START_BYTES}"
    size = f"{SIZE_MIB - 1}M"
    sandbox.run(
        ["mke2fs", "-q", "-t", "ext4", "-L", _LABEL, "-E", offset, "-d", root, raw, size], deadline=deadline
    )
    _write_loader(raw, (root / "boot/boot.img").read_bytes(), (root / "boot/core.img").read_bytes())
    proc.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, disk], deadline=deadline)
    raw.unlink()
    return disk


def _write_loader(raw: Path, boot: bytes, core: bytes) -> None:
    """Write GRUB before the first partition, where the BIOS looks for it, and a table with that partition.

    `boot.img` finds `core.img` in the next sector as it is, and that knows its own length.
    """
    start = _START_BYTES // _SECTOR_BYTES
    assert len(core) < _START_BYTES - _SECTOR_BYTES
    sectors = SIZE_MIB * 2048 - start
    with raw.open("r+b") as stream:
        stream.truncate(SIZE_MIB << 20)
        stream.write(boot[:440])
        stream.seek(446)
        no_chs = b"\xfe\xff\xff"
        stream.write(b"\x80" + no_chs + b"\x83" + no_chs + struct.pack("<II", start, sectors))
        stream.write(bytes(48) + b"\x55\xaa" + core)


if __name__ == "__main__":
    print(make(Path(sys.argv[1])))  # noqa: T201 - the last line is the answer
