"""Tests of the doctor's examination."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from lpiclab.engine import doctor
from lpiclab.engine.context import Context
from lpiclab.errors import MissingTool, UsageError
from lpiclab.images import sandbox
from lpiclab.providers.base import Finding


def _findings(context: Context) -> dict[str, Finding]:
    return {finding.name: finding for finding in doctor.examine(context)}


def test_bare_host_is_told_what_is_missing(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any program nothing fails: each missing one is told with what mends it."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def require() -> None:
        raise MissingTool("mmdebstrap is not installed", hint="apt install mmdebstrap")

    monkeypatch.setattr(sandbox, "require", require)
    findings = _findings(context)
    for name in ("qemu-system-x86_64", "qemu-img", "image build"):
        assert findings[name].state == "missing"
        assert findings[name].mend
    assert findings["image debian-13"].mend == "lpiclab image build debian-13"


@pytest.mark.parametrize(("free_mib", "state"), [(5999, "missing"), (6000, "ok")])
def test_disk_space_is_measured_where_images_go(
    context: Context, monkeypatch: pytest.MonkeyPatch, free_mib: int, state: str
) -> None:
    """The folder need not exist yet."""
    asked = []

    def usage(folder: Path) -> SimpleNamespace:
        asked.append(folder)
        return SimpleNamespace(free=free_mib << 20)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    assert _findings(context)["disk space"].state == state
    assert asked[0].exists()
    assert context.home.images.is_relative_to(asked[0])


def test_vagrant_is_named_where_it_is(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to have it; who has it learns how to look closely."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "vagrant" not in _findings(context)
    (tmp_path / "vagrant").touch(mode=0o755)
    assert "--provider vagrant" in _findings(context)["vagrant"].meaning


def test_a_provider_is_looked_at(context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for another one, the doctor does not talk of QEMU and images."""
    monkeypatch.setenv("PATH", str(tmp_path))
    findings = {finding.name: finding for finding in doctor.examine(context, "vagrant")}
    assert set(findings) == {"vagrant", "disk space"}
    assert findings["vagrant"].state == "missing"
    with pytest.raises(UsageError, match="vagrnat"):
        doctor.examine(context, "vagrnat")
