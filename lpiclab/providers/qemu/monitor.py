"""The few things asked of QEMU's monitor (QMP)."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

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
            # How the connection ends tells nothing that the commands before did not.
            with suppress(QMPError, OSError, EOFError):
                await client.disconnect()
    except (QMPError, OSError, EOFError) as error:
        raise ProviderError(f"{machine}: QEMU's monitor: {str(error) or 'QEMU ended'}") from error


async def management_port(client: QMPClient) -> int:
    """Return the host's TCP port that leads to the machine's management SSH."""
    table = await client.execute("human-monitor-command", {"command-line": "info usernet"})
    match = _FORWARD.search(str(table))
    if match is None:
        raise ProviderError("QEMU does not forward the management port", details=str(table))
    return int(match[1])


async def run_job(client: QMPClient, command: str, arguments: Mapping[str, object]) -> None:
    """Run a command that QEMU does as a background job, to its end.

    Raises:
        ProviderError: the job failed. A job's failure is nowhere but in the job's own record.
    """
    job = f"lpiclab-{secrets.token_hex(4)}"
    with client.listener("JOB_STATUS_CHANGE") as events:
        await client.execute(command, {"job-id": job, **arguments})
        async for event in events:
            data = cast("dict[str, Any]", event["data"])
            if data["id"] == job and data["status"] == "concluded":
                break
    records = cast("list[dict[str, Any]]", await client.execute("query-jobs"))
    await client.execute("job-dismiss", {"id": job})
    error = next((each.get("error") for each in records if each["id"] == job), None)
    if error:
        raise ProviderError(f"QEMU could not do {command}: {error}")
