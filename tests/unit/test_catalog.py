"""The catalogue of distributions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lpiclab.catalog import DISTROS, FAMILIES, find_distro, load_distros
from lpiclab.errors import SpecError, UsageError
from lpiclab.model import PublicBox
from lpiclab.paths import Home

_EL = """\
schema: 1
id: el-9
title: Enterprise Linux 9
family: el
version: "9"
support_end: "2032-05-31"
services: {bind: named}
paths: {bind_config: /etc/named}
"""


@pytest.mark.parametrize("name", ["debian-12", "debian-13"])
def test_bundled_distributions_can_be_bootstrapped(name: str) -> None:
    """Both Debian releases say how they are bootstrapped and name what labs need."""
    distro = find_distro(name)
    assert distro.family == "debian"
    assert distro.bootstrap is not None
    assert {"systemd", "openssh-server", "man-db", "mdadm", "bind9"} <= set(distro.bootstrap.packages)
    assert distro.services["bind"] == "named"
    assert distro.paths["mdadm_config"] == "/etc/mdadm/mdadm.conf"


@pytest.mark.parametrize("family", FAMILIES)
def test_bundled_distributions_offer_labs_the_same_names(family: str) -> None:
    """A lab that renders for one distribution of a family renders for the others, or is told what is gone."""
    first, *others = [each for each in load_distros(DISTROS).values() if each.family == family]
    for other in others:
        assert {*first.services, *first.absent} == {*other.services, *other.absent}
        assert first.paths.keys() == other.paths.keys()
        assert first.users.keys() == other.users.keys()


@pytest.mark.parametrize("name", ["almalinux-9", "almalinux-10", "centos-stream-9", "centos-stream-10"])
def test_bundled_el_distributions_are_made_of_published_disks(name: str) -> None:
    """Each says what its programs need of a processor, where its packages are, and has a disk for x86-64."""
    distro = find_distro(name, DISTROS)
    version = name.rpartition("-")[2]
    assert (distro.family, distro.version) == ("el", version)
    assert distro.processor == {"9": "x86-64-v2", "10": "x86-64-v3"}[version]
    assert distro.bootstrap is None
    assert distro.cloud is not None
    assert distro.cloud.repositories == ("crb", "epel")
    assert {"bind", "httpd", "nfs-utils", "samba", "squid", "openldap-servers", "mdadm"} <= set(
        distro.cloud.packages
    )
    assert "x86_64" in distro.cloud.disks
    for architecture, disk in distro.cloud.disks.items():
        assert re.search(rf"-20\d{{6}}(\.\d)?\.{architecture}\.qcow2$", disk.url), disk.url


def test_packages_are_named_once() -> None:
    """No list of packages repeats a name."""
    for distro in load_distros(DISTROS).values():
        for made in (distro.bootstrap, distro.cloud):
            packages = made.packages if made else ()
            assert len(set(packages)) == len(packages)


_CLOUD = """
cloud:
  repositories: [epel]
  disks:
    x86_64: {url: "https://example.org/el-9-20260101.qcow2", digest: "sha256:%s"}
  packages: [mdadm, NetworkManager]
