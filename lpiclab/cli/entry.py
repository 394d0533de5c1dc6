"""Run the application and turn every way it can end into an exit code and one message."""

from __future__ import annotations

import errno
import os
import sys

from lpiclab.cli import output
from lpiclab.errors import ExitCode, LpiclabError, MachineryError

_HOST_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
"""What is this host's trouble, and never a mistake of ours."""


def run() -> None:
    """Run the command line; each failure is printed once, here."""
    try:
        from lpiclab.cli.app import app  # noqa: PLC0415 - inside, so that Ctrl-C while importing is caught

        app()
    except LpiclabError as error:
        _show(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        output.talk("\ninterrupted")
        sys.exit(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has had enough; keep the interpreter from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.OK)
    except Exception as error:  # noqa: BLE001 - a bug: the user gets one line, the author the traceback
        if isinstance(error, OSError) and error.errno in _HOST_ERRORS:
            full = error.errno in {errno.ENOSPC, errno.EDQUOT}
            hint = "`lpiclab image prune` and `lpiclab snapshot rm` make space" if full else ""
            _show(MachineryError(str(error), hint=hint))
            sys.exit(ExitCode.MACHINERY)
        sys.exit(_bug())


def _show(error: LpiclabError) -> None:
    output.talk(f"{output.red('error:')} {error.message}")
    if error.details:
        output.talk("\n" + "\n".join(f"    {line}" for line in error.details.splitlines()))
    if error.hint:
        output.talk(f"\n{output.bold('hint:')} {error.hint}")


def _bug() -> ExitCode:
    import tempfile  # noqa: PLC0415 - only for a bug
    import traceback  # noqa: PLC0415 - the same

    with tempfile.NamedTemporaryFile("w", prefix="lpiclab-bug-", suffix=".txt", delete=False) as file:
        file.write(traceback.format_exc())
    output.talk(
        f"{output.red('error:')} this is a bug in lpiclab; please report it with the file {file.name}"
    )
    return ExitCode.BUG
