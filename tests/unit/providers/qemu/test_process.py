"""Tests of finding and ending QEMU, with harmless processes that look like it."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from lpiclab.providers.qemu import process
from lpiclab.wait import Deadline

_SOON_S = 20.0


class _Pretender:
    """A shell with QEMU's command line; it ends when its standard input does."""

    def __init__(self, name: str, *words: str) -> None:
        self.process = subprocess.Popen(
            [name, "-c", "echo; read line", *words],
            executable="/bin/sh",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout
        self.process.stdout.readline()

    def leave(self) -> None:
        """End it and forget it."""
        with self.process:
            pass


@pytest.fixture
def machine() -> str:
    """Return a UUID that nobody else has."""
    return str(uuid.uuid4())


@pytest.fixture
def pretender(machine: str) -> Iterator[_Pretender]:
    """Yield a process that looks like the machine's QEMU."""
    made = _Pretender("/usr/bin/qemu-system-x86_64", "-name", "guest=x", "-uuid", machine, "-m", "512M")
    yield made
    made.leave()


def test_machine_is_found_by_its_uuid(machine: str, pretender: _Pretender) -> None:
    """Only the machines that run are found, each with its own process id."""
    assert process.find([machine, str(uuid.uuid4())]) == {machine: pretender.process.pid}


@pytest.mark.parametrize("words", [("tail", "-uuid", "{}"), ("qemu-system-x86_64", "{}", "-name")])
def test_other_programs_are_not_taken_for_machines(machine: str, words: tuple[str, ...]) -> None:
    """A program of another name, or that only mentions the UUID, is none of ours."""
    other = _Pretender(*(word.format(machine) for word in words))
    try:
        assert process.find([machine]) == {}
        assert process.kill(machine, deadline=Deadline.after(_SOON_S))
        assert other.process.poll() is None
    finally:
        other.leave()


def test_kill_ends_the_machine_and_no_other(machine: str, pretender: _Pretender) -> None:
    """When kill returns True the process is gone, and its neighbour is not."""
    other = str(uuid.uuid4())
    neighbour = _Pretender("qemu-system-x86_64", "-uuid", other)
    try:
        assert process.kill(machine, deadline=Deadline.after(_SOON_S))
        assert process.find([machine, other]) == {other: neighbour.process.pid}
        assert not Path(f"/proc/{pretender.process.pid}").exists()  # nor is it left as a zombie
    finally:
        neighbour.leave()


def test_killing_what_is_gone_is_success(machine: str) -> None:
    """There is nothing to end."""
    assert process.kill(machine, deadline=Deadline.after(_SOON_S))


def test_waiting_ends_at_the_deadline_or_with_the_process(machine: str, pretender: _Pretender) -> None:
    """A machine that goes on running is not reported gone; one that ended by itself is."""
    assert not process.wait_gone(machine, deadline=Deadline.after(0))
    pretender.leave()
    assert process.wait_gone(machine, deadline=Deadline.after(_SOON_S))
    assert pretender.process.returncode != -9


def test_memory_is_that_of_the_process_alone(pretender: _Pretender) -> None:
    """A running process has some memory of its own, one that is gone has none."""
    assert 4096 <= process.memory_bytes(pretender.process.pid) < 64 << 20
    assert process.memory_bytes(2**22 + 1) == 0


def test_machine_of_another_architecture_is_found_too(machine: str) -> None:
    """Each kind of machine has a program of its own."""
    pretender = _Pretender("qemu-system-aarch64", "-uuid", machine)
    try:
        assert process.find([machine]) == {machine: pretender.process.pid}
    finally:
        pretender.leave()
