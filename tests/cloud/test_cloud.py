"""An image of a published disk, all the way: downloaded, furnished, sealed, and a lab on it."""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lpiclab.catalog import DISTROS
from lpiclab.images.manifest import verify

pytestmark = pytest.mark.vm

_NAME = "debian-13-published"
_BUILD_S, _LIMIT_S = 1200, 400
_CLOUD = """\
cloud:
  disks:
    x86_64: {{url: "{url}", digest: "sha256:{digest}", size_bytes: {size}}}
  packages: [ifupdown, lvm2, mdadm, sudo, tree]
"""

Lpiclab = Callable[..., "subprocess.CompletedProcess[str]"]


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a disk as a distributor publishes it."""
    folder = tmp_path_factory.mktemp("published")
    made = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("clouddisk.py")), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return Path(made.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def url(published: Path) -> Iterator[str]:
    """Yield where the disk is served, on this host's loopback only."""
    handler = functools.partial(_Files, directory=str(published.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/{published.name}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def home(published: Path, url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home whose catalogue has the disk: Debian 13's entry, with another way to an image."""
    root = tmp_path_factory.mktemp("cloud-home")
    entry = (DISTROS / "debian-13.yaml").read_text().partition("bootstrap:")[0]
    with published.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    cloud = _CLOUD.format(url=url, digest=digest, size=published.stat().st_size)
    folder = root / "settings" / "distros"
    folder.mkdir(parents=True, mode=0o700)
    (folder / f"{_NAME}.yaml").write_text(entry.replace("id: debian-13", f"id: {_NAME}") + cloud)
    return root


@pytest.fixture(scope="module")
def lpiclab(home: Path) -> Iterator[Lpiclab]:
    """Yield the command line with that home; its machines are gone afterwards."""

    def run(*words: str, limit_s: int = _LIMIT_S) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "lpiclab", *words],
            env={**os.environ, "LPICLAB_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
            timeout=limit_s,
        )

    yield run
    run("down", "raid1")


@pytest.fixture(scope="module")
def image(lpiclab: Lpiclab) -> Path:
    """Return the folder of the image that is built of the disk."""
    built = lpiclab("image", "build", _NAME, limit_s=_BUILD_S)
    assert built.returncode == 0, built.stdout + built.stderr
    return Path(built.stdout.splitlines()[-1])


def test_image_is_sealed_like_any(image: Path, lpiclab: Lpiclab, home: Path) -> None:
    """It holds the packages that came in the first boot, and nothing is left of how it was made."""
    manifest = verify(image, thorough=True)
    assert image.name == f"{_NAME}-{manifest.digest[:16]}"
    assert {"ifupdown", "sudo", "tree", "cloud-init"} <= manifest.packages.keys()
    left = {each.name for each in (home / "images").iterdir()} - {image.name}
    assert left == {f".{_NAME}.lock"}
    listed = lpiclab("image", "list")
    assert f"{image.name}  " in listed.stdout
    assert "sound" in listed.stdout


def test_lab_is_done_on_it(image: Path, lpiclab: Lpiclab) -> None:
    """Set-up, templates, solution and grading know nothing of where the image came from."""
    assert image.is_dir()
    up = lpiclab("up", "raid1", "--distro", _NAME)
    assert up.returncode == 0, up.stderr
    fresh = lpiclab("check", "raid1", "--quick")
    assert fresh.returncode == 1, fresh.stdout + fresh.stderr
    solved = lpiclab("solve", "raid1")
    assert solved.returncode == 0, solved.stdout + solved.stderr
    graded = lpiclab("check", "raid1")
    assert graded.returncode == 0, graded.stdout + graded.stderr


def test_machine_is_no_longer_the_distributors(image: Path, lpiclab: Lpiclab) -> None:
    """cloud-init stays out of the way, one file system is all of the disk, no key of the build is left."""
    assert image.is_dir()
    assert lpiclab("up", "raid1", "--distro", _NAME).returncode == 0
    asked = {
        "systemctl is-active cloud-init.service cloud-final.service": "inactive\ninactive\n",
        "findmnt --noheadings --output SOURCE,FSTYPE /": "/dev/sda ext4\n",
        "sudo find /root/.ssh /var/lib/cloud -type f 2> /dev/null | wc -l": "0\n",
        "systemctl is-system-running": "running\n",
    }
    for command, answer in asked.items():
        said = lpiclab("ssh", "raid1", "--", command)
        assert " ".join(said.stdout.split()) == " ".join(answer.split()), (command, said)
