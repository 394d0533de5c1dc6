"""Tests of our files: private, replaced as a whole, locked."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lpiclab.files import file_lock, free_lock, private_folder, write_private

_HOLD = """
import sys
from pathlib import Path
from lpiclab.files import file_lock
with file_lock(Path(sys.argv[1]), "up raid1", print):
    print("held", flush=True)
    sys.stdin.read()
"""


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _unexpected(sentence: str) -> None:
    pytest.fail(sentence)


def test_new_folders_are_private_and_old_ones_stay(tmp_path: Path) -> None:
    """Only folders that are made here get mode 0700."""
    old = tmp_path / "old"
    old.mkdir(mode=0o755)
    made = private_folder(old / "a" / "b")
    assert private_folder(made) == made
    assert (_mode(made), _mode(made.parent), _mode(old)) == (0o700, 0o700, 0o755)


def test_file_is_private_and_replaced(tmp_path: Path) -> None:
    """A written file has mode 0600 whatever the umask, and replaces the one before."""
    before = os.umask(0)
    try:
        write_private(tmp_path / "key", b"one, and longer")
        write_private(tmp_path / "key", b"two")
    finally:
        os.umask(before)
    assert (tmp_path / "key").read_bytes() == b"two"
    assert _mode(tmp_path / "key") == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["key"]


def test_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When writing fails the old content stays, and no half file is left."""
    write_private(tmp_path / "record", b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_private(tmp_path / "record", b"new")
    assert (tmp_path / "record").read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["record"]


def test_waiting_names_the_holder(tmp_path: Path) -> None:
    """Who finds the lock taken is told by which command and process, once, and then gets it."""
    file = tmp_path / "raid1.lock"
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        told = []

        def waiting(sentence: str) -> None:
            told.append(sentence)
            assert holder.stdin
            holder.stdin.close()

        with file_lock(file, "check raid1", waiting):
            assert json.loads(file.read_text()) == {"pid": os.getpid(), "command": "check raid1"}
    assert told == [f"waiting for `lpiclab up raid1` (process {holder.pid}) to finish"]


def test_lock_ends_with_its_process(tmp_path: Path) -> None:
    """A killed holder leaves a lock file that holds nobody up."""
    file = tmp_path / "raid1.lock"
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        holder.kill()
    with file_lock(file, "up raid1", _unexpected):
        assert _mode(file) == 0o600


def test_lock_ends_with_its_block(tmp_path: Path) -> None:
    """After the block, also after one that failed, the lock is free."""
    file = tmp_path / "raid1.lock"
    with pytest.raises(RuntimeError), file_lock(file, "up raid1", _unexpected):
        raise RuntimeError
    with file_lock(file, "down raid1", _unexpected):
        pass


def test_free_lock_never_waits(tmp_path: Path) -> None:
    """It tells whether it has the lock: not without the file, nor while somebody else has it."""
    file = tmp_path / "standing-still"
    with free_lock(file) as ours:
        assert not ours
    assert not file.exists()
    with file_lock(file, "suspend raid1", _unexpected), free_lock(file) as ours:
        assert not ours
    with free_lock(file) as ours:
        assert ours
        with free_lock(file) as theirs:
            assert not theirs
    with file_lock(file, "up raid1", _unexpected):
        pass
