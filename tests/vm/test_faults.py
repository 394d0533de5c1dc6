"""Killed, or out of space, at each step of what copies machines: nothing of the learner's is lost."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lpiclab.paths import Home

pytestmark = pytest.mark.vm

Start = Callable[..., subprocess.Popen[str]]
Done = Callable[..., str]
Steps = Callable[..., Iterator[tuple[int, str]]]
_LAB = "raid1@faults"
_OTHER = "raid1@other"
_NOT_REACHED = 99
_MOST_STEPS = 50
_LIMIT_S = 120


@pytest.fixture(scope="module")
def work(done: Done, machines_of: Callable[[str], list[int]], vm_home: Home) -> Iterator[Callable[[], None]]:
    """Hold an instance with work of the learner's in memory and on disk, and what makes sure of it."""

    def is_there() -> None:
        said = done("ssh", _LAB, "--", "sudo cat /root/work /run/work")
        assert said.split() == ["precious", "precious"]
        assert len(machines_of(_LAB)) == 1

    done("up", _LAB)
    done("ssh", _LAB, "--", "echo precious | sudo tee /root/work /run/work && sync")
    done("snapshot", "save", _LAB, "before")
    yield is_there
    assert _rubbish(vm_home) == []
    done("down", _LAB)
    assert machines_of(_LAB) == []


@pytest.fixture
def steps(lpiclab: Start) -> Steps:
    """Return what runs a command again and again, failing at one step after the other.

    Yields the status and the words of each; `before` is called before each.
    """

    def run(
        kind: str, *words: str, within: str = "-", before: Callable[[], object] = lambda: None
    ) -> Iterator[tuple[int, str]]:
        for number in range(1, _MOST_STEPS):
            before()
            numbered = [word.format(number=number) for word in words]
            running = lpiclab(*numbered, faults=(kind, str(number), within))
            _, stderr = running.communicate(timeout=_LIMIT_S)
            if running.returncode == _NOT_REACHED:
                assert number > 2, stderr
                return
            assert "Traceback" not in stderr
            assert running.returncode in ({-signal.SIGKILL} if kind == "kill" else {0, 4}), stderr
            yield running.returncode, stderr
        pytest.fail(f"{words} has more than {_MOST_STEPS} steps")

    return run


def _rubbish(home: Home) -> list[Path]:
    """Return what commands leave that were interrupted: half templates and snapshots, forks, states."""
    machines = home.instances / _LAB
    return [
        *home.templates.glob(".*.part"),
        *home.templates.glob(".*.old"),
        *machines.glob("snapshots/.*"),
        *machines.glob("forks/*"),
        *machines.glob("machines.*/*/state*"),
        *machines.glob("machines/standing-still"),
        *sorted(machines.glob("machines.*"))[1:],
    ]


@pytest.mark.parametrize(
    "words", [("snapshot", "save", _LAB, "new"), ("snapshot", "restore", _LAB, "before")]
)
def test_killed_at_any_step(
    steps: Steps, done: Done, work: Callable[[], None], vm_home: Home, words: tuple[str, ...]
) -> None:
    """After `kill -9` at any step of a save or a restore the machine is there, and so is `before`."""
    for _ in steps("kill", *words):
        done("up", _LAB)
        work()
        for each in done("snapshot", "list", _LAB).splitlines()[1:]:
            if each.startswith("new"):
                done("snapshot", "rm", _LAB, "new")
    done("snapshot", "restore", _LAB, "before")
    work()
    assert _rubbish(vm_home) == []


@pytest.mark.parametrize(
    "words", [("snapshot", "save", _LAB, "full"), ("snapshot", "restore", _LAB, "before")]
)
def test_disk_full_at_any_step(
    steps: Steps, done: Done, work: Callable[[], None], vm_home: Home, words: tuple[str, ...]
) -> None:
    """With a full disk at any step the command says so or does without, and the machine is there."""
    for _ in steps("full", *words):
        work()
        for each in done("snapshot", "list", _LAB).splitlines()[1:]:
            if each.startswith("full"):
                done("snapshot", "rm", _LAB, "full")
    assert _rubbish(vm_home) == []


