"""Make a disk as distributors publish them, in a folder: `clouddisk.py FOLDER`.

It is Debian with cloud-init, a boot loader and a partition table, bootstrapped as our images are, and stands
for a disk that a project's server has.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from lpiclab import proc
from lpiclab.catalog import find_distro
from lpiclab.images import bootable
from lpiclab.wait import Deadline

PACKAGES = (
    *("systemd-sysv", "udev", "dbus", "linux-image-amd64", "initramfs-tools", "cloud-init"),
    *("cloud-guest-utils", "fdisk", "openssh-server", "iproute2", "ca-certificates", "grub-pc-bin"),
    *("lvm2", "mdadm"),
)
"""What is in it from the start: also what makes a new initrd, which takes minutes in an emulated machine."""
SIZE_MIB = 2000
LABEL = "published"
_LIMIT_S = 900.0
_CUSTOMIZE = f"""\
echo published > /etc/hostname
echo 'LABEL={LABEL} / ext4 defaults 0 1' > /etc/fstab
echo 'datasource_list: [NoCloud, None]' > /etc/cloud/cloud.cfg.d/90-source.cfg
rm -f /etc/resolv.conf /etc/ssh/ssh_host_*
echo 'nameserver 10.0.2.3' > /etc/resolv.conf
systemctl enable systemd-networkd.service
: > /etc/machine-id
"""


def make(folder: Path) -> Path:
    """Make the disk in `folder`, a qcow2 file, and return it."""
    deadline = Deadline.after(_LIMIT_S)
    bootstrap = find_distro("debian-13").bootstrap
    assert bootstrap is not None
    disk = bootable.Disk(
        bootstrap=replace(bootstrap, packages=PACKAGES), label=LABEL, size_mib=SIZE_MIB, customize=_CUSTOMIZE
    )
    raw = bootable.make(disk, folder, progress=print, deadline=deadline)
    made = folder / "published.qcow2"
    proc.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, made], deadline=deadline)
    raw.unlink()
    return made


if __name__ == "__main__":
    print(make(Path(sys.argv[1])))  # noqa: T201 - the last line is the answer
