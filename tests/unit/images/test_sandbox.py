"""Running the build's tools as root, be it of a user namespace."""

from __future__ import annotations

import os
import shutil

import pytest

from lpiclab import proc
from lpiclab.errors import MissingTool, ToolFailed
from lpiclab.images import sandbox
from lpiclab.wait import Deadline


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return the commands that are run, as all succeed."""
    seen: list[list[str]] = []
    monkeypatch.setattr(proc, "run", lambda argv, **_words: seen.append(argv))
    return seen


@pytest.fixture
def everything_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every program be there."""
    monkeypatch.setattr(shutil, "which", lambda tool, **_words: f"/usr/bin/{tool}")


@pytest.mark.parametrize(("user_id", "mapped"), [(0, False), (1000, True)])
def test_only_an_ordinary_user_gets_a_user_namespace(
    monkeypatch: pytest.MonkeyPatch, commands: list[list[str]], user_id: int, *, mapped: bool
) -> None:
    """Root needs no mapping of user ids; everybody has namespaces that end with the program."""
    monkeypatch.setattr(os, "geteuid", lambda: user_id)
    sandbox.run(["true"], deadline=Deadline.after(1))
    (words,) = commands
    assert words[:4] == ["setpriv", "--pdeathsig", "KILL", "unshare"]
    assert {"--mount", "--pid", "--kill-child"} <= set(words)
    assert ("--map-auto" in words) is mapped
    assert words[-1] == "true"


def test_missing_programs_are_named_by_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint installs all that lacks at once, and each package once."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(
        shutil, "which", lambda tool, **_words: None if tool.startswith(("new", "qemu")) else tool
    )
    with pytest.raises(MissingTool, match="qemu-utils and uidmap must be installed") as caught:
        sandbox.require()
    assert caught.value.hint == "apt-get install qemu-utils uidmap"


def test_root_needs_no_uidmap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What only ordinary users need is not asked of root."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda tool, **_words: None if tool.startswith("new") else tool)
    assert sandbox.missing_packages() == []


@pytest.mark.usefixtures("everything_installed")
def test_trial_that_fails_explains_user_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where namespaces are forbidden, the message says what is needed and keeps the tool's words."""

    def fail(*_args: object, **_words: object) -> None:
        raise ToolFailed("setpriv ended with status 1", details="unshare: Operation not permitted")

    monkeypatch.setattr(proc, "run", fail)
    with pytest.raises(MissingTool, match="user namespaces") as caught:
        sandbox.require()
    assert "usermod --add-subuids" in caught.value.hint
    assert caught.value.details == "unshare: Operation not permitted"


@pytest.mark.usefixtures("everything_installed")
def test_host_that_has_all_is_accepted(commands: list[list[str]]) -> None:
    """A trial of the namespaces is all that is run."""
    sandbox.require()
    assert [words[-1] for words in commands] == ["true"]


def test_failure_is_told_in_the_name_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs around it that make the namespaces are not blamed."""

    def fail(*_args: object, **_words: object) -> None:
        raise ToolFailed("setpriv ended with status 25", details="E: 404")

    monkeypatch.setattr(proc, "run", fail)
    with pytest.raises(ToolFailed, match=r"^mmdebstrap ended with status 25$") as caught:
        sandbox.run(["mmdebstrap", "trixie"], deadline=Deadline.after(1))
    assert caught.value.details == "E: 404"
