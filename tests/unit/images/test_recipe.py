"""What an image is made from, and its digest."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from lpiclab.catalog import find_distro
from lpiclab.errors import ImageError
from lpiclab.images.recipe import GUEST, make_recipe
from lpiclab.model import Distro

_OVERLAY = [file for file in (GUEST / "root").rglob("*") if file.is_file()]
_SCRIPTS = [file for file in GUEST.rglob("*") if file.is_file() and file.read_bytes().startswith(b"#!")]


@pytest.fixture
def distro() -> Distro:
    """Return a distribution that can be bootstrapped."""
    return find_distro("debian-13")


@pytest.fixture
def guest(tmp_path: Path) -> Path:
    """Return a copy of the files for the guest."""
    return shutil.copytree(GUEST, tmp_path / "guest")


def test_digest_does_not_depend_on_dates_and_modes(distro: Distro, guest: Path) -> None:
    """The same files from a wheel or another checkout make the same image."""
    before = make_recipe(distro, guest).digest
    script = guest / "root/usr/lib/lpiclab/shell"
    script.touch()
    script.chmod(0o600)
    assert make_recipe(distro, guest).digest == before


@pytest.mark.parametrize(
    "name", ["root/usr/lib/lpiclab/identify", "preseed", "customize", "initrd/init", "root/etc/new"]
)
def test_each_file_for_the_guest_changes_the_digest(distro: Distro, guest: Path, name: str) -> None:
    """An image of older files is never taken for one of today's."""
    before = make_recipe(distro, guest).digest
    with (guest / name).open("a") as stream:
        stream.write("# changed\n")
    assert make_recipe(distro, guest).digest != before


def test_packages_change_the_digest_and_titles_do_not(distro: Distro) -> None:
    """The digest covers what is in the image, and not what is said about it."""
    assert distro.bootstrap is not None
    more = dataclasses.replace(distro.bootstrap, packages=(*distro.bootstrap.packages, "one-more"))
    digest = make_recipe(distro).digest
    assert make_recipe(dataclasses.replace(distro, bootstrap=more)).digest != digest
    assert make_recipe(dataclasses.replace(distro, title="Other", services={})).digest == digest


def test_scripts_are_executable_in_the_guest_and_belong_to_root(distro: Distro, guest: Path) -> None:
    """Modes follow from the content: a checkout without them does no harm."""
    for file in guest.rglob("*"):
        file.chmod(0o700 if file.is_dir() else 0o600)
    with tarfile.open(fileobj=io.BytesIO(make_recipe(distro, guest).overlay)) as archive:
        entries = {entry.name: entry for entry in archive}
    assert entries["usr/lib/lpiclab/identify"].mode == 0o755
    assert entries["etc/lpiclab/sshd_config"].mode == 0o644
    assert {(entry.uid, entry.gid) for entry in entries.values()} == {(0, 0)}


def test_a_distribution_without_bootstrap_is_refused(distro: Distro) -> None:
    """What lpiclab can't build is said so, by title."""
    with pytest.raises(ImageError, match="an image of Debian 13"):
        make_recipe(dataclasses.replace(distro, bootstrap=None))


@pytest.mark.parametrize("script", _SCRIPTS, ids=lambda file: file.name)
def test_scripts_for_the_guest_are_valid_shell(script: Path) -> None:
    """No script of the image has a syntax error."""
    subprocess.run(["sh", "-n", script], check=True)


def test_identify_refuses_unknown_keys() -> None:
    """A provider of another version learns that the image does not understand it."""
    done = subprocess.run(
        ["sh", GUEST / "root/usr/lib/lpiclab/identify"],
        input=b"colour green\n",
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", b"unknown key: colour\n")


@pytest.mark.parametrize("name", ["debian-12", "debian-13"])
def test_images_that_hosts_have_stay_of_use(name: str) -> None:
    """The digest of a bootstrapped image is of these facts and no others: any more would build all anew."""
    distro = find_distro(name)
    recipe = make_recipe(distro)
    bootstrap = distro.bootstrap
    assert bootstrap is not None
    facts = {
        "builder": 1,
        "distro": name,
        "bootstrap": {
            "suites": bootstrap.suites,
            "security_suites": bootstrap.security_suites,
            "keyring": bootstrap.keyring,
            "packages": bootstrap.packages,
        },
        "command_line": recipe.command_line,
        "disk_mib": 8192,
        "parts": [
            hashlib.sha256(part).hexdigest()
            for part in (recipe.overlay, recipe.preseed, recipe.customize, recipe.init)
        ],
    }
    assert recipe.digest == hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    with tarfile.open(fileobj=io.BytesIO(recipe.overlay)) as archive:
        names = archive.getnames()
    assert names == [str(file.relative_to(GUEST / "root")) for file in sorted(_OVERLAY)]
