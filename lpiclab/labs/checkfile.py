"""Read a lab's `checks.py` without running it: do its tasks, reasons and names exist?"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lpiclab.errors import SpecError, SpecProblem
from lpiclab.model import Lab
from lpiclab.names import nearest
from lpiclab.yamlio import read_text

_EXPECT_KEYWORDS = frozenset({"seen", "wanted", "why", "ok"})
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Expectation:
    """One `expect()`: the reasons it may give, and the values that it hands to them.

    `task` is empty in a helper function. `values` is None where they can't be told (``**values``),
    `reasons` is empty where `why` is no literal.
    """

    task: str
    reasons: tuple[str, ...]
    values: frozenset[str] | None
    line: int
    column: int


@dataclass(slots=True)
class CheckFile:
    """What `checks.py` says about itself; `forks` tells that checks want a copy of the machines."""

    file: Path
    expectations: list[Expectation] = field(default_factory=list)
    tasks: set[str] = field(default_factory=set)
    problems: list[SpecProblem] = field(default_factory=list)
    forks: bool = False

    def values(self, task: str, reason: str) -> frozenset[str] | None:
        """Return the names of the values that `reason` gets whoever gives it, None if nobody can tell."""
        giving = [each for each in self.expectations if each.task in {task, ""}]
        found = [each.values for each in giving if reason in each.reasons or not each.reasons]
        known = [values for values in found if values is not None]
        return frozenset.intersection(*known) if known and len(known) == len(found) else None

    def note(self, node: ast.AST, message: str) -> None:
        """Note a problem at a node of the syntax tree."""
        line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", -1) + 1
        self.problems.append(SpecProblem(self.file, line, column, message))


def read_check_file(lab: Lab) -> CheckFile:
    """Return what the lab's `checks.py` holds and what is wrong with it on its own.

    Raises:
        SpecError: it can't be read or is not valid Python.
    """
    file = lab.folder / "checks.py"
    try:
        module = ast.parse(read_text(file))
    except (SyntaxError, ValueError) as error:
        line, column = (error.lineno or 0, error.offset or 0) if isinstance(error, SyntaxError) else (0, 0)
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        raise SpecError([SpecProblem(file, line, column, f"not valid Python: {message}")]) from error
    checks = CheckFile(file)
    _Visitor(checks, lab, module).visit(module)
    for task in lab.tasks:
        if task.id not in checks.tasks:
            checks.problems.append(SpecProblem(file, 0, 0, f'no check is of the task "{task.id}"'))
    return checks


class _Visitor(ast.NodeVisitor):
    def __init__(self, checks: CheckFile, lab: Lab, module: ast.Module) -> None:
        self._checks = checks
        self._task = ""
        self._task_ids = [task.id for task in lab.tasks]
        self._parameters = [parameter.name for parameter in lab.parameters]
        machines = [machine.name.replace("-", "_") for machine in lab.machines]
        functions = [node for node in module.body if isinstance(node, _Function)]
        own = [node.name for node in functions if _decorator(node, "fixture")]
        self._fixtures = {"parameters", "distro", "fork", "request", *machines, *own}
        self._names: set[str] = set()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def visit_Assert(self, node: ast.Assert) -> None:
        self._checks.note(node, "use expect() rather than assert: it says what was seen and why that fails")
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.value, ast.Name) and node.value.id == "parameters":
            self._known(node, "parameter", node.attr, self._parameters)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if _called(node) == "expect":
            self._expect(node)
        self.generic_visit(node)

    def _function(self, node: _Function) -> None:
        if node.name.startswith("test"):
            self._test(node)
        if node.name.startswith("test") or _decorator(node, "fixture"):
            self._checks.forks |= any(argument.arg == "fork" for argument in node.args.args)
        self.generic_visit(node)
        self._task = ""

    def _test(self, node: _Function) -> None:
        if node.name in self._names:
            self._checks.note(node, f"a second {node.name}: the first would never run")
        self._names.add(node.name)
        mark = _decorator(node, "task")
        if isinstance(mark, ast.Call) and mark.args and isinstance(mark.args[0], ast.Constant):
            self._task = str(mark.args[0].value)
            self._known(mark.args[0], "task", self._task, self._task_ids)
            self._checks.tasks.add(self._task)
        else:
            self._checks.note(node, f'{node.name} has no @task("id")')
        if not _decorator(node, "parametrize"):
            for argument in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]:
                self._known(argument, "machine or fixture", argument.arg, self._fixtures)

    def _known(self, node: ast.AST, what: str, name: str, names: Iterable[str]) -> None:
        if name not in names:
            self._checks.note(node, f'there is no {what} "{name}"; {nearest(name, names)}'.removesuffix("; "))

    def _expect(self, node: ast.Call) -> None:
        keywords = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
        is_open = any(keyword.arg is None for keyword in node.keywords)
        if "why" not in keywords and not is_open:
            self._checks.note(node, "expect() needs why=: the id of a reason in the texts")
        values = None if is_open else frozenset(keywords) - _EXPECT_KEYWORDS
        reasons = tuple(_literals(keywords["why"])) if "why" in keywords else ()
        place = keywords.get("why", node)
        self._checks.expectations.append(
            Expectation(self._task, reasons, values, place.lineno, place.col_offset + 1)
        )


def _literals(node: ast.expr) -> Iterator[str]:
    """Yield the texts that an expression may come to, as far as they stand there."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)


def _called(node: ast.expr) -> str:
    """Return the last part of the name that a call or a decorator names."""
    function = node.func if isinstance(node, ast.Call) else node
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _decorator(node: _Function, name: str) -> ast.expr | None:
    return next((each for each in node.decorator_list if _called(each) == name), None)


def reason_problems(checks: CheckFile, reasons: Mapping[str, Iterable[str]]) -> Iterator[SpecProblem]:
    """Yield a problem for each reason that a check gives and no text has, or that no check gives.

    `reasons` are the ids of reasons by task.
    """
    given: set[tuple[str, str]] = set()
    for each in checks.expectations:
        tasks = [each.task] if each.task else list(reasons)
        known = {reason for task in tasks for reason in reasons.get(task, ())}
        for reason in each.reasons:
            given |= {(task, reason) for task in tasks}
            if reason not in known:
                where = f' of the task "{each.task}"' if each.task else ""
                message = f'there is no reason "{reason}"{where} in the texts; {nearest(reason, known)}'
                yield SpecProblem(checks.file, each.line, each.column, message.removesuffix("; "))
    if all(each.reasons for each in checks.expectations):
        for task, ids in reasons.items():
            for reason in set(ids) - {reason for of, reason in given if of == task}:
                yield SpecProblem(checks.file, 0, 0, f'no check of "{task}" gives the reason "{reason}"')
