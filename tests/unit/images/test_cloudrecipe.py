"""What an image of a published disk is made from, and its digest."""

from __future__ import annotations

import dataclasses
import io
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from lpiclab.catalog import find_distro
from lpiclab.errors import ImageError
from lpiclab.hardware import AARCH64
from lpiclab.images.cloudrecipe import CloudRecipe, make_cloud_recipe
from lpiclab.images.recipe import GUEST
from lpiclab.model import X86_64, CloudDisk, Distro
from lpiclab.paths import Home

_SCRIPTS = [GUEST / "cloud/copy", GUEST / "cloud/el/customize"]


@pytest.fixture
def distro() -> Distro:
    """Return a distribution with published disks for two architectures."""
    return find_distro("almalinux-10")


@pytest.fixture
def guest(tmp_path: Path) -> Path:
    """Return a copy of the files for the guest."""
    return shutil.copytree(GUEST, tmp_path / "guest")


def _make(distro: Distro, guest: Path = GUEST, architecture: str = X86_64) -> CloudRecipe:
    return make_cloud_recipe(distro, architecture=architecture, guest=guest)


def _files(recipe: CloudRecipe) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(recipe.overlay)) as archive:
        found = {entry.name: archive.extractfile(entry) for entry in archive}
        return {name: file.read() if file else b"" for name, file in found.items()}


def _with_disk(distro: Distro, **changes: Any) -> Distro:
    assert distro.cloud is not None
    disk = dataclasses.replace(distro.cloud.disks[X86_64], **changes)
    return dataclasses.replace(distro, cloud=dataclasses.replace(distro.cloud, disks={X86_64: disk}))


@pytest.mark.parametrize(
    "name",
    [
        "root/usr/lib/lpiclab/identify",
        "cloud/el/root/etc/hosts",
        "cloud/copy",
        "cloud/el/customize",
        "initrd/init",
    ],
)
def test_each_file_for_the_guest_changes_the_digest(distro: Distro, guest: Path, name: str) -> None:
    """An image of older files is never taken for one of today's."""
    before = _make(distro, guest).digest
    with (guest / name).open("a") as stream:
        stream.write("# changed\n")
    assert _make(distro, guest).digest != before


def test_digest_covers_what_is_in_the_image(distro: Distro) -> None:
    """Another disk, processor, architecture or package makes another image; another mirror does not."""
    assert distro.cloud is not None
    digest = _make(distro).digest
    assert _make(_with_disk(distro, url="http://example.org/same.qcow2", size_bytes=1)).digest == digest
    assert _make(dataclasses.replace(distro, title="Other", services={})).digest == digest
    more = dataclasses.replace(distro.cloud, packages=(*distro.cloud.packages, "one-more"))
    fewer = dataclasses.replace(distro.cloud, repositories=("crb",))
    others = [
        _make(_with_disk(distro, digest=f"sha256:{'0' * 64}")),
        _make(_with_disk(distro, format="raw")),
        _make(dataclasses.replace(distro, processor="x86-64-v2")),
        _make(dataclasses.replace(distro, cloud=more)),
        _make(dataclasses.replace(distro, cloud=fewer)),
        _make(distro, architecture=AARCH64),
    ]
    assert len({digest, *(other.digest for other in others)}) == 7


def test_digest_does_not_depend_on_dates_and_modes(distro: Distro, guest: Path) -> None:
    """The same files from a wheel or another checkout make the same image."""
    before = _make(distro, guest).digest
    script = guest / "cloud/copy"
    script.touch()
    script.chmod(0o600)
    assert _make(distro, guest).digest == before


def test_el_has_files_of_its_own_and_none_of_debians(distro: Distro) -> None:
    """The management is the same; what is ifupdown's, and presets that would spoil others, is not there."""
    files = _files(_make(distro))
    assert {"usr/lib/lpiclab/shell", "etc/lpiclab/sshd_config", "etc/resolv.conf"} <= files.keys()
    assert b"no-auto-default=*" in files["etc/NetworkManager/conf.d/lpiclab.conf"]
    assert files["etc/hostname"] == b"el\n"
    for name in ("etc/network/interfaces", "usr/lib/systemd/system-preset/00-lpiclab.preset"):
        assert name not in files


def test_debian_of_a_published_disk_has_the_files_of_a_bootstrapped_one(distro: Distro) -> None:
    """A family without a folder of its own is Debian's; questions of its packages are answered."""
    debian = dataclasses.replace(distro, family="debian")
    recipe = _make(debian)
    assert {"etc/network/interfaces", "usr/lib/systemd/system-preset/00-lpiclab.preset"} <= _files(
        recipe
    ).keys()
    assert recipe.customize == (GUEST / "customize").read_bytes()
    assert b"slapd" in recipe.preseed
    assert _make(distro).preseed == b""


def test_kernel_is_told_what_the_family_needs(distro: Distro) -> None:
    """SELinux is not left out on the family that is learned with it."""
    assert "lsm=" not in _make(distro).command_line
    assert "lsm=landlock,yama" in _make(dataclasses.replace(distro, family="debian")).command_line
    assert "scsi_mod.scan=manual" in _make(distro).command_line.split()


def test_console_is_the_architectures_own(distro: Distro) -> None:
    """Both the kernel and the login know the serial port of the machine."""
    for architecture, console in ((X86_64, "ttyS0"), (AARCH64, "ttyAMA0")):
        recipe = _make(distro, architecture=architecture)
        assert f"console={console}" in recipe.command_line.split()
        unit = _files(recipe)["usr/lib/systemd/system/lpiclab-console.service"].decode()
        assert f"/dev/{console}" in unit
        assert ("ttyS0" in unit) == (console == "ttyS0")


@pytest.mark.parametrize("architecture", ["aarch64", "riscv64"])
def test_distribution_without_a_disk_is_refused(distro: Distro, home: Home, architecture: str) -> None:
    """It is said what is missing, and where it would go; nothing is made up."""
    with pytest.raises(ImageError, match=f"almalinux-10 has no cloud image for {architecture}") as caught:
        _make(_with_disk(distro), architecture=architecture)
    assert f"with its digest, to {home.distros}/almalinux-10.yaml" in caught.value.hint


def test_distribution_without_any_way_is_refused(distro: Distro) -> None:
    """An entry for the provider that makes its own machines needs neither."""
    with pytest.raises(ImageError, match="has no cloud image"):
        _make(dataclasses.replace(distro, cloud=None))


@pytest.mark.parametrize("script", _SCRIPTS, ids=lambda file: file.name)
def test_scripts_for_the_guest_are_valid_shell(script: Path) -> None:
    """No script of the image has a syntax error."""
    subprocess.run(["sh", "-n", script], check=True)


def test_disk_is_a_value() -> None:
    """What is said of a disk can be compared."""
    assert CloudDisk(url="u", digest="d") == CloudDisk(url="u", digest="d", format="qcow2", size_bytes=0)
