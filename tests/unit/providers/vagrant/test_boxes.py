"""Tests of choosing a box."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from lpiclab.errors import ImageError
from lpiclab.model import Distro, PublicBox
from lpiclab.providers.vagrant.boxes import BoxChoice, choose


@dataclass
class _Box:
    name: str
    provider: str


def test_own_box_comes_first(debian: Distro) -> None:
    """The box of lpiclab's own is taken where it has been added for the same Vagrant provider."""
    known = replace(debian, box=PublicBox(name="them/debian", version="13.1"))
    public = BoxChoice(name="them/debian", version="13.1")
    assert choose(known, "libvirt", [_Box("lpiclab/debian-13", "libvirt")]) == BoxChoice(
        name="lpiclab/debian-13", own=True
    )
    assert choose(known, "virtualbox", [_Box("lpiclab/debian-13", "libvirt")]) == public
    assert choose(known, "libvirt", [_Box("lpiclab/debian-12", "libvirt")]) == public


def test_own_box_for_virtualbox_is_prepared_as_a_public_one(debian: Distro) -> None:
    """It starts by itself, and is not the image yet."""
    found = choose(debian, "virtualbox", [_Box("lpiclab/debian-13", "virtualbox")])
    assert found == BoxChoice(name="lpiclab/debian-13", own=False)


def test_no_box_is_told(debian: Distro) -> None:
    """Without any, the error names the command that makes one."""
    with pytest.raises(ImageError, match="no box of Debian 13 for libvirt") as raised:
        choose(debian, "libvirt", [])
    assert "lpiclab image box debian-13 --for libvirt" in raised.value.hint
    with pytest.raises(ImageError) as raised:
        choose(debian, "vmware_desktop", [])
    assert "image box" not in raised.value.hint
