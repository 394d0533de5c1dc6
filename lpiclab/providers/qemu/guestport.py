"""The second way in: a root shell of the image on a virtio-serial port.

Its contract with the image is in docs/architecture.md. Each connection gets a fresh shell, which
first says that the machine is ready; so readiness is an event here, not something to poll for.
"""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path
from typing import Self

from lpiclab.errors import GuestError
from lpiclab.providers.qemu import sockets

_READY = b"LPICLAB-READY "
_END = "LPICLAB-END"
_DONE = b"LPICLAB-DONE "
_CHUNK_BYTES = 4096
_DEVICE_S = 30


class GuestPort:
    """One connection to a machine's shell port."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, machine: str) -> None:
        self._reader = reader
        self._writer = writer
        self._machine = machine

    @classmethod
    async def connect(cls, socket_file: Path, machine: str) -> GuestPort:
        """Connect; the machine need not have booted yet.

        Raises:
            OSError: no QEMU has the socket.
        """
        reader, writer = await asyncio.open_unix_connection(sock=sockets.connect(socket_file))
        return cls(reader, writer, machine)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def ready(self) -> str:
        """Wait until the machine says that it is ready, and return its boot id.

        Raises:
            GuestError: the machine went away.
        """
        return await self._line(_READY)

    async def awake(self) -> str:
        """Wait until the machine answers: one that was frozen may have said long ago that it is ready."""
        await self._send(
            f"read -r boot_id < /proc/sys/kernel/random/boot_id; echo {_READY.decode()}$boot_id\n"
        )
        return await self.ready()

    async def appeared(self, file: str) -> None:
        """Wait until udev knows of a device, by its file in ``/dev`` or ``/sys``."""
        await self._do(f"udevadm wait --timeout={_DEVICE_S} {shlex.quote(file)}")

    async def settle(self) -> None:
        """Wait until the machine has started all it starts, and make it quick to answer."""
        await self._do("/usr/lib/lpiclab/settle")

    async def rebooted(self, boot_id: str) -> str:
        """Wait until the machine is ready after a reboot: with another boot id than `boot_id`."""
        while (now := await self.ready()) == boot_id:
            pass
        return now

    async def identify(self, document: str) -> None:
        """Give the machine its identity."""
        await self._send(
            f"/usr/lib/lpiclab/identify <<'{_END}' && echo LPICLAB-IDENTIFIED\n{document}{_END}\n"
        )
        await self._line(b"LPICLAB-IDENTIFIED")

    async def reboot(self) -> None:
        """Ask the machine to reboot in an orderly way."""
        await self._send("systemctl reboot\n")

    async def set_clock(self, seconds: float) -> None:
        """Set the machine's clock to `seconds` since 1970, UTC."""
        await self._do(f"date --utc --set=@{seconds:.3f} >/dev/null")

    async def power_off(self) -> None:
        """Ask the machine to power off in an orderly way, and wait until the port is gone."""
        await self._send("systemctl poweroff\n")
        while await self._reader.read(_CHUNK_BYTES):
            pass

    async def close(self) -> None:
        """End the connection, and so the shell."""
        self._writer.close()

    async def _do(self, command: str) -> None:
        """Run a command to its end.

        Raises:
            GuestError: it failed.
        """
        await self._send(f"{command}; echo {_DONE.decode()}$?\n")
        status = await self._line(_DONE)
        if status != "0":
            raise GuestError(f"{self._machine}: `{command}` ended with status {status}")

    async def _send(self, text: str) -> None:
        self._writer.write(text.encode())
        await self._writer.drain()

    async def _line(self, prefix: bytes) -> str:
        try:
            while line := await self._reader.readline():
                _, found, rest = line.partition(prefix)
                if found:
                    return rest.decode().strip()
        except (ConnectionError, ValueError) as error:
            raise GuestError(f"{self._machine}: the shell port failed: {error}") from error
        raise GuestError(f"{self._machine} was switched off or QEMU ended while it was waited for")
