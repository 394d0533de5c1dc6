"""Tests of starting programs, with the host's own."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lpiclab import proc
from lpiclab.errors import MissingTool, TimedOut, ToolFailed
from lpiclab.wait import Deadline

_LOOK = """
import os, sys
os.write(int(sys.argv[1]), f"{os.getcwd()} {os.getsid(0) == os.getpid()}".encode())
print("out")
print("err", file=sys.stderr)
"""


def _soon() -> Deadline:
    return Deadline.after(20.0)


def test_output_is_returned() -> None:
    """Standard input goes in, standard output comes back, standard error does not mix with it."""
    argv = ["sh", "-c", 'cat; echo " $GREETING $0"; echo noise >&2', "a b"]
    output = proc.run(argv, deadline=_soon(), stdin=b"in\0", environment={"GREETING": "hello"})
    assert output == b"in\0 hello a b\n"


def test_own_environment_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables are given on top of our own."""
    monkeypatch.setenv("OURS", "kept")
    assert proc.run(["sh", "-c", "echo $OURS"], deadline=_soon(), environment={"X": "y"}) == b"kept\n"


def test_nothing_is_read_from_the_terminal() -> None:
    """A program that reads its input finds its end."""
    assert proc.run(["cat"], deadline=_soon()) == b""


def test_absent_program_is_named() -> None:
    """A program that is not installed is told by name, with what to try."""
    with pytest.raises(MissingTool, match="no-such-program-here is not installed") as raised:
        proc.run(["no-such-program-here"], deadline=_soon())
    assert "doctor" in raised.value.hint


def test_failure_shows_the_end_of_what_was_said() -> None:
    """The error has the command line and the last of the output, not all of it."""
    script = "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; echo why it failed >&2; exit 3"
    with pytest.raises(ToolFailed, match="sh ended with status 3") as raised:
        proc.run(["sh", "-c", script], deadline=_soon())
    assert raised.value.details.startswith("$ sh -c 'i=0;")
    assert raised.value.details.endswith("line 2999\nwhy it failed\n")
    assert "line 10\n" not in raised.value.details


def test_wanted_statuses_are_no_failure() -> None:
    """A program may end with any of the statuses that the caller knows."""
    assert proc.run(["sh", "-c", "echo differ; exit 1"], deadline=_soon(), statuses=(0, 1)) == b"differ\n"


def test_deadline_ends_the_program() -> None:
    """A program that does not end is killed, and the error holds its command line."""
    with pytest.raises(TimedOut, match="tail did not end in time") as raised:
        proc.run(["tail", "-f", "/dev/null"], deadline=Deadline.after(0.05))
    assert raised.value.details == "tail -f /dev/null"


def test_nothing_is_started_after_the_deadline(tmp_path: Path) -> None:
    """When no time is left the program does not run at all."""
    with pytest.raises(TimedOut):
        proc.run(["touch", tmp_path / "file"], deadline=Deadline.after(0))
    assert not (tmp_path / "file").exists()


def test_log_gets_everything_and_the_error_its_end(tmp_path: Path) -> None:
    """With a log both outputs are appended to it, and a failure quotes it."""
    log = tmp_path / "log"
    log.write_text("before\n")
    with pytest.raises(ToolFailed) as raised:
        proc.run(["sh", "-c", "echo out; echo err >&2; exit 1"], deadline=_soon(), log=log)
    assert log.read_text() == "before\nout\nerr\n"
    assert raised.value.details.endswith("before\nout\nerr\n")


