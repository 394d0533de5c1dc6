"""Do several things at once, and leave at the first failure."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def together(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Run each job in a thread of its own and return their results in order.

    The first failure, or an interrupt, is raised at once; jobs still at work are left to fail by
    themselves when their connections are closed, and don't keep the process alive.
    """
    done: queue.SimpleQueue[tuple[int, T | None, BaseException | None]] = queue.SimpleQueue()

    def work(index: int, job: Callable[[], T]) -> None:
        try:
            done.put((index, job(), None))
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            done.put((index, None, error))

    for index, job in enumerate(jobs):
        threading.Thread(target=work, args=(index, job), daemon=True).start()
    results: dict[int, T] = {}
    for _ in jobs:
        index, result, error = done.get()
        if error is not None:
            raise error
        results[index] = result  # type: ignore[assignment]  # a job without an error has a result
    return [results[index] for index in range(len(jobs))]
