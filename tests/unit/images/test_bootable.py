"""Tests of disks that start by themselves."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from lpiclab.errors import ImageError
from lpiclab.images import archive, bootable, sandbox
from lpiclab.model import Bootstrap
from lpiclab.wait import Deadline

_DISK = bootable.Disk(
    bootstrap=Bootstrap(suites=("trixie",), security_suites=(), keyring="ring.gpg", packages=("grub-pc",)),
    label="small",
    size_mib=12,
    customize="echo more\n",
)
_BOOT = bytes(range(256)) * 2
_CORE = b"core" * 1000


@pytest.fixture
def core() -> bytearray:
    """Return what GRUB is, to be changed."""
    return bytearray(_CORE)


@pytest.fixture
def argv(monkeypatch: pytest.MonkeyPatch, core: bytearray) -> list[str]:
    """Return what mmdebstrap is told, which makes a folder with GRUB and a file; all else is real."""
    told: list[str] = []

    def run(words: Sequence[str | Path], **_: object) -> None:
        if words[0] != "mmdebstrap":
            subprocess.run(words, check=True)
            return
        told.extend(str(word) for word in words)
        root = Path(words[-2])
        files: dict[str, bytes | bytearray] = {
            "usr/lib/grub/i386-pc/boot.img": _BOOT,
            "boot/core.img": core,
            "etc/hostname": b"debian\n",
        }
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)

    monkeypatch.setattr(sandbox, "run", run)
    monkeypatch.setattr(bootable, "find_keyring", lambda _: Path("/ring.gpg"))
    monkeypatch.setattr(bootable, "host_archive", lambda: archive.Archive("http://example.test/debian", ""))
    monkeypatch.setattr(bootable, "host_proxies", lambda **_: {})
    return told


def _make(folder: Path) -> Path:
    return bootable.make(_DISK, folder, progress=lambda _: None, deadline=Deadline.after(60))


@pytest.mark.usefixtures("argv")
def test_disk_has_a_loader_and_one_partition(tmp_path: Path) -> None:
    """The BIOS finds code in the first sector, that finds the rest; one partition is active."""
    raw = _make(tmp_path)
    disk = raw.read_bytes()
    assert len(disk) == 12 << 20
    assert disk[:440] == _BOOT[:440]
    assert disk[510:512] == b"\x55\xaa"
    assert disk[512 : 512 + len(_CORE)] == _CORE
    columns = ["partx", "--noheadings", "--output", "START,SECTORS,TYPE,FLAGS,SCHEME"]
    partitions = subprocess.check_output([*columns, raw], text=True).splitlines()
    assert [line.split() for line in partitions] == [["2048", str(11 * 2048), "0x83", "0x80", "dos"]]


@pytest.mark.usefixtures("argv")
def test_file_system_is_in_the_partition(tmp_path: Path) -> None:
    """It has its label, fills the partition, and holds the system; the folder that it was made of is gone."""
    raw = _make(tmp_path)
    part = tmp_path / "partition"
    part.write_bytes(raw.read_bytes()[1 << 20 :])
    assert subprocess.check_output(["blkid", "-p", "-s", "LABEL", "-o", "value", part]) == b"small\n"
    subprocess.run(["e2fsck", "-fn", part], check=True, capture_output=True)
    shown = subprocess.check_output(["debugfs", "-R", "cat /etc/hostname", part], stderr=subprocess.DEVNULL)
    assert shown == b"debian\n"
    assert not (tmp_path / "root").exists()


def test_script_makes_grub_and_then_does_the_rest(tmp_path: Path, argv: list[str]) -> None:
    """One script runs in the new system; the shell text of hooks holds no paths."""
    _make(tmp_path)
    script = (tmp_path / "customize").read_text()
    assert "root=LABEL=small" in script
    assert script.index("grub-mkimage") < script.index("echo more")
    subprocess.run(["sh", "-n", tmp_path / "customize"], check=True)
    assert not any(str(tmp_path) in word for word in argv if "-hook=" in word)


@pytest.mark.usefixtures("argv")
def test_loader_that_does_not_fit_is_told(tmp_path: Path, core: bytearray) -> None:
    """A file system is not written over."""
    core.extend(bytes(1 << 20))
    with pytest.raises(ImageError, match="GRUB does not fit"):
        _make(tmp_path)
