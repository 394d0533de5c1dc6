"""Prove a lab on real machines: the contract that every lab keeps.

On a fresh machine no task passes; after each solution all pass, and still after a real reboot; after
each wrong solution exactly the tasks fail that should, and grading twice gives the same.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lpiclab.engine import grading, lifecycle
from lpiclab.engine.context import Context
from lpiclab.engine.lifecycle import Wish
from lpiclab.model import Lab, Mutant, Outcome, Report, Solution
from lpiclab.state import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One step of the contract: what was tried, and what was wrong (empty: as it should be)."""

    step: str
    problems: tuple[str, ...]


def prove(context: Context, name: str, wish: Wish, show: Callable[[bytes], None]) -> Iterator[Proof]:
    """Yield each step's proof as it is done, on an instance of its own that is gone afterwards."""
    lab = context.lab(name)
    instance_id = f"{lab.id}@contract"
    if instance_id in context.store.ids():
        lifecycle.down(context, instance_id)
    run = _Run(context, lab, name, wish, show)
    yield from run.solutions()
    for mutant in lab.mutants:
        yield run.mutant(mutant)


@dataclass(frozen=True, slots=True)
class _Run:
    context: Context
    lab: Lab
    name: str
    wish: Wish
    show: Callable[[bytes], None]

    @contextlib.contextmanager
    def _fresh(self) -> Iterator[Record]:
        """Hold an instance as `up` makes it."""
        instance_id = f"{self.lab.id}@contract"
        try:
            yield lifecycle.make(self.context, instance_id, self.lab, self.wish)
        finally:
            lifecycle.down(self.context, instance_id)

    def _grade(self, record: Record) -> Report:
        return grading.grade(self.context, record, self.lab, "en")

    def solutions(self) -> Iterator[Proof]:
        for number, solution in enumerate(self.lab.solutions):
            with self._fresh() as record:
                if number == 0:
                    yield Proof(step="fresh: no task passes", problems=_passing(self._grade(record)))
                yield from self._solution(record, solution)

    def _solution(self, record: Record, solution: Solution) -> Iterator[Proof]:
        grading.run_solution(self.context, record, self.lab, solution, self.show)
        report = self._grade(record)
        yield Proof(step=f"solution {solution.id}: all pass", problems=_not_passing(report))
        again = [(task.id, task.outcome) for task in self._grade(record).tasks]
        first = [(task.id, task.outcome) for task in report.tasks]
        yield Proof(
            step=f"solution {solution.id}: graded again, the same",
            problems=() if again == first else (f"first {first}, then {again}",),
        )
        lifecycle.restart(self.context, record.id, None)
        yield Proof(
            step=f"solution {solution.id}: all pass after a reboot",
            problems=_not_passing(self._grade(record)),
        )

    def mutant(self, mutant: Mutant) -> Proof:
        with self._fresh() as record:
            if mutant.start == "solution":
                grading.run_solution(self.context, record, self.lab, self.lab.solutions[0], self.show)
            grading.run_steps(self.context, record, self.lab, mutant.steps, self.show)
            if mutant.reboot:
                lifecycle.restart(self.context, record.id, None)
            return Proof(
                step=f"wrong solution {mutant.id}: fails {', '.join(mutant.fails)}",
                problems=_not_as(self.lab, mutant, self._grade(record)),
            )


def _passing(report: Report) -> tuple[str, ...]:
    return tuple(
        f"{task.id} is {task.outcome} before the learner did anything"
        for task in report.tasks
        if task.outcome not in {Outcome.FAIL, Outcome.SKIP}
    )


def _not_passing(report: Report) -> tuple[str, ...]:
    return tuple(
        f"{task.id} is {task.outcome}: seen {task.seen!r}, wanted {task.wanted!r}: {task.why}"
        for task in report.tasks
        if task.outcome is not Outcome.PASS
    )


def _not_as(lab: Lab, mutant: Mutant, report: Report) -> tuple[str, ...]:
    """Return how a grade differs from "exactly `mutant.fails` fail, what needs them is skipped"."""
    skipped = _dependants(lab, mutant.fails)
    problems = []
    for task in report.tasks:
        expected = (
            Outcome.FAIL if task.id in mutant.fails else Outcome.SKIP if task.id in skipped else Outcome.PASS
        )
        if task.outcome is not expected:
            problems.append(f"{task.id} is {task.outcome}, not {expected}: {task.why}")
    return tuple(problems)


def _dependants(lab: Lab, failed: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for task in lab.tasks:
        if task.id not in failed and any(need in failed or need in found for need in task.needs):
            found.add(task.id)
    return found
