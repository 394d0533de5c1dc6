"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lpiclab.engine.context import instance_of
from lpiclab.errors import UsageError
from lpiclab.model import LANGUAGES
from lpiclab.names import nearest

Lab = Annotated[str, typer.Argument(metavar="LAB", help="A lab, LAB@NAME for one more of it, or its folder.")]
Instance = Annotated[
    str,
    typer.Argument(metavar="LAB", help="A lab that is up, or its LAB@NAME or folder.", callback=instance_of),
]
Machine = Annotated[str | None, typer.Argument(metavar="[MACHINE]", help="The first machine by default.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document for programs.")]


def _language(asked: str | None) -> str | None:
    if asked is not None and asked not in LANGUAGES:
        raise UsageError(f'no language is called "{asked}"', hint=nearest(asked, LANGUAGES))
    return asked


Lang = Annotated[
    str | None,
    typer.Option(
        "--lang", metavar="ja|en", help="Language; by default that of your locale.", callback=_language
    ),
]
Distro = Annotated[
    str | None, typer.Option("--distro", metavar="ID", help="Distribution, such as debian-12.")
]
Provider = Annotated[str | None, typer.Option("--provider", metavar="NAME", help="Who makes the machines.")]
Inventory = Annotated[
    Path | None,
    typer.Option("--inventory", metavar="FILE", help="Machines that exist already, for the provider ssh."),
]
Seed = Annotated[
    str | None,
    typer.Option("--seed", metavar="TEXT", help="Draws names and addresses; without: the slides'."),
]
