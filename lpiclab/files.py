"""Files of ours: private to the user, replaced atomically, locked by the kernel."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path


def private_folder(folder: Path) -> Path:
    """Make `folder` and its parents, those made here with mode 0700, and return it."""
    if not folder.is_dir():
        private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextlib.contextmanager
def file_lock(file: Path, command: str, waiting: Callable[[str], None]) -> Iterator[None]:
    """Hold `flock(2)` on `file`, which names its holder; call `waiting` when somebody else has it."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting(f"waiting for {_holder(file)}")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "command": command}).encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def free_lock(file: Path) -> Iterator[bool]:
    """Hold `flock(2)` on an existing file if nobody else does, and tell so; never wait."""
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)


def _holder(file: Path) -> str:
    try:
        holder = json.loads(file.read_text())
        return f"`lpiclab {holder['command']}` (process {holder['pid']}) to finish"
    except (OSError, ValueError, KeyError, TypeError):
        return "another lpiclab command to finish"


def write_private(file: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace `file` atomically and durably; nobody else can read it at any moment."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
