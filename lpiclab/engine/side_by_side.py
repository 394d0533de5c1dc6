"""Prove parts of labs' contracts in several processes at once, each with machines of its own.

Processes, not threads: checks run under pytest, and there can be one pytest in a process.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from multiprocessing.queues import Queue
from typing import NoReturn, Protocol

from lpiclab.engine import contract
from lpiclab.engine.context import Context
from lpiclab.engine.contract import Part
from lpiclab.engine.lifecycle import Wish
from lpiclab.engine.proof import Proof
from lpiclab.errors import LpiclabError, ToolFailed


class _Process(Protocol):
    @property
    def exitcode(self) -> int | None: ...

    def join(self) -> None: ...


def prove(wish: Wish, wanted: Iterable[Part], *, jobs: int, quick: bool = False) -> Iterator[Proof]:
    """Yield each step's proof as it is done by one of `jobs` processes.

    Raises:
        LpiclabError: what ended a process's work; the others are stopped, and no machine is left.
    """
    spawn = multiprocessing.get_context("spawn")
    # A pipe of its own for each process: one that dies closes it, and nobody waits for it for ever.
    parts: Queue[Part | None] = spawn.Queue()
    for part in [*wanted, *[None] * jobs]:
        parts.put(part)
    workers: dict[Connection, SpawnProcess] = {}
    try:
        for number in range(1, jobs + 1):
            ours, theirs = spawn.Pipe(duplex=False)
            worker = spawn.Process(
                target=_work,
                args=(os.getpid(), number, wish, parts, theirs),
                kwargs={"quick": quick},
                daemon=True,
            )
            worker.start()
            theirs.close()
            workers[ours] = worker
        yield from _proofs(workers)
    finally:
        for worker in workers.values():
            worker.terminate()
        for worker in workers.values():
            worker.join()
        parts.close()
        parts.cancel_join_thread()


def _proofs(workers: Mapping[Connection, _Process]) -> Iterator[Proof]:
    talking = dict(workers)
    while talking:
        for ours in wait(list(talking)):
            assert isinstance(ours, Connection)  # noqa: S101 - nothing else was waited for
            try:
                said = ours.recv()
            except EOFError:
                worker = talking.pop(ours)
                worker.join()
                if worker.exitcode:
                    raise ToolFailed(
                        f"one of the processes that proved ended with status {worker.exitcode}"
                    ) from None
                continue
            if isinstance(said, LpiclabError):
                raise said
            yield said


def _work(
    parent: int, number: int, wish: Wish, parts: Queue[Part | None], results: Connection, *, quick: bool
) -> None:
    """Take parts until there are no more, and prove them."""

    def wanted() -> Iterator[Part]:
        # A parent that was killed can't stop us.
        while os.getppid() == parent and (part := parts.get()) is not None:
            yield part

    # Ctrl-C reaches all processes of a terminal. The parent alone decides: clearing away is not cut off then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _interrupt)
    # Also while an error is sent: the parent may have had enough before.
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        try:
            for proof in contract.prove(
                Context.from_environment(), wish, lambda _: None, wanted(), quick=quick, worker=number
            ):
                results.send(proof)
        except LpiclabError as error:
            results.send(error)


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt
