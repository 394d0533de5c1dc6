"""Machines that begin as frozen ones, and copies of machines that run."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lpiclab.paths import Home

pytestmark = pytest.mark.vm

_ONE, _TWO = "raid1@one", "raid1@two"
_CLOCK_S = 3
Start = Callable[..., subprocess.Popen[str]]
Done = Callable[..., str]


@pytest.fixture(scope="module")
def root(done: Done) -> Iterator[Callable[[str, str], str]]:
    """Hold two instances of one lab with one seed; return what runs a command as root on one of them."""
    for instance in (_ONE, _TWO):
        done("up", instance)
    yield lambda instance, command: done("ssh", instance, "--", f"sudo sh -c '{command}'").strip()
    for instance in (_ONE, _TWO):
        done("down", instance)


@pytest.fixture(scope="module")
def one(root: Callable[[str, str], str]) -> Callable[[str], str]:
    """Return what runs a command as root on the first instance."""
    return lambda command: root(_ONE, command)


@pytest.mark.parametrize(
    "fact",
    [
        "cat /etc/machine-id",
        "cat /etc/lpiclab/ssh_host_ed25519_key",
        "systemctl start ssh; cat /etc/ssh/ssh_host_ed25519_key.pub; systemctl stop ssh",
        'ip -n lpiclab -o link show mgmt | grep -o "link/ether [^ ]*"',
        "head -c 32 /dev/urandom | base64",
        "cat /proc/sys/kernel/random/uuid",
    ],
)
def test_copies_are_individuals(root: Callable[[str, str], str], fact: str) -> None:
    """Two machines that began as the same frozen one differ in what must differ."""
    facts = [root(instance, fact) for instance in (_ONE, _TWO)]
    assert all(facts)
    assert facts[0] != facts[1]


def test_clock_is_right(root: Callable[[str, str], str]) -> None:
    """However long the template has been frozen, the time of day is the host's."""
    for instance in (_ONE, _TWO):
        assert abs(float(root(instance, "date +%s.%N")) - time.time()) < _CLOCK_S


def test_disks_are_their_own(root: Callable[[str, str], str]) -> None:
    """What one machine writes, to its system disk or to the lab's, the other does not see."""
    root(_ONE, "echo mine > /root/mine; echo mine > /dev/sdb; sync")
    assert root(_TWO, 'ls /root; head -c 4 /dev/sdb | tr -d "\\000"') == ""
    root(_ONE, "rm /root/mine; dd if=/dev/zero of=/dev/sdb bs=4k count=1 conv=fsync status=none")


def test_snapshot_brings_back_memory_disks_and_processes(done: Done, one: Callable[[str], str]) -> None:
    """A restored machine is where it was: files, memory, processes; and its clock is right."""
    one("echo disk > /root/kept; echo memory > /run/kept; nohup sleep 7777 > /dev/null 2>&1 &")
    done("snapshot", "save", _ONE, "here")
    one("rm /root/kept /run/kept; pkill -f [s]leep.7777; echo later > /dev/sdc; sync")
    done("snapshot", "restore", _ONE, "here")
    assert one("cat /root/kept /run/kept; pgrep -fc [s]leep.7777").split() == ["disk", "memory", "1"]
    assert one('head -c 5 /dev/sdc | tr -d "\\000"') == ""
    assert abs(float(one("date +%s.%N")) - time.time()) < _CLOCK_S


def test_damaged_snapshot_is_refused_by_name(
    lpiclab: Start, vm_home: Home, done: Done, one: Callable[[str], str]
) -> None:
    """A flipped byte and a cut file are noticed before anything is touched."""
    for name, spoil in (("flipped", _flip), ("cut", _cut)):
        done("snapshot", "save", _ONE, name)
        spoil(vm_home.instances / _ONE / "snapshots" / name / "server" / "state")
        running = lpiclab("snapshot", "restore", _ONE, name)
        _, stderr = running.communicate()
        assert running.returncode == 4
        assert f"snapshots/{name}/server/state is damaged" in stderr
        assert one("cat /run/kept") == "memory"
        done("snapshot", "rm", _ONE, name)


