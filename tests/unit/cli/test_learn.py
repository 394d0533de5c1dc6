"""Tests of a learner's commands, from `up` to `down`, with the provider `fake`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lpiclab.cli.learn import _machine_and_command
from lpiclab.engine import access
from lpiclab.errors import UsageError
from lpiclab.paths import Home

Lpiclab = Callable[..., tuple[int, str, str]]
Commands = list[tuple[str, str]]


def test_up_tells_the_tasks_and_how_to_go_on(lpiclab: Lpiclab, commands: Commands) -> None:
    """All that is told is talk: progress, tasks, the next commands."""
    code, stdout, stderr = lpiclab("up", "web", "--provider", "fake", "--seed", "anna")
    assert (code, stdout) == (0, "")
    for words in (
        "disks and keys",
        "set-up: setup/web.sh on web",
        "### page",
        "lpiclab ssh web [web|web-client]",
    ):
        assert words in stderr
    assert commands


@pytest.mark.usefixtures("commands", "strangers")
def test_up_on_machines_of_an_inventory(lpiclab: Lpiclab, inventory: Path) -> None:
    """Who comes in there is told; the machines are given back in the end; the file is needed once."""
    code, _, stderr = lpiclab("up", "web", "--provider", "ssh", "--inventory", str(inventory))
    assert code == 0
    assert "a shell as root\n" in stderr
    assert "give it back" in stderr
    inventory.unlink()
    assert lpiclab("restart", "web")[0] == 0
    assert "can't be reset" in lpiclab("reset", "web")[2]
    assert lpiclab("snapshot", "save", "web")[0] == 4
    assert lpiclab("down", "web")[0] == 0


def test_wrong_inventory_is_told_with_its_place(lpiclab: Lpiclab, inventory: Path) -> None:
    """Each mistake has its line, as in a lab."""
    inventory.write_text(inventory.read_text().replace("sdc", "sda").replace("ens5", '"en s5"'))
    code, _, stderr = lpiclab("up", "web", "--provider", "ssh", "--inventory", str(inventory))
    assert code == 3
    assert "inventory.yaml:3:" in stderr
    assert "inventory.yaml:4:" in stderr


def test_status_shows_machines(web: Lpiclab) -> None:
    """Each machine is a line; with --json there is one document."""
    code, stdout, _ = web("status")
    assert code == 0
    assert [line.split()[:3] for line in stdout.splitlines()[1:]] == [
        ["web", "web", "running"],
        ["web", "web-client", "running"],
    ]
    (instance,) = json.loads(web("status", "--json")[1])["instances"]
    assert (instance["phase"], instance["machines"]["web"]["state"]) == ("ready", "running")


def test_status_shows_what_is_broken(web: Lpiclab, home: Home) -> None:
    """A damaged instance does not hide the others, and is no failure of `status`."""
    (home.instances / "web@odd").mkdir()
    code, stdout, stderr = web("status")
    assert code == 0
    assert len(stdout.splitlines()) == 4
    assert "lpiclab down web@odd" in stderr


def test_shown_lab_is_the_one_that_is_up(lpiclab: Lpiclab, commands: Commands) -> None:
    """`show` tells an instance's own values, not the slides'."""
    assert lpiclab("up", "web", "--provider", "fake", "--seed", "anna")[0] == 0
    assert "c2VjcmV0" not in lpiclab("show", "web")[1]
    assert "c2VjcmV0" in lpiclab("show", "web", "--seed", "")[1]
    assert commands


def test_hints_are_counted(web: Lpiclab) -> None:
    """A hint is data, with its number."""
    assert web("hint", "web", "page")[1].startswith("(1/2) Where")
    assert web("hint", "web", "page", "--lang", "ja")[1].startswith("(2/2) ")
    code, _, stderr = web("hint", "web", "pgae")
    assert code == 2
    assert 'did you mean "page"?' in stderr


def test_solution_is_shown(web: Lpiclab, commands: Commands) -> None:
    """What the machines say is handed through."""
    code, stdout, stderr = web("solve", "web")
    assert (code, stdout) == (0, "web said\n")
    assert "solution/web.sh on web" in stderr
    assert len(commands) == 1


def test_restart_and_reset(web: Lpiclab, home: Home) -> None:
    """Machines are rebooted, and brought back to the start."""
    console = home.instances / "web" / "machines" / "web-client" / "console.log"
    assert web("restart", "web", "web-client")[0] == 0
    assert console.exists()
    code, _, stderr = web("reset", "web")
    assert code == 0
    assert "web is back at its start" in stderr
    assert not console.exists()


def test_down_one_or_all(web: Lpiclab, home: Home) -> None:
    """An instance goes by its name, all go with --all, however broken."""
    (home.instances / "web@odd").mkdir()
    assert web("down", "web")[0] == 0
    code, _, stderr = web("down", "web")
    assert code == 2
    assert "up are: web@odd" in stderr
    assert web("down", "--all")[0] == 0
    assert "nothing is up" in web("status")[2]
    assert web("down", "--all")[0] == 0


def test_failed_set_up_is_machinery(lpiclab: Lpiclab, commands: Commands, refused: set[str]) -> None:
    """A script of ours that fails gives status 4, its output, and an instance that can be removed."""
    refused.add("mkdir -p")
    code, _, stderr = lpiclab("up", "web", "--provider", "fake")
    assert code == 4
    assert "setup/web.sh failed" in stderr
    assert "    it said no\n" in stderr
    assert "half set up" in lpiclab("status")[1]
    assert lpiclab("check", "web")[0] == 4
    assert lpiclab("down", "web")[0] == 0
    assert commands


def test_wrong_name_of_an_instance(lpiclab: Lpiclab) -> None:
    """What cannot name an instance is refused before anything is looked for."""
    code, _, stderr = lpiclab("up", "raid1@no/slash", "--provider", "fake")
    assert code == 2
    assert stderr


@pytest.mark.parametrize(
    ("words", "typed", "machine", "command"),
    [
        ([], [], None, []),
        (["web"], [], "web", []),
        (["ls", "-l"], ["--", "ls", "-l"], None, ["ls", "-l"]),
        (["web", "ls", "-l"], ["web", "--", "ls", "-l"], "web", ["ls", "-l"]),
        (["web", "echo", "--", "x"], ["web", "--", "echo", "--", "x"], "web", ["echo", "--", "x"]),
    ],
)
def test_machine_and_command_are_told_apart(
    words: list[str], typed: list[str], machine: str | None, command: list[str]
) -> None:
    """What follows the first -- is the command as it was typed; before it is the machine."""
    assert _machine_and_command(words, ["lpiclab", "ssh", "raid1", *typed]) == (machine, command)


def test_two_machines_are_refused() -> None:
    """A command runs on one machine."""
    with pytest.raises(UsageError):
        _machine_and_command(["a", "b", "ls"], ["lpiclab", "ssh", "x", "a", "b", "--", "ls"])


def test_commands_status_is_ours(web: Lpiclab, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ssh` ends as the command on the machine did, which gets its options unharmed."""
    asked: list[object] = []

    def shell(_: object, *words: object) -> int:
        asked.extend(words)
        return 37

    monkeypatch.setattr(access, "shell", shell)
    assert web("ssh", "web", "web-client", "-u", "root", "--", "ls", "-l", "--all")[0] == 37
    assert asked == ["web", "web-client", "root", ["ls", "-l", "--all"]]
