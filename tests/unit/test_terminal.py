"""Tests of joining a terminal to a stream, with pipes and a pseudo-terminal."""

from __future__ import annotations

import os
import pty
import socket
import termios
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import FileIO
from types import SimpleNamespace

import pytest

from lpiclab import terminal


@dataclass(frozen=True)
class _Ends:
    """The far ends of our standard input, output and error, and both ends of the stream."""

    keys: FileIO
    screen: FileIO
    errors: FileIO
    near: socket.socket
    far: socket.socket


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Ends]:
    """Yield the ends, with this process's standard streams joined to them."""
    # Not in `sys` itself, where pytest puts streams of its own before each phase of a test.
    streams = SimpleNamespace()
    monkeypatch.setattr(terminal, "sys", streams)
    with ExitStack() as stack:

        def joined(name: str, *, read: bool) -> FileIO:
            """Put a pipe in a standard stream's place, and return its far end."""
            reader, writer = (
                stack.enter_context(FileIO(end, mode)) for end, mode in zip(os.pipe(), "rw", strict=True)
            )
            setattr(streams, name, reader if read else writer)
            return writer if read else reader

        near, far = socket.socketpair()
        with near, far:
            yield _Ends(
                joined("stdin", read=True),
                joined("stdout", read=False),
                joined("stderr", read=False),
                near,
                far,
            )


def test_both_directions_are_copied(ends: _Ends) -> None:
    """What was typed before the end of input reaches the stream; what it says reaches the screen."""
    ends.keys.write(b"typed")
    ends.keys.close()
    ended: list[bytes] = []

    def end_of_input() -> None:
        ended.append(ends.far.recv(100))
        ends.far.sendall(b"answer\xff")
        ends.far.close()

    terminal.join(ends.near, raw=False, end_of_input=end_of_input)
    assert ended == [b"typed"]
    assert ends.screen.read(100) == b"answer\xff"


def test_escape_leaves(ends: _Ends) -> None:
    """The key ends the joining and is not handed on."""
    ends.keys.write(b"\x1d")
    terminal.join(ends.near, raw=False, end_of_input=lambda: None, escape=terminal.ESCAPE)
    ends.far.setblocking(False)
    with pytest.raises(BlockingIOError):
        ends.far.recv(1)


def test_errors_go_to_standard_error(ends: _Ends) -> None:
    """What came on the second stream does not mix with the output."""
    pending = [b"warning"]
    ends.far.sendall(b"out")
    ends.far.close()
    terminal.join(
        ends.near, raw=False, end_of_input=lambda: None, errors=lambda: pending.pop() if pending else b""
    )
    assert ends.errors.read(100) == b"warning"
    assert ends.screen.read(100) == b"out"


def test_raw_terminal_is_given_back(ends: _Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys come as they are typed while joined, and the terminal is as before when the stream fails."""
    master, slave = pty.openpty()
    with os.fdopen(master, "rb"), os.fdopen(slave, "r") as typed:
        monkeypatch.setattr(terminal, "sys", SimpleNamespace(stdin=typed))
        before = termios.tcgetattr(slave)
        during = []

        class _Failing(socket.socket):
            def recv(self, *_: object) -> bytes:
                during.append(termios.tcgetattr(slave))
                raise ConnectionResetError

        ends.far.sendall(b"x")
        with _Failing(fileno=os.dup(ends.near.fileno())) as failing, pytest.raises(ConnectionResetError):
            terminal.join(failing, raw=True, end_of_input=lambda: None)
        assert termios.tcgetattr(slave) == before
        assert not during[0][3] & (termios.ICANON | termios.ECHO)


def test_size_is_the_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Type, columns and lines are what the environment says."""
    for name, value in (("TERM", "xterm-256color"), ("COLUMNS", "132"), ("LINES", "43")):
        monkeypatch.setenv(name, value)
    assert terminal.size() == ("xterm-256color", 132, 43)
