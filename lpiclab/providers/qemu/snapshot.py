"""Keep and restore running machines: internal snapshots of their qcow2 disks, memory included.

All machines of an instance stand still from before the first is saved until after the last, so a
snapshot is one moment of the whole. See `snapshot-save` in QEMU's QMP reference.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lpiclab.errors import TimedOut
from lpiclab.wait import Deadline

if TYPE_CHECKING:
    from qemu.qmp import QMPClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A running machine: its monitor's socket and the block nodes of its disks, `sda` first."""

    label: str
    monitor: Path
    disks: tuple[str, ...]


def save(targets: Sequence[Target], tag: str, *, deadline: Deadline) -> None:
    """Keep all machines as they are now.

    Raises:
        ProviderError: QEMU refused, for instance because the tag is taken.
        TimedOut: the deadline came first; the machines run on.
    """
    _run("snapshot-save", targets, tag, deadline)


def restore(targets: Sequence[Target], tag: str, *, deadline: Deadline) -> None:
    """Make all machines what they were.

    Raises:
        ProviderError: there is no such snapshot.
        TimedOut: the deadline came first.
    """
    _run("snapshot-load", targets, tag, deadline)


def _run(command: str, targets: Sequence[Target], tag: str, deadline: Deadline) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(deadline.left_s()):
            await _together(command, targets, tag)

    try:
        asyncio.run(bounded())
    except TimeoutError as error:
        names = ", ".join(target.label for target in targets)
        raise TimedOut(f"timed out waiting for {command} of {names}") from error


async def _together(command: str, targets: Sequence[Target], tag: str) -> None:
    from lpiclab.providers.qemu.monitor import monitor, run_job  # noqa: PLC0415 - 100 ms to import

    async with contextlib.AsyncExitStack() as stack:
        clients: list[QMPClient] = [
            await stack.enter_async_context(monitor(target.monitor, target.label)) for target in targets
        ]
        for client in clients:
            await client.execute("stop")
        try:
            for client, target in zip(clients, targets, strict=True):
                arguments = {"tag": tag, "vmstate": target.disks[0], "devices": list(target.disks)}
                await run_job(client, command, arguments)
        finally:
            for client in clients:
                await client.execute("cont")
