"""Tell what proves each task's grader, from the labs' data; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lpiclab.model import Lab, Language

LIE = "lie-"
"""How the ids of those mutants begin that fake an answer; the others are mistakes."""

_WORDS = {
    "en": {"green": "green by", "red": "red by", "lies": "not fooled by", "boot": "each also after a reboot"},
    "ja": {
        "green": "合格する解答",
        "red": "不合格にする誤り",
        "lies": "見破る偽装",
        "boot": "再起動後も同じ",
    },
}
_PAGE = """\
# What proves the graders

`lpiclab test LAB` does all of this on real machines; `make test-labs` does it for every lab,
`make test` a part of it (`--quick`) for three.
A task is green after each correct solution, before and after a real reboot.
It is red after the wrong solutions listed with it, and after those alone; a lie is what a learner with root
does to look right without being it.
`lpiclab show LAB --proof` tells the same in a terminal.

{labs} labs, {solutions} correct solutions, {mistakes} mistakes, {lies} lies.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskProof:
    """The ids of what a task is proved green by, and of what it is proved red by."""

    task: str
    solutions: tuple[str, ...]
    mistakes: tuple[str, ...]
    lies: tuple[str, ...]


class Counts(NamedTuple):
    """How much there is to prove labs by."""

    solutions: int
    mistakes: int
    lies: int


def counts(labs: Sequence[Lab]) -> Counts:
    """Return how many correct solutions, mistakes and lies some labs have together."""
    solutions = [each for lab in labs for each in lab.solutions]
    mutants = [each for lab in labs for each in lab.mutants]
    lies = sum(each.id.startswith(LIE) for each in mutants)
    return Counts(len(solutions), len(mutants) - lies, lies)


def proofs(lab: Lab) -> Sequence[TaskProof]:
    """Return what each task of a lab is proved by, in the order of the tasks."""
    return [
        TaskProof(
            task=task.id,
            solutions=tuple(each.id for each in lab.solutions),
            mistakes=tuple(m.id for m in lab.mutants if task.id in m.fails and not m.id.startswith(LIE)),
            lies=tuple(m.id for m in lab.mutants if task.id in m.fails and m.id.startswith(LIE)),
        )
        for task in lab.tasks
    ]


def proof_text(lab: Lab, titles: Mapping[str, str], language: Language) -> str:
    """Return what each task of a lab is proved by, for a terminal.

    Args:
        lab: The lab.
        titles: Each task's title by its id.
        language: The language of the words around them.
    """
    words = _WORDS[language]
    parts = [f"{words['green']} ({words['boot']}):\n{_list(each.id for each in lab.solutions)}"]
    for proof in proofs(lab):
        lines = [f"{proof.task}: {titles[proof.task]}"]
        for name, ids in (("red", proof.mistakes), ("lies", proof.lies)):
            if ids:
                lines.append(f"  {words[name]}:\n{_list(ids)}")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def proof_page(labs: Sequence[Lab]) -> str:
    """Return ``docs/proof.md``: what proves each task of each lab."""
    page = _PAGE.format(labs=len(labs), **counts(labs)._asdict())
    return "\n".join([page, *map(_section, labs)])


def _section(lab: Lab) -> str:
    rows = [f"| `{proof.task}` | {_cell(proof.mistakes)} | {_cell(proof.lies)} |" for proof in proofs(lab)]
    head = ["| task | red by | not fooled by |", "|---|---|---|"]
    green = f"Green by {_cell(each.id for each in lab.solutions)}."
    return "\n".join([f"## {lab.id}", "", green, "", *head, *rows, ""])


def _cell(ids: Iterable[str]) -> str:
    return ", ".join(f"`{each}`" for each in ids) or "-"


def _list(ids: Iterable[str]) -> str:
    return "\n".join(f"    {each}" for each in ids)
