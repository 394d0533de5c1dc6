"""Find out by a trial what runs machines fastest on this host, and remember it.

`/dev/kvm` alone proves nothing: where the processor's own virtualisation is hidden it can exist
and hang a stock kernel. So a real kernel is booted under it, into a panic on purpose: without an
initrd and a root there is no init, and `panic=-1` with `-no-reboot` ends QEMU by itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
from pathlib import Path

from lpiclab import proc
from lpiclab.errors import MachineryError
from lpiclab.files import write_private
from lpiclab.hardware import ARCHITECTURES, host_architecture
from lpiclab.model import X86_64
from lpiclab.providers.qemu.argv import PROGRAM
from lpiclab.wait import Deadline

_KVM = Path("/dev/kvm")
_TRIAL_S = 8.0


def known(settings: Path) -> str | None:
    """Return the accelerator that an earlier trial on this same host found, or None."""
    try:
        kept = json.loads((settings / "accelerator.json").read_text())
    except (OSError, ValueError):
        return None
    if isinstance(kept, dict) and kept.get("host") == _host() and kept.get("accelerator") in ("kvm", "tcg"):
        return str(kept["accelerator"])
    return None


def ensure(settings: Path, kernel: Path, architecture: str = X86_64) -> str:
    """Return ``kvm`` or ``tcg``: what is known, else what a trial with `kernel` shows.

    A kernel of another architecture than this host's can only be emulated.
    """
    if architecture != host_architecture():
        return "tcg"
    found = known(settings)
    if found is None:
        found = "kvm" if kvm_usable(kernel, architecture) else "tcg"
        settings.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(
            settings / "accelerator.json",
            json.dumps({"host": _host(), "accelerator": found}).encode(),
        )
    return found


def kvm_usable(kernel: Path, architecture: str = X86_64) -> bool:
    """Tell whether a stock kernel gets as far as looking for init under KVM, in a few seconds."""
    if not os.access(_KVM, os.R_OK | os.W_OK):
        return False
    kind = ARCHITECTURES[architecture]
    argv = [
        *(kind.program, "-no-user-config", "-nodefaults", "-display", "none", "-vga", "none", "-no-reboot"),
        *("-machine", kind.machine_option("kvm"), "-accel", "kvm", "-cpu", "host", "-m", "256M"),
        *("-kernel", str(kernel), "-append", f"console={kind.console} panic=-1 root=/dev/ram0"),
        *("-serial", "stdio"),
    ]
    try:
        output = proc.run(argv, deadline=Deadline.after(_TRIAL_S))
    except MachineryError:
        return False
    return b"Kernel panic" in output


def _host() -> str:
    """Return a fingerprint of what the answer depends on: processor, kernel, QEMU, access to KVM."""
    flags = next((line for line in _lines(Path("/proc/cpuinfo")) if line.startswith("flags")), "")
    facts = (flags, platform.release(), qemu_fingerprint(), os.access(_KVM, os.R_OK | os.W_OK))
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []


def qemu_fingerprint() -> tuple[int, int] | None:
    """Return size and time of the QEMU program (that for this host where x86-64's is absent), or None.

    That is cheaper than asking for its version, and an upgrade changes it.
    """
    own = ARCHITECTURES.get(host_architecture())
    for program in [PROGRAM, *([own.program] if own else [])]:
        for folder in os.get_exec_path():
            with contextlib.suppress(OSError):
                status = (Path(folder) / program).stat()
                return status.st_size, status.st_mtime_ns
    return None
