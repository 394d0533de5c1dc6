"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from lpiclab.engine.context import instance_of

Lab = Annotated[str, typer.Argument(metavar="LAB", help="A lab, LAB@NAME for one more of it, or its folder.")]
Instance = Annotated[
    str,
    typer.Argument(metavar="LAB", help="A lab that is up, or its LAB@NAME or folder.", callback=instance_of),
]
Machine = Annotated[str | None, typer.Argument(metavar="[MACHINE]", help="The first machine by default.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document for programs.")]
Lang = Annotated[
    str | None, typer.Option("--lang", metavar="ja|en", help="Language; by default that of your locale.")
]
Distro = Annotated[
    str | None, typer.Option("--distro", metavar="ID", help="Distribution, such as debian-12.")
]
Provider = Annotated[str | None, typer.Option("--provider", metavar="NAME", help="Who makes the machines.")]
Seed = Annotated[
    str | None,
    typer.Option("--seed", metavar="TEXT", help="Draws names and addresses; without: the slides'."),
]
