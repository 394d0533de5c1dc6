"""The command line on real machines, and what runs of them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from unittest import mock

import pytest

from lpiclab.cli import entry
from lpiclab.paths import Home

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="session")
def lpiclab(vm_home: Home) -> Start:
    """Return what starts the command line with the machines' home; `faults` go before the words."""

    def start(*words: str, faults: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        program = [str(Path(__file__).with_name("faults.py")), *faults] if faults else ["-m", "lpiclab"]
        return subprocess.Popen(
            # A shell that starts us in its background lets us ignore Ctrl-C, and so would the command.
            ["env", "--default-signal=INT", sys.executable, *program, *words],
            env={**os.environ, "LPICLAB_HOME": str(vm_home.instances.parent)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture(scope="session")
def done(vm_home: Home) -> Callable[..., str]:
    """Return what runs a command that must succeed, and gives what it printed.

    It runs in this process: starting another one would take most of the time.
    """

    def run(*words: str) -> str:
        with (
            TemporaryFile("w+") as stdout,
            TemporaryFile("w+") as stderr,
            Path(os.devnull).open() as nothing,
            mock.patch.dict(os.environ, LPICLAB_HOME=str(vm_home.instances.parent)),
            mock.patch.object(sys, "argv", ["lpiclab", *words]),
            mock.patch.object(sys, "stdin", nothing),
            contextlib.redirect_stdout(stdout),
            contextlib.redirect_stderr(stderr),
        ):
            with pytest.raises(SystemExit) as ended:
                entry.run()
            stdout.seek(0)
            stderr.seek(0)
            said, told = stdout.read(), stderr.read()
        assert not ended.value.code, f"{words}: {said}{told}"
        return said

    return run


@pytest.fixture(scope="session")
def machines_of(vm_home: Home) -> Callable[[str], list[int]]:
    """Return what finds the processes of an instance's machines and of its forks."""

    def find(instance_id: str) -> list[int]:
        wanted = f"guest=lpiclab-{instance_id}-".encode()
        found = []
        for process in Path("/proc").iterdir():
            try:
                words = (process / "cmdline").read_bytes().split(b"\0") if process.name.isdigit() else []
                # Tests in another process may have an instance of this name, too.
                ours = (
                    (process / "cwd").readlink().is_relative_to(vm_home.instances.parent) if words else False
                )
            except OSError:
                continue
            if ours and any(word.startswith(wanted) for word in words):
                found.append(int(process.name))
        return found

    return find
