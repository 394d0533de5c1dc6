"""Tests of lpiclab.checks.runner: real pytest runs over small labs with fake machines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from lpiclab.errors import ConnectFailed, GuestError, SpecError, TimedOut
from lpiclab.model import Outcome, Task
from lpiclab.wait import Deadline

Bench = Any
"""A lab in a folder, and all that grading it takes: `checks/conftest.py` has it."""


def test_all_pass(bench: Bench) -> None:
    """Passed tasks give all their points, in the lab's order."""
    bench.machines["ns1"].answers["k"] = bench.machines["ns-2"].answers["t"] = 0
    report = bench.grade(bench.both_tasks)
    assert [(task.id, task.outcome, task.points) for task in report.tasks] == [
        ("key", "pass", 20),
        ("transfer", "pass", 40),
    ]
    assert (report.lab, report.seed, report.passed) == ("demo", "s33d", True)
    assert (report.score, report.max_score) == (60, 60)
    assert report.seconds > 0
    assert report.tasks[0].title == "The key"
    assert not any((task.seen, task.wanted, task.why, task.hint) != ("",) * 4 for task in report.tasks)


def test_failure_says_seen_wanted_why_and_the_first_hint(bench: Bench) -> None:
    """A failed task has no points and tells what was seen and why it is wrong; its dependant is skipped."""
    report = bench.grade("""
        @task("key")
        def test_key(ns1): expect(["a", 2], "b", why="wrong", file="f")
        @task("transfer")
        def test_transfer(ns1): ns1.run("never")
    """)
    key, transfer = report.tasks
    assert (key.outcome, key.points, key.max_points) == (Outcome.FAIL, 0, 20)
    assert (key.seen, key.wanted, key.hint) == ("a, 2", "b", "gentle")
    assert key.why == "seen ['a', 2], wanted b{'file': 'f'}"
    assert (transfer.outcome, transfer.points, transfer.hint) == (Outcome.SKIP, 0, "")
    assert transfer.why == "Not measured: it needs “The key”, which has not passed."
    assert bench.machines["ns1"].commands == []
    assert (report.passed, report.score) == (False, 0)


@pytest.mark.parametrize(
    ("seen", "shown"),
    [
        ("None", ""),
        ("b'caf\\xff'", "caf\N{REPLACEMENT CHARACTER}"),
        ("{'b', 'a'}", "a, b"),
        ("0", "0"),
        ("'x' * 5000", "x" * 1000 + "…"),
    ],
)
def test_what_was_seen_is_shown_as_text(bench: Bench, seen: str, shown: str) -> None:
    """Any value that a check saw is readable, and not too long."""
    bench.reasons["wrong"] = "-"
    bench.tasks = bench.tasks[:1]
    report = bench.grade(f"@task('key')\ndef test_key(): expect({seen}, 'w', why='wrong')\n")
    assert report.tasks[0].seen == shown


def test_skip_is_told_in_the_learners_language(bench: Bench) -> None:
    """The reason of a skip is Japanese for a Japanese learner."""
    bench.language = "ja"
    report = bench.grade("""
        @task("key")
        def test_key(): expect(1, 2, why="wrong")
        @task("transfer")
        def test_transfer(): pass
    """)
    assert report.tasks[1].why == "前提の課題「The key」が合格していないため、採点していません。"


def test_skips_pass_on(bench: Bench) -> None:
    """What needs a skipped task is skipped too, and what needs neither is measured."""
    bench.tasks += [Task(id="change", points=1, needs=("transfer",)), Task(id="other", points=1)]
    report = bench.grade("""
        import pytest
        @task("key")
        def test_key(): expect(1, 2, why="wrong")
        @pytest.mark.parametrize("n", range(3))
        @task("transfer")
        def test_transfer(n): pass
        @task("change")
        def test_change(): pass
        @task("other")
        def test_other(): pass
    """)
    assert [*bench.outcomes(report).values()] == ["fail", "skip", "skip", "pass"]
    assert report.score == 1


def test_a_task_stops_at_its_first_failure(bench: Bench) -> None:
    """The checks of a task run in the file's order, and none after one that failed."""
    report = bench.grade("""
        @task("key")
        def test_z(ns1): ns1.run("one")
        @task("transfer")
        def test_transfer(ns1): ns1.run("four")
        @task("key")
        def test_y(ns1):
            ns1.run("two")
            expect(1, 2, why="wrong")
        @task("key")
        def test_x(ns1): ns1.run("three")
    """)
    assert bench.machines["ns1"].commands == ["one", "two"]
    assert bench.outcomes(report) == {"key": "fail", "transfer": "skip"}


