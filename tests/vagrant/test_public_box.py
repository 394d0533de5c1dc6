"""A box that is not lpiclab's own becomes like one: here, a Debian made to be like public boxes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lpiclab import catalog
from lpiclab.engine.context import DEFAULT_DISTRO
from lpiclab.images import archive
from lpiclab.images.recipe import GUEST
from lpiclab.wait import Deadline

_HERE = Path(__file__).parent
_LIMIT_S = 1800
_VAGRANTFILE = """\
Vagrant.configure("2") do |config|
  config.vm.provider :libvirt do |libvirt|
    libvirt.kernel = File.join(__dir__, "vmlinuz")
    libvirt.initrd = File.join(__dir__, "initrd.img")
    libvirt.cmd_line = "root=LABEL=public ro console=ttyS0"
  end
end
"""
"""A boot loader is left out: what is proved here is what happens after it."""


def _build(folder: Path) -> Path:
    """Return a box of Debian as its archive has it, with the packages that lpiclab would put in."""
    distro = catalog.find_distro(DEFAULT_DISTRO)
    assert distro.bootstrap
    where = archive.host_archive()
    insecure_key = next(Path("/usr/share").rglob("vagrant.pub"))
    environment = {**os.environ, **archive.host_proxies(deadline=Deadline.after(30))}
    subprocess.run(
        [
            *("mmdebstrap", "--mode=root", "--variant=minbase"),
            f"--keyring={archive.find_keyring(distro.bootstrap.keyring)}",
            f"--include={','.join(distro.bootstrap.packages)}",
            f"--essential-hook=chroot \"$1\" debconf-set-selections < '{GUEST / 'preseed'}'",
            f"--customize-hook=copy-in '{insecure_key}' /root",
            f"--customize-hook=chroot \"$1\" sh -s < '{_HERE / 'public-box'}'",
            distro.bootstrap.suites[0],
            str(folder / "root"),
            f"deb {where.main} {distro.bootstrap.suites[0]} main",
        ],
        env=environment,
        check=True,
        timeout=_LIMIT_S,
    )
    raw = folder / "disk.raw"
    mke2fs = ["mke2fs", "-q", "-t", "ext4", "-L", "public", "-d", str(folder / "root"), str(raw), "8192M"]
    subprocess.run(mke2fs, check=True)
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", str(raw), str(folder / "box.img")], check=True)
    raw.unlink()
    for name in ("vmlinuz", "initrd.img"):
        (found,) = (folder / "root" / "boot").glob(f"{name}-*")
        shutil.copy(found, folder / name)
    shutil.rmtree(folder / "root")
    metadata = {"provider": "libvirt", "format": "qcow2", "virtual_size": 8}
    (folder / "metadata.json").write_text(json.dumps(metadata))
    (folder / "Vagrantfile").write_text(_VAGRANTFILE)
    with tarfile.open(folder / "public.box", "w") as packed:
        for name in ("metadata.json", "Vagrantfile", "vmlinuz", "initrd.img", "box.img"):
            packed.add(folder / name, name)
    return folder / "public.box"


@pytest.fixture
def public_box(inside: Any, tmp_path: Path) -> None:
    """Add such a box by the name that the catalogue has, or the one that ``LPICLAB_PUBLIC_BOX`` names."""
    distro = catalog.find_distro(DEFAULT_DISTRO)
    assert distro.box
    file = Path(os.environ.get("LPICLAB_PUBLIC_BOX") or _build(tmp_path))
    inside.run("vagrant", "box", "add", "--force", "--name", distro.box.name, str(file))


@pytest.mark.usefixtures("public_box")
def test_public_box(lpiclab: Callable[..., str], inside: Any) -> None:
    """Its machines are reached by sudo, and are to a lab what machines of lpiclab's own image are."""
    boxes = inside.run("vagrant", "box", "list")
    assert "lpiclab/" not in boxes
    lpiclab("up", "dns-tsig", "--provider", "vagrant")
    assert lpiclab("ssh", "dns-tsig", "ns2", "--", "id -un").strip() == "student"
    cards = lpiclab("ssh", "dns-tsig", "ns2", "--", "ls /sys/class/net").split()
    assert cards == ["eth0", "lo"]
    lpiclab("check", "dns-tsig", status=1)
    lpiclab("solve", "dns-tsig")
    lpiclab("check", "dns-tsig", "--quick")
    lpiclab("restart", "dns-tsig")
    lpiclab("check", "dns-tsig", "--quick")
    lpiclab("down", "dns-tsig")
    lpiclab("up", "raid1", "--provider", "vagrant")
    disks = lpiclab("ssh", "raid1", "--", "lsblk --noheadings --nodeps --output NAME").split()
    assert disks[:2] == ["sda", "sdb"]
    lpiclab("solve", "raid1")
    lpiclab("check", "raid1", "--quick")
    lpiclab("down", "raid1")
