"""Grade an instance, give hints, show the reference solution at work."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from lpiclab import render
from lpiclab.engine import keeping
from lpiclab.engine.context import Context
from lpiclab.engine.forking import Reach
from lpiclab.errors import CommandFailed, MachineryError, UsageError
from lpiclab.files import write_private
from lpiclab.labs.checkfile import read_check_file
from lpiclab.model import Lab, Language, Report, Step, TaskText
from lpiclab.names import nearest
from lpiclab.provision import step_command
from lpiclab.state import Record
from lpiclab.wait import Deadline

_CHECK_S = 600.0
_SOLVE_S = 1800.0


def check(
    context: Context, name: str, tasks: Sequence[str], language: Language, *, quick: bool = False
) -> Report:
    """Grade all tasks of an instance, or those named and what they need.

    A task that passes for the first time makes a snapshot. `quick` leaves out what is proved on a fork.

    Raises:
        UsageError: no such instance or task.
        SpecError: a check is wrong.
    """
    with context.store.lock(name, f"check {name}", context.progress):
        record = context.record(name)
        lab = context.lab_of(record)
        for task in tasks:
            _require_task(lab, task)
        report = grade(context, record, lab, language, tasks=tasks, quick=quick)
        try:
            keeping.keep_green(context, record, report)
        except (MachineryError, OSError) as error:
            # The grade is known, and worth more than the way back to it.
            context.progress(f"this state could not be kept for `rewind`: {error}")
        return report


def grade(
    context: Context,
    record: Record,
    lab: Lab,
    language: Language,
    *,
    tasks: Sequence[str] = (),
    quick: bool = False,
) -> Report:
    """Grade an instance whose lock the caller holds."""
    from lpiclab.checks.runner import grade as run_checks  # noqa: PLC0415 - pytest costs 200 ms

    reach = Reach(context.provider(record), context.instance(record), context.progress)
    distro = context.distro(record.plan.distro)
    if not quick and reach.forker is None and read_check_file(lab).forks:
        context.progress(
            f"the provider {record.provider} can't copy machines: what is proved on a copy is left out"
        )

    return run_checks(
        lab,
        record.plan,
        distro,
        text=context.text(lab, record.plan, language),
        reason=partial(render.render_reason, plan=record.plan, distro=distro),
        connectors=reach.connectors,
        only=tasks,
        deadline=Deadline.after(_CHECK_S),
        forker=None if quick else reach.forker,
    )


def hint(context: Context, name: str, task: str, language: Language) -> tuple[str, int, int]:
    """Return the task's next hint, its number and how many there are; the last one stays."""
    with context.store.lock(name, f"hint {name}", context.progress):
        record = context.record(name)
        lab = context.lab_of(record)
        _require_task(lab, task)
        words: TaskText = context.text(lab, record.plan, language).tasks[task]
        file = context.store.folder(name) / "hints.json"
        given = _given_hints(file)
        number = min(given.get(task, 0) + 1, len(words.hints))
        write_private(file, json.dumps(given | {task: number}).encode())
        return words.hints[number - 1], number, len(words.hints)


def solve(context: Context, name: str, show: Callable[[bytes], None]) -> None:
    """Run the reference solution and show every command and what it prints.

    Raises:
        CommandFailed: a step of it failed.
    """
    with context.store.lock(name, f"solve {name}", context.progress):
        record = context.record(name)
        lab = context.lab_of(record)
        run_steps(context, record, lab, lab.solutions[0].steps, show)


def run_steps(
    context: Context, record: Record, lab: Lab, steps: Sequence[Step], show: Callable[[bytes], None]
) -> None:
    """Run scripts of the lab's folder on its machines, one after the other."""
    distro = context.distro(record.plan.distro)
    rendered = render.render_steps(lab, steps, record.plan, distro, template_roots=context.template_roots)
    deadline = Deadline.after(_SOLVE_S)
    with context.sessions(record, deadline=deadline) as sessions:
        for step in rendered:
            context.progress(f"{step.source} on {step.machine}")
            status = sessions[step.machine].follow(step_command(step, trace=True), show, deadline=deadline)
            if status != 0:
                raise CommandFailed(f"{record.id}/{step.machine}: {step.source} failed (status {status})")


def _require_task(lab: Lab, task: str) -> None:
    known = [each.id for each in lab.tasks]
    if task not in known:
        raise UsageError(f'{lab.id} has no task "{task}"', hint=nearest(task, known))


def _given_hints(file: Path) -> dict[str, int]:
    try:
        given = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    given = given if isinstance(given, dict) else {}
    return {task: number for task, number in given.items() if isinstance(number, int)}
