"""The disk images: build, list, remove."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from lpiclab.cli import arguments, output
from lpiclab.engine.context import DEFAULT_DISTRO, Context
from lpiclab.providers.base import Kept

images_app = typer.Typer(help="Build, list and remove disk images.", no_args_is_help=True)


@images_app.command("build")
def build(
    distro: Annotated[str, typer.Argument(metavar="[ID]", help="Distribution.")] = DEFAULT_DISTRO,
    anew: Annotated[bool, typer.Option("--anew", help="Build it even if it is there.")] = False,
) -> None:
    """Build a distribution's image."""
    from lpiclab.engine import stock  # noqa: PLC0415 - what builds images costs 15 ms

    image = stock.build(Context.from_environment(output.Steps()), distro, anew=anew)
    output.data(str(image.folder))


@images_app.command("box")
def box(
    distro: Annotated[str, typer.Argument(metavar="[ID]", help="Distribution.")] = DEFAULT_DISTRO,
    kind: Annotated[
        str, typer.Option("--for", metavar="libvirt|virtualbox", help="Vagrant's provider.")
    ] = "libvirt",
    output_file: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Where to; else to the current folder.")
    ] = None,
) -> None:
    """Pack a distribution's image as a box for Vagrant.

    For places without internet: carry the file there, and add it.
    """
    from lpiclab.engine import stock  # noqa: PLC0415 - what builds images costs 15 ms

    file, name = stock.box(Context.from_environment(output.Steps()), distro, kind, output_file)
    output.data(str(file))
    output.talk(f"add it where it is to be used: vagrant box add --name {name} {shlex.quote(str(file))}")


@images_app.command("list")
def list_images(json: arguments.Json = False) -> None:
    """List images and templates, with their sizes.

    Each is read as a whole and compared with its digests.
    """
    from lpiclab.engine import stock  # noqa: PLC0415 - what builds images costs 15 ms

    context = Context.from_environment()
    found, templates = stock.listing(context), stock.templates(context, thorough=True)
    if json:
        output.json_data({"schema": 1, "images": found, "templates": templates})
        return
    if not found and not templates:
        output.talk("no images; the first `lpiclab up` builds one")
        return
    rows = [
        ["image", image.folder.name, image.created, f"{image.size_bytes >> 20} MiB", image.problem or "sound"]
        for image in found
    ]
    rows += [
        ["template", each.name, each.created, f"{each.size_bytes >> 20} MiB", each.problem or _used(each)]
        for each in templates
    ]
    output.data(output.table(rows, ["KIND", "NAME", "CREATED", "SIZE", "STATE"]))


@images_app.command("rm")
def remove(name: Annotated[str, typer.Argument(help="A distribution, or a name of the list.")]) -> None:
    """Remove images with their templates, or a template.

    Never one that machines stand on.
    """
    from lpiclab.engine import stock  # noqa: PLC0415 - what builds images costs 15 ms

    for gone in stock.remove(Context.from_environment(output.talk), name):
        output.talk(f"removed {gone}")


@images_app.command("prune")
def prune(
    keep_mib: Annotated[
        int, typer.Option("--keep-mib", min=0, help="How much all templates together may take.")
    ] = 4096,
) -> None:
    """Remove the templates unused longest, until the rest fit.

    Never one that machines stand on.
    """
    from lpiclab.engine import stock  # noqa: PLC0415 - what builds images costs 15 ms

    gone = stock.prune(Context.from_environment(output.talk), keep_mib=keep_mib)
    for name in gone:
        output.talk(f"removed {name}")
    if not gone:
        output.talk("nothing had to go")


def _used(template: Kept) -> str:
    return f"in use by {', '.join(template.users)}" if template.users else "sound"
