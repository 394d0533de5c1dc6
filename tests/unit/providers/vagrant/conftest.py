"""An instance whose machines a stand-in for Vagrant makes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lpiclab.model import Disk, Instance, Machine, Nic, Plan
from lpiclab.providers.vagrant.site import Site


@pytest.fixture
def vagrant(
    fake_vagrant: Callable[..., contextlib.AbstractContextManager[Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Any]:
    """Hold the stand-in on the PATH."""
    folder = tmp_path / "fake"
    folder.mkdir()
    with fake_vagrant(folder, monkeypatch) as made:
        yield made


@pytest.fixture
def instance(tmp_path: Path, make_plan: Callable[..., Plan]) -> Instance:
    """Return two machines: one with a disk and two cards, one with a card."""
    server = Machine(
        name="server",
        hostname="server.example.net",
        distro="debian-13",
        disks=(Disk(name="sdb", size_mib=64),),
        nics=(Nic(network="lan", address="192.168.130.1/24"), Nic(network="outside")),
    )
    client = Machine(name="client", distro="debian-13", nics=(Nic(network="lan"),))
    folder = tmp_path / "instances" / "squid-acl@two"
    return Instance(id="squid-acl@two", folder=folder, plan=make_plan(server, client))


@pytest.fixture
def site(instance: Instance) -> Site:
    """Return the instance's files."""
    return Site(instance)
