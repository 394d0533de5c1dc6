"""Tests of the shell port against a scripted machine at the other end of a socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from lpiclab.errors import GuestError
from lpiclab.providers.qemu import sockets
from lpiclab.providers.qemu.guestport import GuestPort

_LIMIT_S = 20.0
Side = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _meet(ours: Callable[[GuestPort], Awaitable[object]], machine: Side) -> object:
    """Return what `ours` came to with `machine` at the port's other end."""

    async def both() -> object:
        near, far = socket.socketpair()
        port = GuestPort(*await asyncio.open_unix_connection(sock=near), "raid1/server")
        reader, writer = await asyncio.open_unix_connection(sock=far)
        try:
            async with asyncio.timeout(_LIMIT_S):
                result, _ = await asyncio.gather(ours(port), machine(reader, writer))
        finally:
            writer.close()
            await port.close()
        return result

    return asyncio.run(both())


def _saying(text: bytes) -> Side:
    async def machine(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        writer.write_eof()

    return machine


def test_ready_is_told_with_the_boot_id() -> None:
    """What the port said before its greeting is skipped."""
    machine = _saying(b"# leftover\n\xff\nsh-5.2# LPICLAB-READY 1c6b-42\n")
    assert _meet(GuestPort.ready, machine) == "1c6b-42"


def test_machine_that_goes_off_is_an_error() -> None:
    """An end of the stream instead of the greeting names the machine."""
    with pytest.raises(GuestError, match="raid1/server was switched off"):
        _meet(GuestPort.ready, _saying(b"LPICLAB-REA"))


def test_frozen_machine_is_asked_whether_it_is_awake() -> None:
    """It may have greeted somebody else long ago, so the port's shell is made to do so again."""
    seen = []

    async def machine(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readline())
        writer.write(b"sh: 1: half a line\nLPICLAB-READY 1c6b-42\n")

    assert _meet(GuestPort.awake, machine) == "1c6b-42"
    assert b"/proc/sys/kernel/random/boot_id" in seen[0]
    assert b"echo LPICLAB-READY $boot_id" in seen[0]


def test_frozen_machine_that_ends_is_not_awake() -> None:
    """An end of the stream names the machine."""
    with pytest.raises(GuestError, match="raid1/server was switched off"):
        _meet(GuestPort.awake, _saying(b""))


def test_reboot_is_another_boot_id() -> None:
    """Greetings of the boot that is about to end are not taken for the new one."""
    machine = _saying(b"LPICLAB-READY old\nLPICLAB-READY old\nLPICLAB-READY new\n")
    assert _meet(lambda port: port.rebooted("old"), machine) == "new"


def test_identity_is_given_and_answered() -> None:
    """The machine's shell gets the document as it is, and its own word is waited for."""
    given = []

    async def machine(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        command = await reader.readline()
        assert command.startswith(b"/usr/lib/lpiclab/identify <<'")
        end = command.split(b"'")[1] + b"\n"
        while (line := await reader.readline()) != end:
            given.append(line)
        writer.write(b"ok\nLPICLAB-IDENTIFIED\n")

    _meet(lambda port: port.identify("hostname $(id)\nmachine-id 0\n"), machine)
    assert given == [b"hostname $(id)\n", b"machine-id 0\n"]


def test_identity_that_is_refused_is_an_error() -> None:
    """A shell that ends without the answer has not identified the machine."""
    with pytest.raises(GuestError):
        _meet(lambda port: port.identify("hostname x\n"), _saying(b"identify: no\n"))


@pytest.mark.parametrize(
    ("ask", "command"),
    [(GuestPort.reboot, b"systemctl reboot\n"), (GuestPort.power_off, b"systemctl poweroff\n")],
)
def test_orderly_end_is_asked_for(ask: Callable[[GuestPort], Awaitable[None]], command: bytes) -> None:
    """Rebooting and powering off are the init system's; powering off waits for the port to go."""
    seen = []

    async def machine(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readline())
        writer.write(b"Broadcast message\n")
        writer.write_eof()

    _meet(ask, machine)
    assert seen == [command]


def test_machine_that_has_not_booted_can_be_connected_to(tmp_path: Path) -> None:
    """The connection waits in the socket's backlog until somebody serves it."""

    async def early(server: socket.socket) -> str:
        port = await GuestPort.connect(tmp_path / "shell.sock", "raid1/server")
        accepted, _ = server.accept()
        with accepted:
            accepted.sendall(b"LPICLAB-READY first\n")
            boot_id = await port.ready()
            await port.close()
        return boot_id

    with sockets.listen(tmp_path / "shell.sock") as server:
        assert asyncio.run(early(server)) == "first"
