"""Everything about a lab that can be known without a machine, for its author."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ParamSpec, TypeVar

from lpiclab import proc, render
from lpiclab.errors import SpecError, SpecProblem, ToolFailed
from lpiclab.families import of_family
from lpiclab.labs.agreement import text_file, text_problems
from lpiclab.labs.checkfile import CheckFile, read_check_file, reason_problems
from lpiclab.labs.loader import load_document
from lpiclab.labs.texts import read_lab_text
from lpiclab.model import LANGUAGES, Distro, Lab, LabText, Language, Plan, RenderedStep
from lpiclab.paths import bundled
from lpiclab.templating import Renderer
from lpiclab.wait import Deadline
from lpiclab.yamlio import Source

_SEEDS = ("", "a", "b", "c")
_SHELL_S = 10.0
_SHELL_PROBLEM = re.compile(r"^\S+: line (\d+): (.*)", re.MULTILINE)

P = ParamSpec("P")
T = TypeVar("T")


def lint_folder(folder: Path, distro: Distro, template_roots: Sequence[Path] | None) -> list[SpecProblem]:
    """Return every problem of the lab in `folder` when it is set up on `distro`, sorted."""
    return _Linter(distro, [bundled("templates")] if template_roots is None else template_roots).lint(folder)


def _unproved(lab: Lab, source: Source, family: str) -> Iterator[SpecProblem]:
    """Yield the tasks that no mutant fails: nothing shows that their checks measure anything.

    Where the lab runs on `family`, the mutants that this family has are those that count.
    """
    counting = of_family(lab, family) if family in lab.families else lab
    proved = {task for mutant in counting.mutants for task in mutant.fails}
    for number, task in enumerate(lab.tasks):
        if task.id not in proved:
            yield source.problem(
                f"tasks[{number}]", f'no mutant fails "{task.id}": its checks are not proved'
            )


class _Linter:
    def __init__(self, distro: Distro, template_roots: Sequence[Path]) -> None:
        self._distro = distro
        self._roots = template_roots
        self._problems: set[SpecProblem] = set()

    def lint(self, folder: Path) -> list[SpecProblem]:
        folder = folder.absolute()
        document = self._try(load_document, folder, template_roots=self._roots)
        texts = self._texts(folder)
        if document:
            lab = document.value
            self._problems.update(text_problems(lab, texts))
            self._problems.update(_unproved(lab, document.source, self._distro.family))
            checks = self._try(read_check_file, lab)
            if checks:
                self._checks(checks, texts)
            self._renderings(lab, document.source, texts, checks)
        return sorted(self._problems)

    def _try(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Return what `work` returns, or None after taking its problems."""
        try:
            return work(*args, **kwargs)
        except SpecError as error:
            self._problems.update(error.problems)
            return None

    def _texts(self, folder: Path) -> dict[Language, LabText]:
        texts: dict[Language, LabText] = {}
        for language in LANGUAGES:
            text = self._try(read_lab_text, text_file(folder, language), language)
            if text:
                texts[language] = text
        return texts

    def _checks(self, checks: CheckFile, texts: Mapping[Language, LabText]) -> None:
        self._problems.update(checks.problems)
        if len(texts) == len(LANGUAGES):
            # Where the languages differ in reasons is told elsewhere: here one having it is enough.
            ids = {task for text in texts.values() for task in text.tasks}
            reasons = {
                task: [
                    reason
                    for text in texts.values()
                    if task in text.tasks
                    for reason in text.tasks[task].reasons
                ]
                for task in ids
            }
            self._problems.update(reason_problems(checks, reasons))

    def _renderings(
        self, lab: Lab, source: Source, texts: Mapping[Language, LabText], checks: CheckFile | None
    ) -> None:
        distro = self._distro
        if distro.family not in lab.families:
            if not lab.only_because:
                self._problems.add(
                    source.problem("families", f"{distro.id} is of the family {distro.family}: not supported")
                )
            return
        lab = of_family(lab, distro.family)
        for seed in _SEEDS:
            # A wrong file or set-up script hides no mistake of the other scripts and words.
            plan = self._plan(lab, seed) or self._plan(
                replace(lab, files=(), setup=(), faults=(), restores=(), undo=()), seed
            )
            if plan:
                self._words(lab, plan, texts)
                self._scripts(lab, plan, parse=not seed)
                if checks and not seed:
                    self._reasons(plan, texts, checks)

    def _plan(self, lab: Lab, seed: str) -> Plan | None:
        return self._try(render.plan, lab, seed=seed, distro=self._distro, template_roots=self._roots)

    def _words(self, lab: Lab, plan: Plan, texts: Mapping[Language, LabText]) -> None:
        for text in texts.values():
            self._try(render.render_text, text, lab, plan, self._distro)

    def _scripts(self, lab: Lab, plan: Plan, *, parse: bool) -> None:
        steps = [*lab.setup, *lab.undo]
        steps += [step for solution in lab.solutions for step in solution.steps]
        steps += [step for mutant in lab.mutants for step in mutant.steps]
        steps += [step for fault in lab.faults for step in fault.steps]
        rendered = self._try(render.render_steps, lab, steps, plan, self._distro, template_roots=self._roots)
        if rendered and parse:
            for step in {each.source: each for each in rendered}.values():
                self._shell(step, lab)

    def _shell(self, step: RenderedStep, lab: Lab) -> None:
        try:
            proc.run(
                ["bash", "-n"],
                stdin=step.content.encode(),
                environment={"LC_ALL": "C"},
                deadline=Deadline.after(_SHELL_S),
            )
        except ToolFailed as error:
            found = _SHELL_PROBLEM.search(error.details)
            line, words = (int(found[1]), found[2]) if found else (0, error.details.strip())
            file = next(
                each for folder in (lab.folder, *self._roots) if (each := folder / step.source).is_file()
            )
            if file.read_bytes().count(b"\n") == step.content.count("\n"):
                self._problems.add(SpecProblem(file, line, 1, f"bash -n: {words}"))
            else:
                self._problems.add(SpecProblem(file, 0, 0, f"bash -n: {words} (line {line} when rendered)"))

    def _reasons(self, plan: Plan, texts: Mapping[Language, LabText], checks: CheckFile) -> None:
        renderer = Renderer(render.variables(plan, self._distro))
        for text in texts.values():
            for id_, task in text.tasks.items():
                for reason, template in task.reasons.items():
                    values = checks.values(id_, reason)
                    if values is not None:
                        renderer.verify(template, {"seen", "wanted", *values})
        self._problems.update(renderer.problems)
