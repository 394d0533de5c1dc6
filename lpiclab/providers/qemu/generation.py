"""Generations of an instance's machines: the files of all of them, made, replaced and removed as one.

``machines`` in the instance's folder is a symbolic link to the generation in use. A restore makes
another one beside it, and the link turns to it only when its machines run; so whatever a crash
leaves is either the old machines or the new ones, and what the link does not name is rubbish.
"""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from lpiclab.files import private_folder

_LINK = "machines"


def current(instance_folder: Path) -> Path:
    """Return the folder of the generation in use, which is absent before the first `adopt`."""
    return instance_folder / _LINK


def new(instance_folder: Path) -> Path:
    """Make the folder of a new generation."""
    return private_folder(path_of_new(instance_folder))


def path_of_new(instance_folder: Path) -> Path:
    """Return a name for a generation that is still to be made."""
    return instance_folder / f"{_LINK}.{secrets.token_hex(4)}"


def adopt(instance_folder: Path, generation: Path) -> None:
    """Make `generation` the one in use, in one step."""
    old = current(instance_folder)
    if old.is_dir() and not old.is_symlink():
        old.rename(instance_folder / f"{_LINK}.{secrets.token_hex(4)}")
    link = instance_folder / f".{_LINK}"
    link.unlink(missing_ok=True)
    link.symlink_to(generation.name)
    link.replace(current(instance_folder))


def others(instance_folder: Path) -> list[Path]:
    """Return the generations that are not in use: an interrupted command left them."""
    in_use = current(instance_folder).resolve()
    return [each for each in all_of(instance_folder) if each.resolve() != in_use]


def machine_folders(instance_folder: Path) -> list[Path]:
    """Return every machine's folder in every generation, whatever is known of them otherwise."""
    return [
        folder for each in all_of(instance_folder) for folder in sorted(each.iterdir()) if folder.is_dir()
    ]


def all_of(folder: Path) -> list[Path]:
    """Return all generations in a folder."""
    found = [each for each in folder.glob(f"{_LINK}*") if each.is_dir() and not each.is_symlink()]
    return sorted(found)


def remove(instance_folder: Path) -> None:
    """Remove all generations; their processes have ended."""
    for each in all_of(instance_folder):
        shutil.rmtree(each, ignore_errors=True)
    if current(instance_folder).is_symlink():
        current(instance_folder).unlink()
