"""Download a published disk: go on where an earlier try stopped, and prove the digest before use.

What has come so far is in a file that ends in ``.part``, which gets its name when it has proved right.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from lpiclab.errors import ImageError
from lpiclab.files import private_folder
from lpiclab.model import CloudDisk

STALL_S = 60.0
"""How long a server may say nothing."""
_CHUNK_BYTES = 1 << 18
_SHOWN = 10
"""Progress is told so often over a whole download."""
_NAME_DIGITS = 16
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")

Progress = Callable[[str], None]


class _CutShort(Exception):
    """The connection broke; what has come is kept."""


class _Complete(Exception):
    """The server has no more than what has come."""


def fetch(disk: CloudDisk, folder: Path, progress: Progress, *, stall_s: float = STALL_S) -> Path:
    """Return the file of a disk in `folder`, downloaded if it is not there and right.

    A connection that breaks is made again as long as each one brings something.

    Raises:
        ImageError: the server can't be reached, does not have it, or what it gave is something else.
        OSError: the file could not be written.
    """
    target = _target(disk, folder)
    if target.exists() and _digest(target, disk) == disk.digest:
        return target
    private_folder(folder)
    part = target.with_name(f"{target.name}.part")
    while not disk.size_bytes or _size(part) != disk.size_bytes:
        before = _size(part)
        try:
            _receive(disk, part, progress, stall_s)
            break
        except _Complete:
            break
        except _CutShort as error:
            if _size(part) <= before:
                raise _stopped(disk, part, str(error)) from error
            progress(f"the connection broke ({error}); going on")
    _prove(disk, part)
    part.replace(target)
    return target


def discard(disk: CloudDisk, folder: Path) -> None:
    """Remove what was downloaded of a disk."""
    target = _target(disk, folder)
    target.unlink(missing_ok=True)
    target.with_name(f"{target.name}.part").unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # something else is in there, or there is no such folder
        folder.rmdir()


def _target(disk: CloudDisk, folder: Path) -> Path:
    name = re.sub(r"[^A-Za-z0-9._-]", "_", disk.url.rpartition("/")[2])
    return folder / f"{disk.digest.partition(':')[2][:_NAME_DIGITS]}-{name}"


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _receive(disk: CloudDisk, part: Path, progress: Progress, stall_s: float) -> None:
    """Append to `part` until the server says that it was all.

    Raises:
        _CutShort: there is more, and it did not come.
        _Complete: there was nothing more to come.
    """
    with _open(disk, part, stall_s) as response:
        part.touch(mode=0o600)
        start, total = _extent(disk, response, _size(part))
        told, step = start, (total or disk.size_bytes or 1 << 30) / _SHOWN
        with part.open("r+b") as stream:
            stream.truncate(start)
            stream.seek(start)
            for chunk in _chunks(response):
                stream.write(chunk)
                start += len(chunk)
                if start - told >= step:
                    told = start
                    progress(f"{start >> 20}{f' of {total >> 20}' if total else ''} MiB have come")
    if total is not None and start < total:
        raise _CutShort(f"{start} of {total} bytes had come")


def _open(disk: CloudDisk, part: Path, stall_s: float) -> http.client.HTTPResponse:
    start = _size(part)
    headers = {"User-Agent": "lpiclab", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(disk.url, headers=headers)  # noqa: S310 - the catalogue takes http and https only
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=stall_s)  # noqa: S310 - the same
    except urllib.error.HTTPError as error:
        with error:
            if not start or error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise _refused(disk, error) from error
        if _digest(part, disk) == disk.digest:
            raise _Complete from None
        part.unlink()  # longer than the server's: of another file, or damaged
        return _open(disk, part, stall_s)
    except (OSError, http.client.HTTPException) as error:
        raise _stopped(disk, part, _reason(error)) from error
    return response


def _extent(disk: CloudDisk, response: http.client.HTTPResponse, asked: int) -> tuple[int, int | None]:
    """Return where the answer begins in the file, and how long the file is if the server says so."""
    start, length = 0, response.headers.get("Content-Length", "")
    # A server that knows no ranges sends everything again.
    if response.status == http.client.PARTIAL_CONTENT:
        match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if not match or int(match[1]) != asked:
            raise ImageError(f"{disk.url}: the server answers with another range than was asked for")
        start, length = asked, match[2]
    total = int(length) if length.isdecimal() else None
    if total is not None and disk.size_bytes and total != disk.size_bytes:
        raise ImageError(
            f"{disk.url} has {total} bytes, and not the {disk.size_bytes} of the catalogue",
            hint="the server has another file under this name by now: look for the entry's successor",
        )
    return start, total


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while True:
        try:
            chunk = response.read(_CHUNK_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise _CutShort(_reason(error)) from error
        if not chunk:
            return
        yield chunk


def _digest(file: Path, disk: CloudDisk) -> str:
    name = disk.digest.partition(":")[0]
    with file.open("rb") as stream:
        return f"{name}:{hashlib.file_digest(stream, name).hexdigest()}"


def _prove(disk: CloudDisk, part: Path) -> None:
    found = _digest(part, disk)
    if found != disk.digest:
        part.unlink()
        raise ImageError(
            f"{disk.url} is not what the catalogue says: its digest is {found}, not {disk.digest}",
            hint="it was damaged on the way, or somebody changed it; nothing of it was kept: try again",
        )


def _refused(disk: CloudDisk, error: urllib.error.HTTPError) -> ImageError:
    if error.code in {http.client.NOT_FOUND, http.client.GONE}:
        return ImageError(
            f"the server has no {disk.url} (HTTP {error.code})",
            hint="dated images are removed some day: give the catalogue's entry a newer one",
        )
    return ImageError(
        f"the server refuses {disk.url}: HTTP {error.code} {error.reason}", hint="try again later"
    )


def _stopped(disk: CloudDisk, part: Path, reason: str) -> ImageError:
    hint = "is the server there, and the network?"
    if came := _size(part):
        hint += f" The {came >> 20} MiB that have come are kept: another try goes on from there"
    return ImageError(f"could not download {disk.url}: {reason}", hint=hint)


def _reason(error: Exception) -> str:
    """Return an error's words, those of its cause for what urllib wraps."""
    cause = getattr(error, "reason", None)
    inner = cause if isinstance(cause, Exception) else error
    if isinstance(inner, TimeoutError):
        return "the server says nothing"
    return str(getattr(inner, "strerror", None) or inner) or type(inner).__name__
