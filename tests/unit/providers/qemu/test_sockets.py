"""Tests of unix sockets at any path."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from lpiclab.providers.qemu import sockets


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a path far longer than a unix socket's address can be."""
    folder = tmp_path / ("long" * 30) / ("longer" * 20)
    folder.mkdir(parents=True)
    return folder / "shell.sock"


def test_long_paths_work(path: Path) -> None:
    """A client reaches a server at a path of several hundred bytes."""
    with sockets.listen(path) as server, sockets.connect(path) as client:
        accepted, _ = server.accept()
        with accepted:
            client.sendall(b"hello")
            assert accepted.recv(5) == b"hello"


def test_connection_waits_for_its_server_to_accept(path: Path) -> None:
    """A client may connect and write before anybody accepts, as QEMU starts later."""
    with sockets.listen(path) as server:
        with sockets.connect(path) as client:
            client.sendall(b"early")
        accepted, _ = server.accept()
        with accepted:
            assert accepted.recv(5) == b"early"


def test_socket_is_private_and_replaces_a_stale_one(path: Path) -> None:
    """Nobody else may connect; what an earlier QEMU left at the path is no hindrance."""
    sockets.listen(path).close()
    with sockets.listen(path), sockets.connect(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nobody_listening_is_an_error(path: Path) -> None:
    """Connecting to a stale socket fails, and to an absent one."""
    with pytest.raises(FileNotFoundError):
        sockets.connect(path)
    sockets.listen(path).close()
    with pytest.raises(ConnectionRefusedError):
        sockets.connect(path)
