"""The catalogue of distributions."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpiclab.catalog import DISTROS, find_distro, load_distros
from lpiclab.errors import SpecError, UsageError
from lpiclab.model import PublicBox

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


def test_bundled_distributions_offer_labs_the_same_names() -> None:
    """A lab that renders for one distribution of a family renders for the others."""
    twelve, thirteen = load_distros().values()
    assert twelve.services.keys() == thirteen.services.keys()
    assert twelve.paths.keys() == thirteen.paths.keys()


def test_packages_are_named_once() -> None:
    """No list of packages repeats a name."""
    for distro in load_distros().values():
        assert distro.bootstrap is not None
        assert len(set(distro.bootstrap.packages)) == len(distro.bootstrap.packages)


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
    """A box has a name and may have a version; the bundled distributions have one each."""
    (tmp_path / "el-9.yaml").write_text(_EL + 'box: {name: some-one/el-9, version: "9.4.1"}\n')
    assert find_distro("el-9", tmp_path).box == PublicBox(name="some-one/el-9", version="9.4.1")
    assert all(distro.box and not distro.box.version for distro in load_distros().values())


def test_name_of_a_box_is_checked(tmp_path: Path) -> None:
    """It goes into a program: nothing but OWNER/NAME passes."""
    (tmp_path / "el-9.yaml").write_text(_EL + "box: {name: el-9}\n")
    with pytest.raises(SpecError, match=r"el-9\.yaml:9:.*the name of a box"):
        find_distro("el-9", tmp_path)
