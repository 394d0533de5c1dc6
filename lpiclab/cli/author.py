"""An author's commands: lab new, lint, test, schema."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from lpiclab.cli import arguments, output
from lpiclab.engine.context import DEFAULT_DISTRO, Context
from lpiclab.errors import ExitCode, UsageError

_Labs = Annotated[list[str] | None, typer.Argument(metavar="[LAB …]", help="Labs or their folders.")]


lab_app = typer.Typer(help="Write labs of one's own.", no_args_is_help=True)


@lab_app.command("new")
def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Its name, for a folder here, or the folder's path.")
    ],
) -> None:
    """Make the folder of a new lab, whole and right, with each part of a lab in it once."""
    from lpiclab.engine import authoring  # noqa: PLC0415 - only here

    folder = authoring.new_lab(name)
    place = str(folder) if folder.name != str(folder) else f"./{folder}"
    for file in sorted(each for each in folder.rglob("*") if each.is_file()):
        output.data(str(file))
    output.talk(
        f"\n{folder.name} is a lab that works. Make it yours, with:\n"
        f"  lpiclab lint {place:<20}  are its files right?\n"
        f"  lpiclab up {place:<22}  try it by hand\n"
        f"  lpiclab test {place:<20}  is its grader right?"
    )


def lint(labs: _Labs = None, distro: arguments.Distro = None) -> None:
    """Check that labs' files are right.

    They have to be well-formed, agree with each other and render for the distribution. All labs by default.
    """
    from lpiclab import labs as lab_files  # noqa: PLC0415 - only where labs are read

    context = Context.from_environment()
    target = context.distro(distro or DEFAULT_DISTRO)
    folders = [context.lab_folder(name) for name in labs or []] or list(
        lab_files.lab_folders(context.lab_roots).values()
    )
    problems = 0
    for folder in folders:
        found = lab_files.lint(folder, target, context.template_roots)
        problems += len(found)
        for problem in found:
            output.data(str(problem))
        if found:
            continue
        if reason := lab_files.not_for(folder, target, context.template_roots):
            output.talk(f"{folder.name}: right, but not for the family {target.family}: {reason}")
        else:
            output.talk(f"{folder.name}: right, and renders for {target.id}")
    if problems:
        output.talk(f"{problems} problem{'s' if problems > 1 else ''}")
        raise typer.Exit(ExitCode.SPEC)


def prove(
    labs: Annotated[list[str], typer.Argument(metavar="LAB …", help="Labs or their folders.")],
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="brief|faults|fresh|solutions|mutants|seeds|ID",
            help="These parts, or this solution or mutant; may be said more than once.",
        ),
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, metavar="N", help="So many parts side by side.")
    ] = 1,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help="No pairs of faults; reboots and forks for the reference, and where nothing else tells.",
        ),
    ] = False,
    seeds: Annotated[
        int,
        typer.Option("--seeds", min=0, metavar="N", help="The start and the reference with N seeds, too."),
    ] = 0,
    distro: arguments.Distro = None,
    provider: arguments.Provider = None,
    inventory: arguments.Inventory = None,
    seed: arguments.Seed = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show what the solutions print.")] = False,
) -> None:
    """Prove labs' contract on real machines.

    On fresh machines nothing passes, after each solution all, also after a reboot; each wrong solution fails
    what it should.
    """
    from lpiclab.engine import contract, lifecycle, side_by_side  # noqa: PLC0415 - only here

    if verbose and jobs > 1:
        raise UsageError(
            "--verbose shows one machine's words, and -j is several", hint="leave one of them out"
        )
    if inventory and jobs > 1:
        raise UsageError("an inventory has the machines of one part, and -j is several", hint="leave -j out")
    steps = output.Steps()
    context = Context.from_environment(steps if verbose else lambda _: None)
    wish = lifecycle.Wish(seed=seed, provider=provider, distro=distro, inventory=inventory)
    parts = [
        part
        for name in labs
        for part in contract.parts(context.lab_on(name, distro), name, only or [], quick=quick, seeds=seeds)
    ]
    if jobs > 1:
        proofs = side_by_side.prove(wish, parts, jobs=min(jobs, len(parts)), quick=quick)
    else:
        show = output.raw if verbose else lambda _: None
        proofs = contract.prove(context, wish, show, parts, quick=quick)
    done = bad = 0
    began_s = time.monotonic()
    for proof in proofs:
        done += 1
        bad += bool(proof.problems)
        output.data(f"{'NOT SO' if proof.problems else 'proved'}  {proof.lab}: {proof.step}")
        for problem in proof.problems:
            output.data(f"        {problem}")
    output.talk(f"{_verdict(done, bad, whole=not only)} · {time.monotonic() - began_s:.0f} s")
    raise typer.Exit(ExitCode.NOT_PASSED if bad else ExitCode.OK)


def _verdict(done: int, bad: int, *, whole: bool) -> str:
    steps = f"{done} step{'s' if done > 1 else ''}"
    if bad:
        return f"{bad} of {steps} of the contract broken"
    return f"the contract holds: {steps}" if whole else f"proved, of the contract: {steps}"


def schema() -> None:
    """Print the JSON Schema of lab.yaml, for editors."""
    from lpiclab.labs.schema import json_schema  # noqa: PLC0415 - only here

    output.json_data(json_schema())