def test_spawned_program_is_on_its_own(tmp_path: Path) -> None:
    """It has its own session, the folder, the log and the sockets it was given."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        pid = proc.spawn(
            [sys.executable, "-c", _LOOK, str(theirs.fileno())],
            log=tmp_path / "log",
            folder=tmp_path,
            sockets=[theirs.fileno()],
        )
        theirs.close()
        assert ours.recv(4096).decode() == f"{tmp_path} True"
        assert os.waitpid(pid, 0) == (pid, 0)
    assert sorted((tmp_path / "log").read_text().split()) == ["err", "out"]


def test_spawned_program_can_be_found_at_once(tmp_path: Path) -> None:
    """Its words are there, however little time it has had; one that ends at once has none, and is no trap."""
    for _ in range(50):
        pid = proc.spawn(["sleep", "60"], log=tmp_path / "log", folder=tmp_path)
        assert Path(f"/proc/{pid}/cmdline").read_bytes() == b"sleep\0" + b"60\0"
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.waitpid(proc.spawn(["true"], log=tmp_path / "log", folder=tmp_path), 0)


def test_spawning_an_absent_program_is_an_error(tmp_path: Path) -> None:
    """The caller is told at once."""
    with pytest.raises(MissingTool, match="no-such-program-here"):
        proc.spawn(["no-such-program-here"], log=tmp_path / "log", folder=tmp_path)


_PARENT = """
import sys
from pathlib import Path
from lpiclab import proc
argv = ["sh", "-c", "echo up; exec tail -f /dev/null"]
log, dies = Path(sys.argv[1]), sys.argv[2] == "True"
print(proc.spawn(argv, log=log, folder=log.parent, dies_with_us=dies), flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("dies", [True, False])
def test_spawned_program_dies_with_us_if_it_should(tmp_path: Path, dies: bool) -> None:
    """When this process is killed, what was started for it alone ends as well; the others go on."""
    words = [sys.executable, "-c", _PARENT, str(tmp_path / "log"), str(dies)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = os.pidfd_open(pid := int(parent.stdout.readline()))
        try:
            while (tmp_path / "log").read_text() != "up\n":
                os.sched_yield()
            parent.kill()
            parent.wait()
            ended, _, _ = select.select([child], [], [], 20.0 if dies else 0.0)
            assert bool(ended) is dies
        finally:
            if not dies:
                os.kill(pid, signal.SIGKILL)
            os.close(child)


def test_family_says_both_and_its_end_is_told(tmp_path: Path) -> None:
    """Standard output comes back with the status; the log has it, the errors and the command."""
    log = tmp_path / "log"
    argv = ["sh", "-c", "echo out $X; echo err >&2; exit 3"]
    assert proc.run_family(argv, deadline=_soon(), environment={"X": "x"}, log=log) == (3, b"out x\n")
    assert log.read_text().splitlines() == ["$ sh -c 'echo out $X; echo err >&2; exit 3'", "err", "out x"]


def test_family_that_is_not_captured_says_it_as_it_comes(tmp_path: Path) -> None:
    """Both streams are in the log in the order of time, and nothing comes back."""
    log = tmp_path / "log"
    argv = ["sh", "-c", "echo one; echo two >&2; echo three"]
    assert proc.run_family(argv, deadline=_soon(), environment={}, log=log, capture=False) == (0, b"")
    assert log.read_text().splitlines()[1:] == ["one", "two", "three"]


def test_family_ends_as_a_whole(tmp_path: Path) -> None:
    """At the deadline what the program started is killed too, and its words until then are kept."""
    pipe, log = tmp_path / "pipe", tmp_path / "log"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    script = f"exec 3>{pipe}; echo said; (while :; do read x < {tmp_path}/never; done) & wait"
    os.mkfifo(tmp_path / "never")
    with pytest.raises(TimedOut, match="sh did not end in time"):
        proc.run_family(["sh", "-c", script], deadline=Deadline.after(1.0), environment={}, log=log)
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b""  # the last that could write is gone
    os.close(reader)
    assert log.read_text().endswith("said\n")


def test_family_of_an_absent_program_is_named(tmp_path: Path) -> None:
    """A program that is not installed is told by name."""
    with pytest.raises(MissingTool, match="no-such-program-here is not installed"):
        proc.run_family(["no-such-program-here"], deadline=_soon(), environment={}, log=tmp_path / "log")
