"""Prove a lab on real machines: the contract that every lab keeps.

On a fresh machine no task passes; after each solution all pass, and still after a real reboot; after
each wrong solution exactly the tasks fail that should, and grading twice gives the same. A lab with
faults fails what they spoil instead of everything.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from lpiclab import params
from lpiclab.engine import faults, grading, keeping, lifecycle
from lpiclab.engine.context import DEFAULT_DISTRO, Context
from lpiclab.engine.lifecycle import Wish
from lpiclab.engine.proof import Proof, differences, not_as, not_passing, passing
from lpiclab.errors import CommandFailed, UsageError
from lpiclab.model import Lab, Mutant, Report, Solution, Step
from lpiclab.names import nearest
from lpiclab.providers.base import Forks
from lpiclab.state import Record

Kind = Literal["faults", "fresh", "solutions", "mutants", "seeds", "brief"]
KINDS: tuple[Kind, ...] = ("faults", "fresh", "solutions", "mutants", "seeds", "brief")
_USUAL_SEEDS = 10
"""How many seeds are tried when `seeds` are asked for without a number."""

_SOLVED = "solved"
_TITLES: Mapping[Kind, str] = {
    "faults": "faults",
    "fresh": "start",
    "solutions": "solution",
    "mutants": "wrong solution",
    "seeds": "solution with",
    "brief": "solution",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a lab's contract that stands for itself.

    `id` is the solution's or the mutant's, those of faults with ``+`` between them, or a seed. ``brief`` is
    the start and the reference solution without a fork or a reboot: what is wrong at once shows at once.
    """

    lab: str
    kind: Kind
    id: str

    @property
    def seed(self) -> str | None:
        """What its instance is drawn from; None is as the user wishes."""
        return self.id if self.kind == "seeds" else None


def parts(
    lab: Lab, name: str, only: Sequence[str] = (), *, quick: bool = False, seeds: int = 0
) -> Sequence[Part]:
    """Return the parts of a lab's contract, in the order in which they are best proved.

    Args:
        lab: The lab.
        name: How the user named it.
        only: Kinds of parts, and ids of solutions, mutants and sets of faults; empty is all.
        quick: Leave out sets of several faults, of which there are many, unless `only` names them.
        seeds: With so many other seeds, too, prove the start and the reference solution.

    Raises:
        UsageError: the lab has nothing of such a name.
    """
    combinations = faults.drawable(lab) if lab.faults else []
    everything = [
        *(Part(lab=name, kind="faults", id=faults.id_of(each)) for each in combinations),
        Part(lab=name, kind="fresh", id="fresh"),
        *(Part(lab=name, kind="solutions", id=each.id) for each in lab.solutions),
        *(Part(lab=name, kind="mutants", id=each.id) for each in lab.mutants),
    ]
    known = [*KINDS, *(part.id for part in everything if part.kind != "fresh")]
    for word in only:
        if word not in known:
            raise UsageError(
                f'{lab.id} has no solution, mutant or set of faults "{word}"',
                hint=nearest(word, known) or f"or say {', '.join(KINDS)}",
            )
    many = {faults.id_of(each) for each in combinations if quick and faults.several(each)}
    wanted = [
        part
        for part in everything
        if part.id in only or (part.id not in many and (not only or part.kind in only))
    ]
    wanted += [Part(lab=name, kind="brief", id=lab.solutions[0].id)] * ("brief" in only)
    number = seeds or (_USUAL_SEEDS if "seeds" in only else 0)
    wanted += [Part(lab=name, kind="seeds", id=f"seed-{each}") for each in range(1, number + 1)]
    if not wanted:
        raise UsageError(f"{lab.id} has no {' and no '.join(only)} to prove")
    return wanted


def prove(
    context: Context,
    wish: Wish,
    show: Callable[[bytes], None],
    wanted: Iterable[Part],
    *,
    quick: bool = False,
    worker: int = 1,
) -> Iterator[Proof]:
    """Yield each step's proof as it is done, on instances of their own that are gone afterwards.

    `wanted` is read part by part, so it may be a queue that several workers, each with its own number,
    take from; parts of one lab that follow each other share an instance. `quick` uses forks for the
    reference solution (but not with each of `seeds`), and else only where nothing else tells what is wrong;
    of the solutions only the reference is graded twice and rebooted.
    """
    by_bench = itertools.groupby(wanted, key=lambda part: (part.lab, part.kind == "faults", part.seed))
    for (name, sound, seed), of_lab in by_bench:
        drawn = wish if seed is None else replace(wish, seed=seed)
        with _bench(
            context, name, drawn, show, quick=quick, worker=worker, sound=sound, once=seed is not None
        ) as bench:
            for part in of_lab:
                yield from bench.proofs(part)


