"""Tests of the monitor client against a scripted QEMU."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from lpiclab.errors import ProviderError
from lpiclab.providers.qemu import sockets
from lpiclab.providers.qemu.monitor import management_port, monitor

Answer = Mapping[str, object]

_GREETING: Answer = {
    "QMP": {"version": {"qemu": {"major": 10, "minor": 0, "micro": 0}, "package": ""}, "capabilities": []}
}
_TABLE = (
    "Hub -1 (management):\r\n"
    "  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r\n"
    "  TCP[HOST_FORWARD]  14       127.0.0.1 43211       10.0.2.15  2200     0     0\r\n"
)


@contextlib.contextmanager
def _qemu(path: Path, *answers: Answer) -> Iterator[list[str]]:
    """Serve one connection, one answer a command, up to one more command; yield the commands seen."""
    seen: list[str] = []
    with sockets.listen(path) as server:
        thread = threading.Thread(target=_serve, args=(server, seen, answers), daemon=True)
        thread.start()
        yield seen
        thread.join(20)
        assert not thread.is_alive()


def _serve(server: socket.socket, seen: list[str], answers: tuple[Answer, ...]) -> None:
    connection, _ = server.accept()
    with connection:
        _say(connection, _GREETING)
        for answer in ({"return": {}}, *answers):
            # The client sends one command at a time, without a line's end.
            command = json.loads(connection.recv(65536))
            seen.append(command["execute"])
            _say(connection, {**answer, **{key: command[key] for key in command if key == "id"}})
        connection.recv(65536)


def _say(connection: socket.socket, message: Answer) -> None:
    connection.sendall(json.dumps(message).encode() + b"\r\n")


async def _port(path: Path) -> int:
    async with monitor(path, "raid1/server") as client:
        return await management_port(client)


def test_management_port_is_read_from_the_table(tmp_path: Path) -> None:
    """The port is the host's end of the forwarding, which the kernel chose."""
    with _qemu(tmp_path / "monitor.sock", {"return": _TABLE}) as seen:
        assert asyncio.run(_port(tmp_path / "monitor.sock")) == 43211
    assert seen == ["qmp_capabilities", "human-monitor-command"]


def test_table_without_a_forwarding_is_an_error(tmp_path: Path) -> None:
    """The error holds what QEMU said."""
    with (
        _qemu(tmp_path / "monitor.sock", {"return": "Hub -1\r\n"}),
        pytest.raises(ProviderError, match="management port") as raised,
    ):
        asyncio.run(_port(tmp_path / "monitor.sock"))
    assert "Hub -1" in raised.value.details


def test_refused_command_names_the_machine(tmp_path: Path) -> None:
    """An error of QEMU's becomes one of ours."""
    refusal = {"error": {"class": "GenericError", "desc": "no such thing"}}
    with (
        _qemu(tmp_path / "monitor.sock", refusal),
        pytest.raises(ProviderError, match=r"raid1/server.*no such thing"),
    ):
        asyncio.run(_port(tmp_path / "monitor.sock"))


def test_qemu_that_ends_is_an_error(tmp_path: Path) -> None:
    """A connection that is cut before the answer is a failure of the machine."""
    with _qemu(tmp_path / "monitor.sock"), pytest.raises(ProviderError, match="raid1/server"):
        asyncio.run(_port(tmp_path / "monitor.sock"))


def test_no_qemu_is_an_error(tmp_path: Path) -> None:
    """There may be no socket at all."""
    with pytest.raises(ProviderError, match="raid1/server"):
        asyncio.run(_port(tmp_path / "monitor.sock"))
