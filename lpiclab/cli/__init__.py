"""The command line: parses, calls one use case, shows its result."""

from __future__ import annotations

import signal


def main() -> None:
    """Run the command line and exit with its status."""
    # Who is asked to end, by a time limit or a service manager, clears away as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    from lpiclab.cli.entry import run  # noqa: PLC0415 - the package itself stays importable without typer

    run()
