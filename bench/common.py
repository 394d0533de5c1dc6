"""What all measurements share: whole commands, timed from outside, in a home of their own."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from lpiclab.paths import Home

HERE = Path(__file__).resolve().parent
LPICLAB = Path(sys.executable).with_name("lpiclab")
SHORT_S = 10


def own_home(folder: Path) -> dict[str, str]:
    """Return variables of a home of its own that shares the images of the user's."""
    images = Home.from_environment().images
    images.mkdir(parents=True, exist_ok=True)
    (folder / "images").symlink_to(images)
    return {"LPICLAB_HOME": str(folder)}


def run_s(argv: Sequence[str], environment: dict[str, str]) -> float:
    """Run a command and return how long it took; one that fails otherwise than by a grade ends us."""
    return run(argv, environment)[0]


def run(argv: Sequence[str], environment: dict[str, str]) -> tuple[float, str]:
    """Run a command as `run_s` does, and return how long it took and what it printed."""
    began_s = time.monotonic()
    done = subprocess.run(argv, env={**os.environ, **environment}, capture_output=True, check=False)
    if done.returncode not in {0, 1}:
        sys.exit(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stderr.decode()}")
    return time.monotonic() - began_s, done.stdout.decode()


def median(seconds: Sequence[float]) -> str:
    """Return the median of some times, with the smallest and largest where there are more than one."""
    digits = 2 if statistics.median(seconds) < SHORT_S else 1
    between = f" ({min(seconds):.{digits}f} to {max(seconds):.{digits}f})" if len(seconds) > 1 else ""
    return f"{statistics.median(seconds):.{digits}f} s{between}"


def this_machine() -> str:
    """Return what was measured on, and when."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    qemu = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True, check=True)
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} processors"
        f" ({cpu[1].strip() if cpu else 'unknown'}), {int(memory[1]) >> 20 if memory else 0} GiB memory,"
        f" Linux {platform.release().split('-')[0]}, {qemu.stdout.splitlines()[0]}, no KVM (TCG)."
    )
