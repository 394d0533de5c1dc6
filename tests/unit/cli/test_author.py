"""Tests of an author's commands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from lpiclab.engine import contract
from lpiclab.engine.contract import Part
from lpiclab.engine.proof import Proof

Lpiclab = Callable[..., tuple[int, str, str]]
Edit = Callable[[str, str, str], None]


def test_new_lab(lpiclab: Lpiclab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files are the data; what to do with them is said as it has to be typed."""
    monkeypatch.chdir(tmp_path)
    code, stdout, stderr = lpiclab("lab", "new", "my-lab")
    assert code == 0
    assert "my-lab/lab.yaml" in stdout.splitlines()
    assert "lpiclab test ./my-lab " in stderr
    assert lpiclab("lint", "./my-lab")[0] == 0
    assert lpiclab("lab", "new", "my-lab")[0] == 2


def test_right_lab(lpiclab: Lpiclab, web_folder: Path) -> None:
    """A lab without problems is said to be right, by its name and by its folder."""
    for name in ("web", str(web_folder)):
        code, stdout, stderr = lpiclab("lint", name)
        assert (code, stdout) == (0, "")
        assert "web: right, and renders for debian-13" in stderr


def test_wrong_lab(lpiclab: Lpiclab, web_folder: Path, edit: Edit) -> None:
    """Each problem is a line of data, with its place; status 3."""
    edit("setup/web.sh", "zone", "zoen")
    edit("solution/web.sh", "secret", "sercet")
    code, stdout, stderr = lpiclab("lint", "web")
    assert code == 3
    setup, solution = sorted(stdout.splitlines())
    assert setup.startswith(f"{web_folder}/setup/web.sh:2:")
    assert solution.startswith(f"{web_folder}/solution/web.sh:2:")
    assert "2 problems" in stderr


def test_unknown_distribution(lpiclab: Lpiclab) -> None:
    """The nearest one is suggested."""
    code, _, stderr = lpiclab("lint", "web", "--distro", "debian-14")
    assert code == 2
    assert 'did you mean "debian-1' in stderr


@pytest.mark.parametrize(("problems", "code"), [((), 0), (("page is pass, not fail",), 1)])
def test_proof_is_the_exit_status(
    lpiclab: Lpiclab, monkeypatch: pytest.MonkeyPatch, problems: tuple[str, ...], code: int
) -> None:
    """Each step is shown as it was proved; what is not so gives status 1."""

    def prove(*_: object, **__: object) -> Iterator[Proof]:
        yield Proof(lab="web", step="fresh: no task passes", problems=())
        yield Proof(lab="web", step="wrong solution x: fails page", problems=problems)

    monkeypatch.setattr(contract, "prove", prove)
    status, stdout, stderr = lpiclab("test", "web")
    assert status == code
    assert stdout.splitlines()[0] == "proved  web: fresh: no task passes"
    assert stdout.splitlines()[2:] == [f"        {problem}" for problem in problems]
    assert ("the contract holds" in stderr) is (code == 0)


def test_parts_of_a_contract(lpiclab: Lpiclab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is asked for is proved, and a part of the contract is not called the whole."""
    asked: list[Part] = []

    def prove(
        _context: object, _wish: object, _show: object, wanted: Iterable[Part], **_: object
    ) -> Iterator[Proof]:
        asked.extend(wanted)
        yield Proof(lab="web", step="wrong solution empty-page: fails page", problems=())

    monkeypatch.setattr(contract, "prove", prove)
    code, _, stderr = lpiclab("test", "web", "--only", "empty-page")
    assert [part.id for part in asked] == ["empty-page"]
    assert (code, stderr) == (0, "proved, of the contract: 1 step · 0 s\n")


def test_words_of_several_machines_are_refused(lpiclab: Lpiclab) -> None:
    """What machines print side by side can't be read."""
    code, _, stderr = lpiclab("test", "web", "-v", "-j", "2")
    assert code == 2
    assert "leave one of them out" in stderr


def test_one_inventory_is_not_for_several_at_once(lpiclab: Lpiclab, tmp_path: Path) -> None:
    """Two parts side by side would be set up on the same machines."""
    code, _, stderr = lpiclab("test", "web", "--inventory", str(tmp_path / "inventory.yaml"), "-j", "2")
    assert code == 2
    assert "leave -j out" in stderr


def test_schema_is_json(lpiclab: Lpiclab) -> None:
    """The schema for editors is one JSON document."""
    code, stdout, stderr = lpiclab("schema")
    assert (code, stderr) == (0, "")
    assert "$schema" in json.loads(stdout)


def test_lab_for_one_family_only(lpiclab: Lpiclab, edit: Edit) -> None:
    """A lab that says why it does not run on a distribution is no mistake: its reason is a note."""
    assert lpiclab("lint", "web", "--distro", "almalinux-9")[0] == 3
    edit("lab.yaml", "families: [debian]", "families: [debian]\nonly_because: no other has its tools")
    code, stdout, stderr = lpiclab("lint", "web", "--distro", "almalinux-9")
    assert (code, stdout) == (0, "")
    assert "web: right, but not for the family el: no other has its tools" in stderr
    assert "web: right, and renders for debian-13" in lpiclab("lint", "web")[2]
