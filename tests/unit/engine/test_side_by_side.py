"""Tests of proving side by side (`engine.side_by_side`): what is done with what the processes say."""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection

import pytest

from lpiclab.engine import side_by_side
from lpiclab.engine.proof import Proof
from lpiclab.errors import ProviderError, ToolFailed

PROOFS = [Proof(lab="web", step=step, problems=()) for step in ("fresh", "solution")]


class _Ended:
    """A process that has ended."""

    def __init__(self, exitcode: int) -> None:
        self.exitcode = exitcode

    def join(self) -> None:
        """Return at once."""


def _said(*what: object, exitcode: int = 0) -> tuple[Connection, _Ended]:
    ours, theirs = multiprocessing.Pipe(duplex=False)
    for each in what:
        theirs.send(each)
    theirs.close()
    return ours, _Ended(exitcode)


def test_proofs_of_all_processes_come_out() -> None:
    """What each process proved is yielded, until all have ended."""
    workers = dict([_said(PROOFS[0]), _said(PROOFS[1]), _said()])
    assert {proof.step for proof in side_by_side._proofs(workers)} == {"fresh", "solution"}


def test_error_of_a_process_is_raised() -> None:
    """What ended a process's work comes out as it was, with its hint."""
    workers = dict([_said(ProviderError("no memory", hint="down"))])
    with pytest.raises(ProviderError, match="no memory") as caught:
        list(side_by_side._proofs(workers))
    assert caught.value.hint == "down"


def test_process_that_dies_is_noticed() -> None:
    """A process that was killed is an error, never an endless wait."""
    workers = dict([_said(PROOFS[0], exitcode=-9)])
    with pytest.raises(ToolFailed, match="status -9"):
        list(side_by_side._proofs(workers))
