"""Join the user's terminal to a stream: a login shell, a remote command, a serial console."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from typing import Protocol

_CHUNK_BYTES = 32768
ESCAPE = b"\x1d"
"""Ctrl-], which leaves a console, as in telnet."""


class Duplex(Protocol):
    """What a terminal can be joined to: a socket or an SSH channel."""

    def fileno(self) -> int:
        """Return a descriptor that is readable when data has come."""

    def recv(self, limit: int, /) -> bytes:
        """Return what has come, ``b""`` at the end."""

    def sendall(self, data: bytes, /) -> object:
        """Send all of `data`."""


def size() -> tuple[str, int, int]:
    """Return the terminal's type, columns and lines."""
    columns, lines = shutil.get_terminal_size()
    return os.environ.get("TERM", "vt100"), columns, lines


def join(
    stream: Duplex,
    *,
    raw: bool,
    end_of_input: Callable[[], object],
    resize: Callable[[int, int], object] | None = None,
    errors: Callable[[], bytes] | None = None,
    escape: bytes = b"",
) -> None:
    """Copy standard input to `stream` and what it says to standard output until it ends.

    Args:
        stream: The other side.
        raw: Hand every key over as it is typed (standard input must be a terminal).
        end_of_input: Called when standard input ends.
        resize: Called with columns and lines when the terminal's size changes.
        errors: Returns what has come on a second stream, for standard error.
        escape: A key that ends the connection.
    """
    with _raw_terminal(raw), _on_resize(resize):
        sources: list[int] = [stream.fileno(), sys.stdin.fileno()]
        while True:
            ready, _, _ = select.select(sources, [], [])
            if stream.fileno() in ready:
                if errors and (text := errors()):
                    _write(sys.stderr.fileno(), text)
                    continue
                data = stream.recv(_CHUNK_BYTES)
                if not data:
                    return
                _write(sys.stdout.fileno(), data)
            if sys.stdin.fileno() in ready:
                typed = os.read(sys.stdin.fileno(), _CHUNK_BYTES)
                if escape and escape in typed:
                    return
                if typed:
                    stream.sendall(typed)
                else:
                    sources.remove(sys.stdin.fileno())
                    end_of_input()


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


@contextlib.contextmanager
def _raw_terminal(raw: bool) -> Iterator[None]:
    if not raw:
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setraw(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _on_resize(resize: Callable[[int, int], object] | None) -> Iterator[None]:
    if resize is None:
        yield
        return

    def changed(*_signal: object) -> None:
        _, columns, lines = size()
        resize(columns, lines)

    before = signal.signal(signal.SIGWINCH, changed)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)
