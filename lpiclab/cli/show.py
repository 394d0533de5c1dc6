"""Commands that only look: list, show, status, doctor."""

from __future__ import annotations

from typing import Annotated

import typer

from lpiclab.cli import arguments, output
from lpiclab.engine.context import DEFAULT_DISTRO, Context, is_path
from lpiclab.errors import ExitCode, SpecError
from lpiclab.model import Lab, LabText, Language


def list_labs(lang: arguments.Lang = None, json: arguments.Json = False) -> None:
    """List the labs: objective, machines, minutes."""
    from lpiclab import labs  # noqa: PLC0415 - only where labs are read

    context = Context.from_environment()
    language = output.language(lang)
    found, titles, problems = [], {}, 0
    for folder in labs.lab_folders(context.lab_roots).values():
        try:
            lab = labs.load(folder)
            titles[lab.id] = labs.load_texts(lab)[language].title
            found.append(lab)
        except SpecError as error:
            problems += 1
            output.talk(f"{output.red('error:')} {error.message}")
    if json:
        entries = [
            {
                "id": lab.id,
                "title": titles[lab.id],
                "objectives": lab.objectives,
                "kind": lab.kind,
                "minutes": lab.minutes,
                "machines": [machine.name for machine in lab.machines],
                "points": sum(task.points for task in lab.tasks),
            }
            for lab in found
        ]
        output.json_data({"schema": 1, "labs": entries})
        raise typer.Exit(ExitCode.SPEC if problems else ExitCode.OK)
    rows = [
        [
            lab.id,
            ", ".join(lab.objectives),
            ", ".join(machine.name for machine in lab.machines),
            str(lab.minutes),
            titles[lab.id],
        ]
        for lab in found
    ]
    output.data(output.table(rows, ["LAB", "OBJECTIVE", "MACHINES", "MINUTES", "TITLE"]))
    if problems:
        raise typer.Exit(ExitCode.SPEC)


def show_lab(
    lab: arguments.Lab,
    lang: arguments.Lang = None,
    seed: arguments.Seed = None,
    distro: arguments.Distro = None,
    proof: Annotated[
        bool, typer.Option("--proof", help="Show what proves each task's grader instead.")
    ] = False,
    json: arguments.Json = False,
) -> None:
    """Show a lab's story and its tasks with their points.

    For an instance that is up, its own names and addresses are shown, unless others are asked for.
    """
    context = Context.from_environment()
    language = output.language(lang)
    the_lab = context.lab(lab)
    wished = is_path(lab) or seed is not None or distro is not None
    record = None if wished else context.store.find(lab)
    plan = (
        record.plan
        if record
        else context.plan(the_lab, seed=seed or "", distro=context.distro(distro or DEFAULT_DISTRO))
    )
    text = context.text(the_lab, plan, language)
    if proof:
        _show_proof(the_lab, text, language, json=json)
        return
    tasks = [
        {
            "id": task.id,
            "title": text.tasks[task.id].title,
            "points": task.points,
            "needs": task.needs,
            "text": text.tasks[task.id].body,
        }
        for task in the_lab.tasks
    ]
    if json:
        output.json_data(
            {
                "schema": 1,
                "id": the_lab.id,
                "title": text.title,
                "objectives": the_lab.objectives,
                "minutes": the_lab.minutes,
                "story": text.story,
                "then_and_now": text.then_and_now,
                "machines": plan.machines,
                "tasks": tasks,
            }
        )
        return
    from lpiclab.story import render_story  # noqa: PLC0415 - only for people

    output.data(render_story(the_lab, text, language))


def _show_proof(lab: Lab, text: LabText, language: Language, *, json: bool) -> None:
    from lpiclab.labs import proved  # noqa: PLC0415 - only here

    if json:
        output.json_data({"schema": 1, "id": lab.id, "tasks": proved.proofs(lab)})
        return
    titles = {task: words.title for task, words in text.tasks.items()}
    output.data(proved.proof_text(lab, titles, language))


def status(json: arguments.Json = False) -> None:
    """Show the instances: machines, state, how long, memory, disk."""
    from lpiclab.engine.status import look  # noqa: PLC0415 - only where instances are at hand

    found = look(Context.from_environment())
    if json:
        output.json_data({"schema": 1, "instances": found})
        return
    if not found:
        output.talk("nothing is up")
        return
    rows = []
    for instance in found:
        for name, machine in instance.machines.items():
            state = (
                machine.state.value if instance.phase == "ready" else f"{machine.state.value} (half set up)"
            )
            rows.append(
                [
                    instance.id,
                    name,
                    state,
                    _duration(instance.up_seconds),
                    _mib(machine.memory_bytes),
                    _mib(machine.disk_bytes),
                    instance.distro,
                    instance.seed or "-",
                ]
            )
        if not instance.machines:
            rows.append([instance.id, "-", instance.phase, "-", "-", "-", "-", "-"])
    heads = ["INSTANCE", "MACHINE", "STATE", "SINCE", "MEMORY", "DISK", "DISTRO", "SEED"]
    output.data(output.table(rows, heads))
    for instance in found:
        if instance.problem:
            output.talk(f"{instance.id}: {instance.problem}")


def doctor(provider: arguments.Provider = None, json: arguments.Json = False) -> None:
    """Look for all that the tool needs.

    That is the provider qemu, unless another is named. Says what each thing means, and what mends it
    where it is missing.
    """
    from lpiclab.engine.doctor import examine  # noqa: PLC0415 - only here

    findings = examine(Context.from_environment(), provider)
    sound = all(finding.state != "missing" for finding in findings)
    if json:
        output.json_data({"schema": 1, "ok": sound, "findings": findings})
    else:
        for finding in findings:
            output.data(f"{finding.state.upper():8} {finding.name}: {finding.meaning}")
            if finding.mend:
                output.data(f"{'':8}   mend: {finding.mend}")
    raise typer.Exit(ExitCode.OK if sound else ExitCode.MACHINERY)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _mib(count: int) -> str:
    return f"{count >> 20} MiB" if count else "-"
