"""Tests of telling whether a file is what it was, and of copies that keep holes."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path

import pytest

from lpiclab.integrity import FileFacts, copy_sparse, data_extents

_HOLE_BYTES = 8 << 20


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file without holes."""
    made = tmp_path / "file"
    made.write_bytes(b"content of a file\n" * 1000)
    return made


@pytest.fixture
def sparse(tmp_path: Path) -> Path:
    """Return a file with a hole at its beginning, one inside and one at its end."""
    made = tmp_path / "sparse"
    with made.open("wb") as stream:
        stream.seek(_HOLE_BYTES)
        stream.write(b"one" * 5000)
        stream.seek(3 * _HOLE_BYTES)
        stream.write(b"two" * 5000)
        stream.truncate(5 * _HOLE_BYTES)
    return made


def _spoil(file: Path, at: int, *, mtime_ns: int) -> None:
    """Flip one byte of a file, and give it a date."""
    with file.open("r+b") as stream:
        stream.seek(at)
        byte = stream.read(1)[0]
        stream.seek(at)
        stream.write(bytes([byte ^ 0x01]))
    os.utime(file, ns=(mtime_ns, mtime_ns))


def _extents(file: Path) -> list[tuple[int, int]]:
    with file.open("rb") as stream:
        return list(data_extents(stream.fileno(), file.stat().st_size))


def test_file_without_holes_has_the_digest_of_sha256sum(file: Path) -> None:
    """What is recorded can be compared with other tools."""
    facts = FileFacts.of(file)
    assert facts.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (facts.size_bytes, facts.mtime_ns) == (18000, file.stat().st_mtime_ns)


def test_empty_file_has_facts(tmp_path: Path) -> None:
    """A file without any data is one like others, also when it is a hole only."""
    (tmp_path / "empty").touch()
    assert FileFacts.of(tmp_path / "empty").sha256 == hashlib.sha256().hexdigest()
    os.truncate(tmp_path / "empty", _HOLE_BYTES)
    assert FileFacts.of(tmp_path / "empty").size_bytes == _HOLE_BYTES


def test_holes_are_not_read_but_count(sparse: Path, tmp_path: Path) -> None:
    """The same data at another place behind a hole is another file."""
    assert [start for start, _ in _extents(sparse)] == [_HOLE_BYTES, 3 * _HOLE_BYTES]
    moved = tmp_path / "moved"
    with moved.open("wb") as stream:
        stream.seek(_HOLE_BYTES)
        stream.write(b"one" * 5000)
        stream.seek(2 * _HOLE_BYTES)
        stream.write(b"two" * 5000)
        stream.truncate(5 * _HOLE_BYTES)
    assert FileFacts.of(sparse).size_bytes == FileFacts.of(moved).size_bytes
    assert FileFacts.of(sparse).sha256 != FileFacts.of(moved).sha256


def test_zeros_are_the_same_as_holes(sparse: Path, tmp_path: Path) -> None:
    """What a filesystem shows as a hole changes when it writes a file back, and by copying it."""
    written = tmp_path / "written"
    written.write_bytes(sparse.read_bytes())
    assert len(_extents(written)) < len(_extents(sparse))
    assert FileFacts.of(written).sha256 == FileFacts.of(sparse).sha256
    with written.open("r+b") as stream:  # as preallocated space is, in the midst of a block
        os.posix_fallocate(stream.fileno(), 0, 6 * _HOLE_BYTES)
        stream.truncate(5 * _HOLE_BYTES)
    assert FileFacts.of(written).sha256 == FileFacts.of(sparse).sha256


@pytest.mark.parametrize("at", [0, 1, _HOLE_BYTES - 1, 2 * _HOLE_BYTES, 5 * _HOLE_BYTES - 1])
def test_flipped_bit_in_a_hole_is_found(sparse: Path, at: int) -> None:
    """A hole that is no hole any more is another content."""
    facts = FileFacts.of(sparse)
    _spoil(sparse, at, mtime_ns=facts.mtime_ns + 1)
    with pytest.raises(ValueError, match="its content has changed"):
        facts.require(sparse)


