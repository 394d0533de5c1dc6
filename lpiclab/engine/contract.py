"""Prove a lab on real machines: the contract that every lab keeps.

On a fresh machine no task passes; after each solution all pass, and still after a real reboot; after
each wrong solution exactly the tasks fail that should, and grading twice gives the same.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lpiclab.engine import grading, keeping, lifecycle
from lpiclab.engine.context import DEFAULT_DISTRO, Context
from lpiclab.engine.lifecycle import Wish
from lpiclab.errors import CommandFailed, UsageError
from lpiclab.model import Lab, Mutant, Outcome, Report, Solution, Step
from lpiclab.names import nearest
from lpiclab.state import Record

Kind = Literal["fresh", "solutions", "mutants"]
KINDS: tuple[Kind, ...] = ("fresh", "solutions", "mutants")

_SOLVED = "solved"
_TITLES: Mapping[Kind, str] = {"fresh": "a", "solutions": "solution", "mutants": "wrong solution"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a lab's contract that stands for itself: `id` is the solution's or the mutant's."""

    lab: str
    kind: Kind
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One step of the contract: what was tried, and what was wrong (empty: as it should be)."""

    lab: str
    step: str
    problems: tuple[str, ...]


def parts(lab: Lab, name: str, only: Sequence[str] = ()) -> Sequence[Part]:
    """Return the parts of a lab's contract, in the order in which they are best proved.

    Args:
        lab: The lab.
        name: How the user named it.
        only: Kinds of parts, and ids of solutions and mutants; empty is all.

    Raises:
        UsageError: the lab has nothing of such a name.
    """
    everything = [
        Part(lab=name, kind="fresh", id="fresh"),
        *(Part(lab=name, kind="solutions", id=each.id) for each in lab.solutions),
        *(Part(lab=name, kind="mutants", id=each.id) for each in lab.mutants),
    ]
    known = [*KINDS, *(part.id for part in everything if part.kind != "fresh")]
    for word in only:
        if word not in known:
            raise UsageError(
                f'{lab.id} has no solution and no mutant "{word}"',
                hint=nearest(word, known) or f"or say {', '.join(KINDS)}",
            )
    return [part for part in everything if not only or part.kind in only or part.id in only]


def prove(
    context: Context,
    wish: Wish,
    show: Callable[[bytes], None],
    wanted: Iterable[Part],
    *,
    worker: int = 1,
) -> Iterator[Proof]:
    """Yield each step's proof as it is done, on instances of their own that are gone afterwards.

    `wanted` is read part by part, so it may be a queue that several workers, each with its own number,
    take from; parts of one lab that follow each other share an instance.
    """
    for name, of_lab in itertools.groupby(wanted, key=lambda part: part.lab):
        with _bench(context, name, wish, show, worker) as bench:
            for part in of_lab:
                yield from bench.proofs(part)


@contextlib.contextmanager
def _bench(
    context: Context, name: str, wish: Wish, show: Callable[[bytes], None], worker: int
) -> Iterator[_Bench]:
    lab = context.lab(name)
    instance_id = f"{lab.id}@contract-{wish.distro or DEFAULT_DISTRO}" + (f"-{worker}" if worker > 1 else "")
    with context.store.lock(instance_id, f"test {name}", context.progress):
        if instance_id in context.store.ids():
            lifecycle.remove(context, instance_id)
        try:
            record = lifecycle.make(context, instance_id, lab, wish)
            yield _Bench(context, name, lab, record, show)
        finally:
            lifecycle.remove(context, instance_id)


@dataclass(slots=True)
class _Bench:
    """An instance that parts of a lab's contract are proved on, one after the other."""

    context: Context
    name: str
    lab: Lab
    record: Record
    show: Callable[[bytes], None]
    fresh: bool = True
    kept: bool = False

    def proofs(self, part: Part) -> Iterator[Proof]:
        """Yield a part's steps as they are done; a script that fails is a broken step too."""
        try:
            yield from self._steps(part)
        except CommandFailed as error:
            yield self._proof(
                f"{_TITLES[part.kind]} {part.id}: runs to its end",
                (f"{error.message}; `--verbose` shows what it printed",),
            )

    def _steps(self, part: Part) -> Iterator[Proof]:
        match part.kind:
            case "fresh":
                self._start_over()
                yield self._proof("fresh: no task passes", _passing(self._grade()))
            case "solutions":
                yield from self._solution(next(each for each in self.lab.solutions if each.id == part.id))
            case "mutants":
                yield self._mutant(next(each for each in self.lab.mutants if each.id == part.id))

    def _proof(self, step: str, problems: tuple[str, ...]) -> Proof:
        return Proof(lab=self.name, step=step, problems=problems)

    def _grade(self, *, quick: bool = False) -> Report:
        return grading.grade(self.context, self.record, self.lab, "en", quick=quick)

    def _run(self, steps: Sequence[Step]) -> None:
        self.fresh = False
        grading.run_steps(self.context, self.record, self.lab, steps, self.show)

    def _start_over(self) -> None:
        if not self.fresh:
            lifecycle.start_over(self.context, self.record, self.lab)
        self.fresh = True

    def _solve(self, solution: Solution) -> None:
        self._start_over()
        self._run(solution.steps)

    def _solve_by_reference(self) -> None:
        if not self.kept or not keeping.restore(self.context, self.record, _SOLVED):
            self._solve(self.lab.solutions[0])
            self._keep_solved()

    def _keep_solved(self) -> None:
        if not self.kept:
            self.kept = keeping.save(self.context, self.record, _SOLVED, title="reference solution")

    def _solution(self, solution: Solution) -> Iterator[Proof]:
        self._solve(solution)
        report = self._grade()
        yield self._proof(f"solution {solution.id}: all pass", _not_passing(report))
        again = _differences(report, self._grade(quick=True))
        yield self._proof(f"solution {solution.id}: graded again, the same", again)
        if solution is self.lab.solutions[0]:
            self._keep_solved()
        lifecycle.reboot(self.context, self.record)
        rebooted = _not_passing(self._grade(quick=True))
        yield self._proof(f"solution {solution.id}: all pass after a reboot", rebooted)

    def _mutant(self, mutant: Mutant) -> Proof:
        if mutant.start == "solution":
            self._solve_by_reference()
        else:
            self._start_over()
        self._run(mutant.steps)
        if mutant.reboot:
            lifecycle.reboot(self.context, self.record)
        problems = _not_as(self.lab, mutant, self._grade())
        return self._proof(f"wrong solution {mutant.id}: fails {', '.join(mutant.fails)}", problems)


def _differences(first: Report, second: Report) -> tuple[str, ...]:
    return tuple(
        f"{one.id} was {one.outcome}, then {two.outcome}"
        for one, two in zip(first.tasks, second.tasks, strict=True)
        if one.outcome is not two.outcome
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
