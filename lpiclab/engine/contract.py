"""Prove a lab on real machines: the contract that every lab keeps.

On a fresh machine no task passes; after each solution all pass, and still after a real reboot; after
each wrong solution exactly the tasks fail that should, and grading twice gives the same. A lab with
faults fails what they spoil instead of everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lpiclab.engine import faults, grading, keeping, lifecycle
from lpiclab.engine.context import DEFAULT_DISTRO, Context
from lpiclab.engine.lifecycle import Wish
from lpiclab.engine.proof import Proof, differences, not_as, not_passing, passing
from lpiclab.model import Lab, Mutant, Report, Solution
from lpiclab.state import Record

_SOLVED = "solved"


def prove(context: Context, name: str, wish: Wish, show: Callable[[bytes], None]) -> Iterator[Proof]:
    """Yield each step's proof as it is done, on an instance of its own that is gone afterwards."""
    lab = context.lab(name)
    instance_id = f"{lab.id}@contract-{wish.distro or DEFAULT_DISTRO}"
    with context.store.lock(instance_id, f"test {name}", context.progress):
        if instance_id in context.store.ids():
            lifecycle.remove(context, instance_id)
        try:
            if lab.faults:
                yield from faults.proofs(context, lab, instance_id, wish, show)
                lifecycle.remove(context, instance_id)
            record = lifecycle.make(context, instance_id, lab, wish)
            yield from _Run(context, lab, record, show).proofs()
        finally:
            lifecycle.remove(context, instance_id)


@dataclass(frozen=True, slots=True)
class _Run:
    context: Context
    lab: Lab
    record: Record
    show: Callable[[bytes], None]

    def proofs(self) -> Iterator[Proof]:
        if self.lab.faults:
            yield faults.untouched(self.lab, self.record, self._grade())
        else:
            yield Proof(step="fresh: no task passes", problems=passing(self._grade()))
        reference, *others = self.lab.solutions
        yield from self._solution(reference, keep=True)
        for solution in others:
            self._fresh()
            yield from self._solution(solution)
        for mutant in self.lab.mutants:
            yield self._mutant(mutant)

    def _grade(self, *, quick: bool = False) -> Report:
        return grading.grade(self.context, self.record, self.lab, "en", quick=quick)

    def _solve(self, solution: Solution) -> None:
        grading.run_steps(self.context, self.record, self.lab, solution.steps, self.show)

    def _fresh(self) -> None:
        lifecycle.start_over(self.context, self.record, self.lab)

    def _solved(self) -> None:
        if not keeping.restore(self.context, self.record, _SOLVED):
            self._fresh()
            self._solve(self.lab.solutions[0])

    def _solution(self, solution: Solution, *, keep: bool = False) -> Iterator[Proof]:
        self._solve(solution)
        report = self._grade()
        yield Proof(step=f"solution {solution.id}: all pass", problems=not_passing(report))
        yield Proof(
            step=f"solution {solution.id}: graded again, the same",
            problems=differences(report, self._grade(quick=True)),
        )
        if keep:
            keeping.save(self.context, self.record, _SOLVED, title="reference solution")
        lifecycle.reboot(self.context, self.record)
        step = f"solution {solution.id}: all pass after a reboot"
        yield Proof(step=step, problems=not_passing(self._grade(quick=True)))

    def _mutant(self, mutant: Mutant) -> Proof:
        if mutant.start == "solution":
            self._solved()
        else:
            self._fresh()
        grading.run_steps(self.context, self.record, self.lab, mutant.steps, self.show)
        if mutant.reboot:
            lifecycle.reboot(self.context, self.record)
        return Proof(
            step=f"wrong solution {mutant.id}: fails {', '.join(mutant.fails)}",
            problems=not_as(self.lab, mutant.fails, self._grade()),
        )
