"""The command line: parses, calls one use case, shows its result."""

from __future__ import annotations


def main() -> None:
    """Run the command line and exit with its status."""
    from lpiclab.cli.entry import run  # noqa: PLC0415 - the package itself stays importable without typer

    run()
