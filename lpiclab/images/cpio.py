"""Write cpio archives in the "newc" format, which the kernel unpacks as its initrd.

The format is described in the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field


@dataclass(slots=True)
class Archive:
    """A cpio archive in the making: everything belongs to root and has no date."""

    _content: bytearray = field(default_factory=bytearray)
    _inode: int = 0

    def folder(self, name: str) -> None:
        """Add a folder; those above it must have been added."""
        self._add(name, stat.S_IFDIR | 0o755, b"")

    def file(self, name: str, content: bytes, mode: int = 0o644) -> None:
        """Add a regular file."""
        self._add(name, stat.S_IFREG | mode, content)

    def finish(self) -> bytes:
        """Return the whole archive; nothing may be added after."""
        self._add("TRAILER!!!", 0, b"")
        return bytes(self._content)

    def _add(self, name: str, mode: int, content: bytes) -> None:
        self._inode += 1
        encoded = name.encode() + b"\0"
        numbers = (self._inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
        self._content += b"070701" + b"".join(b"%08X" % number for number in numbers) + encoded
        self._pad()
        self._content += content
        self._pad()

    def _pad(self) -> None:
        self._content += bytes(-len(self._content) % 4)
