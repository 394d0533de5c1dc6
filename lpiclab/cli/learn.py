"""A learner's commands: up, ssh, console, hint, solve, reset, restart, down."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lpiclab.cli import arguments, output
from lpiclab.engine.context import Context, instance_of
from lpiclab.errors import ExitCode, LpiclabError, UsageError


def _context() -> Context:
    return Context.from_environment(output.Steps())


def up(
    lab: arguments.Lab,
    seed: arguments.Seed = None,
    provider: arguments.Provider = None,
    distro: arguments.Distro = None,
    inventory: arguments.Inventory = None,
    lang: arguments.Lang = None,
) -> None:
    """Start a lab's machines, set up and ready."""
    from lpiclab.engine import lifecycle  # noqa: PLC0415 - only where instances are at hand
    from lpiclab.story import render_tasks  # noqa: PLC0415 - only here

    context = _context()
    wish = lifecycle.Wish(seed=seed, provider=provider, distro=distro, inventory=inventory)
    record = lifecycle.up(context, lab, wish)
    the_lab = context.lab_of(record)
    language = output.language(lang)
    text = context.text(the_lab, record.plan, language)
    output.talk(f"\n{output.bold(text.title)}\n")
    output.talk(render_tasks(the_lab, text, language))
    machines = [machine.name for machine in record.plan.machines]
    more = f" [{'|'.join(machines)}]" if len(machines) > 1 else ""
    endpoint = context.provider(record).endpoint(context.instance(record), machines[0])
    sudo = "" if endpoint.learner == "root" else " (sudo without a password)"
    output.talk(
        f"\n{record.id} is ready. Go on with:\n"
        f"  lpiclab ssh {record.id}{more:<12}  a shell as {endpoint.learner}{sudo}\n"
        f"  lpiclab show {record.id}{'':<11}  the story and the tasks\n"
        f"  lpiclab check {record.id}{'':<10}  grade what you did\n"
        f"  lpiclab down {record.id}{'':<11}  {'give it back' if endpoint.inventoried else 'remove it'}"
    )


def ssh(
    lab: arguments.Instance,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MACHINE] [-- COMMAND …]", help="The first machine, and a shell, by default."
        ),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            "--user", "-u", metavar="NAME", help="Log in as this user, not as student or the inventory's."
        ),
    ] = None,
) -> None:
    """Open a shell on a machine, or run a command there.

    A command's exit status is that of this one.
    """
    from lpiclab.engine import access  # noqa: PLC0415 - only here

    machine, command = _machine_and_command(words or [], sys.argv)
    raise typer.Exit(access.shell(Context.from_environment(), lab, machine, user, command))


def _machine_and_command(words: list[str], typed: list[str]) -> tuple[str | None, list[str]]:
    """Split what follows the lab: the parser drops the ``--``, so it is looked up in what was typed."""
    if "--" in typed:
        command = typed[typed.index("--") + 1 :]
        words = words[: len(words) - len(command)]
        if len(words) > 1:
            raise UsageError("name one machine, then -- and the command")
        return (words[0] if words else None), command
    return (words[0] if words else None), words[1:]


def console(lab: arguments.Instance, machine: arguments.Machine = None) -> None:
    """Join a machine's serial console; Ctrl-] leaves it."""
    from lpiclab.engine import access  # noqa: PLC0415 - only here

    output.talk("Ctrl-] leaves the console; press Enter if nothing shows")
    access.console(Context.from_environment(), lab, machine)


def hint(lab: arguments.Instance, task: str, lang: arguments.Lang = None) -> None:
    """Show a task's next hint, from gentle to nearly the answer."""
    from lpiclab.engine import grading  # noqa: PLC0415 - only here

    text, number, count = grading.hint(Context.from_environment(), lab, task, output.language(lang))
    output.data(f"({number}/{count}) {text}")


def solve(lab: arguments.Instance) -> None:
    """Run the reference solution, visibly."""
    from lpiclab.engine import grading  # noqa: PLC0415 - only here

    grading.solve(_context(), lab, output.raw)
    output.talk(f"\nsolved; `lpiclab check {lab}` grades it")


def reset(lab: arguments.Instance) -> None:
    """Bring a lab back to its start.

    What was done on its machines is lost.
    """
    from lpiclab.engine import lifecycle  # noqa: PLC0415 - only where instances are at hand

    lifecycle.reset(_context(), lab)
    output.talk(f"{lab} is back at its start")


def restart(
    lab: arguments.Instance,
    machine: Annotated[str | None, typer.Argument(metavar="[MACHINE]", help="All by default.")] = None,
) -> None:
    """Reboot one machine, or all of a lab, for real."""
    from lpiclab.engine import lifecycle  # noqa: PLC0415 - only where instances are at hand

    lifecycle.restart(_context(), lab, machine)
    output.talk("rebooted")


def down(
    lab: Annotated[str | None, typer.Argument(metavar="LAB", help="What to remove.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Remove every instance.")] = False,
) -> None:
    """Remove a lab's machines and everything of them.

    Machines of an inventory are given back as they were.
    """
    from lpiclab.engine import lifecycle  # noqa: PLC0415 - only where instances are at hand

    if (lab is None) != everything:
        raise UsageError("name one lab, or say --all")
    context = Context.from_environment(output.talk)
    failures = 0
    for name in [instance_of(lab)] if lab else context.store.ids():
        try:
            lifecycle.down(context, name)
            output.talk(f"{name} is gone")
        except LpiclabError as error:
            if not everything:
                raise
            failures += 1
            output.talk(f"{name}: {error.message}")
    if failures:
        raise typer.Exit(ExitCode.MACHINERY)
