"""Tests of disks, with the host's own qemu-img."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest

from lpiclab import proc
from lpiclab.errors import ToolFailed
from lpiclab.providers.qemu import disk
from lpiclab.wait import Deadline

pytestmark = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")


def _soon() -> Deadline:
    return Deadline.after(30.0)


def _info(file: Path) -> dict[str, object]:
    shown = proc.run(["qemu-img", "info", "--output=json", file], deadline=_soon())
    info: dict[str, object] = json.loads(shown)
    return info


def test_empty_disk_has_its_size(tmp_path: Path) -> None:
    """An empty disk has the size that was asked for, and only the user may read it."""
    file = tmp_path / "machines" / "a,b" / "sdb.qcow2"
    disk.ensure_empty(file, size_mib=320, deadline=_soon())
    info = _info(file)
    assert (info["format"], info["virtual-size"]) == ("qcow2", 320 << 20)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_overlay_stands_on_its_image(tmp_path: Path) -> None:
    """An overlay is as large as its backing file, and names it."""
    disk.ensure_empty(tmp_path / "disk.qcow2", size_mib=64, deadline=_soon())
    disk.ensure_overlay(tmp_path / "sda.qcow2", backing=tmp_path / "disk.qcow2", deadline=_soon())
    info = _info(tmp_path / "sda.qcow2")
    assert info["virtual-size"] == 64 << 20
    assert info["backing-filename"] == str(tmp_path / "disk.qcow2")
    assert info["backing-filename-format"] == "qcow2"


def test_what_is_there_stays(tmp_path: Path) -> None:
    """A disk that exists is never made again."""
    file = tmp_path / "sdb.qcow2"
    file.write_text("the learner's work")
    disk.ensure_empty(file, size_mib=1, deadline=_soon())
    disk.ensure_overlay(file, backing=tmp_path / "absent", deadline=_soon())
    assert file.read_text() == "the learner's work"


def test_failure_leaves_no_half_disk(tmp_path: Path) -> None:
    """When a disk can't be made, the next attempt does not find one."""
    with pytest.raises(ToolFailed):
        disk.ensure_overlay(tmp_path / "sda.qcow2", backing=tmp_path / "absent", deadline=_soon())
    assert not (tmp_path / "sda.qcow2").exists()
