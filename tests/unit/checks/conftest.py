"""Machines that answer from a table, for tests of the checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from lpiclab.model import CommandResult
from lpiclab.wait import Deadline

Answer = bytes | int | BaseException
FakeMaker = Callable[..., "FakeRunner"]


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
