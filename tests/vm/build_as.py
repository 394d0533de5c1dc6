"""Build a small image as another user: `build_as.py USER HOME`; run by root, unless USER is who runs it.

Everything is imported and read before root's rights are given up: neither the interpreter nor the
clone need be readable for that user.
"""

from __future__ import annotations

import os
import pwd
import sys
from dataclasses import replace
from pathlib import Path
from unittest import mock

from lpiclab import catalog
from lpiclab.engine.context import DEFAULT_DISTRO
from lpiclab.images import builder, kernel, recipe, sandbox, store
from lpiclab.paths import Home
from lpiclab.wait import Deadline

# What our files in the image and the machine's kernel need; the labs' packages only take time.
PACKAGES = ("busybox-static", "dbus", "linux-image-amd64", "sudo", "systemd-sysv", "udev")
LIMIT_S = 60.0


def main(user: str, folder: Path) -> None:
    """Build the image in `folder` over what a killed build left, and print the image's folder."""
    distro = catalog.find_distro(DEFAULT_DISTRO)
    made = recipe.make_recipe(distro)
    small = replace(made, bootstrap=replace(made.bootstrap, packages=PACKAGES))
    assert builder
    assert kernel
    account = pwd.getpwnam(user)
    if os.geteuid() != account.pw_uid:
        os.initgroups(user, account.pw_gid)
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    os.chdir("/")
    os.environ.update(HOME=account.pw_dir, USER=user, LOGNAME=user, LPICLAB_HOME=str(folder))
    home = Home.from_environment()
    left = home.images / f".{distro.id}.part" / "root" / "var"
    left.mkdir(parents=True)
    # As root and others have files in a root folder, here under subordinate ids.
    spoil = f"cd {left} && mkdir cache && touch cache/one && chown -R 7:7 cache && chmod -R go= cache"
    sandbox.run(["sh", "-c", spoil], deadline=Deadline.after(LIMIT_S))
    with mock.patch.object(store, "make_recipe", return_value=small):
        image = store.build(distro, home, print)
    print(image.folder)  # noqa: T201 - the last line is the answer


main(sys.argv[1], Path(sys.argv[2]))
