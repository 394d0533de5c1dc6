"""Machines that answer from a table or with a real shell, for tests of the checks."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from testinfra.host import Host

from lpiclab.checks.host import make_host
from lpiclab.model import CommandResult
from lpiclab.wait import Deadline

Answer = bytes | int | BaseException
FakeMaker = Callable[..., "FakeRunner"]
Programs = Callable[..., Host]


class FakeRunner:
    """Answer each command from `answers` (output, status or what to raise) and note it."""

    def __init__(self, answers: Mapping[str, Answer] | None = None) -> None:
        self.answers = dict(answers or {})
        self.commands: list[str] = []
        self.stdin: list[bytes] = []
        self.deadlines: list[Deadline] = []
        self.closed = 0

    def run(self, command: str, *, stdin: bytes = b"", deadline: Deadline) -> CommandResult:
        """Answer; an unknown command is status 127, and ``:`` succeeds."""
        self.commands.append(command)
        self.stdin.append(stdin)
        self.deadlines.append(deadline)
        answer = self.answers.get(command, 0 if command == ":" else 127)
        if isinstance(answer, BaseException):
            raise answer
        status, stdout = (answer, b"") if isinstance(answer, int) else (0, answer)
        return CommandResult(command=command, status=status, stdout=stdout, stderr=b"")

    def close(self) -> None:
        """Count."""
        self.closed += 1


@pytest.fixture
def fake() -> FakeMaker:
    """Return what makes a machine that answers from a table."""
    return FakeRunner


class LocalShell:
    """Run commands here, programs from a folder of stand-ins first."""

    def __init__(self, programs: Path) -> None:
        self._path = f"{programs}:{os.environ['PATH']}"

    def run(self, command: str, *, stdin: bytes = b"", deadline: Deadline) -> CommandResult:
        """Run a command to its end."""
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            input=stdin,
            capture_output=True,
            check=False,
            timeout=deadline.left_s(),
            env={"PATH": self._path},
        )
        return CommandResult(command=command, status=done.returncode, stdout=done.stdout, stderr=done.stderr)


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    """Return what makes a machine on which some programs are shell scripts; `sleep` takes no time."""

    def make(**scripts: str) -> Host:
        for name, script in ({"sleep": f"echo x >> {tmp_path}/slept"} | scripts).items():
            file = tmp_path / name
            file.write_text(f"#!/bin/sh\n{script}\n")
            file.chmod(0o755)
        return make_host("server", LocalShell(tmp_path))

    return make
