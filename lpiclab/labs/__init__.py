"""Labs as data: find them, load them with their words, and tell their authors what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lpiclab.errors import SpecProblem
from lpiclab.labs.loader import find_lab, lab_folders, list_labs, load, load_texts
from lpiclab.model import Distro

__all__ = ["find_lab", "lab_folders", "lint", "list_labs", "load", "load_texts", "not_for"]


def not_for(folder: Path, distro: Distro, template_roots: Sequence[Path] | None = None) -> str:
    """Return why the lab in `folder` does not run on `distro`, as its author says it; empty where it does.

    Raises:
        SpecError: the lab has mistakes.
    """
    lab = load(folder, template_roots=template_roots)
    return "" if distro.family in lab.families else lab.only_because


def lint(folder: Path, distro: Distro, template_roots: Sequence[Path] | None = None) -> Sequence[SpecProblem]:
    """Return everything that is wrong with the lab in `folder`, or with it on `distro`.

    A lab that says why it does not run there is not wrong: see `not_for`.

    Raises:
        MissingTool: this host has no shell to check scripts with.
    """
    from lpiclab.labs.linting import lint_folder  # noqa: PLC0415 - jinja2 would double the time of `list`

    return lint_folder(folder, distro, template_roots)
