"""The few things asked of QEMU's monitor (QMP)."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

from qemu.qmp import QMPClient, QMPError

from lpiclab.errors import ProviderError
from lpiclab.providers.qemu import sockets

_UNLIMITED_BYTES_PER_S = 1 << 40
_FINISHING_S = 0.01
_FORWARD = re.compile(r"TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s")


@asynccontextmanager
async def monitor(socket_file: Path, machine: str) -> AsyncIterator[QMPClient]:
    """Hold a connection to a machine's monitor; QEMU serves one at a time.

    Raises:
        ProviderError: QEMU is not there, ended meanwhile, or refused a command.
    """
    client = QMPClient(machine)
    try:
        connection = sockets.connect(socket_file)
    except OSError as error:
        raise _failed(machine, error) from error
    try:
        await client.connect(connection)
        try:
            yield client
        finally:
            # How the connection ends tells nothing that the commands before did not.
            with suppress(QMPError, OSError, EOFError):
                await client.disconnect()
    except (QMPError, ConnectionError, EOFError) as error:
        # Not every OSError: a full disk is none of the monitor's.
        raise _failed(machine, error) from error


def _failed(machine: str, error: Exception) -> ProviderError:
    return ProviderError(f"{machine}: QEMU's monitor: {str(error) or 'QEMU ended'}")


async def management_port(client: QMPClient) -> int:
    """Return the host's TCP port that leads to the machine's management SSH."""
    table = await client.execute("human-monitor-command", {"command-line": "info usernet"})
    match = _FORWARD.search(str(table))
    if match is None:
        raise ProviderError("QEMU does not forward the management port", details=str(table))
    return int(match[1])


async def write_state(client: QMPClient, file: Path, *, with_memory: bool) -> None:
    """Write a stopped machine's device state to a new file, and its memory unless that is a file anyway.

    Raises:
        ProviderError: QEMU could not; the machine can `go_on`.
        OSError: the file can't be made.
    """
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        await _migrate(client, "migrate", descriptor, with_memory=with_memory)
    except BaseException:
        # Else it would end later, and stop the machine again that goes on.
        with suppress(QMPError):
            await client.execute("migrate_cancel")
        raise
    finally:
        os.close(descriptor)


async def go_on(client: QMPClient) -> None:
    """Let a machine go on that stands still.

    A migration is said to be completed, failed or cancelled a moment before the machine can go on, and there
    is no event for that (`migration_iteration_finish` in QEMU's migration/migration.c).
    """
    while cast("dict[str, Any]", await client.execute("query-status"))["status"] == "finish-migrate":  # noqa: ASYNC110 - there is no event
        await asyncio.sleep(_FINISHING_S)
    await client.execute("cont")


async def read_state(client: QMPClient, file: Path, *, with_memory: bool) -> None:
    """Give a machine that waits for it the state in `file`; it is stopped then.

    Raises:
        ProviderError: the state does not fit the machine, or is damaged.
        OSError: the file can't be read.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        await _migrate(client, "migrate-incoming", descriptor, with_memory=with_memory)
    finally:
        os.close(descriptor)


async def _migrate(client: QMPClient, command: str, descriptor: int, *, with_memory: bool) -> None:
    capabilities = {"events": True, "x-ignore-shared": not with_memory}
    await client.execute(
        "migrate-set-capabilities",
        {"capabilities": [{"capability": name, "state": on} for name, on in capabilities.items()]},
    )
    # A file takes all that it is given: the usual limit is for networks.
    await client.execute("migrate-set-parameters", {"max-bandwidth": _UNLIMITED_BYTES_PER_S})
    client.send_fd_scm(descriptor)
    await client.execute("getfd", {"fdname": "state"})
    with client.listener("MIGRATION") as events:
        await client.execute(command, {"uri": "fd:state"})
        async for event in events:
            status = cast("dict[str, Any]", event["data"])["status"]
            if status == "failed":
                record = cast("dict[str, Any]", await client.execute("query-migrate"))
                reason = record.get("error-desc", "no reason given")
                raise ProviderError(f"QEMU could not {command}: {reason}")
            if status == "completed":
                return
