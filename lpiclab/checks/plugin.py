"""Run a lab's `checks.py` under pytest, seeing nothing of the user's own pytest.

pytest gives collection, fixtures and parametrisation; the verdicts are taken here, from the
exceptions themselves rather than from pytest's reports. Nothing is printed, and nothing is written
to the lab's folder.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, cast

import pytest

from lpiclab.checks.api import CheckFailed
from lpiclab.checks.author import blamed_line, first_line, imported, mistake
from lpiclab.checks.fork import Fork, Forker
from lpiclab.checks.host import COMMAND_LIMIT_S, make_host
from lpiclab.checks.reach import Machine
from lpiclab.checks.verdicts import Verdicts
from lpiclab.errors import LpiclabError, MachineryError, SpecError, SpecProblem
from lpiclab.names import nearest
from lpiclab.wait import Deadline

# What is left collects, calls and gives fixtures; the rest costs time, prints or writes.
_UNUSED = (
    *("assertion", "cacheprovider", "capture", "debugging", "doctest", "faulthandler", "junitxml"),
    *("legacypath", "logging", "pastebin", "recwarn", "setuponly", "setupplan", "skipping", "stepwise"),
    *("subtests", "terminal", "threadexception", "tmpdir", "unittest", "unraisableexception", "warnings"),
)
_FORK = "fork"
FORK_LIMIT_S = 180.0
"""How much longer a check may take that works on a copy of the machines."""
_FINISHED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)


def run_checks(
    file: Path,
    verdicts: Verdicts,
    machines: Sequence[Machine],
    *,
    values: Mapping[str, object],
    deadline: Deadline,
    check_limit_s: float,
    forker: Forker | None = None,
) -> None:
    """Run the checks in `file` and tell `verdicts` what came out.

    Args:
        file: The lab's ``checks.py``.
        verdicts: Says what to measure, and takes the results.
        machines: Each gives a fixture of its name, with ``_`` for ``-``.
        values: Further fixtures; a mapping is given as an object with attributes.
        deadline: When everything has to be measured.
        check_limit_s: How long one check may take.
        forker: Gives checks a copy of the machines; without it, those that want one are left out.

    Raises:
        SpecError: a check is wrong, or raised something else than `CheckFailed`.
        KeyboardInterrupt: the user interrupted a check.
    """
    plugin = _Plugin(file, verdicts, machines, deadline, check_limit_s, forker=forker)
    fixtures = {each.name.replace("-", "_"): make_host(each.name, each, plugin.deadline) for each in machines}
    fixtures |= {name: _with_attributes(value) for name, value in values.items()}
    plugin.fixtures = sorted([*fixtures, _FORK])
    blocked = [word for name in _UNUSED for word in ("-p", f"no:{name}")]
    settings = ["-c", os.devnull, "--rootdir", str(file.parent), "--noconftest", "--strict-markers"]
    with _undisturbed():
        status = pytest.main(
            [*blocked, *settings, "--import-mode=importlib", str(file)],
            plugins=[plugin, _fixtures(fixtures, plugin.fork)],
        )
    if plugin.raised is not None:
        raise plugin.raised
    if status not in _FINISHED:
        raise RuntimeError(f"pytest ended with {status!r} on {file}")


class _NotMeasured(Exception):
    """The check's task has been decided already."""


class _Checks(pytest.Module):
    """A collected `checks.py` that has been imported by us."""

    imported: types.ModuleType

    def _getobj(self) -> types.ModuleType:
        return self.imported


