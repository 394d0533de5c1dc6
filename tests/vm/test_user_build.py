"""An ordinary user builds an image, by user namespaces and subordinate ids."""

from __future__ import annotations

import getpass
import os
import pwd
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from lpiclab.images.manifest import read_manifest

pytestmark = pytest.mark.vm  # it starts none, but takes what they take: minutes, space and the archive


@pytest.fixture
def user() -> Iterator[str]:
    """Yield an ordinary user: whoever runs the tests, else one that is gone afterwards."""
    if os.geteuid() != 0:
        yield getpass.getuser()
        return
    name = f"lpiclab-{secrets.token_hex(4)}"
    subprocess.run(["useradd", "--create-home", name], check=True)
    try:
        yield name
    finally:
        subprocess.run(["userdel", "--remove", name], check=True, capture_output=True)


@pytest.fixture
def folder(user: str) -> Iterator[Path]:
    """Yield a folder of that user's."""
    account = pwd.getpwnam(user)
    with TemporaryDirectory(dir=account.pw_dir, prefix="lpiclab-") as made:
        os.chown(made, account.pw_uid, account.pw_gid)
        yield Path(made)


def test_user_builds_an_image(user: str, folder: Path, tmp_path: Path) -> None:
    """The image is whole, its files belong to whom they should, and nothing else is left."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("build_as.py")), user, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    image = Path(done.stdout.splitlines()[-1])
    assert sorted(each.name for each in image.parent.iterdir()) == [".debian-13.lock", image.name]
    assert {"sudo", "systemd-sysv"} <= read_manifest(image).packages.keys()
    raw = tmp_path / "disk.raw"
    subprocess.run(["qemu-img", "convert", "-O", "raw", str(image / "disk.qcow2"), str(raw)], check=True)
    wanted = {"/etc/shadow": (0, 42), "/home/student": (1000, 1000), "/usr/bin/sudo": (0, 0)}
    found = {name: _owner(raw, name) for name in wanted}
    assert found == wanted


def _owner(disk: Path, name: str) -> tuple[int, int]:
    """Return the user and the group of a file in a file system, as debugfs(8) tells them."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    said = subprocess.run(
        ["debugfs", "-R", f"stat {name}", str(disk)],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return int(said[said.index("User:") + 1]), int(said[said.index("Group:") + 1])
