"""The command line on real machines, and what runs of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lpiclab.paths import Home

Start = Callable[..., subprocess.Popen[str]]
_LIMIT_S = 300


@pytest.fixture(scope="session")
def lpiclab(vm_home: Home) -> Start:
    """Return what starts the command line with the machines' home; `faults` go before the words."""

    def start(*words: str, faults: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        program = [str(Path(__file__).with_name("faults.py")), *faults] if faults else ["-m", "lpiclab"]
        return subprocess.Popen(
            [sys.executable, *program, *words],
            env={**os.environ, "LPICLAB_HOME": str(vm_home.instances.parent)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture(scope="session")
def done(lpiclab: Start) -> Callable[..., str]:
    """Return what runs a command that must succeed, and gives what it printed."""

    def run(*words: str) -> str:
        running = lpiclab(*words)
        stdout, stderr = running.communicate(timeout=_LIMIT_S)
        assert running.returncode == 0, f"{words}: {stdout}{stderr}"
        return stdout

    return run


@pytest.fixture(scope="session")
def machines_of(vm_home: Home) -> Callable[[str], list[int]]:
    """Return what finds the processes of an instance's machines and of its forks."""

    def find(instance_id: str) -> list[int]:
        wanted = f"guest=lpiclab-{instance_id}-".encode()
        found = []
        for entry in Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
                # Tests in another process may have an instance of this name, too.
                ours = (entry / "cwd").readlink().is_relative_to(vm_home.instances.parent) if words else False
            except OSError:
                continue
            if ours and any(word.startswith(wanted) for word in words):
                found.append(int(entry.name))
        return found

    return find
