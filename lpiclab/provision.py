"""Put a plan's files on its machines and run its set-up steps."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Protocol

from lpiclab import guest
from lpiclab.errors import CommandFailed
from lpiclab.model import CommandResult, Machine, Plan, RenderedFile, RenderedStep
from lpiclab.together import together
from lpiclab.wait import Deadline

SET_UP_VERSION = 1
"""To be raised when set-up does anything else with the same plan: what was kept is then made anew."""
_TAIL_BYTES = 3000


class Runner(Protocol):
    """What runs commands as root on one machine."""

    def run(self, command: str, *, stdin: bytes = b"", deadline: Deadline) -> CommandResult:
        """Run shell text to its end."""


def provision(
    plan: Plan,
    families: Mapping[str, str],
    runners: Mapping[str, Runner],
    *,
    deadline: Deadline,
    progress: Callable[[str], None],
) -> None:
    """Set all machines up: networks and files side by side, then the lab's steps, then its faults.

    Args:
        plan: What to set up.
        families: Each machine's family of distributions.
        runners: Each machine's root shell.
        deadline: When everything has to be done.
        progress: Told of each step.

    Raises:
        CommandFailed: a file could not be put or a step ended with an error.
    """

    def prepare(machine: Machine) -> None:
        runner = runners[machine.name]
        family = families[machine.name]
        files, steps = guest.network_setup(machine, family)
        steps = [*steps, *guest.guard_setup(machine, family)]
        for file in [*files, *(each for each in plan.files if each.machine == machine.name)]:
            put(runner, file, deadline=deadline)
        for step in steps:
            run_step(runner, step, deadline=deadline)

    progress("set-up: networks and files")
    together([lambda machine=machine: prepare(machine) for machine in plan.machines])  # type: ignore[misc]  # mypy can't type a lambda's default
    for step in plan.setup:
        progress(f"set-up: {step.source} on {step.machine}")
        run_step(runners[step.machine], step, deadline=deadline)
    if plan.faults:
        progress("set-up: faults")  # which ones is the learner's to find
    for step in plan.faults:
        run_step(runners[step.machine], step, deadline=deadline)


def put(runner: Runner, file: RenderedFile, *, deadline: Deadline) -> None:
    """Put one file in place with its owner and mode."""
    words = [
        "install",
        "-D",
        "-o",
        file.owner,
        "-g",
        file.group,
        "-m",
        f"{file.mode:o}",
        "/dev/stdin",
        file.path,
    ]
    # An empty standard input would be /dev/null, which install copies as gladly.
    result = runner.run(shlex.join(words), stdin=file.content.encode(), deadline=deadline)
    _require_success(result, f"{file.machine}: could not write {file.path}")


def run_step(runner: Runner, step: RenderedStep, *, deadline: Deadline) -> None:
    """Run one script as root; it stops at its first failing command."""
    result = runner.run(step_command(step), deadline=deadline)
    _require_success(result, f"{step.machine}: {step.source} failed")


def step_command(step: RenderedStep, *, trace: bool = False) -> str:
    """Return the command that runs a step's script in bash; `trace` shows each command first."""
    return shlex.join(["bash", "--norc", "-euo", "pipefail", *(["-x"] if trace else []), "-c", step.content])


def _require_success(result: CommandResult, message: str) -> None:
    if result.status != 0:
        output = (result.stdout + result.stderr)[-_TAIL_BYTES:].decode(errors="replace").strip()
        raise CommandFailed(f"{message} (status {result.status})", details=output)
