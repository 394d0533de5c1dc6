"""The commands. Each parses, calls one use case and shows what it returns."""

from __future__ import annotations

from typing import Annotated

import typer

from lpiclab.cli import author, learn, show, snapshots
from lpiclab.cli.check import check
from lpiclab.cli.images import images_app

app = typer.Typer(
    name="lpiclab",
    help="Hands-on labs for LPIC level 2, on real virtual machines, graded.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("list")(show.list_labs)
app.command("show")(show.show_lab)
app.command("up")(learn.up)
app.command("status")(show.status)
app.command("ssh", context_settings={"ignore_unknown_options": True})(learn.ssh)
app.command("console")(learn.console)
app.command("check")(check)
app.command("hint")(learn.hint)
app.command("solve")(learn.solve)
app.command("reset")(learn.reset)
app.command("restart")(learn.restart)
app.command("rewind")(snapshots.rewind)
app.add_typer(snapshots.snapshots_app, name="snapshot")
app.command("suspend")(snapshots.suspend)
app.command("resume")(snapshots.resume)
app.command("down")(learn.down)
app.add_typer(images_app, name="image")
app.command("doctor")(show.doctor)
app.add_typer(author.lab_app, name="lab")
app.command("lint")(author.lint)
app.command("test")(author.prove)
app.command("schema")(author.schema)


def _version(asked: bool) -> None:
    if asked:
        from lpiclab import __version__  # noqa: PLC0415 - only when asked
        from lpiclab.cli import output  # noqa: PLC0415 - only when asked

        output.data(f"lpiclab {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Take what comes before the command."""
