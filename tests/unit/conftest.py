"""The example lab of `tests/data`, as a copy that a test may spoil."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lpiclab.model import Distro

_DATA = Path(__file__).parents[1] / "data"
Edit = Callable[[str, str, str], None]


@pytest.fixture
def shared_templates() -> Path:
    """Return a folder of shared templates."""
    return _DATA / "templates"


@pytest.fixture
def web_folder(tmp_path: Path) -> Path:
    """Return a copy of the lab `web`."""
    return shutil.copytree(_DATA / "labs" / "web", tmp_path / "labs" / "web")


@pytest.fixture
def edit(web_folder: Path) -> Edit:
    """Return a function that replaces a text, which must be there, in a file of `web_folder`."""

    def replace(name: str, old: str, new: str) -> None:
        text = (web_folder / name).read_text()
        assert old in text
        (web_folder / name).write_text(text.replace(old, new))

    return replace


@pytest.fixture
def debian() -> Distro:
    """Return a distribution that `web` runs on."""
    return Distro(
        id="debian-13",
        title="Debian 13",
        family="debian",
        version="13",
        support_end="2028-08-09",
        services={"bind": "named"},
        paths={"bind_config": "/etc/bind"},
    )
