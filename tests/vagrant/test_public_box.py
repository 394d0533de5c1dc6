"""A box that is not lpiclab's image becomes like it: here that for VirtualBox, started by libvirt."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lpiclab import catalog, proc
from lpiclab.engine.context import DEFAULT_DISTRO
from lpiclab.images import bootable
from lpiclab.images.box import virtualbox
from lpiclab.images.recipe import make_recipe
from lpiclab.wait import Deadline

_LIMIT_S = 3600
_MISSING = "quota"
"""The package that `up` has to install, from an archive that the box has with it: there is no other here."""
_ARCHIVE = f"""\
mkdir /srv/archive
cd /srv/archive
apt-get -q download {_MISSING}
{{
    dpkg-deb --field ./*.deb
    printf 'Filename: %s\\nSize: %s\\nSHA256: %s\\n\\n' ./*.deb "$(stat --format=%s ./*.deb)" \
        "$(sha256sum ./*.deb | cut -d ' ' -f 1)"
}} > Packages
rm -f /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/srv/archive ./' > /etc/apt/sources.list
"""


def _build(folder: Path) -> Path:
    """Return a box for libvirt with the disk of that for VirtualBox, which lacks a package."""
    disk = virtualbox.contents(make_recipe(catalog.find_distro(DEFAULT_DISTRO)))
    packages = tuple(name for name in disk.bootstrap.packages if name != _MISSING)
    assert packages != disk.bootstrap.packages
    disk = replace(
        disk,
        bootstrap=replace(disk.bootstrap, packages=packages),
        customize=_ARCHIVE + disk.customize,
    )
    deadline = Deadline.after(_LIMIT_S)
    raw = bootable.make(disk, folder, progress=print, deadline=deadline)
    proc.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, folder / "box.img"], deadline=deadline)
    raw.unlink()
    metadata = {"provider": "libvirt", "format": "qcow2", "virtual_size": disk.size_mib // 1024}
    (folder / "metadata.json").write_text(json.dumps(metadata))
    with tarfile.open(folder / "public.box", "w") as packed:
        for name in ("metadata.json", "box.img"):
            packed.add(folder / name, name)
    (folder / "box.img").unlink()
    return folder / "public.box"


@pytest.fixture
def public_box(inside: Any, tmp_path: Path) -> None:
    """Add such a box by the name that the catalogue has for the public one."""
    distro = catalog.find_distro(DEFAULT_DISTRO)
    assert distro.box
    inside.run("vagrant", "box", "add", "--force", "--name", distro.box.name, str(_build(tmp_path)))


@pytest.mark.usefixtures("public_box")
def test_public_box(lpiclab: Callable[..., str], inside: Any) -> None:
    """Its machines are reached by sudo, and are to a lab what machines of lpiclab's own image are."""
    assert "lpiclab/" not in inside.run("vagrant", "box", "list"), "lpiclab's own box would be taken"
    lpiclab("up", "dns-tsig", "--provider", "vagrant")
    assert lpiclab("ssh", "dns-tsig", "ns2", "--", "id -un").strip() == "student"
    cards = lpiclab("ssh", "dns-tsig", "ns2", "--", "ls /sys/class/net").split()
    assert cards == ["eth0", "lo"]
    installed = lpiclab("ssh", "dns-tsig", "ns2", "--", f"dpkg-query --show {_MISSING}")
    assert installed.startswith(_MISSING)
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
