"""The QEMU command line of a machine; pure.

Everything that the guest sees of its hardware is decided here and in one order, so that a memory
image of one machine fits another of the same shape.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lpiclab.hardware import ARCHITECTURES, Architecture
from lpiclab.model import X86_64, X86_64_V2, Machine
from lpiclab.providers.qemu.identity import Identity
from lpiclab.providers.qemu.lan import Netdev

PROGRAM = ARCHITECTURES[X86_64].program
SHELL_PORT = "org.lpiclab.shell.0"
GUEST_ADDRESS = "10.0.2.15"
SSH_PORT = 2200
CARD_SLOTS = 4
"""PCIe root ports for lab cards: each machine has all of them, used or not."""

_TRANSLATION_CACHE_MIB = 256
"""With 48 MiB an idle machine takes 35 MiB less, and a quick check a third longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """What a machine boots: an uncompressed kernel, an initrd and the kernel's command line.

    `architecture` and `processor` are what these are built for.
    """

    kernel: Path
    initrd: Path
    command_line: str
    architecture: str = X86_64
    processor: str = X86_64_V2


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a machine's memory is: nobody's pages, or those of `file`.

    With `shared` the file is the memory; without, it is only what the machine finds there at first,
    and pages are copied when they are written to.
    """

    file: Path | None = None
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sockets:
    """Descriptors of listening sockets that QEMU inherits."""

    monitor: int
    shell: int
    console: int


def machine_argv(
    *,
    name: str,
    machine: Machine,
    identity: Identity,
    accelerator: str,
    boot: Boot,
    memory: Memory,
    disks: Sequence[tuple[str, Path]],
    netdevs: Sequence[Sequence[Netdev]],
    sockets: Sockets,
    console_log: str,
    incoming: bool = False,
) -> list[str]:
    """Return the whole command line.

    Args:
        name: What process lists show.
        machine: Memory, processors and cards.
        identity: UUID and card addresses.
        accelerator: ``tcg`` or ``kvm``.
        boot: Kernel, initrd and command line.
        memory: What its memory is.
        disks: Device name in the guest and qcow2 file, the system disk ``sda`` first.
        netdevs: For each card its back-ends (`lan.netdevs`).
        sockets: Inherited listening sockets.
        console_log: Where the serial console is recorded, relative to the working folder.
        incoming: Start with nothing, and wait to be given a frozen machine's state.
    """
    kind = ARCHITECTURES[boot.architecture]
    return [
        kind.program,
        *("-name", f"guest={name},process={name[:15]}"),
        *("-uuid", identity.uuid),
        *("-no-user-config", "-nodefaults", "-display", "none", "-vga", "none"),
        *("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"),
        *("-machine", f"{kind.machine_option(accelerator)},memory-backend=memory"),
        *("-object", json.dumps(_memory(memory, machine.memory_mib))),
        *_processor(kind, accelerator, boot.processor),
        *("-smp", str(machine.processors), "-m", f"{machine.memory_mib}M"),
        *("-kernel", str(boot.kernel), "-initrd", str(boot.initrd), "-append", boot.command_line),
        *("-rtc", "base=utc,clock=host"),
        *_channels(sockets, console_log),
        *_management(identity),
        *_disks(disks),
        *("-device", "virtio-rng-pci,addr=0x5"),
        # A copy of a machine gets a new one, at which its kernel reseeds its random numbers.
        *(("-device", "vmgenid,guid=auto") if kind.generation_id else ()),
        *_cards(identity, netdevs),
        *(("-incoming", "defer") if incoming else ()),
    ]


def _processor(kind: Architecture, accelerator: str, level: str) -> list[str]:
    how = "kvm" if accelerator == "kvm" else f"tcg,thread=multi,tb-size={_TRANSLATION_CACHE_MIB}"
    return ["-accel", how, "-cpu", kind.processor_option(accelerator, level)]


def _channels(sockets: Sockets, console_log: str) -> list[str]:
    return [
        *("-chardev", f"socket,id=monitor,fd={sockets.monitor},server=on,wait=off"),
        *("-mon", "chardev=monitor,mode=control"),
        *(
            "-chardev",
            f"socket,id=console,fd={sockets.console},server=on,wait=off,logfile={console_log},logappend=on",
        ),
        *("-serial", "chardev:console"),
        *("-chardev", f"socket,id=shell,fd={sockets.shell},server=on,wait=off"),
        *("-device", "virtio-serial-pci,id=ports,addr=0x4"),
        *("-device", f"virtserialport,bus=ports.0,nr=1,chardev=shell,name={SHELL_PORT}"),
    ]


def _management(identity: Identity) -> list[str]:
    # Port 0 lets the kernel choose, so no port can be taken; the monitor tells which it was.
    forward = f"hostfwd=tcp:127.0.0.1:0-{GUEST_ADDRESS}:{SSH_PORT}"
    return [
        *("-netdev", f"user,id=management,restrict=on,ipv6=off,{forward}"),
        *("-device", f"virtio-net-pci,netdev=management,mac={identity.mac(-1)},romfile=,addr=0x2"),
    ]


def _memory(memory: Memory, size_mib: int) -> Mapping[str, object]:
    backend: dict[str, object] = {"id": "memory", "size": size_mib << 20}
    if memory.file is None:
        return {"qom-type": "memory-backend-ram", **backend}
    return {
        "qom-type": "memory-backend-file",
        **backend,
        "mem-path": str(memory.file),
        "share": memory.shared,
    }


def disk_backend(name: str, file: Path) -> Mapping[str, object]:
    """Return the block node of a disk."""
    return {
        "driver": "qcow2",
        "node-name": name,
        "discard": "unmap",
        "file": {"driver": "file", "filename": str(file)},
    }


def disk_device(name: str, target: int) -> Mapping[str, object]:
    """Return the disk that the guest sees as SCSI target number `target`."""
    return {
        "driver": "scsi-hd",
        "id": f"disk-{name}",
        "drive": name,
        "bus": "scsi.0",
        "channel": 0,
        "scsi-id": target,
        "lun": 0,
        "serial": name,
    }


def card_device(index: int, identity: Identity) -> Mapping[str, object]:
    """Return a lab card, on the back-end ``lan<index>``."""
    return {
        "driver": "virtio-net-pci",
        "id": f"card{index}",
        "netdev": f"lan{index}",
        "mac": identity.mac(index),
        "romfile": "",
        "bus": f"slot{index}",
    }


def _disks(disks: Sequence[tuple[str, Path]]) -> list[str]:
    words = ["-device", "virtio-scsi-pci,id=scsi,addr=0x3"]
    for target, (name, file) in enumerate(disks):
        words += ["-blockdev", json.dumps(disk_backend(name, file))]
        words += ["-device", json.dumps(disk_device(name, target))]
    return words


def _cards(identity: Identity, netdevs: Sequence[Sequence[Netdev]]) -> list[str]:
    words = []
    for slot in range(CARD_SLOTS):
        multifunction = ",multifunction=on" if slot == 0 else ""
        number = f"chassis={slot + 1},slot={slot + 1}"
        words += ["-device", f"pcie-root-port,id=slot{slot},{number},addr=0x10.{slot}{multifunction}"]
    for index, values in enumerate(netdevs):
        for value in values:
            words += ["-netdev", json.dumps(value)]
        words += ["-device", json.dumps(card_device(index, identity))]
    return words
