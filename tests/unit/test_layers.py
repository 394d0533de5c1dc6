"""Imports go downward only: the table of docs/architecture.md, kept by a test."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "lpiclab"
LEVELS = {
    "errors": 0,
    "model": 0,
    "wait": 0,
    "hardware": 1,
    "keys": 1,
    "console": 1,
    "names": 1,
    "files": 1,
    "integrity": 1,
    "paths": 1,
    "proc": 1,
    "together": 1,
    "width": 1,
    "yamlio": 1,
    "shapes": 1,
    "hosts": 1,
    "terminal": 1,
    "templating": 2,
    "catalog": 2,
    "inventory": 2,
    "families": 2,
    "guest": 2,
    "params": 2,
    "labs": 2,
    "render": 2,
    "state": 2,
    "shell": 2,
    "ssh": 2,
    "images": 2,
    "providers": 3,
    "provision": 3,
    "checks": 3,
    "story": 4,
    "report": 4,
    "engine": 4,
    "cli": 5,
}


def _room(module: str) -> str:
    return module.split(".")[1] if module.count(".") else ""


def _imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "lpiclab":
                found |= {f"lpiclab.{alias.name}" for alias in node.names}
            else:
                found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {module for module in found if module.startswith("lpiclab.")}


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(PACKAGE)) for file in FILES])
def test_no_module_imports_from_a_higher_room(file: Path) -> None:
    """A module imports only from its own room and from rooms at its level or below."""
    relative = file.relative_to(PACKAGE)
    own = relative.parts[0].removesuffix(".py")
    if own in {"__init__", "__main__"}:
        return
    for module in _imports(file):
        room = _room(module)
        if room in {own, "__version__"}:
            continue
        assert LEVELS[room] <= LEVELS[own], f"{relative} (level {LEVELS[own]}) imports {module}"


def test_every_room_has_a_level() -> None:
    """A new room must be placed in the table before it can be used."""
    rooms = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.suffix in {"", ".py"}}
    assert rooms - {"__init__", "__main__", "__pycache__", "bundled", "distros"} == set(LEVELS)
