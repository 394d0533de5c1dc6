"""Snapshots of an instance: save, restore, list, rm; rewind, suspend, resume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from lpiclab.cli import arguments, output
from lpiclab.engine.context import Context
from lpiclab.providers.base import Snapshot

snapshots_app = typer.Typer(
    help="Keep a lab's machines as they are, and go back to it.", no_args_is_help=True
)
_Name = Annotated[str, typer.Argument(metavar="[NAME]", help="The snapshot's name.")]
_Known = Annotated[str, typer.Argument(metavar="NAME", help="A snapshot of the list.")]
_DEFAULT = "saved"


@snapshots_app.command("save")
def save(lab: arguments.Instance, name: _Name = _DEFAULT) -> None:
    """Keep a lab as it is.

    Its machines stand still for about a second.
    """
    from lpiclab.engine import keeping  # noqa: PLC0415 - only here

    seconds = keeping.save_as(Context.from_environment(output.Steps()), lab, name)
    output.talk(f"{lab} is kept as {name}; its machines stood still for {seconds:.1f} s")


@snapshots_app.command("restore")
def restore(lab: arguments.Instance, name: _Name = _DEFAULT) -> None:
    """Go back to a snapshot; what was done since is lost."""
    from lpiclab.engine import keeping  # noqa: PLC0415 - only here

    keeping.go_back(Context.from_environment(output.Steps()), lab, name)
    output.talk(f"{lab} is what it was as {name}")


@snapshots_app.command("list")
def list_snapshots(lab: arguments.Instance, json: arguments.Json = False) -> None:
    """List a lab's snapshots, the oldest first."""
    from lpiclab.engine import keeping  # noqa: PLC0415 - only here

    _show(keeping.listing(Context.from_environment(), lab), json=json)


@snapshots_app.command("rm")
def remove(lab: arguments.Instance, name: _Known) -> None:
    """Remove a snapshot."""
    from lpiclab.engine import keeping  # noqa: PLC0415 - only here

    keeping.forget(Context.from_environment(output.Steps()), lab, name)
    output.talk(f"{name} is removed")


def rewind(
    lab: arguments.Instance,
    show: Annotated[bool, typer.Option("--list", help="Only show what there is to go back to.")] = False,
    json: arguments.Json = False,
) -> None:
    """Go back to when a task last turned green.

    `check` keeps the state then.
    """
    from lpiclab.engine import keeping  # noqa: PLC0415 - only here

    context = Context.from_environment(output.Steps())
    if show or json:
        _show(keeping.greens(context, lab), json=json)
        return
    found = keeping.rewind(context, lab)
    output.talk(f"{lab} is what it was when this turned green: {found.title}")


def suspend(lab: arguments.Instance) -> None:
    """Stop a lab's machines as they are.

    They can go on later, also after a reboot of this host.
    """
    from lpiclab.engine import keeping  # noqa: PLC0415 - only here

    keeping.suspend(Context.from_environment(output.Steps()), lab)
    output.talk(f"{lab} is suspended; `lpiclab resume {lab}` lets it go on")


def resume(lab: arguments.Instance) -> None:
    """Let a suspended lab go on."""
    from lpiclab.engine import keeping  # noqa: PLC0415 - only here

    keeping.resume(Context.from_environment(output.Steps()), lab)
    output.talk(f"{lab} goes on")


def _show(found: Sequence[Snapshot], *, json: bool) -> None:
    if json:
        output.json_data({"schema": 1, "snapshots": found})
        return
    if not found:
        output.talk("no snapshots")
        return
    rows = [
        [each.name, each.created, f"{each.size_bytes >> 20} MiB", each.problem or each.title or "-"]
        for each in found
    ]
    output.data(output.table(rows, ["SNAPSHOT", "CREATED", "SIZE", "WHAT"]))
