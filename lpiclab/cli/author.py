"""An author's commands: lint, test, schema."""

from __future__ import annotations

from typing import Annotated

import typer

from lpiclab.cli import arguments, output
from lpiclab.engine.context import DEFAULT_DISTRO, Context
from lpiclab.errors import ExitCode

_Labs = Annotated[list[str] | None, typer.Argument(metavar="[LAB …]", help="Labs or their folders.")]


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
        if not found:
            output.talk(f"{folder.name}: right, and renders for {target.id}")
    if problems:
        output.talk(f"{problems} problem{'s' if problems > 1 else ''}")
        raise typer.Exit(ExitCode.SPEC)


def prove(
    labs: Annotated[list[str], typer.Argument(metavar="LAB …", help="Labs or their folders.")],
    distro: arguments.Distro = None,
    provider: arguments.Provider = None,
    seed: arguments.Seed = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show what the solutions print.")] = False,
) -> None:
    """Prove labs' contract on real machines.

    On fresh machines nothing passes, after each solution all, also after a reboot; each wrong solution fails
    what it should.
    """
    from lpiclab.engine import contract, lifecycle  # noqa: PLC0415 - only here

    steps = output.Steps()
    context = Context.from_environment(steps if verbose else lambda _: None)
    wish = lifecycle.Wish(seed=seed, provider=provider, distro=distro)
    show = output.raw if verbose else lambda _: None
    bad = 0
    for lab in labs:
        for proof in contract.prove(context, lab, wish, show):
            bad += bool(proof.problems)
            output.data(f"{'NOT SO' if proof.problems else 'proved'}  {lab}: {proof.step}")
            for problem in proof.problems:
                output.data(f"        {problem}")
    output.talk(
        "the contract holds" if not bad else f"{bad} step{'s' if bad > 1 else ''} of the contract broken"
    )
    raise typer.Exit(ExitCode.NOT_PASSED if bad else ExitCode.OK)


def schema() -> None:
    """Print the JSON Schema of lab.yaml, for editors."""
    from lpiclab.labs.schema import json_schema  # noqa: PLC0415 - only here

    output.json_data(json_schema())
