"""Tests of lpiclab.checks.plugin: what checks raise is their author's mistake, machine trouble, or ours."""

from __future__ import annotations

from typing import Any

import pytest

from lpiclab.errors import GuestError, SpecError, UsageError
from lpiclab.wait import Deadline

Bench = Any
"""A lab in a folder, and all that grading it takes: `checks/conftest.py` has it."""


@pytest.mark.parametrize(
    ("check", "line", "message"),
    [
        ("    x = 1\n    assert x == 2\n", 5, "test_key raised AssertionError"),
        ("    assert False, 'no'\n", 4, "test_key raised AssertionError: no"),
        ("    ns1.check_output('k')\n", 4, "test_key raised AssertionError: Unexpected exit code 127"),
        ("    {}['a']\n", 4, "test_key raised KeyError: 'a'"),
        ("    parameters.zoen\n", 4, "no attribute 'zoen'"),
        ("    input()\n", 4, "test_key raised EOFError"),
        ("    import sys; sys.exit(3)\n", 4, "test_key raised SystemExit: 3"),
        ("    import pytest; pytest.skip('later')\n", 4, "test_key raised Skipped: later"),
        ("    import pytest; pytest.exit('enough')\n", 4, "test_key raised Exit: enough"),
        ("    ns1.run('k', timeout=3)\n", 4, "unexpected keyword argument 'timeout'"),
        ("    expect(1, 2, why='wrnog')\n", 4, 'the task "key" has no reason "wrnog"; did you mean "wrong"?'),
    ],
)
def test_authors_mistake_in_a_check(bench: Bench, check: str, line: int, message: str) -> None:
    """Whatever else a check raises is its author's mistake, with file and line."""
    bench.tasks = bench.tasks[:1]
    with pytest.raises(SpecError) as caught:
        bench.grade(f"@task('key')\ndef test_key(ns1, parameters):\n{check}")
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == (bench.folder / "checks.py", line)
    assert message in problem.message
    assert bench.machines["ns1"].closed == 1


def test_bare_assert_is_told_what_to_use(bench: Bench) -> None:
    """The hint names expect() for an assert of the author's own, the details hold the traceback."""
    bench.tasks = bench.tasks[:1]
    with pytest.raises(SpecError) as caught:
        bench.grade("@task('key')\ndef test_key(): assert 1 == 2\n")
    assert caught.value.hint == "use expect(…), not assert"
    assert "assert 1 == 2" in caught.value.details
    with pytest.raises(SpecError) as caught:
        bench.grade("@task('key')\ndef test_key(ns1): ns1.check_output('k')\n")
    assert caught.value.hint == ""


@pytest.mark.parametrize(
    ("checks", "line", "message"),
    [
        ("def test_key(:\n", 2, "SyntaxError: invalid syntax"),
        ("import no_such_module\n", 2, "ModuleNotFoundError: No module named 'no_such_module'"),
        ("\n1 / 0\n", 3, "ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)\n", 2, "SystemExit: 3"),
        ("open('/no/such/file')\n", 2, "FileNotFoundError: "),
        ("import pytest\n@pytest.mark.tsak('key')\ndef test_key(): pass\n", 3, "'tsak' not found"),
        ("def test_key(): pass\n", 2, "test_key has no @task(…)"),
        ("@task('kye')\ndef test_key(): pass\n", 2, 'there is no task "kye"; did you mean "key"?'),
        ("", 0, 'the task "key" has no check'),
        ("@task('key')\ndef test_key(ns11): pass\n", 2, 'no fixture "ns11"; did you mean "ns1"?'),
        ("import pytest\n@pytest.mark.parametrize('n', [1])\n@task('key')\ndef test_key(): pass\n", 0, "'n'"),
    ],
)
def test_authors_mistake_in_the_file(bench: Bench, checks: str, line: int, message: str) -> None:
    """A file that can't be run as checks is its author's mistake, and nothing is measured."""
    bench.tasks = bench.tasks[:1]
    with pytest.raises(SpecError) as caught:
        bench.grade(checks)
    found = [problem for problem in caught.value.problems if message in problem.message]
    assert [(problem.file, problem.line) for problem in found] == [(bench.folder / "checks.py", line)]


def test_missing_file_is_the_authors_mistake(bench: Bench) -> None:
    """A lab without checks.py is told so."""
    with pytest.raises(SpecError, match=r"checks\.py: can't be read: No such file or directory"):
        bench.grade()


def test_mistake_in_a_reason_passes_through(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the renderer of reasons raises is not changed."""
    error = SpecError([])

    def reason(*_args: object) -> str:
        raise error

    monkeypatch.setattr(bench, "_reason", reason)
    with pytest.raises(SpecError) as caught:
        bench.grade(bench.both_tasks)
    assert caught.value is error


@pytest.mark.parametrize("error", [UsageError("no such instance"), RuntimeError("a bug of ours")])
def test_our_own_errors_are_not_blamed_on_the_lab(bench: Bench, error: Exception) -> None:
    """An exception from below a machine that is no machine trouble comes out as it is."""

    def connect(_deadline: Deadline) -> Any:
        raise error

    bench.connects["ns1"] = connect
    with pytest.raises(type(error)) as caught:
        bench.grade(bench.both_tasks)
    assert caught.value is error


def test_interrupt_passes_through(bench: Bench) -> None:
    """Ctrl-C in a command ends the grading, and the connections are closed."""
    bench.machines["ns1"].answers["k"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        bench.grade(bench.both_tasks)
    assert [machine.closed for machine in bench.machines.values()] == [1, 1]


def test_checks_may_use_dataclasses_and_fixtures(bench: Bench) -> None:
    """The file is a module like any other."""
    report = bench.grade("""
        import dataclasses, pytest
        @dataclasses.dataclass
        class Row:
            name: "str"
        @pytest.fixture
        def row(ns1): return Row(ns1.backend.get_hostname())
        @task("key")
        def test_key(row): expect(row, Row("ns1"), why="wrong")
        @task("transfer")
        def test_transfer(row): pass
    """)
    assert report.passed


def test_machine_trouble_in_an_authors_fixture_is_an_error(bench: Bench) -> None:
    """It does not matter in which part of a check the machine failed."""
    bench.machines["ns1"].answers["k"] = GuestError("ns1: lost")
    report = bench.grade("""
        import pytest
        @pytest.fixture
        def status(ns1): return ns1.run("k").rc
        @task("key")
        def test_key(status): expect(status, 0, why="wrong")
        @task("transfer")
        def test_transfer(): pass
    """)
    assert bench.outcomes(report) == {"key": "error", "transfer": "skip"}
