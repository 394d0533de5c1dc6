"""Unix sockets whose path may be longer than the 108 bytes of `unix(7)`."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def listen(path: Path) -> socket.socket:
    """Return a socket that listens at `path`, replacing a stale one.

    QEMU inherits it, so that a connection can be made before QEMU has started: it waits in the
    backlog, and nothing has to be polled for.
    """
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX)
    with _short(path) as address:
        server.bind(address)
    path.chmod(0o600)
    server.listen(1)
    return server


def connect(path: Path) -> socket.socket:
    """Return a connection to the socket at `path`.

    Raises:
        OSError: nobody listens there.
    """
    client = socket.socket(socket.AF_UNIX)
    try:
        with _short(path) as address:
            client.connect(address)
    except OSError:
        client.close()
        raise
    return client


@contextmanager
def _short(path: Path) -> Iterator[str]:
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
