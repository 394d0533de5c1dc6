"""Begin a new lab."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from lpiclab.errors import UsageError
from lpiclab.labs.schema import LAB_ID
from lpiclab.paths import bundled


def new_lab(place: str) -> Path:
    """Make the folder of a new lab, which is whole and shows each part of a lab once.

    Args:
        place: The lab's name, for a folder here, or the folder's path.

    Raises:
        UsageError: the name can't be a lab's, there is something of that name, or it can't be written.
    """
    folder = Path(place)
    if not re.fullmatch(LAB_ID, folder.name):
        raise UsageError(
            f'"{folder.name}" cannot name a lab', hint="use lower-case letters, digits and hyphens: my-lab"
        )
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"{folder} is there already", hint="choose another name; nothing was changed")
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
            made = Path(scratch) / folder.name
            shutil.copytree(bundled("templates") / "lab", made, copy_function=shutil.copyfile)
            # Whole or not at all: a folder that someone else made meanwhile is not written into.
            made.rename(folder)
    except OSError as error:
        raise UsageError(f"cannot make {folder}: {error.strerror}") from error
    return folder
