"""Tests of where things are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpiclab import paths
from lpiclab.paths import Home, bundled


def test_one_variable_moves_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All folders lie under LPICLAB_HOME, also when it is a relative path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LPICLAB_HOME", "place")
    home = Home.from_environment()
    assert (home.images, home.instances, home.settings) == (
        tmp_path / "place" / "images",
        tmp_path / "place" / "instances",
        tmp_path / "place" / "settings",
    )


@pytest.mark.parametrize("value", [None, ""])
def test_without_it_the_users_own_folders_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    """Images are data, instances are state, settings are configuration (XDG)."""
    if value is None:
        monkeypatch.delenv("LPICLAB_HOME", raising=False)
    else:
        monkeypatch.setenv("LPICLAB_HOME", value)
    for name in ("DATA", "STATE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    home = Home.from_environment()
    assert home.images == tmp_path / "DATA" / "lpiclab" / "images"
    assert home.instances == tmp_path / "STATE" / "lpiclab" / "instances"
    assert home.settings == tmp_path / "CONFIG" / "lpiclab"


@pytest.mark.parametrize(("inside", "found"), [(True, "lpiclab/bundled/labs"), (False, "labs")])
def test_bundled_folders_of_a_wheel_and_of_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: bool, found: str
) -> None:
    """A wheel's labs lie inside the package and win; a checkout's lie beside it."""
    (tmp_path / "labs").mkdir()
    (tmp_path / "lpiclab").mkdir()
    if inside:
        (tmp_path / "lpiclab" / "bundled" / "labs").mkdir(parents=True)
    monkeypatch.setattr(paths, "__file__", str(tmp_path / "lpiclab" / "paths.py"))
    assert bundled("labs") == tmp_path / found