def test_untouched_file_is_as_it_was(file: Path) -> None:
    """The facts stay, read as a whole or not."""
    facts = FileFacts.of(file)
    assert facts.require(file) == facts
    assert facts.require(file, thorough=True) == facts


def test_file_cut_short_is_told_by_its_size(file: Path) -> None:
    """Both sizes are told."""
    facts = FileFacts.of(file)
    os.truncate(file, 17999)
    with pytest.raises(ValueError, match="it has 17999 bytes, not 18000"):
        facts.require(file)


@pytest.mark.parametrize("at", [0, 9000, 17999])
def test_flipped_bit_in_a_file_with_another_date_is_found(file: Path, at: int) -> None:
    """Another date makes a file be read as a whole, and one bit is enough."""
    facts = FileFacts.of(file)
    _spoil(file, at, mtime_ns=facts.mtime_ns + 1)
    with pytest.raises(ValueError, match="its content has changed"):
        facts.require(file)


def test_same_date_is_believed_unless_thorough(file: Path) -> None:
    """A cheap look trusts size and date, a thorough one nothing."""
    facts = FileFacts.of(file)
    _spoil(file, 9000, mtime_ns=facts.mtime_ns)
    assert facts.require(file) == facts
    with pytest.raises(ValueError, match="its content has changed"):
        facts.require(file, thorough=True)


def test_right_file_with_another_date_is_right(file: Path) -> None:
    """Today's facts come back, so that they can be noted."""
    facts = FileFacts.of(file)
    os.utime(file, ns=(5, 5))
    found = facts.require(file)
    assert (found.mtime_ns, found.sha256) == (5, facts.sha256)


def test_data_written_into_a_hole_is_found(sparse: Path) -> None:
    """What was a hole must not hold data later."""
    facts = FileFacts.of(sparse)
    _spoil(sparse, 0, mtime_ns=facts.mtime_ns)
    with pytest.raises(ValueError, match="its content has changed"):
        facts.require(sparse, thorough=True)


def test_absent_file_is_an_os_error(tmp_path: Path) -> None:
    """The caller decides what an absent file means."""
    with pytest.raises(FileNotFoundError):
        FileFacts(0, 0, "").require(tmp_path / "absent")


def test_copy_keeps_content_and_holes_and_is_private(sparse: Path, tmp_path: Path) -> None:
    """A copy takes no more space than its source, and nobody else can read it."""
    before = os.umask(0)
    try:
        copy_sparse(sparse, tmp_path / "copy")
    finally:
        os.umask(before)
    copy = tmp_path / "copy"
    assert copy.read_bytes() == sparse.read_bytes()
    assert _extents(copy) == _extents(sparse)
    assert copy.stat().st_blocks <= sparse.stat().st_blocks
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert FileFacts.of(copy).sha256 == FileFacts.of(sparse).sha256


def test_copy_of_a_file_without_holes(file: Path, tmp_path: Path) -> None:
    """Plain files are copied as they are."""
    copy_sparse(file, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == file.read_bytes()


def test_copy_replaces_nothing(file: Path, tmp_path: Path) -> None:
    """A file that is there already stays as it is."""
    (tmp_path / "copy").write_text("mine")
    with pytest.raises(FileExistsError):
        copy_sparse(file, tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "mine"


def test_full_disk_is_raised(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that could not be finished is never taken for one."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "copy_file_range", full)
    with pytest.raises(OSError, match="No space left") as raised:
        copy_sparse(file, tmp_path / "copy")
    assert raised.value.errno == errno.ENOSPC


def test_copy_between_filesystems(sparse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel can't copy by itself, the copy is made all the same, with its holes."""

    def refuse(*_: object) -> int:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "copy_file_range", refuse)
    copy_sparse(sparse, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == sparse.read_bytes()
    assert FileFacts.of(tmp_path / "copy").sha256 == FileFacts.of(sparse).sha256


def test_file_that_shrinks_meanwhile_is_told(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy is whole or an error, never silently short."""
    monkeypatch.setattr(os, "copy_file_range", lambda *_: 0)
    with pytest.raises(OSError, match="shorter"):
        copy_sparse(file, tmp_path / "copy")
