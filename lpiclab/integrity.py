"""Tell whether a file is still what it was: size, date and SHA-256."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

_CHUNK_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 16
_ZEROS = bytes(_BLOCK_BYTES)


class FileFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file as it was when its SHA-256 was taken.

    Blocks of zeros are left out of the digest, and where data goes on after some is in it. So holes need
    not be read, and zeros may be holes today and data tomorrow: what a filesystem shows as a hole changes
    when it writes a file back, and when the file is copied. For a file without a block of zeros the digest
    is what `sha256sum` says.
    """

    size_bytes: int
    mtime_ns: int
    sha256: str

    @classmethod
    def of(cls, file: Path) -> FileFacts:
        """Read `file` once and return its facts."""
        digest = hashlib.sha256()
        with file.open("rb", buffering=0) as stream:
            size = os.fstat(stream.fileno()).st_size
            end_before = 0
            for start, block in _blocks(stream.fileno(), size):
                if start != end_before:
                    digest.update(f"zeros until {start}".encode())
                digest.update(block)
                end_before = start + len(block)
            status = os.fstat(stream.fileno())
        return cls(status.st_size, status.st_mtime_ns, digest.hexdigest())

    def require(self, file: Path, *, thorough: bool = False) -> FileFacts:
        """Make sure that `file` is as it was, and return its facts of today.

        A file whose size and date are as recorded is believed, unless `thorough`; one with another
        date is read as a whole.

        Raises:
            ValueError: it is cut short or changed; the message says how.
            OSError: it can't be read.
        """
        status = file.stat()
        if status.st_size != self.size_bytes:
            raise ValueError(f"it has {status.st_size} bytes, not {self.size_bytes}")
        if status.st_mtime_ns == self.mtime_ns and not thorough:
            return self
        found = FileFacts.of(file)
        if found.sha256 != self.sha256:
            raise ValueError("its content has changed")
        return found


def _blocks(descriptor: int, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield each block of a file that is not all zeros, with its start; whole holes are not read."""
    at = 0
    for start, end in data_extents(descriptor, size):
        at = max(at, start // _BLOCK_BYTES * _BLOCK_BYTES)
        while at < end:
            block = os.pread(descriptor, _BLOCK_BYTES, at)
            if block != _ZEROS[: len(block)]:
                yield at, block
            at += _BLOCK_BYTES


def data_extents(descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of each stretch of data in a file, holes left out (lseek(2))."""
    end = 0
    while end < size:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            raise
        end = os.lseek(descriptor, start, os.SEEK_HOLE)
        yield start, end


def copy_sparse(source: Path, target: Path) -> None:
    """Copy a file without its holes; the copy is private to the user.

    Where the filesystem can share the data, it does (copy_file_range(2)).

    Raises:
        OSError: for instance because the disk is full; what was written then stays.
    """
    with (
        source.open("rb", buffering=0) as reading,
        open(target, "xb", buffering=0, opener=_private) as writing,
    ):
        size = os.fstat(reading.fileno()).st_size
        os.ftruncate(writing.fileno(), size)
        for start, end in data_extents(reading.fileno(), size):
            _copy_range(reading.fileno(), writing.fileno(), start, end)


def _copy_range(source: int, target: int, start: int, end: int) -> None:
    at = start
    while at < end:
        try:
            copied = os.copy_file_range(source, target, end - at, at, at)
        except OSError as error:
            # Between some filesystems the kernel can't.
            if error.errno not in {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}:
                raise
            copied = os.pwrite(target, os.pread(source, min(end - at, _CHUNK_BYTES), at), at)
        if not copied:
            raise OSError(errno.EIO, "the file became shorter while it was copied")
        at += copied


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