@contextlib.contextmanager
def _bench(
    context: Context,
    name: str,
    wish: Wish,
    show: Callable[[bytes], None],
    *,
    quick: bool,
    worker: int,
    sound: bool,
    once: bool,
) -> Iterator[_Bench]:
    """Hold an instance of a lab; a `sound` one is set up without faults."""
    lab = context.lab_on(name, wish.distro)
    instance_id = f"{lab.id}@contract-{wish.distro or DEFAULT_DISTRO}" + (f"-{worker}" if worker > 1 else "")
    with context.store.lock(instance_id, f"test {name}", context.progress):
        if instance_id in context.store.ids():
            lifecycle.remove(context, instance_id)
        try:
            as_set_up = replace(lab, faults=(), faults_drawn=0) if sound else lab
            record = lifecycle.make(context, instance_id, as_set_up, wish, once=once)
            yield _Bench(context, name, lab, as_set_up, record, show, quick)
        finally:
            lifecycle.remove(context, instance_id)


@dataclass(slots=True)
class _Bench:
    """An instance that parts of a lab's contract are proved on, one after the other."""

    context: Context
    name: str
    lab: Lab
    as_set_up: Lab
    record: Record
    show: Callable[[bytes], None]
    quick: bool
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
            case "faults":
                yield from self._faults(faults.combination(self.lab, part.id))
            case "fresh":
                self._start_over()
                yield self._untouched()
            case "solutions":
                solution = next(each for each in self.lab.solutions if each.id == part.id)
                if self.quick and solution is not self.lab.solutions[0]:
                    self._solve(solution)
                    yield self._all_pass(solution, self._grade(quick=True))
                else:
                    yield from self._solution(solution, forks=True)
            case "mutants":
                yield self._mutant(next(each for each in self.lab.mutants if each.id == part.id))
            case "brief":
                self._start_over()
                yield self._untouched()
                self._solve(self.lab.solutions[0])
                yield self._all_pass(self.lab.solutions[0], self._grade(quick=True))
            case "seeds":
                again = self._solution(self.lab.solutions[0], forks=not self.quick)
                for proof in itertools.chain([self._untouched()], again):
                    yield replace(proof, step=f"{part.id}: {proof.step}")

    def _proof(self, step: str, problems: tuple[str, ...]) -> Proof:
        return Proof(lab=self.name, step=step, problems=problems)

    def _grade(self, *, quick: bool = False) -> Report:
        return grading.grade(self.context, self.record, self.lab, "en", quick=quick)

    def _wrong(self, wanted: Collection[str], *, forks: bool = True) -> tuple[str, ...]:
        """Grade what fails exactly `wanted`, and return what is not so.

        Where machines can't be copied, what nothing else tells is seen after a reboot of the machines.
        """
        copies = isinstance(self.context.provider(self.record), Forks)
        if self.quick or not forks or not copies:
            problems = not_as(self.lab, wanted, self._grade(quick=True))
            if not problems or not forks:
                return problems
        if not copies:
            lifecycle.reboot(self.context, self.record)
        return not_as(self.lab, wanted, self._grade(quick=not copies))

    def _run(self, steps: Sequence[Step]) -> None:
        self.fresh = False
        grading.run_steps(self.context, self.record, self.lab, steps, self.show)

    def _start_over(self) -> None:
        if not self.fresh:
            lifecycle.start_over(self.context, self.record, self.as_set_up)
        self.fresh = True

    def _untouched(self) -> Proof:
        if not self.lab.faults:
            return self._proof("fresh: no task passes", passing(self._grade()))
        drawn = params.draw_faults(self.lab, self.record.plan.seed)
        problems = self._wrong(faults.spoilt(drawn))
        return self._proof(f"fresh, with {faults.names(drawn)}: {faults.verdict(self.lab, drawn)}", problems)

    def _faults(self, broken: faults.Combination) -> Iterator[Proof]:
        """Break the sound machine and mend it.

        One fault is graded as a learner's work is; several at once without forks, which would cost minutes.
        """
        self._start_over()
        for fault in broken:
            self._run(fault.steps)
        several = faults.several(broken)
        name = faults.names(broken)
        problems = self._wrong(faults.spoilt(broken), forks=not several)
        yield self._proof(f"{name}: {faults.verdict(self.lab, broken)}", problems)
        reference = self.lab.solutions[0]
        self._run(reference.steps)
        cured = not_passing(self._grade(quick=several or self.quick))
        yield self._proof(f"{name}: cured by {reference.id}", cured)

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

    def _all_pass(self, solution: Solution, report: Report) -> Proof:
        return self._proof(f"solution {solution.id}: all pass", not_passing(report))

    def _solution(self, solution: Solution, *, forks: bool) -> Iterator[Proof]:
        self._solve(solution)
        report = self._grade(quick=not forks)
        yield self._all_pass(solution, report)
        again = differences(report, self._grade(quick=True))
        yield self._proof(f"solution {solution.id}: graded again, the same", again)
        if solution is self.lab.solutions[0]:
            self._keep_solved()
        lifecycle.reboot(self.context, self.record)
        rebooted = not_passing(self._grade(quick=True))
        yield self._proof(f"solution {solution.id}: all pass after a reboot", rebooted)

    def _mutant(self, mutant: Mutant) -> Proof:
        if mutant.start == "solution":
            self._solve_by_reference()
        else:
            self._start_over()
        self._run(mutant.steps)
        if mutant.reboot:
            lifecycle.reboot(self.context, self.record)
        problems = self._wrong(mutant.fails)
        return self._proof(f"wrong solution {mutant.id}: fails {', '.join(mutant.fails)}", problems)
