"""The command line in this process: its exit status and what it printed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lpiclab.cli.entry import run
from lpiclab.paths import Home

Lpiclab = Callable[..., tuple[int, str, str]]
Commands = list[tuple[str, str]]


@pytest.fixture
def lpiclab(
    home: Home,
    web_folder: Path,
    shared_templates: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Lpiclab:
    """Return what runs the command line; the example lab `web` is there beside the bundled ones."""
    assert not home.instances.exists()
    (web_folder / "files" / "shared").symlink_to(shared_templates / "shared")
    monkeypatch.setenv("LPICLAB_LABS", str(web_folder.parent))
    for name in ("LPICLAB_LANG", "LC_ALL", "LC_MESSAGES", "LANG", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def invoke(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["lpiclab", *words])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            run()
        stdout, stderr = capfd.readouterr()
        assert "Traceback" not in stdout + stderr
        code = ended.value.code
        return (code if isinstance(code, int) else 0), stdout, stderr

    return invoke


@pytest.fixture
def web(lpiclab: Lpiclab, commands: Commands) -> Lpiclab:
    """Return the command line with the lab `web` up."""
    assert lpiclab("up", "web", "--provider", "fake")[0] == 0
    commands.clear()
    return lpiclab
