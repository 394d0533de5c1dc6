"""Pack boxes that Vagrant takes, for places without internet: for each of its providers its own kind."""

from __future__ import annotations

import io
import os
import shlex
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lpiclab.errors import ImageError, UsageError
from lpiclab.names import nearest

KINDS = ("libvirt", "virtualbox")


def box_name(distro: str) -> str:
    """Return the name under which lpiclab's own box of a distribution is added to Vagrant."""
    return f"lpiclab/{distro}"


def require_kind(kind: str) -> None:
    """Refuse a Vagrant provider that no box can be packed for.

    Raises:
        UsageError: its name is not known.
    """
    if kind not in KINDS:
        raise UsageError(f'no box can be packed for "{kind}"', hint=nearest(kind, KINDS))


def require_place(file: Path) -> None:
    """Refuse a file that could not be written, before minutes go into what is to be in it.

    Raises:
        UsageError: it is a folder, or there is no folder for it.
    """
    if file.is_dir():
        raise UsageError(f"{file} is a folder", hint="name the file that the box is to be")
    folder = file.parent
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", hint=f"mkdir -p {shlex.quote(str(folder))}")


def write(file: Path, texts: Mapping[str, bytes], files: Mapping[str, Path]) -> Path:
    """Write a box of contents and files by their names in it; half a box is never left there.

    Raises:
        ImageError: it could not be written.
    """
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with told(file):
            with tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as archive:
                for name, content in texts.items():
                    entry = tarfile.TarInfo(name)
                    entry.size = len(content)
                    entry.mode = 0o644
                    archive.addfile(entry, io.BytesIO(content))
                for name, source in files.items():
                    archive.add(source, name, filter=_anybodys)
            part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return file


@contextmanager
def told(file: Path) -> Iterator[None]:
    """Tell what the system refuses as what became of the box `file`; raises ImageError."""
    try:
        yield
    except OSError as error:
        raise ImageError(f"the box {file} could not be written: {error.strerror or error}") from error


def _anybodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Let libvirt's user read a file, and leave out who packed it."""
    entry.mode, entry.uid, entry.gid, entry.uname, entry.gname = 0o644, 0, 0, "", ""
    return entry
