"""Nothing is lost and nothing is left when lpiclab is killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lpiclab.paths import Home
from lpiclab.providers.qemu import process
from lpiclab.providers.qemu.identity import Identity

pytestmark = pytest.mark.vm

_LAB = "raid1@crash"
_LIMIT_S = 300


@pytest.fixture
def lpiclab(vm_home: Home) -> Callable[..., subprocess.Popen[str]]:
    """Return what starts the command line with the machines' home."""

    def start(*words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "lpiclab", *words],
            env={**os.environ, "LPICLAB_HOME": str(vm_home.instances.parent)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture
def machine(vm_home: Home) -> str:
    """Return the UUID of the instance's only machine."""
    return _uuid(vm_home.instances / _LAB)


def _uuid(folder: Path) -> str:
    return Identity.of(folder / "machines" / "server").uuid


def _until(running: subprocess.Popen[str], words: str) -> None:
    """Read what a command says until it says `words`."""
    assert running.stderr
    assert any(words in line for line in running.stderr)


def _done(running: subprocess.Popen[str]) -> str:
    stdout, stderr = running.communicate(timeout=_LIMIT_S)
    assert running.returncode == 0, stdout + stderr
    return stdout


def test_killed_up_is_made_good(lpiclab: Callable[..., subprocess.Popen[str]], machine: str) -> None:
    """After `kill -9` of `up`, `status` tells, `up` starts over, and `down` leaves nothing."""
    with lpiclab("up", _LAB) as killed:
        _until(killed, "boots")
        killed.kill()
    left = process.find([machine])
    shown = json.loads(_done(lpiclab("status", "--json")))["instances"]
    assert [(each["id"], each["phase"]) for each in shown if each["id"] == _LAB] == [(_LAB, "creating")]
    _done(lpiclab("up", _LAB))
    assert process.find([machine]) != left
    assert _done(lpiclab("ssh", _LAB, "server", "--", "hostname")).strip()
    _done(lpiclab("down", _LAB))
    assert process.find([machine]) == {}


def test_interrupted_up_leaves_nothing_running(
    lpiclab: Callable[..., subprocess.Popen[str]], machine: str
) -> None:
    """After Ctrl-C in `up` no QEMU runs, and `down` works."""
    with lpiclab("up", _LAB) as interrupted:
        _until(interrupted, "boots")
        interrupted.send_signal(signal.SIGINT)
        stderr = interrupted.stderr.read() if interrupted.stderr else ""
    assert interrupted.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert process.find([machine]) == {}
    _done(lpiclab("down", _LAB))
