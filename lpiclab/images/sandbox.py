"""Run the build's tools as root: the real one, or of a user namespace of one's own.

Every tool gets its own mount and process namespaces: whatever it leaves mounted or running is gone
when it ends, and it ends when lpiclab does, even by SIGKILL.
"""

from __future__ import annotations

import getpass
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from lpiclab import proc
from lpiclab.errors import MissingTool, ToolFailed
from lpiclab.wait import Deadline

TOOLS: Mapping[str, str] = {
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "qemu-img": "qemu-utils",
    "setpriv": "util-linux",
    "tar": "tar",
    "unshare": "util-linux",
    "zstd": "zstd",
}
"""Programs that a build needs, and their packages."""
USER_TOOLS: Mapping[str, str] = {"newuidmap": "uidmap", "newgidmap": "uidmap"}
"""The same for anybody but root."""

# An ordinary user's PATH lacks the folders where the programs of root are.
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"
_TRIAL_S = 20.0


def missing_packages() -> list[str]:
    """Return the packages whose programs a build lacks on this host."""
    tools = {**TOOLS, **({} if _is_root() else USER_TOOLS)}
    return sorted({package for tool, package in tools.items() if not shutil.which(tool, path=_PATH)})


def require() -> None:
    """Make sure that images can be built here.

    Raises:
        MissingTool: programs, user namespaces or subordinate user ids are missing.
    """
    if packages := missing_packages():
        raise MissingTool(
            f"to build an image, {_list(packages)} must be installed",
            hint=f"apt-get install {' '.join(packages)}",
        )
    try:
        run(["true"], deadline=Deadline.after(_TRIAL_S))
    except ToolFailed as error:
        user = getpass.getuser()
        raise MissingTool(
            "to build an image without being root, user namespaces and subordinate user ids are needed",
            hint=f"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}, or build as root",
            details=error.details,
        ) from error


def run(
    argv: Sequence[str | Path],
    *,
    deadline: Deadline,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> None:
    """Run a program as root to its end; raises what `proc.run` does, in that program's name."""
    user = [] if _is_root() else ["--map-root-user", "--map-auto"]
    namespaces = ["unshare", *user, "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    try:
        proc.run(
            ["setpriv", "--pdeathsig", "KILL", *namespaces, *argv],
            deadline=deadline,
            environment={"PATH": _PATH, "LC_ALL": "C.UTF-8", **(environment or {})},
            log=log,
        )
    except ToolFailed as error:
        message = error.message.replace("setpriv", str(argv[0]), 1)
        raise ToolFailed(message, details=error.details) from error


def _is_root() -> bool:
    return os.geteuid() == 0


def _list(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
