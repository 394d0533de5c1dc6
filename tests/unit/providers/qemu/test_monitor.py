"""Tests of the monitor client against a scripted QEMU."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from lpiclab.errors import ProviderError
from lpiclab.providers.qemu import sockets
from lpiclab.providers.qemu.monitor import go_on, management_port, monitor, read_state, write_state

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
            command = json.loads(_hear(connection))
            seen.append(command["execute"])
            own = {key: value for key, value in answer.items() if key != "then"}
            _say(connection, {**own, **{key: command[key] for key in command if key == "id"}})
            if "then" in answer:
                _say(connection, _migration(str(answer["then"])))
        connection.recv(65536)


def _hear(connection: socket.socket) -> bytes:
    """Return a command; to a file that comes before it, with one byte of white space, a state is written."""
    said, descriptors, _, _ = socket.recv_fds(connection, 65536, 1)
    if not descriptors:
        return said
    with contextlib.suppress(OSError):  # unless it is one to be read
        os.write(descriptors[0], b"state")
    os.close(descriptors[0])
    return said.strip() or connection.recv(65536)


def _migration(status: str) -> Answer:
    return {
        "event": "MIGRATION",
        "data": {"status": status},
        "timestamp": {"seconds": 0, "microseconds": 0},
    }


def _migrating(*, status: str) -> Sequence[Answer]:
    """Return the answers to all that comes before and with a migration's command."""
    return [*({"return": {}},) * 3, {"return": {}, "then": status}]


async def _write(socket_file: Path, file: Path, *, with_memory: bool = True) -> None:
    async with monitor(socket_file, "raid1/server") as client:
        await write_state(client, file, with_memory=with_memory)


async def _read(socket_file: Path, file: Path) -> None:
    async with monitor(socket_file, "raid1/server") as client:
        await read_state(client, file, with_memory=True)


async def _go_on(socket_file: Path) -> None:
    async with monitor(socket_file, "raid1/server") as client:
        await go_on(client)


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


def test_state_is_written_to_a_file_that_is_handed_over(tmp_path: Path) -> None:
    """QEMU gets the open file, which only this user can read, and is waited for."""
    with _qemu(tmp_path / "monitor.sock", *_migrating(status="completed")) as seen:
        asyncio.run(_write(tmp_path / "monitor.sock", tmp_path / "state"))
    assert seen[1:] == ["migrate-set-capabilities", "migrate-set-parameters", "getfd", "migrate"]
    assert (tmp_path / "state").read_bytes() == b"state"
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("record", "reason"),
    [({"error-desc": "No space left on device"}, "No space left on device"), ({}, "no reason given")],
)
def test_state_that_could_not_be_written_is_told(
    tmp_path: Path, record: dict[str, object], reason: str
) -> None:
    """The reason is QEMU's; whatever is left of the attempt is cancelled, so that the machine can go on."""
    answers = [*_migrating(status="failed"), {"return": record}, {"return": {}}]
    with (
        _qemu(tmp_path / "monitor.sock", *answers) as seen,
        pytest.raises(ProviderError, match=f"QEMU could not migrate: {reason}"),
    ):
        asyncio.run(_write(tmp_path / "monitor.sock", tmp_path / "state"))
    assert seen[-2:] == ["query-migrate", "migrate_cancel"]


def test_machine_goes_on_when_it_can(tmp_path: Path) -> None:
    """QEMU calls a migration completed a moment before the machine may go on: it is asked until it may."""
    states = [
        {"return": {"status": status}} for status in ("finish-migrate", "finish-migrate", "postmigrate")
    ]
    with _qemu(tmp_path / "monitor.sock", *states, {"return": {}}) as seen:
        asyncio.run(_go_on(tmp_path / "monitor.sock"))
    assert seen[1:] == ["query-status", "query-status", "query-status", "cont"]


def test_cancelling_that_is_refused_hides_nothing(tmp_path: Path) -> None:
    """What failed first is what is told."""
    refusal = {"error": {"class": "GenericError", "desc": "nothing to cancel"}}
    answers = [*_migrating(status="failed"), {"return": {"error-desc": "full"}}, refusal]
    with (
        _qemu(tmp_path / "monitor.sock", *answers) as seen,
        pytest.raises(ProviderError, match="QEMU could not migrate: full"),
    ):
        asyncio.run(_write(tmp_path / "monitor.sock", tmp_path / "state"))
    assert seen[-1] == "migrate_cancel"


def test_state_never_replaces_a_file(tmp_path: Path) -> None:
    """A file that is there is somebody's: QEMU is asked for nothing then."""
    (tmp_path / "state").write_text("somebody's")
    with _qemu(tmp_path / "monitor.sock") as seen, pytest.raises(FileExistsError):
        asyncio.run(_write(tmp_path / "monitor.sock", tmp_path / "state"))
    assert seen == ["qmp_capabilities"]
    assert (tmp_path / "state").read_text() == "somebody's"


def test_state_is_read_to_its_end(tmp_path: Path) -> None:
    """QEMU is waited for, also when it tells of other things first."""
    (tmp_path / "state").write_text("state")
    with _qemu(tmp_path / "monitor.sock", *_migrating(status="completed")) as seen:
        asyncio.run(_read(tmp_path / "monitor.sock", tmp_path / "state"))
    assert seen[-1] == "migrate-incoming"


def test_state_that_does_not_fit_is_told(tmp_path: Path) -> None:
    """The reason is QEMU's."""
    (tmp_path / "state").write_text("state")
    answers = [*_migrating(status="failed"), {"return": {"error-desc": "Unknown ramblock"}}]
    with (
        _qemu(tmp_path / "monitor.sock", *answers),
        pytest.raises(ProviderError, match="QEMU could not migrate-incoming: Unknown ramblock"),
    ):
        asyncio.run(_read(tmp_path / "monitor.sock", tmp_path / "state"))


def test_absent_state_is_told(tmp_path: Path) -> None:
    """Nothing has been asked of QEMU then."""
    with _qemu(tmp_path / "monitor.sock") as seen, pytest.raises(FileNotFoundError):
        asyncio.run(_read(tmp_path / "monitor.sock", tmp_path / "absent"))
    assert seen == ["qmp_capabilities"]
