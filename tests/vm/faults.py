"""Run the command line, and fail at one of its steps: `faults.py kill|full NUMBER WITHIN WORDS…`.

A step is a call of one of the functions below, which change files or machines. At the step with the
given number the process is killed (``kill``), or the disk is full (``full``, only where something is
written). With ``making`` as WITHIN only steps count that are taken while a template is made, with ``-``
all do. Exit status 99 says that there were fewer steps.

``fork INSTANCE`` instead of words of the command line makes a fork and removes it, as `check` does.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import pathlib
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

from qemu.qmp import QMPClient

from lpiclab import files, integrity
from lpiclab.cli import main
from lpiclab.engine.context import Context
from lpiclab.engine.forking import Reach
from lpiclab.errors import LpiclabError
from lpiclab.providers.qemu import (
    disk,
    frozen,
    generation,
    guestport,
    launch,
    making,
    monitor,
    process,
    snapshots,
    templates,
)
from lpiclab.wait import Deadline

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
OTHERS: dict[object, tuple[str, ...]] = {
    guestport.GuestPort: ("awake", "identify"),
    making: ("kill_in",),
    monitor: ("read_state",),
    process: ("kill",),
    shutil: ("rmtree",),
}
NOT_REACHED = 99
_RENAME = pathlib.Path.rename
_LIKE_THE_KEY = {"key.pub", "individual", "identified", "host_key", "host_key.pub", "origin"}
_LIMIT_S = 120.0
_seen = 0
_counting = True


def _step(kind: str, number: int) -> None:
    global _seen  # noqa: PLW0603 - one count for all steps
    _seen += _counting
    if _counting and _seen == number:
        if kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _failing(function: Callable[..., Any], kind: str, number: int) -> Callable[..., Any]:
    @functools.wraps(function)
    def step(*words: object, **named: object) -> object:
        if not _one_of_several(function, words):
            _step(kind, number)
        return function(*words, **named)

    return step


def _one_of_several(function: Callable[..., Any], words: tuple[Any, ...]) -> bool:
    """Tell of copying or moving files of which it makes no difference at which of them that fails."""
    if function not in {integrity.copy_sparse, _RENAME}:
        return False
    return words[0].name in _LIKE_THE_KEY or (words[0].suffix == ".qcow2" and words[0].name != "sda.qcow2")


def _failing_at_cont(execute: Callable[..., Any], kind: str, number: int) -> Callable[..., Any]:
    @functools.wraps(execute)
    def step(client: QMPClient, command: str, *words: object) -> object:
        if command == "cont":
            _step(kind, number)
        return execute(client, command, *words)

    return step


def _count_within(making_one: Callable[..., Any]) -> Callable[..., Any]:
    @contextlib.contextmanager
    def counted(*words: object) -> Iterator[pathlib.Path]:
        global _counting  # noqa: PLW0603 - the same count
        with making_one(*words) as part:
            _counting = True
            yield part
        _counting = False

    return counted


def _fork(instance_id: str) -> None:
    context = Context.from_environment()
    with context.store.lock(instance_id, "fork", print):
        record = context.record(instance_id)
        make = Reach(context.provider(record), context.instance(record)).forker
        assert make
        try:
            with make(Deadline.after(_LIMIT_S)):
                pass
        except LpiclabError as error:
            print(error, file=sys.stderr)  # noqa: T201 - as the command line does
            sys.exit(error.exit_code)


def _run(kind: str, number: int, within: str, words: list[str]) -> None:
    global _counting  # noqa: PLW0603 - the same count
    steps = [*WRITING.items(), *(OTHERS.items() if kind == "kill" else ())]
    for owner, names in steps:
        for name in names:
            setattr(owner, name, _failing(getattr(owner, name), kind, number))
    if kind == "kill":
        setattr(QMPClient, "execute", _failing_at_cont(QMPClient.execute, kind, number))  # noqa: B010 - mypy
    if within == "making":
        _counting = False
        setattr(templates.Templates, "making", _count_within(templates.Templates.making))  # noqa: B010 - mypy
    sys.argv = ["lpiclab", *words]
    try:
        if words[0] == "fork":
            _fork(words[1])
        else:
            main()
    finally:
        if _seen < number:
            os._exit(NOT_REACHED)


_run(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:])
