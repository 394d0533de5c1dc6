"""Tests of where a machine's files are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lpiclab.errors import ImageError
from lpiclab.model import Instance
from lpiclab.providers.qemu.place import labels, place, places

MakeInstance = Callable[..., Instance]


def test_machines_are_in_the_generation_in_use_or_in_another(
    make_instance: MakeInstance, tmp_path: Path
) -> None:
    """Each machine has a folder of its name, its disks in the lab's order."""
    instance = make_instance()
    one, two = places(instance)
    assert (one.folder, two.folder) == (
        instance.folder / "machines" / "ns1",
        instance.folder / "machines" / "ns2",
    )
    assert [(name, file.name) for name, file in one.disks()] == [("sda", "sda.qcow2"), ("sdb", "sdb.qcow2")]
    assert places(instance, tmp_path / "other")[1].folder == tmp_path / "other" / "ns2"
    assert place(instance, "ns2") == two
    assert labels([one, two]) == "raid1/ns1, raid1/ns2"


def test_machine_without_an_image_is_told(make_instance: MakeInstance) -> None:
    """An image that is gone is named by what it was an image of."""
    with pytest.raises(ImageError, match="raid1/ns1: no image of debian-13"):
        assert places(replace(make_instance(), images={}))[0].image
