"""Machines that answer from a table or with a real shell, for tests of the checks."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from testinfra.host import Host

from lpiclab.checks import runner as runner_module
from lpiclab.checks.host import make_host
from lpiclab.model import CommandResult, Distro, Lab, LabText, Language, Outcome, Plan, Report, Task, TaskText
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


_HEAD = "from lpiclab.checks import expect, task\n"


class Bench:
    """A lab in a folder, and all that grading it takes."""

    both_tasks = """
    @task("transfer")
    def test_transfer(ns_2): expect(ns_2.run("t").rc, 0, why="wrong")
    @task("key")
    def test_key(ns1): expect(ns1.run("k").rc, 0, why="wrong")
    """

    def __init__(self, folder: Path, fake: FakeMaker) -> None:
        self.folder = folder
        self.machines: dict[str, Any] = {"ns1": fake(), "ns-2": fake()}
        self.tasks = [Task(id="key", points=20), Task(id="transfer", points=40, needs=("key",))]
        self.reasons = {"wrong": "seen {seen}, wanted {wanted}{values}"}
        self.language: Language = "en"
        self.connects: dict[str, Callable[[Deadline], Any]] = {}

    def write(self, checks: str) -> None:
        """Write ``checks.py`` below the import that all have."""
        (self.folder / "checks.py").write_text(_HEAD + dedent(checks), encoding="utf-8")

    @staticmethod
    def outcomes(report: Report) -> dict[str, Outcome]:
        """Return each task's outcome."""
        return {task.id: task.outcome for task in report.tasks}

    def grade(self, checks: str | None = None, **options: Any) -> Report:
        """Grade the lab, with new checks if any are given."""
        if checks is not None:
            self.write(checks)
        connectors = {name: self._connector(name) for name in self.machines}
        return runner_module.grade(
            self._lab(),
            self._plan(),
            Distro(
                id="debian-13",
                title="Debian",
                family="debian",
                version="13",
                support_end="",
                services={"bind": "named"},
                paths={},
            ),
            text=self._text(),
            reason=self._reason,
            connectors=connectors,
            **{"deadline": Deadline.after(60), **options},
        )

    def _connector(self, name: str) -> Callable[[Deadline], Any]:
        return self.connects.get(name, lambda _deadline: self.machines[name])

    def _lab(self) -> Lab:
        return Lab(
            id="demo",
            folder=self.folder,
            objectives=(),
            minutes=1,
            kind="build",
            families=(),
            networks=(),
            machines=(),
            parameters=(),
            files=(),
            setup=(),
            tasks=tuple(self.tasks),
            solutions=(),
            mutants=(),
        )

    def _plan(self) -> Plan:
        return Plan(
            lab_id="demo",
            seed="s33d",
            distro="debian-13",
            parameters={"zone": "example.net", "size": 3},
            networks=(),
            machines=(),
            files=(),
            setup=(),
        )

    def _text(self) -> LabText:
        return LabText(
            language=self.language,
            title="",
            story="",
            then_and_now="",
            tasks={
                task.id: TaskText(
                    title=f"The {task.id}", body="", hints=("gentle", "answer"), reasons=self.reasons
                )
                for task in self.tasks
            },
        )

    def _reason(self, template: str, seen: object, wanted: object, values: Mapping[str, object]) -> str:
        return template.format(seen=seen, wanted=wanted, values=dict(values)) + "\n"


@pytest.fixture
def bench(tmp_path: Path, fake: FakeMaker) -> Bench:
    """Return a lab with two tasks, the second needing the first, and two machines."""
    folder = tmp_path / "demo"
    folder.mkdir()
    return Bench(folder, fake)