def test_killed_suspension_loses_nothing(
    steps: Steps, done: Done, work: Callable[[], None], vm_home: Home
) -> None:
    """Whether it had come to its end or not, the machine goes on where it was."""
    for _ in steps("kill", "suspend", _LAB):
        done("up", _LAB)
        work()
        assert _rubbish(vm_home) == []
    done("resume", _LAB)
    work()


def test_killed_resumption_loses_nothing(
    steps: Steps, done: Done, work: Callable[[], None], vm_home: Home
) -> None:
    """The next command lets the machine go on from where it was suspended, or from where it is by now."""
    for _ in steps("kill", "resume", _LAB, before=lambda: done("suspend", _LAB)):
        done("up", _LAB)
        work()
        assert _rubbish(vm_home) == []


def test_killed_fork_leaves_the_learner_alone(
    steps: Steps, done: Done, work: Callable[[], None], vm_home: Home
) -> None:
    """The machine goes on, and what there is of the copy is gone with the next command."""
    note = vm_home.instances / _LAB / "machines" / "standing-still"
    for _ in steps("kill", "fork", _LAB):
        if note.exists():  # else the machine has gone on all the time
            work()
    done("up", _LAB)
    work()
    assert _rubbish(vm_home) == []


def test_full_disk_keeps_no_machine_from_going_on(
    steps: Steps, done: Done, work: Callable[[], None], vm_home: Home
) -> None:
    """What could not be suspended runs on, what could not be resumed is resumed by the next command."""
    for status, stderr in steps("full", "suspend", _LAB):
        assert status == 4, stderr
        work()
        assert _rubbish(vm_home) == []
    done("resume", _LAB)
    for status, stderr in steps("full", "resume", _LAB, before=lambda: done("suspend", _LAB)):
        assert status == 4, stderr
        done("resume", _LAB)
        work()
        assert _rubbish(vm_home) == []


def test_full_disk_fails_a_fork_only(steps: Steps, work: Callable[[], None], vm_home: Home) -> None:
    """The copy comes to nothing, and nothing of it stays."""
    for status, stderr in steps("full", "fork", _LAB):
        assert status == 4, stderr
        assert _rubbish(vm_home) == []
    work()


@pytest.mark.usefixtures("work")
@pytest.mark.parametrize("kind", ["kill", "full"])
def test_clone_that_failed_is_made_by_the_next_up(
    steps: Steps, done: Done, machines_of: Callable[[str], list[int]], vm_home: Home, kind: str
) -> None:
    """Whatever is left of an `up` from a template, the next one brings the machine up, and only once."""
    kept = sorted(vm_home.templates.iterdir())
    for _ in steps(kind, "up", _OTHER):
        done("up", _OTHER)
        assert len(machines_of(_OTHER)) == 1
        done("down", _OTHER)
        assert machines_of(_OTHER) == []
    done("down", _OTHER)
    assert sorted(vm_home.templates.iterdir()) == kept


@pytest.mark.usefixtures("work")
@pytest.mark.parametrize("kind", ["kill", "full"])
def test_template_that_failed_is_no_template(
    steps: Steps, done: Done, machines_of: Callable[[str], list[int]], vm_home: Home, kind: str
) -> None:
    """Nothing of it is in use or stays, and the instance that it was made of is made again."""
    for status, _ in steps(kind, "up", _OTHER, "--seed", f"{kind}{{number}}", within="making"):
        if status == 0:
            assert len(machines_of(_OTHER)) == 1
        done("down", _OTHER)
        assert machines_of(_OTHER) == []
    assert len(machines_of(_OTHER)) == 1
    done("down", _OTHER)
    done("image", "prune", "--keep-mib", "0")
    assert _rubbish(vm_home) == []