class _Plugin:
    """The hooks that find the checks, order them and judge each one.

    An exception that leaves a hook ends pytest's run as an internal error: `raised` keeps it.
    """

    def __init__(
        self,
        file: Path,
        verdicts: Verdicts,
        machines: Sequence[Machine],
        deadline: Deadline,
        check_limit_s: float,
        *,
        forker: Forker | None,
    ) -> None:
        self.raised: BaseException | None = None
        self.fixtures: Sequence[str] = ()
        self._file = file
        self._imports = contextlib.ExitStack()
        self._verdicts = verdicts
        self._machines = machines
        self._deadline = deadline
        self._limit_s = self._check_limit_s = check_limit_s
        self._forker = forker
        self._fork: Fork | None = None
        self._check = ""
        self._check_deadline = deadline
        self._tasks: dict[str, str] = {}

    def deadline(self) -> Deadline:
        """Return when the command about to run has to be done.

        Raises:
            TimedOut: the time of its check is over.
        """
        self._check_deadline.require(f"the check {self._check} to end ({self._check_limit_s:.0f} s)")
        return self._check_deadline.sooner(COMMAND_LIMIT_S)

    def fork(self) -> Iterator[Fork]:
        """Give a check a copy of the machines."""
        assert self._forker is not None  # noqa: S101 - without it no such check is run
        with self._forker(self._check_deadline) as copies:
            self._fork = Fork(copies, self.deadline, lambda: self._check_deadline)
            try:
                yield self._fork
            finally:
                self._fork.close()

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "task(id): the task that a check belongs to")

    def pytest_sessionstart(self) -> None:
        # Only now does pytest know its markers, and refuses others.
        self._module = self._imports.enter_context(imported(self._file))

    def pytest_unconfigure(self) -> None:
        self._imports.close()

    def pytest_pycollect_makemodule(self, module_path: Path, parent: pytest.Collector) -> pytest.Module:
        checks: _Checks = _Checks.from_parent(parent, path=module_path)
        checks.imported = self._module
        return checks

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            raise SpecError([SpecProblem(self._file, 0, 0, first_line(report.longreprtext))])

    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        order = [task.id for task in self._verdicts.tasks]
        known = self._verdicts.known
        problems = []
        for item in items:
            marker = item.get_closest_marker("task")
            self._tasks[item.nodeid] = id_ = str(marker.args[0]) if marker else ""
            if not marker:
                problems.append(self._problem(item, f"{item.name} has no @task(…)"))
            elif id_ not in known:
                problems.append(self._problem(item, f'there is no task "{id_}"; {nearest(id_, known)}'))
        checked = set(self._tasks.values())
        unchecked = [id_ for id_ in known if id_ not in checked]
        problems += [SpecProblem(self._file, 0, 0, f'the task "{id_}" has no check') for id_ in unchecked]
        if problems:
            raise SpecError(problems)
        wanted = [item for item in items if self._tasks[item.nodeid] in order]
        if self._forker is None:
            wanted = [item for item in wanted if _FORK not in item.fixturenames]
            measured = {self._tasks[item.nodeid] for item in wanted}
            self._verdicts.leave_out(id_ for id_ in order if id_ not in measured)
        items[:] = sorted(wanted, key=lambda item: order.index(self._tasks[item.nodeid]))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Function) -> None:
        on_fork = _FORK in item.fixturenames
        self._check = item.name
        self._fork = None
        for machine in self._machines:
            machine.trouble = None
        if not self._verdicts.open(self._tasks[item.nodeid]):
            raise _NotMeasured
        for machine in self._machines:
            if machine.name.replace("-", "_") in item.fixturenames:
                machine.wait(self._deadline)
        self._check_limit_s = self._limit_s + on_fork * FORK_LIMIT_S
        self._check_deadline = self._deadline.sooner(self._check_limit_s)
        if on_fork:
            self._verdicts.on_fork(self._tasks[item.nodeid])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Function, call: pytest.CallInfo[None]
    ) -> pytest.TestReport:
        error = call.excinfo.value if call.excinfo else None
        if not isinstance(error, _NotMeasured):
            self._judge(item, error)
        # pytest's own report would hold a rendered traceback that nobody reads.
        return pytest.TestReport(
            nodeid=item.nodeid,
            location=item.location,
            keywords={},
            outcome="failed" if error else "passed",
            longrepr=None,
            when=cast(Literal["setup", "call", "teardown"], call.when),
        )

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        error = excinfo.value
        stopped = isinstance(error, KeyboardInterrupt)
        self.raised = error if stopped else mistake(self._file, error, f"{self._check} raised")

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
        self.raised = excinfo.value
        return True  # keeps pytest from printing it

    def _judge(self, item: pytest.Function, error: BaseException | None) -> None:
        """Record a check's result; trouble with a machine counts even where the check hid it."""
        id_ = self._tasks[item.nodeid]
        asked = [*self._machines, *(self._fork.machines.values() if self._fork else ())]
        trouble = next((machine.trouble for machine in asked if machine.trouble), None)
        cause = trouble or error
        if cause is None:
            return
        if isinstance(cause, MachineryError):
            self._verdicts.error(id_, cause)
        elif isinstance(cause, CheckFailed):
            self._verdicts.fail(id_, cause, self._file, blamed_line(self._file, cause))
        elif isinstance(cause, pytest.FixtureLookupError):
            name = cause.argname or ""
            message = f'{item.name}: there is no fixture "{name}"; {nearest(name, self.fixtures)}'
            raise SpecError([self._problem(item, message)])
        elif isinstance(cause, LpiclabError) or trouble:
            raise cause
        else:
            raise mistake(self._file, cause, f"{item.name} raised")

    def _problem(self, item: pytest.Function, message: str) -> SpecProblem:
        return SpecProblem(self._file, (item.location[1] or 0) + 1, 1, message)


def _fixtures(values: Mapping[str, object], fork: Callable[[], Iterator[Fork]]) -> types.ModuleType:
    """Return a pytest plugin with one fixture for each of `values`, and a new `fork` for each check."""
    plugin = types.ModuleType("lpiclab_fixtures")
    for name, value in values.items():
        setattr(plugin, name, pytest.fixture(scope="session", name=name)(_giving(value)))

    def give() -> Iterator[Fork]:
        yield from fork()

    setattr(plugin, _FORK, pytest.fixture(name=_FORK)(give))
    return plugin


def _giving(value: object) -> Callable[[], object]:
    return lambda: value


def _with_attributes(value: object) -> object:
    return types.SimpleNamespace(**value) if isinstance(value, Mapping) else value


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Hide the user's PYTEST_… variables and terminal, and keep Python from writing bytecode."""
    hidden = {name: os.environ.pop(name) for name in _pytest_variables()}
    writes, keyboard = sys.dont_write_bytecode, sys.stdin
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    nowhere = io.StringIO()
    try:
        sys.dont_write_bytecode, sys.stdin = True, io.StringIO()
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            yield
    finally:
        sys.dont_write_bytecode, sys.stdin = writes, keyboard
        for name in _pytest_variables():
            del os.environ[name]
        os.environ.update(hidden)


def _pytest_variables() -> list[str]:
    return [name for name in os.environ if name.startswith("PYTEST_")]
