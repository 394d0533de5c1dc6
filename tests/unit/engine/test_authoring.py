"""Tests of beginning a new lab (`engine.authoring`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpiclab import catalog, labs
from lpiclab.engine.authoring import new_lab
from lpiclab.engine.context import DEFAULT_DISTRO
from lpiclab.errors import UsageError


def test_new_lab_is_right(tmp_path: Path) -> None:
    """What an author begins with has nothing that `lint` complains of, under its own name."""
    folder = new_lab(str(tmp_path / "my-lab"))
    assert labs.load(folder).id == "my-lab"
    assert not labs.lint(folder, catalog.find_distro(DEFAULT_DISTRO))
    assert [each.name for each in tmp_path.iterdir()] == ["my-lab"]


@pytest.mark.parametrize("name", ["My-Lab", "my lab", "-lab", "..", ""])
def test_wrong_name_is_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that no lab can have makes no folder."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="cannot name a lab"):
        new_lab(name)
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    """A file or folder of that name is not written into."""
    (tmp_path / "my-lab").mkdir()
    with pytest.raises(UsageError, match="is there already"):
        new_lab(str(tmp_path / "my-lab"))
    assert not list((tmp_path / "my-lab").iterdir())


def test_place_that_can_not_be_written(tmp_path: Path) -> None:
    """What the system says is passed on."""
    with pytest.raises(UsageError, match="No such file or directory"):
        new_lab(str(tmp_path / "nowhere" / "my-lab"))
