"""The few things asked of QEMU's monitor (QMP)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from qemu.qmp import QMPClient, QMPError

from lpiclab.errors import ProviderError
from lpiclab.providers.qemu import sockets

_FORWARD = re.compile(r"TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s")


@asynccontextmanager
async def monitor(socket_file: Path, machine: str) -> AsyncIterator[QMPClient]:
    """Hold a connection to a machine's monitor; QEMU serves one at a time.

    Raises:
        ProviderError: QEMU is not there, ended meanwhile, or refused a command.
    """
    client = QMPClient(machine)
    try:
        await client.connect(sockets.connect(socket_file))
        try:
            yield client
        finally:
            await client.disconnect()
    except (QMPError, OSError, EOFError) as error:
        raise ProviderError(f"{machine}: QEMU's monitor: {error}") from error


async def management_port(client: QMPClient) -> int:
    """Return the host's TCP port that leads to the machine's management SSH."""
    table = await client.execute("human-monitor-command", {"command-line": "info usernet"})
    match = _FORWARD.search(str(table))
    if match is None:
        raise ProviderError("QEMU does not forward the management port", details=str(table))
    return int(match[1])