def test_a_need_is_measured_first_wherever_it_stands(bench: Bench) -> None:
    """A task that needs a later one is measured after it, and reported in the lab's order."""
    bench.tasks.reverse()
    bench.machines["ns1"].answers["k"] = 0
    report = bench.grade(bench.both_tasks)
    assert bench.outcomes(report) == {"transfer": "fail", "key": "pass"}
    assert [task.id for task in report.tasks] == ["transfer", "key"]


def test_fixtures_are_the_machines_the_parameters_and_the_distribution(bench: Bench) -> None:
    """A check reaches everything that the plan says by name."""
    report = bench.grade("""
        @task("key")
        def test_key(ns1, ns_2, parameters, distro):
            expect(ns1.backend.get_hostname() + ns_2.backend.get_hostname(), "ns1ns-2", why="wrong")
            expect((parameters.zone, parameters.size), ("example.net", 3), why="wrong")
            expect((distro.family, distro.services["bind"]), ("debian", "named"), why="wrong")
        @task("transfer")
        def test_transfer(): pass
    """)
    assert report.passed


def test_only_measures_what_is_needed_and_reports_what_was_asked(bench: Bench) -> None:
    """The tasks before the one asked for are measured without being part of the score."""
    bench.tasks.append(Task(id="other", points=7))
    bench.machines["ns1"].answers["k"] = bench.machines["ns-2"].answers["t"] = 0
    other = '@task("other")\ndef test_other(ns1): ns1.run("never")\n'
    report = bench.grade(dedent(bench.both_tasks) + other, only=["transfer"])
    assert bench.machines["ns1"].commands == ["k"]
    assert bench.outcomes(report) == {"transfer": "pass"}
    assert (report.passed, report.score, report.max_score) == (True, 40, 40)


def test_unreachable_machine_is_an_error_without_score(bench: Bench) -> None:
    """A machine that can't be reached is asked once; the tasks on other machines are measured."""
    bench.tasks = [Task(id=name, points=1) for name in ("a", "b", "c")]
    connects = []

    def connect(_deadline: Deadline) -> Any:
        connects.append(1)
        raise ConnectFailed("demo/ns1: no connection", hint="try `lpiclab restart`")

    bench.connects["ns1"] = connect
    report = bench.grade("""
        @task("a")
        def test_a(ns1): expect(ns1.file("/x").mode, 0o640, why="wrong")
        @task("b")
        def test_b(ns1): expect(ns1.check_output("id -u"), "0", why="wrong")
        @task("c")
        def test_c(ns_2): expect(ns_2.run("id").rc, 127, why="wrong")
    """)
    assert [*bench.outcomes(report).values()] == ["error", "error", "pass"]
    assert (report.tasks[0].why, report.tasks[0].hint) == (
        "demo/ns1: no connection",
        "try `lpiclab restart`",
    )
    assert (report.passed, report.score, connects) == (False, None, [1])


def test_need_that_was_not_measured_leaves_no_score(bench: Bench) -> None:
    """Asking for one task only does not turn a machine's trouble into a zero."""
    bench.machines["ns1"].answers["k"] = TimedOut("ns1: timed out waiting for `k`")
    report = bench.grade(bench.both_tasks, only=["transfer"])
    assert bench.outcomes(report) == {"transfer": "skip"}
    assert "could not be measured (ns1: timed out waiting for `k`)" in report.tasks[0].why
    assert report.score is None


def test_hung_machine_is_waited_for_once(bench: Bench) -> None:
    """After a time-out and no sign of life the machine's other tasks fail without asking."""
    bench.tasks = [Task(id=name, points=1) for name in ("a", "b", "c")]
    bench.machines["ns1"].answers |= {"x": TimedOut("ns1: x"), ":": TimedOut("ns1: :")}
    report = bench.grade("""
        @task("a")
        def test_a(ns1): ns1.run("x")
        @task("b")
        def test_b(ns1): ns1.run("x")
        @task("c")
        def test_c(ns1): ns1.run("x")
    """)
    assert {*bench.outcomes(report).values()} == {Outcome.ERROR}
    assert bench.machines["ns1"].commands == ["x", ":"]


def test_a_check_can_not_hide_machine_trouble(bench: Bench) -> None:
    """A check that catches everything does not make a broken machine the learner's mistake."""
    bench.machines["ns1"].answers["k"] = GuestError("ns1: the shell ended")
    report = bench.grade("""
        @task("key")
        def test_key(ns1):
            try: seen = ns1.run("k").rc
            except Exception: seen = None
            expect(seen, 0, why="wrong")
        @task("transfer")
        def test_transfer(ns1): pass
    """)
    assert bench.outcomes(report) == {"key": "error", "transfer": "skip"}


def test_check_has_a_time_limit_of_its_own(bench: Bench) -> None:
    """A check that goes on asking ends at its limit, as an error that names it."""
    bench.tasks = bench.tasks[:1]
    checks = '@task("key")\ndef test_patient(ns1):\n    while True: ns1.run("k")\n'
    report = bench.grade(checks, check_limit_s=0.05)
    assert bench.outcomes(report) == {"key": "error"}
    assert report.tasks[0].why == "timed out waiting for the check test_patient to end (0 s)"


