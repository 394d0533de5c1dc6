"""Run the command line, and fail at one of its steps: `faults.py kill|full NUMBER WORDS…`.

A step is a call of one of the functions below, which change files or machines. At the step with the
given number the process is killed (``kill``), or the disk is full (``full``, only where something is
written). Exit status 99 says that there were fewer steps.
"""

from __future__ import annotations

import errno
import functools
import os
import pathlib
import signal
import sys
from collections.abc import Callable
from typing import Any

from lpiclab import files
from lpiclab.cli import main
from lpiclab.providers.qemu import (
    disk,
    frozen,
    generation,
    launch,
    making,
    monitor,
    process,
    snapshots,
    templates,
)

WRITING: dict[object, tuple[str, ...]] = {
    files: ("write_private",),
    frozen: ("seal", "copy_sparse", "write_private"),
    generation: ("adopt",),
    launch: ("spawn", "write_private"),
    making: ("individual", "copy_sparse"),
    disk: ("ensure_overlay",),
    monitor: ("write_state",),
    snapshots: ("copy_sparse", "private_folder"),
    templates: ("private_folder",),
    pathlib.Path: ("rename",),
}
OTHERS: dict[object, tuple[str, ...]] = {making: ("kill_in",), monitor: ("read_state",), process: ("kill",)}
NOT_REACHED = 99
_seen = 0


def _failing(function: Callable[..., Any], kind: str, number: int) -> Callable[..., Any]:
    @functools.wraps(function)
    def step(*words: object, **named: object) -> object:
        global _seen  # noqa: PLW0603 - one count for all steps
        _seen += 1
        if _seen == number:
            if kind == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return function(*words, **named)

    return step


def _run() -> None:
    kind, number = sys.argv[1], int(sys.argv[2])
    steps = [*WRITING.items(), *(OTHERS.items() if kind == "kill" else ())]
    for owner, names in steps:
        for name in names:
            setattr(owner, name, _failing(getattr(owner, name), kind, number))
    sys.argv = ["lpiclab", *sys.argv[3:]]
    try:
        main()
    finally:
        if _seen < number:
            os._exit(NOT_REACHED)


_run()
