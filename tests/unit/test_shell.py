"""Tests of lpiclab.shell against this host's own shells."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lpiclab import shell as shell_module
from lpiclab.errors import ConnectFailed, GuestError, MachineryError, TimedOut
from lpiclab.model import CommandResult
from lpiclab.shell import Shell, SocketStream
from lpiclab.wait import Deadline

_LONG_S = 30.0
_PROGRAMS = {"dash": "dash", "bash": "bash", "busybox": "busybox"}

Start = Callable[..., Shell]


@contextlib.contextmanager
def _process(program: str, environment: dict[str, str] | None = None) -> Iterator[SocketStream]:
    """Yield the stream of a raw shell process."""
    ours, theirs = socket.socketpair()
    with (
        ours,
        subprocess.Popen(
            [program], stdin=theirs.fileno(), stdout=theirs.fileno(), env=environment
        ) as process,
    ):
        theirs.close()
        yield SocketStream(ours)
        ours.close()
        process.kill()


@pytest.fixture(params=_PROGRAMS)
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return the path of a program named `sh`: each kind that this host has."""
    found = shutil.which(request.param)
    if not found:
        pytest.skip(f"{request.param} is not installed")
    link = tmp_path / "bin" / "sh"
    link.parent.mkdir()
    link.symlink_to(found)
    return link


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Return a folder for the shell's private one."""
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


@pytest.fixture
def shell(program: Path, scratch: Path) -> Iterator[Shell]:
    """Yield a ready shell."""
    with _process(str(program)) as stream:
        ready = Shell.start(
            stream, deadline=_soon(), machine="ns1", scratch=str(scratch), program=str(program)
        )
        yield ready
        ready.close()


def _soon() -> Deadline:
    return Deadline.after(_LONG_S)


def _run(shell: Shell, command: str, stdin: bytes = b"") -> CommandResult:
    return shell.run(command, stdin=stdin, deadline=_soon())


def test_output_and_errors_are_apart_and_status_is_exact(shell: Shell) -> None:
    """Standard output, standard error and the exit status come back as the command left them."""
    result = _run(shell, "echo out; echo err >&2; exit 37")
    assert (result.stdout, result.stderr, result.status) == (b"out\n", b"err\n", 37)
    assert result.command == "echo out; echo err >&2; exit 37"
    assert result.seconds > 0


@pytest.mark.parametrize(
    ("command", "stdout", "status"),
    [
        ("", b"", 0),
        ("printf x", b"x", 0),
        ("printf '\\0\\377\\n\\n'", b"\0\xff\n\n", 0),
        ("echo 'it'\"'\"'s' \"$((1 + 1))\" `echo '\\\\'`", b"it's 2 \\\n", 0),
        ("echo 課題 é", "課題 é\n".encode(), 0),
        ("cat <<END\na\n'b\nEND", b"a\n'b\n", 0),
        ("# a comment", b"", 0),
        ("echo a # a comment", b"a\n", 0),
        ("echo a &&\n  echo b", b"a\nb\n", 0),
        ("set -e; false; echo never", b"", 1),
        ("set -u; echo $1", b"", None),
        ("echo $#; set -- a b; echo $2", b"0\nb\n", 0),
        ("trap 'echo bye' EXIT; echo hi", b"hi\nbye\n", 0),
        ("exec echo gone", b"gone\n", 0),
        ("exec >/dev/null; echo never", b"", 0),
        ("exec </dev/zero", b"", 0),
        ("cat", b"", 0),
        ("read line; echo $?", b"1\n", 0),
        ("return 3", b"", None),
        ("sh -c 'kill -9 $$'", b"", 137),
        ("exit 256", b"", None),
        ("yes | head -n 1", b"y\n", 0),
        ("echo )", b"", None),
        ("if true; then", b"", None),
        ("echo 'unfinished", b"", None),
        ("cat <<END\nunfinished", None, None),
        ("-x", b"", 127),
        ("--", None, None),
        ("no-such-program-here", b"", 127),
        ("set -C; set -f; umask 777; cd /usr; alias ls=false; PATH=/none; eval() { :; }", None, None),
    ],
)
def test_a_command_leaves_the_shell_as_it_was(
    shell: Shell, command: str, stdout: bytes | None, status: int | None
) -> None:
    """Whatever a command does to its own shell, the next one finds the fixed surroundings."""
    result = _run(shell, command)
    if stdout is not None:
        assert result.stdout == stdout
    if status is not None:
        assert result.status == status
    after = _run(shell, "pwd; umask; echo $# $- *bin; ls -d /usr >&2; false")
    words = after.stdout.decode().split()
    assert words[:2] == ["/", "0022"]
    assert words[2] == "0"
    assert not set("Cefu") & set(words[3])
    assert "bin" in words[4:]
    assert after.stderr == b"/usr\n"
    assert after.status == 1


