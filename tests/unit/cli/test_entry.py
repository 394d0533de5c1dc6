"""Tests of how the command line ends: one message, the right exit status, never a traceback."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lpiclab import __version__
from lpiclab.cli import output
from lpiclab.engine.context import Context
from lpiclab.errors import LpiclabError, ProviderError, SpecError, SpecProblem, UsageError
from lpiclab.files import file_lock, private_folder
from lpiclab.paths import Home

Lpiclab = Callable[..., tuple[int, str, str]]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Return what makes every command fail with an exception."""

    def fail(error: BaseException) -> None:
        def raising(*_: object, **__: object) -> Context:
            raise error

        monkeypatch.setattr(Context, "from_environment", raising)

    return fail


def test_commands_are_known_without_anything_heavy() -> None:
    """`--help` stays quick: YAML, templates, SSH and pytest are loaded by the commands that need them."""
    code = "import sys, lpiclab.cli.app; print({'yaml', 'jinja2', 'paramiko', 'pytest'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_version(lpiclab: Lpiclab) -> None:
    """The version is data."""
    assert lpiclab("--version") == (0, f"lpiclab {__version__}\n", "")


@pytest.mark.parametrize(
    "words", [["--help"], ["-h"], *([name, "--help"] for name in ("up", "ssh", "check", "test", "image"))]
)
def test_help_is_asked_for(lpiclab: Lpiclab, words: list[str]) -> None:
    """Help goes to standard output, and is success."""
    code, stdout, stderr = lpiclab(*words)
    assert (code, stderr) == (0, "")
    assert "Usage: lpiclab" in stdout


@pytest.mark.parametrize(
    "words", [["no-such"], ["up"], ["up", "raid1", "--no-such"], ["down"], ["down", "x", "--all"]]
)
def test_wrong_words_are_a_users_mistake(lpiclab: Lpiclab, words: list[str]) -> None:
    """Commands, options and arguments that do not fit give status 2 and say why on standard error."""
    code, stdout, stderr = lpiclab(*words)
    assert (code, stdout) == (2, "")
    assert stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("the message", hint="the hint"), 2),
        (SpecError([SpecProblem(Path("/labs/x/lab.yaml"), 3, 1, "the message")], hint="the hint"), 3),
        (ProviderError("the message", hint="the hint", details="one\ntwo"), 4),
    ],
)
def test_each_kind_of_trouble_has_its_status(
    lpiclab: Lpiclab, failing: Callable[[BaseException], None], error: LpiclabError, code: int
) -> None:
    """Message, evidence and hint are shown once, on standard error."""
    failing(error)
    status, stdout, stderr = lpiclab("status")
    assert (status, stdout) == (code, "")
    assert stderr.count("the message") == 1
    assert stderr.count("hint: the hint") == 1
    assert all(f"    {line}\n" in stderr for line in error.details.splitlines())


def test_ctrl_c_is_no_trouble(lpiclab: Lpiclab, failing: Callable[[BaseException], None]) -> None:
    """An interrupted command gives the shell's status for it."""
    failing(KeyboardInterrupt())
    code, stdout, _ = lpiclab("status")
    assert (code, stdout) == (130, "")


@pytest.mark.parametrize(
    ("number", "hint"), [(errno.ENOSPC, "`lpiclab image prune`"), (errno.EROFS, "Read-only file system")]
)
def test_hosts_trouble_is_no_bug(
    lpiclab: Lpiclab, failing: Callable[[BaseException], None], number: int, hint: str
) -> None:
    """A full disk is told as such, with what makes space."""
    failing(OSError(number, os.strerror(number), "/somewhere/record.json"))
    code, stdout, stderr = lpiclab("status")
    assert (code, stdout) == (4, "")
    assert os.strerror(number) in stderr
    assert "/somewhere/record.json" in stderr
    assert hint in stderr


def test_bug_is_one_line_and_a_file(
    lpiclab: Lpiclab,
    failing: Callable[[BaseException], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The user is told where the traceback is, and does not see it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    failing(ZeroDivisionError("oh"))
    code, stdout, stderr = lpiclab("status")
    assert (code, stdout, stderr.count("\n")) == (70, "", 1)
    (file,) = tmp_path.glob("lpiclab-bug-*.txt")
    assert str(file) in stderr
    assert "ZeroDivisionError: oh" in file.read_text()


def test_reader_that_has_had_enough_is_no_trouble(lpiclab: Lpiclab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed pipe at the output ends the command quietly."""

    def broken(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(output, "data", broken)
    keep = os.dup(1)
    try:
        assert lpiclab("--version") == (0, "", "")
    finally:
        os.dup2(keep, 1)
        os.close(keep)


def test_program_as_users_start_it(tmp_path: Path) -> None:
    """`python -m lpiclab` is the command line; an unknown lab is told with the nearest name, status 2."""
    done = subprocess.run(
        [sys.executable, "-m", "lpiclab", "up", "riad1", "--provider", "fake"],
        env={**os.environ, "LPICLAB_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert 'did you mean "raid1"?' in done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr


def test_asked_to_end_is_as_interrupted(home: Home) -> None:
    """A time limit's signal lets a command clear away, whatever it was waiting for."""
    folder = private_folder(home.instances / ".locks")
    private_folder(home.instances / "web")
    with file_lock(folder / "web.lock", "solve web", lambda _: None):
        waiting = subprocess.Popen(
            [sys.executable, "-m", "lpiclab", "down", "web"], stderr=subprocess.PIPE, text=True
        )
        assert waiting.stderr is not None
        assert "waiting for `lpiclab solve web`" in waiting.stderr.readline()
        waiting.terminate()
        _, stderr = waiting.communicate()
    assert waiting.returncode == 130
    assert "Traceback" not in stderr


@pytest.mark.parametrize("words", [(), ("image",), ("snapshot",)])
def test_help_is_not_cut(lpiclab: Lpiclab, words: tuple[str, ...]) -> None:
    """Each command is told in one short sentence, whole."""
    code, stdout, _ = lpiclab(*words, "--help")
    assert code == 0
    commands = stdout.partition("Commands:\n")[2]
    assert commands
    assert "..." not in commands
