"""The sets of faults that a lab's seed can draw, and what each spoils; pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, combinations

from lpiclab.engine.proof import expected
from lpiclab.model import Fault, Lab, Outcome

Combination = tuple[Fault, ...]
NOTHING = "no-fault"


def drawable(lab: Lab) -> Sequence[Combination]:
    """Return all sets of faults that set-up can make, and those that are left as a learner mends them.

    The `always` faults are in each; the smallest come first. Without any there is the sound machine.
    """
    always = tuple(fault for fault in lab.faults if fault.always)
    others = [fault for fault in lab.faults if not fault.always]
    sizes = range(lab.faults_drawn + 1)
    return [always + drawn for drawn in chain.from_iterable(combinations(others, size) for size in sizes)]


def spoilt(faults: Sequence[Fault]) -> frozenset[str]:
    """Return the tasks that can't pass while `faults` are there."""
    return frozenset(task for fault in faults for task in fault.fails)


def id_of(combination: Combination) -> str:
    """Return the ids of a set of faults, with ``+`` between them."""
    return "+".join(fault.id for fault in combination) or NOTHING


def combination(lab: Lab, id_: str) -> Combination:
    """Return a lab's set of faults by what `id_of` gave."""
    return next(each for each in drawable(lab) if id_of(each) == id_)


def several(faults: Sequence[Fault]) -> bool:
    """Tell whether more than one of `faults` was drawn."""
    return sum(not fault.always for fault in faults) > 1


def names(faults: Sequence[Fault]) -> str:
    """Return a set of faults as words for people."""
    words = " and ".join(fault.id for fault in faults)
    return f"fault{'s' if len(faults) > 1 else ''} {words}" if faults else "no fault"


def verdict(lab: Lab, faults: Sequence[Fault]) -> str:
    """Return what a grade has to be while `faults` are there, as words for people."""
    outcomes = expected(lab, spoilt(faults))
    failing = [task for task, outcome in outcomes.items() if outcome is Outcome.FAIL]
    return f"fails {', '.join(failing)}" if failing else "all pass"
