"""The QEMU command line of a machine; pure.

Everything that the guest sees of its hardware is decided here and in one order, so that a memory
image of one machine fits another of the same shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lpiclab.model import Machine
from lpiclab.providers.qemu.identity import Identity

PROGRAM = "qemu-system-x86_64"
SHELL_PORT = "org.lpiclab.shell.0"
GUEST_ADDRESS = "10.0.2.15"
SSH_PORT = 2200
CARD_SLOTS = 4
"""PCIe root ports for lab cards: each machine has all of them, used or not."""

_CPU_TCG = "qemu64,-svm,+ssse3,+sse4.1,+sse4.2,+popcnt,+cx16,+lahf-lm"
"""x86-64-v2; wider instruction sets are slower under TCG than none."""
_TRANSLATION_CACHE_MIB = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """What a machine boots: an uncompressed kernel, an initrd and the kernel's command line."""

    kernel: Path
    initrd: Path
    command_line: str


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
    disks: Sequence[tuple[str, Path]],
    netdevs: Sequence[Sequence[str]],
    sockets: Sockets,
    console_log: str,
) -> list[str]:
    """Return the whole command line.

    Args:
        name: What process lists show.
        machine: Memory, processors and cards.
        identity: UUID and card addresses.
        accelerator: ``tcg`` or ``kvm``.
        boot: Kernel, initrd and command line.
        disks: Device name in the guest and qcow2 file, the system disk ``sda`` first.
        netdevs: For each card its ``-netdev`` values (`lan.netdevs`).
        sockets: Inherited listening sockets.
        console_log: Where the serial console is recorded, relative to the working folder.
    """
    return [
        PROGRAM,
        *("-name", f"guest={name},process={name[:15]}"),
        *("-uuid", identity.uuid),
        *("-no-user-config", "-nodefaults", "-display", "none", "-vga", "none"),
        *("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"),
        *("-machine", "q35,sata=off,smbus=off,usb=off,vmport=off"),
        *_processor(accelerator),
        *("-smp", str(machine.processors), "-m", f"{machine.memory_mib}M"),
        *("-kernel", str(boot.kernel), "-initrd", str(boot.initrd), "-append", boot.command_line),
        *("-rtc", "base=utc,clock=host"),
        *_channels(sockets, console_log),
        *_management(identity),
        *_disks(disks),
        *("-device", "virtio-rng-pci,addr=0x5"),
        *_cards(identity, netdevs),
    ]


def _processor(accelerator: str) -> list[str]:
    if accelerator == "kvm":
        return ["-accel", "kvm", "-cpu", "host"]
    return ["-accel", f"tcg,thread=multi,tb-size={_TRANSLATION_CACHE_MIB}", "-cpu", _CPU_TCG]


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


def _disks(disks: Sequence[tuple[str, Path]]) -> list[str]:
    words = ["-device", "virtio-scsi-pci,id=scsi,addr=0x3"]
    for target, (name, file) in enumerate(disks):
        words += [
            "-blockdev",
            f"driver=qcow2,node-name={name},discard=unmap,file.driver=file,file.filename={_value(file)}",
            "-device",
            f"scsi-hd,id=disk-{name},drive={name},bus=scsi.0,channel=0,scsi-id={target},lun=0,serial={name}",
        ]
    return words


def _cards(identity: Identity, netdevs: Sequence[Sequence[str]]) -> list[str]:
    words = []
    for slot in range(CARD_SLOTS):
        multifunction = ",multifunction=on" if slot == 0 else ""
        number = f"chassis={slot + 1},slot={slot + 1}"
        words += ["-device", f"pcie-root-port,id=slot{slot},{number},addr=0x10.{slot}{multifunction}"]
    for index, values in enumerate(netdevs):
        for value in values:
            words += ["-netdev", value]
        card = f"virtio-net-pci,id=card{index},netdev=lan{index},mac={identity.mac(index)},romfile="
        words += ["-device", f"{card},bus=slot{index}"]
    return words


def _value(path: Path) -> str:
    """Return a path as QEMU's option syntax wants it: a comma is doubled."""
    return str(path).replace(",", ",,")
