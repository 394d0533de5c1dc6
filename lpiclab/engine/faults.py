"""Prove the faults of a lab: all that a seed can draw, and less, spoils its tasks and can be cured.

The sound set-up is made once. Each combination of faults begins there, as the provider has kept it,
so that only the faults' own steps, two gradings and the reference solution take time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

from lpiclab import params
from lpiclab.engine import grading, lifecycle
from lpiclab.engine.context import Context
from lpiclab.engine.lifecycle import Wish
from lpiclab.engine.proof import Proof, expected, not_as, not_passing
from lpiclab.model import Fault, Lab, Outcome, Report
from lpiclab.state import Record

Combination = tuple[Fault, ...]


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


def untouched(lab: Lab, record: Record, report: Report) -> Proof:
    """Prove that an instance as it is set up fails what the faults of its seed spoil."""
    drawn = params.draw_faults(lab, record.plan.seed)
    return Proof(
        step=f"fresh, with {_names(drawn)}: {_verdict(lab, drawn)}",
        problems=not_as(lab, spoilt(drawn), report),
    )


def proofs(
    context: Context, lab: Lab, instance_id: str, wish: Wish, show: Callable[[bytes], None]
) -> Iterator[Proof]:
    """Yield the proofs of all combinations, on an instance that the caller has to remove."""
    sound = replace(lab, faults=(), faults_drawn=0)
    record = lifecycle.make(context, instance_id, sound, wish)
    run = _Run(context, lab, sound, record, show)
    for number, faults in enumerate(drawable(lab)):
        yield from run.proofs(faults, fresh=number == 0)


@dataclass(frozen=True, slots=True)
class _Run:
    context: Context
    lab: Lab
    sound: Lab
    record: Record
    show: Callable[[bytes], None]

    def proofs(self, faults: Combination, *, fresh: bool = False) -> Iterator[Proof]:
        """Break the sound machine and mend it.

        One fault is graded as a learner's work is; several at once without forks, which would cost minutes.
        """
        if not fresh:
            lifecycle.start_over(self.context, self.record, self.sound)
        for fault in faults:
            grading.run_steps(self.context, self.record, self.lab, fault.steps, self.show)
        quick = sum(not fault.always for fault in faults) > 1
        problems = not_as(self.lab, spoilt(faults), self._grade(quick=quick))
        yield Proof(step=f"{_names(faults)}: {_verdict(self.lab, faults)}", problems=problems)
        reference = self.lab.solutions[0]
        grading.run_steps(self.context, self.record, self.lab, reference.steps, self.show)
        yield Proof(
            step=f"{_names(faults)}: cured by {reference.id}", problems=not_passing(self._grade(quick=quick))
        )

    def _grade(self, *, quick: bool) -> Report:
        return grading.grade(self.context, self.record, self.lab, "en", quick=quick)


def _names(faults: Sequence[Fault]) -> str:
    words = " and ".join(fault.id for fault in faults)
    return f"fault{'s' if len(faults) > 1 else ''} {words}" if faults else "no fault"


def _verdict(lab: Lab, faults: Sequence[Fault]) -> str:
    outcomes = expected(lab, spoilt(faults))
    failing = [task for task, outcome in outcomes.items() if outcome is Outcome.FAIL]
    return f"fails {', '.join(failing)}" if failing else "all pass"
