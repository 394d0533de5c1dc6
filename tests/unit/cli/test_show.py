"""Tests of the commands that only look."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lpiclab.engine import doctor
from lpiclab.paths import Home
from lpiclab.providers.base import Finding

Lpiclab = Callable[..., tuple[int, str, str]]
Edit = Callable[[str, str, str], None]


def test_labs_are_listed(lpiclab: Lpiclab) -> None:
    """Each lab is a line with its objective, machines, minutes and title; own and bundled ones."""
    code, stdout, _ = lpiclab("list")
    lines = {line.split()[0]: line for line in stdout.splitlines()}
    assert code == 0
    assert {"LAB", "web", "raid1", "lvm", "dns-tsig"} <= set(lines)
    for words in ("208.1", "web, web-client", "20"):
        assert words in lines["web"]


def test_labs_for_programs(lpiclab: Lpiclab) -> None:
    """With --json there is one document and nothing else; titles follow the language."""
    code, stdout, stderr = lpiclab("list", "--json", "--lang", "ja")
    assert (code, stderr) == (0, "")
    document = json.loads(stdout)
    assert document["schema"] == 1
    web = next(lab for lab in document["labs"] if lab["id"] == "web")
    assert (web["points"], web["minutes"], web["machines"]) == (100, 20, ["web", "web-client"])
    english = next(lab for lab in json.loads(lpiclab("list", "--json")[1])["labs"] if lab["id"] == "web")
    assert english["title"] != web["title"]


def test_lab_is_shown(lpiclab: Lpiclab) -> None:
    """The story and the tasks are shown, without hints."""
    code, stdout, _ = lpiclab("show", "web")
    assert code == 0
    assert stdout.startswith("# ")
    assert "### page: Serve the page (60 " in stdout
    assert "Where does the server look" not in stdout


def test_lab_is_shown_by_its_place(
    lpiclab: Lpiclab, web_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The working folder, a path with a slash at its end and the file itself name the lab as well."""
    monkeypatch.chdir(web_folder)
    shown = lpiclab("show", "web")
    for place in (".", "../web/", "./lab.yaml"):
        assert lpiclab("show", place) == shown


def test_unknown_language_is_a_users_mistake(lpiclab: Lpiclab) -> None:
    """Asked for explicitly, a language is not silently another."""
    code, _, stderr = lpiclab("show", "web", "--lang", "jp")
    assert code == 2
    assert 'no language is called "jp"' in stderr


def test_lab_is_shown_for_programs(lpiclab: Lpiclab) -> None:
    """With --json the tasks are data; a seed changes the values in them."""
    code, stdout, stderr = lpiclab("show", "web", "--json")
    assert (code, stderr) == (0, "")
    document = json.loads(stdout)
    assert [(task["id"], task["needs"]) for task in document["tasks"]] == [("page", []), ("boot", ["page"])]
    assert "c2VjcmV0" in document["tasks"][0]["text"]
    drawn = json.loads(lpiclab("show", "web", "--json", "--seed", "anna")[1])
    assert "c2VjcmV0" not in drawn["tasks"][0]["text"]


def test_lab_is_shown_as_a_distribution_has_it(lpiclab: Lpiclab) -> None:
    """What one is, its own words tell; a misspelt one is told with the nearest name."""
    assert "/etc/bind/named.conf.local" in lpiclab("show", "dns-zone")[1]
    assert "/etc/bind" not in lpiclab("show", "dns-zone", "--distro", "almalinux-9")[1]
    code, _, stderr = lpiclab("show", "dns-zone", "--distro", "almalinx-9")
    assert code == 2
    assert 'did you mean "almalinux-9"?' in stderr


@pytest.mark.parametrize("command", ["show", "up", "check", "solve", "console", "restart", "reset", "ssh"])
def test_unknown_lab_is_told_with_the_nearest(lpiclab: Lpiclab, command: str) -> None:
    """Every command that names a lab suggests the right one, with status 2."""
    code, stdout, stderr = lpiclab(command, "riad1")
    assert (code, stdout) == (2, "")
    assert 'did you mean "raid1"?' in stderr


@pytest.mark.parametrize("words", [["show", "web"], ["up", "web"], ["list"]])
def test_wrong_lab_is_told_with_its_place(
    lpiclab: Lpiclab, web_folder: Path, edit: Edit, words: list[str]
) -> None:
    """A mistake in a lab's file gives status 3 and file:line:column, and does not hide other labs."""
    edit("lab.yaml", "minutes: 20", "minuets: 20")
    code, stdout, stderr = lpiclab(*words)
    assert code == 3
    assert "web" not in [line.split()[0] for line in stdout.splitlines()]
    assert ("raid1" in stdout) is (words == ["list"])
    assert f"{web_folder}/lab.yaml:3:1: " in stderr
    assert "minutes" in stderr


def test_file_that_is_no_yaml_is_told_with_its_place(lpiclab: Lpiclab, web_folder: Path) -> None:
    """A file that can't even be parsed gives status 3 too."""
    (web_folder / "lab.yaml").write_text("schema: 1\nmachines: [\n")
    code, _, stderr = lpiclab("show", "web")
    assert code == 3
    assert f"{web_folder}/lab.yaml:" in stderr


def test_nothing_is_up(lpiclab: Lpiclab, home: Home) -> None:
    """Without instances there is nothing to show, and nothing is made by looking."""
    assert lpiclab("status") == (0, "", "nothing is up\n")
    assert json.loads(lpiclab("status", "--json")[1]) == {"schema": 1, "instances": []}
    assert not home.instances.exists()


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("slower", 0), ("missing", 4)])
def test_doctor_says_what_mends(
    lpiclab: Lpiclab, monkeypatch: pytest.MonkeyPatch, state: str, code: int
) -> None:
    """Only a missing need is trouble; findings are data, for people and for programs."""
    finding = Finding(name="qemu", state=state, meaning="the meaning", mend="apt install it")  # type: ignore[arg-type]  # one of the three
    monkeypatch.setattr(doctor, "examine", lambda *_: [finding])
    status, stdout, _ = lpiclab("doctor")
    assert status == code
    assert f"{state.upper():8} qemu: the meaning" in stdout
    assert "apt install it" in stdout
    status, stdout, _ = lpiclab("doctor", "--json")
    assert status == code
    document = json.loads(stdout)
    assert document["ok"] is (code == 0)
    assert document["findings"][0]["mend"] == "apt install it"


def test_proof_of_a_lab(lpiclab: Lpiclab) -> None:
    """What proves each task's grader is shown for people and for programs."""
    code, stdout, _ = lpiclab("show", "web", "--proof")
    assert code == 0
    assert "  red by:\n    not-enabled\n" in stdout
    tasks = json.loads(lpiclab("show", "web", "--proof", "--json")[1])["tasks"]
    assert [task["mistakes"] for task in tasks] == [["empty-page"], ["not-enabled"]]
