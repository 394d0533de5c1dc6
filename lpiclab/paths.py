"""Where lpiclab keeps things, and where the bundled labs and templates are.

`LPICLAB_HOME` moves everything the tool keeps into one folder; without it the XDG folders are used.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The folders that the tool writes to."""

    images: Path
    templates: Path
    instances: Path
    settings: Path

    @property
    def distros(self) -> Path:
        """Return the folder of the user's own entries of the catalogue."""
        return self.settings / "distros"

    @classmethod
    def from_environment(cls) -> Home:
        """Return the folders under ``$LPICLAB_HOME``, or the XDG ones when it is unset or empty."""
        root = os.environ.get("LPICLAB_HOME")
        if root:
            base = Path(root).expanduser().absolute()
            return cls(
                images=base / "images",
                templates=base / "templates",
                instances=base / "instances",
                settings=base / "settings",
            )
        dirs = platformdirs.PlatformDirs("lpiclab", appauthor=False)
        return cls(
            images=dirs.user_data_path / "images",
            templates=dirs.user_data_path / "templates",
            instances=dirs.user_state_path / "instances",
            settings=dirs.user_config_path,
        )


def bundled(name: str) -> Path:
    """Return the bundled folder `name`: ``labs``, ``templates`` or ``vagrant``.

    In a wheel they lie inside the package, in a checkout beside it.
    """
    package = Path(__file__).resolve().parent
    installed = package / "bundled" / name
    return installed if installed.is_dir() else package.parent / name