def test_suspended_machines_go_on(
    done: Done, one: Callable[[str], str], machines_of: Callable[[str], list[int]]
) -> None:
    """A suspended machine uses no process, and goes on where it was with the right time."""
    done("suspend", _ONE)
    assert machines_of(_ONE) == []
    shown = json.loads(done("status", "--json"))["instances"]
    states = [each["machines"]["server"]["state"] for each in shown if each["id"] == _ONE]
    assert states == ["suspended"]
    done("resume", _ONE)
    assert one("cat /run/kept") == "memory"
    assert abs(float(one("date +%s.%N")) - time.time()) < _CLOCK_S


def test_grading_on_a_fork_leaves_the_learner_alone(
    done: Done, one: Callable[[str], str], machines_of: Callable[[str], list[int]]
) -> None:
    """While a copy is rebooted and loses a disk, the learner's machine runs on as it was."""
    done("reset", _ONE)
    done("solve", _ONE)
    one("nohup sleep 8888 > /dev/null 2>&1 &")
    disks = "mdadm --detail --export /dev/md0; ls /dev/sd?; findmnt /mnt/raid"
    facts = f"pgrep -f [s]leep.8888; {disks}; dmesg | wc -l"
    before, uptime_s = one(facts), float(one('cut -d" " -f1 /proc/uptime'))
    graded = json.loads(done("check", _ONE, "--json"))
    assert graded["passed"] is True
    assert [task["id"] for task in graded["tasks"] if task["on_fork"]] == ["spare", "fstab"]
    assert one(facts) == before
    assert float(one('cut -d" " -f1 /proc/uptime')) > uptime_s
    assert len(machines_of(_ONE)) == 1


def test_green_tasks_can_be_gone_back_to(done: Done, one: Callable[[str], str]) -> None:
    """The grading before kept the machine as it was; `rewind` brings it back."""
    made = json.loads(done("rewind", _ONE, "--json"))["snapshots"]
    assert [each["name"] for each in made] == ["green-001"]
    one("umount /mnt/raid; mdadm --stop /dev/md0; mdadm --zero-superblock /dev/sdb1")
    done("rewind", _ONE)
    assert json.loads(done("check", _ONE, "--quick", "--json"))["passed"] is True


def test_template_in_use_stays(lpiclab: Start, done: Done, root: Callable[[str, str], str]) -> None:
    """What machines stand on is neither removed nor pruned."""
    assert root(_TWO, "true") == ""
    templates = json.loads(done("image", "list", "--json"))["templates"]
    name = next(each["name"] for each in templates if _TWO in each["users"])
    running = lpiclab("image", "rm", name)
    _, stderr = running.communicate()
    assert running.returncode == 2
    assert "is in use by" in stderr
    done("image", "prune", "--keep-mib", "0")
    assert name in {each["name"] for each in json.loads(done("image", "list", "--json"))["templates"]}


@pytest.mark.parametrize(
    ("damage", "words"), [("flip", "its content has changed"), ("cut", "bytes, not")], ids=["flip", "cut"]
)
def test_spoilt_template_is_made_anew(
    lpiclab: Start, vm_home: Home, done: Done, damage: str, words: str
) -> None:
    """A template with a flipped byte or of half the size is not used; it is said, and made again."""
    done("up", "raid1@spoilt", "--seed", "spoilt")
    templates = json.loads(done("image", "list", "--json"))["templates"]
    name = next(each["name"] for each in templates if each["users"] == ["raid1@spoilt"])
    done("down", "raid1@spoilt")
    spoil = _flip if damage == "flip" else _cut
    spoil(vm_home.templates / name / "server" / "memory")
    running = lpiclab("up", "raid1@spoilt", "--seed", "spoilt")
    _, stderr = running.communicate()
    assert running.returncode == 0, stderr
    assert f"{name}/server/memory is damaged" in stderr
    assert words in stderr
    assert "making it anew" in stderr
    done("down", "raid1@spoilt")


def _flip(file: Path) -> None:
    with file.open("r+b") as stream:
        stream.seek(file.stat().st_size // 2)
        byte = stream.read(1)
        stream.seek(-1, 1)
        stream.write(bytes([byte[0] ^ 1]))


def _cut(file: Path) -> None:
    with file.open("r+b") as stream:
        stream.truncate(file.stat().st_size // 2)
