"""The machine in which a published disk boots for the first time, to be furnished.

Unlike a lab's machine it boots by firmware from what the distributor made, and reaches the outside: its
package manager has to. It lives in the folder of a build and dies with lpiclab.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lpiclab import console, proc
from lpiclab.errors import ImageError, TimedOut
from lpiclab.hardware import ARCHITECTURES
from lpiclab.wait import Deadline

READY_PORT = "org.lpiclab.ready.0"
TARGET_SERIAL = "lpiclab"
"""The serial number of the empty disk, which udev makes ``/dev/disk/by-id/virtio-lpiclab`` of."""
HOST_ADDRESS = "10.0.2.2"
"""What the machine calls this host (QEMU's user-mode networking)."""
_MEMORY_MIB = 2048
_PROCESSORS = 2
_FORWARD = re.compile(r"TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What the machine is: its kind, and its disks, whose files are in the folder that QEMU works in."""

    architecture: str
    processor: str
    accelerator: str
    system: str
    target: str
    seed: str


@dataclass(slots=True)
class FirstBoot:
    """The machine while it runs; `name` is what messages call it."""

    name: str
    folder: Path
    monitor: socket.socket
    ready: socket.socket
    _received: bytes = field(default=b"", init=False)

    def wait_ready(self, deadline: Deadline) -> None:
        """Wait until cloud-init has done all that the seed told it.

        Raises:
            ImageError: it did not get that far, or QEMU ended; the details are the console's last lines.
        """
        try:
            self.ready.settimeout(deadline.require(self.name))
            answered = self.ready.recv(64)
        except TimeoutError as error:
            raise self.failure("its first boot did not come to cloud-init's end") from error
        if not answered:
            raise self.failure("QEMU ended in the first boot")

    def ssh_port(self, deadline: Deadline) -> int:
        """Return the port of this host that leads to the machine's SSH."""
        self._execute("qmp_capabilities", deadline)
        said = self._execute("human-monitor-command", deadline, **{"command-line": "info usernet"})
        match = _FORWARD.search(str(said))
        if match is None:
            raise self.failure("QEMU does not say which port leads to it")
        return int(match[1])

    def wait_off(self, deadline: Deadline) -> None:
        """Wait until the machine has switched itself off and QEMU has written all that there was.

        Raises:
            ImageError: QEMU ended without that, or not at all.
        """
        switched_off = False
        while (message := self._message(deadline)) is not None:
            switched_off |= message.get("event") == "SHUTDOWN" and message["data"]["guest"]
        if not switched_off:
            raise self.failure("QEMU ended before the machine was switched off")

    def failure(self, what: str) -> ImageError:
        """Return the error that says what went wrong, with what the machine and QEMU said last."""
        said = (console.tail(self.folder / name) for name in ("qemu.log", "console.log"))
        return ImageError(
            f"{self.name}: {what}",
            hint="the last lines of its console are below; another try starts from the downloaded disk",
            details="\n".join(filter(None, said)),
        )

    def _execute(self, command: str, deadline: Deadline, **arguments: str) -> Any:
        request = {"execute": command, **({"arguments": arguments} if arguments else {})}
        self.monitor.sendall(json.dumps(request).encode() + b"\n")
        while (message := self._message(deadline)) is not None:
            if "return" in message:
                return message["return"]
            if "error" in message:
                raise self.failure(f"QEMU refuses {command}: {message['error'].get('desc')}")
        raise self.failure("QEMU ended")

    def _message(self, deadline: Deadline) -> dict[str, Any] | None:
        """Return QEMU's next message; None when it has ended."""
        while b"\n" not in self._received:
            try:
                self.monitor.settimeout(deadline.require(f"{self.name}: QEMU"))
                data = self.monitor.recv(65536)
            except TimeoutError as error:
                raise TimedOut(f"timed out waiting for {self.name}: QEMU") from error
            except ConnectionResetError:
                data = b""
            if not data:
                return None
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message


@contextmanager
def first_boot(name: str, folder: Path, hardware: Hardware) -> Iterator[FirstBoot]:
    """Run the machine in `folder`; its process has ended when this is left."""
    with contextlib.ExitStack() as stack:
        pairs = [socket.socketpair() for _ in range(2)]
        for each in (end for pair in pairs for end in pair):
            stack.enter_context(each)
        (monitor, its_monitor), (ready, its_ready) = pairs
        descriptors = [its_monitor.fileno(), its_ready.fileno()]
        words = machine_argv(name, hardware, monitor=descriptors[0], ready=descriptors[1])
        pid = proc.spawn(
            words, log=folder / "qemu.log", folder=folder, sockets=descriptors, dies_with_us=True
        )
        its_monitor.close()
        its_ready.close()
        try:
            yield FirstBoot(name, folder, monitor, ready)
        finally:
            _end(pid)


def machine_argv(name: str, hardware: Hardware, *, monitor: int, ready: int) -> list[str]:
    """Return QEMU's command line; `monitor` and `ready` are connected sockets that it inherits."""
    kind = ARCHITECTURES[hardware.architecture]
    words = [
        kind.program,
        *("-name", f"guest=lpiclab-image-{name}"),
        *("-no-user-config", "-nodefaults", "-display", "none", "-vga", "none"),
        *("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"),
        *("-machine", kind.machine_option(hardware.accelerator)),
        *("-accel", "kvm" if hardware.accelerator == "kvm" else "tcg,thread=multi"),
        *("-cpu", kind.processor_option(hardware.accelerator, hardware.processor)),
        *("-smp", str(_PROCESSORS), "-m", f"{_MEMORY_MIB}M"),
        *_firmware(kind.firmware),
        *("-chardev", f"socket,id=monitor,fd={monitor}", "-mon", "chardev=monitor,mode=control"),
        *("-chardev", "file,id=console,path=console.log", "-serial", "chardev:console"),
        *("-device", "virtio-serial-pci,id=ports", "-chardev", f"socket,id=ready,fd={ready}"),
        *("-device", f"virtserialport,bus=ports.0,nr=1,chardev=ready,name={READY_PORT}"),
        *("-netdev", "user,id=net,ipv6=off,hostfwd=tcp:127.0.0.1:0-:22"),
        *("-device", "virtio-net-pci,netdev=net,romfile="),
        *("-device", "virtio-rng-pci"),
    ]
    words += _disk("system", hardware.system, "qcow2", "bootindex=1")
    words += _disk("target", hardware.target, "qcow2", f"serial={TARGET_SERIAL}")
    return words + _disk("seed", hardware.seed, "raw")


def _disk(node: str, file: str, driver: str, *more: str) -> list[str]:
    backend = {
        "driver": driver,
        "node-name": node,
        "read-only": node == "seed",
        "file": {"driver": "file", "filename": file},
    }
    return [
        *("-blockdev", json.dumps(backend)),
        *("-device", ",".join(["virtio-blk-pci", f"drive={node}", *more])),
    ]


def _firmware(file: str) -> list[str]:
    return ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={file}"] if file else []


def _end(pid: int) -> None:
    """End QEMU if it still runs. Nobody has waited for it, so its number can't be another process's yet."""
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
