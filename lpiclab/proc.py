"""Start outside programs: argument lists only, never a shell."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from lpiclab.errors import MissingTool, TimedOut, ToolFailed
from lpiclab.wait import Deadline

_TAIL_BYTES = 4000
_DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")


def run(
    argv: Sequence[str | Path],
    *,
    deadline: Deadline,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
    statuses: Sequence[int] = (0,),
) -> bytes:
    """Run a program to its end and return its standard output.

    Args:
        argv: The program and its arguments.
        deadline: When the program is killed.
        stdin: What it reads.
        environment: Variables on top of our own.
        log: A file that receives its standard error (and output) instead of memory.
        statuses: The exit statuses that are no failure.

    Raises:
        MissingTool: the program is not installed.
        TimedOut: it was killed at the deadline.
        ToolFailed: it ended with another status; `details` holds the last of its output.
    """
    words = [str(word) for word in argv]
    sink = log.open("ab") if log else None
    try:
        done = subprocess.run(
            words,
            input=stdin,
            stdout=sink or subprocess.PIPE,
            stderr=sink or subprocess.PIPE,
            env={**os.environ, **(environment or {})},
            timeout=deadline.require(words[0]),
            check=False,
        )
    except FileNotFoundError as error:
        raise MissingTool(f"{words[0]} is not installed", hint="run `lpiclab doctor`") from error
    except subprocess.TimeoutExpired as error:
        raise TimedOut(f"{words[0]} did not end in time", details=shlex.join(words)) from error
    finally:
        if sink:
            sink.close()
    if done.returncode not in statuses:
        tail = log.read_bytes()[-_TAIL_BYTES:] if log else (done.stdout + done.stderr)[-_TAIL_BYTES:]
        raise ToolFailed(
            f"{words[0]} ended with status {done.returncode}",
            details=f"$ {shlex.join(words)}\n{tail.decode(errors='replace')}",
        )
    return done.stdout or b""


def run_family(
    argv: Sequence[str | Path],
    *,
    deadline: Deadline,
    environment: Mapping[str, str],
    log: Path,
    capture: bool = True,
) -> tuple[int, bytes]:
    """Run a program that starts others to its end, and return its exit status and standard output.

    All of them end at the deadline, or when we are interrupted: none can hold us up by a pipe that it
    keeps open. What the program says, on either stream, is appended to `log`: standard output when it
    has ended, or, without `capture`, as it comes and nothing is returned of it.

    Raises:
        MissingTool: the program is not installed.
        TimedOut: it was killed at the deadline.
    """
    words = [str(word) for word in argv]
    left_s = deadline.require(words[0])
    with tempfile.TemporaryFile() as output, log.open("ab") as sink:
        sink.write(f"$ {shlex.join(words)}\n".encode())
        sink.flush()
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output if capture else sink,
                stderr=sink,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise MissingTool(f"{words[0]} is not installed", hint="run `lpiclab doctor`") from error
        try:
            process.wait(left_s)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise TimedOut(f"{words[0]} did not end in time", details=shlex.join(words)) from error
            raise
        finally:
            output.seek(0)
            said = output.read()
            sink.write(said)
    return process.returncode, said


def spawn(
    argv: Sequence[str | Path],
    *,
    log: Path,
    folder: Path,
    sockets: Sequence[int] = (),
    dies_with_us: bool = False,
) -> int:
    """Start a program that outlives this process unless it `dies_with_us`, and return its process id.

    It gets a session of its own, `folder` to work in, `log` for its output and the descriptors in
    `sockets`. Nobody waits for it here: whoever ends it watches it by its process id.

    Raises:
        MissingTool: the program is not installed.
    """
    words = [*(_DIES_WITH_US if dies_with_us else ()), *map(str, argv)]
    with log.open("ab") as sink:
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                cwd=folder,
                start_new_session=True,
                pass_fds=sockets,
            )
        except FileNotFoundError as error:
            raise MissingTool(f"{words[0]} is not installed", hint="run `lpiclab doctor`") from error
    process.returncode = 0  # else Popen warns that its child outlives it, which is the point
    _wait_for_words(process.pid)
    return process.pid


def _wait_for_words(pid: int) -> None:
    """Wait until a program just started can be found by its words, or has ended.

    Popen waits for execve(2) to close our descriptors. The kernel puts the new words in place some
    microseconds later, and until then the process has none (proc_pid_cmdline(5)).
    """
    words = Path(f"/proc/{pid}/cmdline")
    while not words.read_bytes() and os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        os.sched_yield()
