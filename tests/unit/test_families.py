"""A lab as one family of distributions has it, and mistakes in what is for one family only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lpiclab import labs, render
from lpiclab.errors import SpecError
from lpiclab.families import of_family
from lpiclab.model import Distro, Lab

Edit = Callable[[str, str, str], None]

_BOTH = "families: [debian, el]"
_DEBIAN_ONLY = "families: [debian], only_because: no other has it"
_STEPS = "steps: [{machine: web, script: solution/web.sh}]"


@pytest.fixture
def limited(web_folder: Path, shared_templates: Path, edit: Edit) -> Lab:
    """Return the lab `web` for two families, with entries that only one of them has."""
    edit("lab.yaml", "families: [debian]", _BOTH)
    edit("lab.yaml", 'mode: "0640"', 'mode: "0640", families: [debian]')
    edit("lab.yaml", "script: setup/web.sh}", "script: setup/web.sh, families: [el]}")
    edit("lab.yaml", "solutions:\n", f"solutions:\n  - {{id: short, {_DEBIAN_ONLY}, {_STEPS}}}\n")
    edit(
        "lab.yaml",
        "  - id: not-enabled\n",
        f"  - id: not-enabled\n    {_DEBIAN_ONLY.replace(', ', chr(10) + '    ')}\n",
    )
    return labs.load(web_folder, template_roots=[shared_templates])


def test_a_family_has_what_is_for_it(limited: Lab) -> None:
    """Files, steps, solutions and mutants for other families are left out."""
    debian, el = (of_family(limited, family) for family in ("debian", "el"))
    assert [len(lab.files) for lab in (debian, el)] == [2, 1]
    assert [len(lab.setup) for lab in (debian, el)] == [0, 1]
    assert [each.id for each in debian.solutions] == ["short", "reference"]
    assert [each.id for each in el.solutions] == ["reference"]
    assert [each.id for each in el.mutants] == ["empty-page"]


def test_a_plan_is_of_the_distributions_family(limited: Lab, debian: Distro, shared_templates: Path) -> None:
    """What is set up hangs on the family; templates know the names of services' users."""
    plans = [
        render.plan(limited, seed="", distro=distro, template_roots=[shared_templates])
        for distro in (debian, replace(debian, id="el-10", family="el", users={"bind": "named"}))
    ]
    assert [[len(plan.files), len(plan.setup)] for plan in plans] == [[2, 0], [1, 1]]
    assert render.variables(plans[1], replace(debian, users={"bind": "named"}))["users"] == {"bind": "named"}


def test_each_family_has_to_prove_its_tasks(limited: Lab, debian: Distro, shared_templates: Path) -> None:
    """A task whose only mutant is for another family is not proved on this one."""
    el = replace(debian, id="el-10", family="el")
    assert labs.lint(limited.folder, debian, [shared_templates]) == []
    (problem,) = labs.lint(limited.folder, el, [shared_templates])
    assert problem.message == 'tasks[1]: no mutant fails "boot": its checks are not proved'


@pytest.fixture
def told(web_folder: Path, shared_templates: Path) -> Callable[[], str]:
    """Return what tells the problems of `web`, which has some."""

    def now() -> str:
        with pytest.raises(SpecError) as caught:
            labs.load(web_folder, template_roots=[shared_templates])
        return caught.value.message

    return now


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            'mode: "0640"',
            'mode: "0640", families: [debain]',
            'files[0].families[0]: there is no family of the lab\'s "debain"; did you mean "debian"?',
        ),
        (
            "setup/web.sh}",
            "setup/web.sh, families: [el]}",
            'setup[0].families[0]: there is no family of the lab\'s "el"',
        ),
        (
            "  - id: reference\n",
            "  - id: reference\n    families: [debian]\n",
            "solutions[0]: missing only_because: why no other has it",
        ),
        (
            "  - id: empty-page\n",
            "  - id: empty-page\n    only_because: no other has pages\n",
            "mutants[1]: missing families: which ones have it",
        ),
    ],
)
def test_mistakes_in_families_are_told(
    edit: Edit, told: Callable[[], str], old: str, new: str, problem: str
) -> None:
    """Unknown families, and a limit without its reason, have their place."""
    edit("lab.yaml", old, new)
    assert problem in told()


def test_a_way_without_steps_is_told(edit: Edit, told: Callable[[], str]) -> None:
    """A solution that is for a family needs a step that is for it too."""
    edit("lab.yaml", "families: [debian]", _BOTH)
    edit("lab.yaml", "solution/web.sh}", "solution/web.sh, families: [el]}")
    assert 'solutions[0].steps: none of them is for the family "debian"' in told()


def test_each_family_needs_a_solution(edit: Edit, told: Callable[[], str]) -> None:
    """A lab whose only solution is for one family has none for the other."""
    edit("lab.yaml", "families: [debian]", _BOTH)
    reason = "    families: [el]\n    only_because: no other has it\n"
    edit("lab.yaml", "  - id: reference\n", f"  - id: reference\n{reason}")
    assert 'solutions: none of them is for the family "debian"' in told()
