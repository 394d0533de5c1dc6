"""Nothing is lost and nothing is left when lpiclab is killed in the middle."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable

import pytest

pytestmark = pytest.mark.vm

_LAB = "raid1@crash"
Start = Callable[..., subprocess.Popen[str]]
_SEED, _OTHER_SEED = "killed", "interrupted"
"""Seeds that no other test sets up, so that there is no template to begin as."""


def _until(running: subprocess.Popen[str], words: str) -> None:
    """Read what a command says until it says `words`."""
    assert running.stderr
    assert any(words in line for line in running.stderr)


def test_killed_up_is_made_good(
    lpiclab: Start, done: Callable[..., str], machines_of: Callable[[str], list[int]]
) -> None:
    """After `kill -9` of `up`, `status` tells, `up` starts over, and `down` leaves nothing."""
    with lpiclab("up", _LAB, "--seed", _SEED) as killed:
        _until(killed, "set-up")
        killed.kill()
    left = machines_of(_LAB)
    shown = json.loads(done("status", "--json"))["instances"]
    assert [(each["id"], each["phase"]) for each in shown if each["id"] == _LAB] == [(_LAB, "creating")]
    done("up", _LAB, "--seed", _SEED)
    assert len(machines_of(_LAB)) == 1
    assert not set(left).intersection(machines_of(_LAB))
    assert done("ssh", _LAB, "server", "--", "hostname").strip()
    done("down", _LAB)
    assert machines_of(_LAB) == []


def test_interrupted_up_leaves_nothing_running(
    lpiclab: Start, done: Callable[..., str], machines_of: Callable[[str], list[int]]
) -> None:
    """After Ctrl-C in `up` no QEMU runs, and `down` works."""
    with lpiclab("up", _LAB, "--seed", _OTHER_SEED) as interrupted:
        _until(interrupted, "set-up")
        interrupted.send_signal(signal.SIGINT)
        stderr = interrupted.stderr.read() if interrupted.stderr else ""
    assert interrupted.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert machines_of(_LAB) == []
    done("down", _LAB)


def test_machine_that_ends_as_it_reboots_is_booted(
    done: Callable[..., str], machines_of: Callable[[str], list[int]]
) -> None:
    """Whether its QEMU crashed or it went off: what was asked for is a machine that has booted."""
    done("up", _LAB)
    folder = "/etc/systemd/system/systemd-reboot.service.d"
    off = rf"printf '[Unit]\nSuccessAction=poweroff-force\n' | sudo tee {folder}/off.conf"
    done(
        "ssh", _LAB, "--", f"sudo mkdir {folder}; {off}; sudo systemctl daemon-reload; sudo touch /run/before"
    )
    (before,) = machines_of(_LAB)
    done("restart", _LAB)
    (after,) = machines_of(_LAB)
    assert after != before
    assert done("ssh", _LAB, "--", "ls /run/before; hostname").split() == ["centos"]
    done("down", _LAB)
