"""The kinds of machine that QEMU can be for us, and what differs between them.

Where QEMU has several names for a thing, or firmware several places, they are those of Debian's packages
qemu-system-x86, qemu-system-arm and qemu-efi-aarch64.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lpiclab.model import X86_64, X86_64_V2

AARCH64 = "aarch64"
X86_64_V3 = "x86-64-v3"
PROCESSORS = (X86_64_V2, X86_64_V3)
"""The levels of x86-64 that distributions are built for (System V ABI, AMD64 supplement, 3.1.1)."""

_V2 = "qemu64,-svm,+ssse3,+sse4.1,+sse4.2,+popcnt,+cx16,+lahf-lm"
"""Wider instruction sets are slower under TCG than none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """What a machine of one processor architecture is made of.

    `firmware` is the file of the UEFI firmware that boots from a disk; empty where QEMU's own does.
    `generation_id` tells whether the machine can have a VM generation ID (`-device vmgenid`).
    """

    name: str
    program: str
    package: str
    machine: str
    kvm_machine: str
    console: str
    processors: Mapping[str, str]
    firmware: str = ""
    generation_id: bool = True

    def machine_option(self, accelerator: str) -> str:
        """Return the value of QEMU's ``-machine``, to which more may be appended after a comma."""
        return self.kvm_machine if accelerator == "kvm" else self.machine

    def processor_option(self, accelerator: str, level: str) -> str:
        """Return the value of QEMU's ``-cpu``: what is cheapest to emulate and has all of `level`."""
        return "host" if accelerator == "kvm" else self.processors[level]

    def firmware_file(self) -> Path | None:
        """Return the UEFI firmware of this host; None where none is needed or none is installed."""
        file = Path(self.firmware)
        return file if self.firmware and file.is_file() else None


_Q35 = "q35,sata=off,smbus=off,usb=off,vmport=off"
ARCHITECTURES: Mapping[str, Architecture] = {
    X86_64: Architecture(
        name=X86_64,
        program="qemu-system-x86_64",
        package="qemu-system-x86",
        machine=_Q35,
        kvm_machine=_Q35,
        console="ttyS0",
        processors={
            X86_64_V2: _V2,
            X86_64_V3: f"{_V2},+avx,+avx2,+bmi1,+bmi2,+f16c,+fma,+abm,+movbe,+xsave",
        },
    ),
    AARCH64: Architecture(
        name=AARCH64,
        program="qemu-system-aarch64",
        package="qemu-system-arm",
        machine="virt",
        kvm_machine="virt,gic-version=host",
        console="ttyAMA0",
        # ARMv8.0-A, for which Debian's and the CentOS family's packages are built; the level is x86-64's.
        processors=dict.fromkeys(PROCESSORS, "cortex-a72"),
        firmware="/usr/share/AAVMF/AAVMF_CODE.fd",
        generation_id=False,
    ),
}


def host_architecture() -> str:
    """Return the architecture of this host, as `uname -m` says it."""
    return platform.machine()
