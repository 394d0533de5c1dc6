"""The disk images: build, list, remove."""

from __future__ import annotations

from typing import Annotated

import typer

from lpiclab.cli import arguments, output
from lpiclab.engine import stock
from lpiclab.engine.context import DEFAULT_DISTRO, Context

images_app = typer.Typer(help="Build, list and remove disk images.", no_args_is_help=True)


@images_app.command("build")
def build(
    distro: Annotated[str, typer.Argument(metavar="[ID]", help="Distribution.")] = DEFAULT_DISTRO,
    anew: Annotated[bool, typer.Option("--anew", help="Build it even if it is there.")] = False,
) -> None:
    """Build a distribution's image."""
    image = stock.build(Context.from_environment(output.Steps()), distro, anew=anew)
    output.data(str(image.folder))


@images_app.command("list")
def list_images(json: arguments.Json = False) -> None:
    """List the images, with their sizes; each is read as a whole and compared with its digests."""
    found = stock.listing(Context.from_environment())
    if json:
        output.json_data({"schema": 1, "images": found})
        return
    if not found:
        output.talk("no images; the first `lpiclab up` builds one")
        return
    rows = [
        [image.folder.name, image.created, f"{image.size_bytes >> 20} MiB", image.problem or "sound"]
        for image in found
    ]
    output.data(output.table(rows, ["IMAGE", "CREATED", "SIZE", "STATE"]))


@images_app.command("rm")
def remove(name: Annotated[str, typer.Argument(help="A distribution, or an image of the list.")]) -> None:
    """Remove images; never one that an instance's machines stand on."""
    for image in stock.remove(Context.from_environment(output.talk), name):
        output.talk(f"removed {image.folder.name}")
