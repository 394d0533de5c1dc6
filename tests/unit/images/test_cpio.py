"""The archive that the kernel unpacks as its initrd."""

from __future__ import annotations

import stat

from lpiclab.images.cpio import Archive

_HEADER_BYTES = 110


def _entries(content: bytes) -> list[tuple[str, int, bytes]]:
    """Read a newc archive as the kernel does: headers and contents start at multiples of 4."""
    entries = []
    at = 0
    while at < len(content):
        header = content[at : at + _HEADER_BYTES]
        assert header.startswith(b"070701")
        fields = [int(header[start : start + 8], 16) for start in range(6, _HEADER_BYTES, 8)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name_end = at + _HEADER_BYTES + name_size
        data = name_end + (-name_end % 4)
        name = content[at + _HEADER_BYTES : name_end]
        assert name.endswith(b"\0")
        entries.append((name[:-1].decode(), mode, content[data : data + size]))
        at = data + size + (-(data + size) % 4)
    return entries


def test_files_and_folders_are_read_back() -> None:
    """Names, modes and contents of any length come out as they went in, before the trailer."""
    archive = Archive()
    archive.folder("bin")
    archive.file("bin/init", b"#!/bin/sh\n", 0o755)
    archive.file("five", b"12345")
    archive.file("empty", b"")
    assert _entries(archive.finish()) == [
        ("bin", stat.S_IFDIR | 0o755, b""),
        ("bin/init", stat.S_IFREG | 0o755, b"#!/bin/sh\n"),
        ("five", stat.S_IFREG | 0o644, b"12345"),
        ("empty", stat.S_IFREG | 0o644, b""),
        ("TRAILER!!!", 0, b""),
    ]
