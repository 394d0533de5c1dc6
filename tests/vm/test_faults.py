"""Killed, or out of space, at each step of what copies machines: nothing of the learner's is lost."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest

pytestmark = pytest.mark.vm

Start = Callable[..., subprocess.Popen[str]]
_LAB = "raid1@faults"
_NOT_REACHED = 99
_MOST_STEPS = 40
_LIMIT_S = 120


@pytest.fixture(scope="module")
def work(done: Callable[..., str], machines_of: Callable[[str], list[int]]) -> Iterator[Callable[[], None]]:
    """Hold an instance with work of the learner's in memory and on disk, and what makes sure of it."""

    def is_there() -> None:
        said = done("ssh", _LAB, "--", "sudo cat /root/work /run/work")
        assert said.split() == ["precious", "precious"]
        assert len(machines_of(_LAB)) == 1

    done("up", _LAB)
    done("ssh", _LAB, "--", "echo precious | sudo tee /root/work /run/work && sync")
    done("snapshot", "save", _LAB, "before")
    yield is_there
    done("down", _LAB)
    assert machines_of(_LAB) == []


def _steps(lpiclab: Start, kind: str, *words: str) -> Iterator[tuple[int, str]]:
    """Run a command again and again, failing at one step after the other; yield status and words."""
    for number in range(1, _MOST_STEPS):
        running = lpiclab(*words, faults=(kind, str(number)))
        _, stderr = running.communicate(timeout=_LIMIT_S)
        if running.returncode == _NOT_REACHED:
            assert number > 3
            return
        yield running.returncode, stderr
    pytest.fail(f"{words} has more than {_MOST_STEPS} steps")


@pytest.mark.parametrize(
    "words", [("snapshot", "save", _LAB, "new"), ("snapshot", "restore", _LAB, "before")]
)
def test_killed_at_any_step(
    lpiclab: Start, done: Callable[..., str], work: Callable[[], None], words: tuple[str, ...]
) -> None:
    """After `kill -9` at any step of a save or a restore the machine is there, and so is `before`."""
    for _ in _steps(lpiclab, "kill", *words):
        done("up", _LAB)
        work()
        for each in done("snapshot", "list", _LAB).splitlines()[1:]:
            if each.startswith("new"):
                done("snapshot", "rm", _LAB, "new")
    done("snapshot", "restore", _LAB, "before")
    work()


@pytest.mark.parametrize(
    "words", [("snapshot", "save", _LAB, "full"), ("snapshot", "restore", _LAB, "before")]
)
def test_disk_full_at_any_step(
    lpiclab: Start, done: Callable[..., str], work: Callable[[], None], words: tuple[str, ...]
) -> None:
    """With a full disk at any step the command says so or does without, and the machine is there."""
    for status, stderr in _steps(lpiclab, "full", *words):
        assert "Traceback" not in stderr
        assert status in {0, 4}, stderr
        work()
        for each in done("snapshot", "list", _LAB).splitlines()[1:]:
            if each.startswith("full"):
                done("snapshot", "rm", _LAB, "full")