"""


def test_a_cloud_disk_has_its_digest(tmp_path: Path) -> None:
    """Format and size may be left out: qcow2, and what the server says."""
    (tmp_path / "el-9.yaml").write_text(_EL + _CLOUD % ("0" * 64))
    distro = find_distro("el-9", tmp_path)
    assert distro.cloud is not None
    disk = distro.cloud.disks["x86_64"]
    assert (disk.format, disk.size_bytes, disk.digest) == ("qcow2", 0, f"sha256:{'0' * 64}")
    assert distro.cloud.packages == ("mdadm", "NetworkManager")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("0" * 64, "0" * 63, "expected a digest"),
        ("sha256:", "md5:", "expected a digest"),
        ("el-9-20260101", "el-9-latest", "the URL of one release"),
        ("https://example.org/el-9-20260101.qcow2", "file:///etc/shadow", "an http or https URL"),
        ("    x86_64:", "    sparc:", "a key must match x86_64|aarch64"),
        ("packages: [mdadm, NetworkManager]", "packages: []", "at least 1"),
        ("services: {bind: named}", "services: {bind: named}\nabsent: {bind: gone}", "services and absent"),
        ("family: el", "family: el\nprocessor: x86-64-v4", "expected a known word"),
    ],
)
def test_mistakes_in_a_cloud_entry_are_told(tmp_path: Path, old: str, new: str, problem: str) -> None:
    """A digest that is none, a URL whose file changes, an unknown architecture: each has its words."""
    text = _EL + _CLOUD % ("0" * 64)
    assert old in text
    (tmp_path / "el-9.yaml").write_text(text.replace(old, new))
    with pytest.raises(SpecError) as caught:
        load_distros(tmp_path)
    assert problem in caught.value.message


def test_users_own_entries_come_first(home: Home) -> None:
    """A file in the user's settings adds a distribution, or replaces the bundled one of its name."""
    home.distros.mkdir(parents=True)
    (home.distros / "el-9.yaml").write_text(_EL)
    (home.distros / "almalinux-9.yaml").write_text(_EL.replace("id: el-9", "id: almalinux-9"))
    found = load_distros()
    assert list(found) == sorted([*load_distros(DISTROS), "el-9"])
    assert found["almalinux-9"].title == "Enterprise Linux 9"


def test_a_distribution_is_one_file(tmp_path: Path) -> None:
    """A YAML file more is a distribution more, with or without a way to bootstrap it."""
    (tmp_path / "el-9.yaml").write_text(_EL)
    distro = find_distro("el-9", tmp_path)
    assert (distro.family, distro.services["bind"], distro.bootstrap) == ("el", "named", None)


def test_unknown_name_suggests_the_nearest() -> None:
    """A misspelt distribution is answered with the one that was meant."""
    with pytest.raises(UsageError, match='called "debian13"') as caught:
        find_distro("debian13")
    assert caught.value.hint == 'did you mean "debian-13"?'


def test_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    """Every problem has its place, also when several files have some."""
    (tmp_path / "el-9.yaml").write_text(_EL.replace("family: el", "family: suse"))
    (tmp_path / "debian-13.yaml").write_text(
        (DISTROS / "debian-13.yaml").read_text().replace("title: Debian 13", "titel: Debian 13")
    )
    with pytest.raises(SpecError) as caught:
        load_distros(tmp_path)
    text = caught.value.message
    assert f"{tmp_path}/el-9.yaml:4:9: family: " in text
    assert f"{tmp_path}/debian-13.yaml:3:1: " in text
    assert 'did you mean "title"?' in text


def test_id_has_to_be_the_name_of_the_file(tmp_path: Path) -> None:
    """A copied file with the old id inside is refused."""
    (tmp_path / "el-10.yaml").write_text(_EL)
    with pytest.raises(SpecError, match=r"el-10\.yaml:2:5: id: "):
        load_distros(tmp_path)


def test_public_box_is_read(tmp_path: Path) -> None:
    """A box has a name and may have a version; the bundled distributions of Debian have one each."""
    (tmp_path / "el-9.yaml").write_text(_EL + 'box: {name: some-one/el-9, version: "9.4.1"}\n')
    assert find_distro("el-9", tmp_path).box == PublicBox(name="some-one/el-9", version="9.4.1")
    debians = [distro for distro in load_distros().values() if distro.family == "debian"]
    assert all(distro.box and not distro.box.version for distro in debians)


def test_name_of_a_box_is_checked(tmp_path: Path) -> None:
    """It goes into a program: nothing but OWNER/NAME passes."""
    (tmp_path / "el-9.yaml").write_text(_EL + "box: {name: el-9}\n")
    with pytest.raises(SpecError, match=r"el-9\.yaml:9:.*the name of a box"):
        find_distro("el-9", tmp_path)
