"""Disks: qcow2 overlays on an image that nobody writes to, and empty ones."""

from __future__ import annotations

from pathlib import Path

from lpiclab import proc
from lpiclab.files import private_folder
from lpiclab.wait import Deadline


def ensure_overlay(file: Path, *, backing: Path, deadline: Deadline) -> None:
    """Make a copy-on-write disk on the qcow2 file `backing` unless `file` exists."""
    _create(file, ["-b", str(backing), "-F", "qcow2"], deadline)


def ensure_empty(file: Path, *, size_mib: int, deadline: Deadline) -> None:
    """Make an empty disk unless `file` exists."""
    _create(file, [f"{size_mib}M"], deadline)


def _create(file: Path, words: list[str], deadline: Deadline) -> None:
    if file.exists():
        return
    private_folder(file.parent)
    temporary = file.with_name(f".{file.name}")
    options = words if words[0] == "-b" else []
    size = [] if options else words
    proc.run(["qemu-img", "create", "-q", "-f", "qcow2", *options, temporary, *size], deadline=deadline)
    temporary.chmod(0o600)
    temporary.replace(file)