def test_a_command_sees_nothing_of_the_framing(shell: Shell) -> None:
    """A command can list the shell's variables and trace itself without upsetting the frames."""
    _run(shell, "true")
    assert b"lpiclab-" not in _run(shell, "set").stdout
    result = _run(shell, "set -xv; echo hi; set")
    assert result.status == 0
    assert result.stdout.startswith(b"hi\n")
    assert _run(shell, "echo next").stdout == b"next\n"


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        b"-n",
        b"%d%%\\n\\0101'\"$(id)`id`\r\n\n",
        bytes(range(256)) * 3,
        "課題\n".encode(),
        b"x" * 200_000,
    ],
)
def test_stdin_reaches_a_command_unchanged(shell: Shell, data: bytes) -> None:
    """Any bytes given as standard input are what the command reads."""
    result = _run(shell, "cat; exit 5", stdin=data)
    assert result.stdout == data
    assert (result.stderr, result.status) == (b"", 5)


def test_stdin_may_stay_unread(shell: Shell) -> None:
    """A command that does not read its input ends all the same, and the rest of it is not run."""
    assert _run(shell, "true", stdin=b"echo never\n" * 50_000).status == 0
    assert _run(shell, "echo next").stdout == b"next\n"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_much_output_is_cut_and_said_so(shell: Shell, stream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Output beyond the limit is read and dropped, and a note in stderr tells it."""
    monkeypatch.setattr(shell_module, "OUTPUT_LIMIT_BYTES", 100_000)
    to = "" if stream == "stdout" else " >&2"
    result = _run(shell, f"head -c 3000000 /dev/zero{to}; echo end{to}; exit 4")
    assert result.status == 4
    kept: bytes = getattr(result, stream)
    assert kept.startswith(b"\0" * 100_000)
    assert b"end" not in kept
    assert b"lpiclab kept the first 100000 bytes" in result.stderr
    assert _run(shell, "echo next").stdout == b"next\n"


def test_output_of_exactly_the_limit_is_whole(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Output that just fits is not called cut."""
    monkeypatch.setattr(shell_module, "OUTPUT_LIMIT_BYTES", 70_000)
    result = _run(shell, "head -c 70000 /dev/zero; head -c 70000 /dev/zero >&2")
    assert (len(result.stdout), len(result.stderr)) == (70_000, 70_000)


def test_a_background_child_is_not_waited_for(shell: Shell) -> None:
    """A child that keeps both outputs open does not delay the result."""
    result = _run(shell, "sleep 60 & echo $!")
    os.kill(int(result.stdout), signal.SIGKILL)
    assert result.seconds < _LONG_S


def test_late_output_is_not_the_next_commands(shell: Shell) -> None:
    """What a background child wrote between two commands is thrown away."""
    go = f"{shell._folder}/go"
    _run(shell, f"mkfifo {go}; {{ read x <{go}; echo late; echo late >&2; echo x >{go}; }} &")
    # The fifo is opened by the host, so that the child writes while no command runs.
    Path(go).write_text("x\n", encoding="ascii")
    Path(go).read_text(encoding="ascii")
    result = _run(shell, "echo mine; echo mine >&2")
    assert (result.stdout, result.stderr) == (b"mine\n", b"mine\n")


def test_environment_is_fixed(program: Path, scratch: Path, tmp_path: Path) -> None:
    """PATH, ENV, BASH_ENV, inherited functions and variables of the account do not matter."""
    profile = tmp_path / "profile"
    profile.write_text("alias echo=false\nPATH=/none\n", encoding="ascii")
    environment = {
        "PATH": "/none",
        "ENV": str(profile),
        "BASH_ENV": str(profile),
        "BASH_FUNC_echo%%": "() { false; }",
        "LANG": "ja_JP.UTF-8",
        "SECRET": "1",
    }
    with _process(str(program), environment) as stream:
        shell = Shell.start(stream, deadline=_soon(), scratch=str(scratch), program=str(program))
        names = dict(line.split("=", 1) for line in _run(shell, "env").stdout.decode().splitlines())
        for added in ("PWD", "SHLVL", "_", "OLDPWD"):
            names.pop(added, None)
        assert names == {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LC_ALL": "C.UTF-8",
        }
        assert _run(shell, "echo fine").stdout == b"fine\n"
        shell.close()


def test_greeting_is_skipped(program: Path, scratch: Path) -> None:
    """What the account's shell printed before is not mistaken for an answer."""
    with _process(str(program)) as stream:
        stream.send(b"echo LPICLAB-READY 1234; printf 'no newline'\n")
        shell = Shell.start(stream, deadline=_soon(), scratch=str(scratch), program=str(program))
        assert _run(shell, "echo hi").stdout == b"hi\n"
        shell.close()


def test_scratch_is_private_and_goes_away(program: Path, scratch: Path) -> None:
    """The folder for error output is 0700 and is removed when the shell ends, however it ends."""
    with _process(str(program)) as stream:
        shell = Shell.start(stream, deadline=_soon(), scratch=str(scratch), program=str(program))
        (folder,) = scratch.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        stream._socket.shutdown(socket.SHUT_WR)
        with pytest.raises(GuestError, match="the shell ended"):
            shell._until("never", _soon())
    assert list(scratch.iterdir()) == []


def test_error_files_stay_few_and_empty(shell: Shell, scratch: Path) -> None:
    """Many commands do not fill the machine's tmpfs."""
    for _ in range(70):
        assert _run(shell, "echo err >&2").stderr == b"err\n"
    files = [file for file in scratch.rglob("*") if file.is_file()]
    assert len(files) == 64
    assert sum(file.stat().st_size for file in files) == 0


def test_missing_scratch_is_a_machine_trouble(shell: Shell, scratch: Path) -> None:
    """A command whose error file can't be made raises, it does not look like a failed command."""
    shutil.rmtree(next(scratch.iterdir()))
    with pytest.raises(GuestError, match=r"ns1: .*is gone or can't be written"):
        _run(shell, "true")
    assert shell.broken


def test_start_tells_why_it_failed(program: Path, tmp_path: Path) -> None:
    """A scratch folder that is not there ends the start, with the machine's own words as evidence."""
    with _process(str(program)) as stream, pytest.raises(GuestError) as caught:
        Shell.start(stream, deadline=_soon(), machine="ns1", scratch=str(tmp_path / "none"))
    assert "ns1: the shell ended while waiting for its shell to start" in caught.value.message
    assert "none/lpiclab-" in caught.value.details


def test_killed_shell_breaks_it(shell: Shell) -> None:
    """A command that kills the long-lived shell raises, and further commands say why they can't run."""
    with pytest.raises(GuestError, match=r"ns1: the shell ended while waiting for `echo a; kill -9 \$\$`"):
        _run(shell, "echo a; kill -9 $$")
    assert shell.broken
    with pytest.raises(GuestError, match="ns1: the shell can't be used any more: `echo a; kill"):
        _run(shell, "true")


def test_pid_is_the_shells_own(shell: Shell) -> None:
    """`pid` is what the machine calls the long-lived shell."""
    assert int(_run(shell, "echo $$").stdout) == shell.pid


def test_timeout_names_the_command_and_breaks_the_shell(program: Path, scratch: Path) -> None:
    """A command past its deadline raises with its text and what it had printed."""

    class Impatient(SocketStream):
        seen = b""

        def receive(self, deadline: Deadline, /) -> bytes:
            if b"started" in self.seen:
                raise TimedOut("timed out waiting for data")
            data = super().receive(deadline)
            self.seen += data
            return data

    with _process(str(program)) as plain:
        shell = Shell.start(
            Impatient(plain._socket),
            deadline=_soon(),
            machine="ns1",
            scratch=str(scratch),
            program=str(program),
        )
        with pytest.raises(TimedOut) as caught:
            _run(shell, "echo started\nsleep 60")
        assert caught.value.message == "ns1: timed out waiting for `echo started sleep 60`"
        assert "started" in caught.value.details
        assert shell.broken
        _kill_children(shell.pid)


def test_expired_deadline_breaks_the_shell(shell: Shell) -> None:
    """A deadline that has passed is a time-out even for a command that takes no time."""
    with pytest.raises(TimedOut, match="`true`"):
        shell.run("true", deadline=Deadline.after(0))
    assert shell.broken


def _kill_children(pid: int) -> None:
    """Kill what the shell at `pid` is waiting for, so that the shell ends too."""
    tasks = [pid]
    for task in tasks:
        tasks += map(int, Path(f"/proc/{task}/task/{task}/children").read_text(encoding="ascii").split())
    for task in reversed(tasks):
        os.kill(task, signal.SIGKILL)


def test_interrupt_breaks_the_shell(program: Path, scratch: Path) -> None:
    """After Ctrl-C inside a command the shell is not used again: an old answer may be on its way."""

    class Interrupted(SocketStream):
        armed = False

        def receive(self, deadline: Deadline, /) -> bytes:
            if self.armed:
                raise KeyboardInterrupt
            return super().receive(deadline)

    with _process(str(program)) as plain:
        stream = Interrupted(plain._socket)
        shell = Shell.start(stream, deadline=_soon(), scratch=str(scratch), program=str(program))
        stream.armed = True
        with pytest.raises(KeyboardInterrupt):
            _run(shell, "true")
        assert shell.broken


def test_frames_survive_any_packet_size(program: Path, scratch: Path) -> None:
    """Answers that arrive byte by byte are put together."""

    class Trickle(SocketStream):
        def receive(self, deadline: Deadline, /) -> bytes:
            self._socket.settimeout(deadline.left_s())
            return self._socket.recv(1)

    with _process(str(program)) as plain:
        shell = Shell.start(
            Trickle(plain._socket), deadline=_soon(), scratch=str(scratch), program=str(program)
        )
        result = _run(shell, "echo lpiclab-; echo lpiclab- >&2; exit 9")
        assert (result.stdout, result.stderr, result.status) == (b"lpiclab-\n", b"lpiclab-\n", 9)
        shell.close()


def test_nul_is_refused_before_anything_is_sent(shell: Shell) -> None:
    """No shell text can hold a NUL, and the shell stays usable."""
    with pytest.raises(ValueError, match="NUL"):
        _run(shell, "echo a\0b")
    assert not shell.broken


def test_closed_shell_refuses_commands(shell: Shell) -> None:
    """A closed shell says so, and may be closed twice."""
    shell.close()
    shell.close()
    with pytest.raises(GuestError, match="it was closed"):
        _run(shell, "true")


def test_connect_reaches_a_unix_socket(tmp_path: Path) -> None:
    """A stream connects to a listening socket, and to nothing else."""
    path = tmp_path / "port"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        stream = SocketStream.connect(path, deadline=_soon())
        peer, _ = server.accept()
        with peer:
            stream.send(b"ping")
            assert peer.recv(10) == b"ping"
        assert stream.receive(_soon()) == b""
        stream.close()
    path.unlink()
    with pytest.raises(ConnectFailed, match=r"cannot connect to .*port"):
        SocketStream.connect(path, deadline=_soon())


def test_stream_raises_our_errors_only() -> None:
    """Silence is TimedOut, and a peer that is gone is the end or a machine trouble."""
    ours, theirs = socket.socketpair()
    stream = SocketStream(ours)
    with pytest.raises(TimedOut):
        stream.receive(Deadline.after(0))
    theirs.close()
    assert stream.receive(_soon()) == b""
    with pytest.raises(MachineryError):
        stream.send(b"x")
    stream.close()
