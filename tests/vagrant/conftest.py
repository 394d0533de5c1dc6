"""Vagrant with libvirt, in namespaces of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lpiclab import catalog, images
from lpiclab.engine.context import DEFAULT_DISTRO
from lpiclab.images.box import box_name
from lpiclab.images.box.libvirt import pack
from lpiclab.paths import Home

_HERE = Path(__file__).parent
_STAND_IN = _HERE.parent / "data" / "dnsmasq"
_LIMIT_S = 3600


@dataclass(frozen=True)
class Inside:
    """The namespaces in which libvirt runs, and what programs get there."""

    process: int
    environment: dict[str, str]

    def run(self, *words: str, status: int = 0) -> str:
        """Run a program in there, which has to end with `status`; return what it printed."""
        done = subprocess.run(
            ["nsenter", f"--target={self.process}", "--mount", "--net", "--pid", "--", *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )
        assert done.returncode == status, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="session")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """Hold a libvirt of this test's own: its machines, networks and files end with it."""
    root = tmp_path_factory.mktemp("vagrant")
    path = os.environ["PATH"] if shutil.which("dnsmasq") else f"{_STAND_IN}:{os.environ['PATH']}"
    theirs = Home.from_environment()
    (root / "home").mkdir(mode=0o700)
    (root / "home" / "images").symlink_to(theirs.images)
    environment = {
        **os.environ,
        "PATH": path,
        "LPICLAB_HOME": str(root / "home"),
        "LPICLAB_VAGRANT_DRIVER": "qemu",
        "VAGRANT_HOME": str(root / "vagrant.d"),
        "VAGRANT_DEFAULT_PROVIDER": "libvirt",
    }
    namespaces = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    with subprocess.Popen(
        [*namespaces, str(_HERE / "sandbox"), str(root)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as keeper:
        assert keeper.stdin
        assert keeper.stdout
        assert keeper.stdout.readline() == "ready\n"
        child = Path(f"/proc/{keeper.pid}/task/{keeper.pid}/children").read_text().split()[0]
        yield Inside(int(child), environment)
        keeper.stdin.close()
        keeper.wait(60)


@pytest.fixture(scope="session")
def lpiclab(inside: Inside) -> Callable[..., str]:
    """Return what runs the command line with Vagrant, and gives what it printed."""

    def run(*words: str, status: int = 0) -> str:
        return inside.run(sys.executable, "-m", "lpiclab", *words, status=status)

    return run


@pytest.fixture(scope="session")
def box(inside: Inside, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the name of lpiclab's own box, packed and added."""
    distro = catalog.find_distro(DEFAULT_DISTRO)
    image = images.ensure(distro, Home.from_environment(), print)
    file = pack(image, tmp_path_factory.mktemp("box") / "lpiclab.box", print)
    inside.run("vagrant", "box", "add", "--name", box_name(distro.id), str(file))
    file.unlink()
    return box_name(distro.id)
