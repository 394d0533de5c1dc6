"""Tests of running Vagrant, with a stand-in for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lpiclab.errors import MissingTool, ProviderError, TimedOut
from lpiclab.providers.vagrant.command import Commands, environment_of
from lpiclab.wait import Deadline


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with a Vagrantfile of one machine."""
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "Vagrantfile").write_text('config.vm.define "server" do\n')
    return folder


def _commands(root: Path, deadline: Deadline | None = None) -> Commands:
    return Commands(
        root,
        label="raid1/server",
        log=root / "log",
        deadline=deadline or Deadline.after(20.0),
        environment=environment_of(root, root / ".vagrant", "libvirt"),
    )


def test_answers_are_parsed(vagrant: Any, root: Path) -> None:
    """States, boxes and plugins come out of machine-readable output, commas in its words and all."""
    assert vagrant.calls() == []
    commands = _commands(root)
    assert commands.states() == {"server": "not_created"}
    assert [(box.name, box.provider) for box in commands.boxes()] == [("lpiclab/debian-13", "libvirt")]
    assert commands.plugins() == {"vagrant-libvirt"}


def test_words_of_others_are_no_data(vagrant: Any, root: Path) -> None:
    """A warning between the lines, and a field too many, are neither machines nor a crash."""
    said = "a warning, with, four, fields\n1,,error-exit,Vagrant::Oh,words\n1,server,state,running\nbye\n"
    vagrant.answer("status", stdout=said)
    assert _commands(root).states() == {"server": "running"}


def test_words_on_standard_error_are_no_failure(vagrant: Any, root: Path) -> None:
    """With status 0 a command has done its work; what it said is in the log."""
    vagrant.answer("halt", stderr="a plugin is old\n")
    _commands(root).on_machines("halt", "server")
    assert (root / "log").read_text() == "$ vagrant --no-tty halt server\na plugin is old\n"
    assert vagrant.calls() == ["halt server"]


@pytest.mark.parametrize(
    ("rule", "reason", "hint"),
    [
        (
            {"stderr": "==> server: Importing\n    server: 40%\nThe box 'a/b' could not be found.\nMore.\n"},
            "The box 'a/b' could not be found.",
            "lpiclab image box",
        ),
        (
            {
                "stderr": "An error occurred while executing the action on the 'server'\nmachine. Please "
                "handle this error then try again:\n\nError while connecting to Libvirt: no socket\n"
            },
            "Error while connecting to Libvirt: no socket",
            "systemctl start libvirtd",
        ),
        (
            {
                "stdout": "Bringing machine 'server' up with 'libvirt' provider...\n",
                "stderr": "Timed out while waiting for the machine to boot. This means\nIt is locked!\n",
            },
            "Timed out while waiting for the machine to boot.",
            "console.log",
        ),
        ({"stderr": "The provider 'libvirt' could not be found, but\n"}, "The provider", "vagrant-libvirt"),
        ({"stderr": "cannot open vmlinux: Permission denied\n"}, "cannot open", "chmod o+x"),
        ({"stderr": "something else\n"}, "something else", "/log"),
        ({}, "it said nothing", "/log"),
    ],
)
def test_failures_are_told(vagrant: Any, root: Path, rule: dict[str, str], reason: str, hint: str) -> None:
    """A failure says what failed, on which machine, in Vagrant's words, and what to try."""
    vagrant.answer("up", **rule, status=1)
    with pytest.raises(ProviderError) as raised:
        _commands(root).on_machines("up", "server")
    assert raised.value.message.startswith(f"raid1/server: `vagrant up` failed: {reason}")
    assert hint in raised.value.hint


def test_failures_in_machine_readable_output_are_told(vagrant: Any, root: Path) -> None:
    """There the reason is among the data, with its commas and lines written in another way."""
    said = "1,,ui,error,x\n1,,error-exit,Vagrant::No,It%!(VAGRANT_COMMA) is locked\\nnow. More\n"
    vagrant.answer("status", stdout=said, status=1)
    with pytest.raises(ProviderError, match="`vagrant status` failed: It, is locked now") as raised:
        _commands(root).states()
    assert "wait until it ends" in raised.value.hint


def test_an_earlier_failure_is_not_told_again(vagrant: Any, root: Path) -> None:
    """The details are of the command that failed, not of those before it in the same log."""
    vagrant.answer("up", stderr="first\n", status=1)
    vagrant.answer("halt", stderr="second\n", status=1)
    for command in ("up", "halt"):
        with pytest.raises(ProviderError) as raised:
            _commands(root).on_machines(command)
    assert raised.value.details == "second"


def test_a_command_that_hangs_is_killed(vagrant: Any, root: Path) -> None:
    """At the deadline the error names the machine and has the last words."""
    vagrant.hang("up")
    with pytest.raises(TimedOut, match="raid1/server: timed out waiting for `vagrant up`") as raised:
        _commands(root, Deadline.after(1.0)).on_machines("up", "server")
    assert raised.value.details in {"still waiting", ""}  # a slow host may not have got so far


def test_no_vagrant_is_told(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Vagrant the error says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingTool, match="raid1/server: vagrant is not installed") as raised:
        _commands(root).states()
    assert "apt-get install vagrant" in raised.value.hint


def test_without_vagrant_the_library_says_nothing(tmp_path: Path) -> None:
    """The warning that python-vagrant has for that is no user's business."""
    done = subprocess.run(
        [sys.executable, "-c", "import lpiclab.providers.vagrant.command"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    assert done.stdout + done.stderr == b""


def test_login_is_read(vagrant: Any, root: Path) -> None:
    """How a machine is reached comes from `vagrant ssh-config`, also with blanks in a path."""
    commands = _commands(root)
    commands.on_machines("up", "--provider", "libvirt", "server")
    said = commands.login("server")
    assert (said["HostName"], said["User"]) == ("127.0.0.1", "vagrant")
    assert said["Port"] == (vagrant.folder / "port").read_text().strip()
    assert said["IdentityFile"] == f"{root}/a key"


@pytest.mark.parametrize("said", ["Host server\n  User vagrant\n", "", "oh no\n", "Host server\n  Port\n"])
def test_login_that_is_none_is_told(vagrant: Any, root: Path, said: str) -> None:
    """Words that are no configuration are an error that names the machine, whatever they are."""
    vagrant.answer("ssh-config", stdout=said)
    with pytest.raises(ProviderError, match="Vagrant does not tell how server is reached"):
        _commands(root).login("server")


def test_streams_have_a_deadline_too(vagrant: Any, root: Path) -> None:
    """What the library would stream runs to its end here, and is then handed over by line."""
    vagrant.answer("up", stdout="one\ntwo\n")
    assert list(_commands(root).up(stream_output=True)) == ["one\n", "two\n"]  # type: ignore[no-untyped-call]  # python-vagrant has no types


def test_each_instance_is_alone() -> None:
    """Variables tie Vagrant to one folder; extra disks are an experiment, but not libvirt's."""
    made = environment_of(Path("/a"), Path("/a/.vagrant"), "virtualbox")
    assert made["VAGRANT_CWD"] == "/a"
    assert made["VAGRANT_DOTFILE_PATH"] == "/a/.vagrant"
    assert made["VAGRANT_EXPERIMENTAL"] == "disks"
    assert "VAGRANT_EXPERIMENTAL" not in environment_of(Path("/a"), Path("/a/.vagrant"), "libvirt")