def test_commands_end_before_the_check_and_the_grading(bench: Bench) -> None:
    """A command's deadline is the earliest of its own, its check's and the whole grading's."""
    bench.tasks = bench.tasks[:1]
    bench.write('@task("key")\ndef test_key(ns1): ns1.run("k")\n')
    bench.grade()
    bench.grade(check_limit_s=20.0)
    bench.grade(deadline=Deadline.after(10))
    first, second, third = (deadline.left_s() for deadline in bench.machines["ns1"].deadlines)
    assert 20 < first <= 30
    assert 10 < second <= 20
    assert third <= 10


def test_connections_are_made_side_by_side_and_closed(bench: Bench) -> None:
    """Both machines are connected to at the same time, and left at the end."""
    both = threading.Barrier(2, timeout=30)
    for name, machine in bench.machines.items():

        def connect(_deadline: Deadline, machine: Any = machine) -> Any:
            both.wait()
            return machine

        bench.connects[name] = connect
        machine.answers |= {"k": 0, "t": 0}
    assert bench.grade(bench.both_tasks).passed
    assert [machine.closed for machine in bench.machines.values()] == [1, 1]


def test_time_of_a_check_begins_when_its_machines_are_there(bench: Bench) -> None:
    """A machine that was rebooted just now takes longer to start than a check may take."""

    def connect(_deadline: Deadline) -> Any:
        threading.Event().wait(0.6)
        return bench.machines["ns1"]

    bench.machines["ns1"].answers["k"] = bench.machines["ns-2"].answers["t"] = 0
    bench.connects["ns1"] = connect
    assert bench.grade(bench.both_tasks, check_limit_s=0.5).passed


def test_nothing_of_the_users_pytest_matters(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables, settings and plugins meant for the user's own tests are neither read nor lost."""
    trap = "raise RuntimeError('not to be imported')\n"
    (bench.folder / "conftest.py").write_text(trap, encoding="ascii")
    (bench.folder.parent / "conftest.py").write_text(trap, encoding="ascii")
    (bench.folder / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n", encoding="ascii")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")
    monkeypatch.chdir(bench.folder)
    before = dict(os.environ)
    bench.machines["ns1"].answers["k"] = bench.machines["ns-2"].answers["t"] = 0
    assert bench.grade(bench.both_tasks).passed
    assert dict(os.environ) == before


def test_nothing_is_written_or_printed(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    """A grading leaves the lab's folder as it was, and its output alone, whatever the checks print."""
    bench.grade("""
        import sys
        print("imported")
        @task("key")
        def test_key():
            print("running"); print("complaining", file=sys.stderr)
            expect(1, 2, why="wrong")
        @task("transfer")
        def test_transfer(): pass
    """)
    with pytest.raises(SpecError):
        bench.grade("1 / 0\n")
    assert [file.name for file in bench.folder.iterdir()] == ["checks.py"]
    assert capfd.readouterr() == ("", "")


def test_a_changed_file_is_read_again(bench: Bench) -> None:
    """Grading twice in one process uses the checks as they are now."""
    bench.tasks = bench.tasks[:1]
    assert bench.grade("@task('key')\ndef test_key(): pass\n").passed
    assert not bench.grade("@task('key')\ndef test_key(): expect(1, 2, why='wrong')\n").passed
    assert "lpiclab_lab_checks" not in sys.modules


def test_grading_without_commands_is_quick(tmp_path: Path) -> None:
    """Importing and running pytest costs a fraction of a second in a new process."""
    script = """
        import json, sys, time
        started = time.process_time()
        from pathlib import Path
        from types import SimpleNamespace as Some
        from lpiclab.checks.runner import grade
        from lpiclab.model import LabText, Task, TaskText
        from lpiclab.wait import Deadline
        lab = Some(id="x", folder=Path(sys.argv[1]), tasks=(Task(id="a", points=1),))
        words = TaskText(title="", body="", hints=(), reasons={})
        text = LabText(language="en", title="", story="", then_and_now="", tasks={"a": words})
        report = grade(lab, Some(seed="", parameters={}), None, text=text, reason=None, connectors={},
                       deadline=Deadline.after(60))
        print(json.dumps([report.passed, time.process_time() - started]))
    """
    checks = "from lpiclab.checks import task\n@task('a')\ndef test_a(): pass\n"
    (tmp_path / "checks.py").write_text(checks, encoding="ascii")
    done = subprocess.run(
        [sys.executable, "-c", dedent(script), str(tmp_path)], capture_output=True, check=True
    )
    passed, seconds = json.loads(done.stdout)
    assert passed
    assert seconds < 0.8  # 0.2 measured; twice the aim, for a busy machine
