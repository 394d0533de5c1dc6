"""A lab as one family of distributions has it; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol, TypeVar

from lpiclab.model import Lab


class _ForFamilies(Protocol):
    @property
    def families(self) -> tuple[str, ...]: ...


T = TypeVar("T", bound=_ForFamilies)


def of_family(lab: Lab, family: str) -> Lab:
    """Return the lab without files, steps, solutions and mutants that are for other families only.

    The reference solution is then the first that this family has.
    """
    return replace(
        lab,
        files=_kept(lab.files, family),
        setup=_kept(lab.setup, family),
        restores=_kept(lab.restores, family),
        undo=_kept(lab.undo, family),
        faults=tuple(replace(each, steps=_kept(each.steps, family)) for each in lab.faults),
        solutions=tuple(
            replace(each, steps=_kept(each.steps, family)) for each in _kept(lab.solutions, family)
        ),
        mutants=tuple(replace(each, steps=_kept(each.steps, family)) for each in _kept(lab.mutants, family)),
    )


def idle(lab: Lab) -> set[str]:
    """Return the ids of solutions and mutants that are left without a step."""
    solutions = {each.id for each in lab.solutions if not each.steps}
    return solutions | {each.id for each in lab.mutants if not each.steps}


def _kept(entries: Iterable[T], family: str) -> tuple[T, ...]:
    return tuple(each for each in entries if not each.families or family in each.families)
