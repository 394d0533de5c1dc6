"""What every distribution's machines have to be, on the one that ``LPICLAB_DISTRO`` names, or the default."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from lpiclab import catalog, images
from lpiclab.engine.context import DEFAULT_DISTRO
from lpiclab.files import private_folder
from lpiclab.model import Disk, Distro, Instance, Machine, Nic, Plan
from lpiclab.paths import Home
from lpiclab.providers.qemu.provider import QemuProvider
from lpiclab.provision import provision
from lpiclab.ssh import Session
from lpiclab.wait import Deadline

pytestmark = pytest.mark.vm

_NAME = os.environ.get("LPICLAB_DISTRO") or DEFAULT_DISTRO
_START_S = 600.0
_COMMAND_S = 120.0
_HERE, _THERE = "10.20.40.1", "10.20.40.2"
_MACHINES = (
    Machine(
        name="here",
        hostname="here.example.net",
        distro=_NAME,
        disks=(Disk(name="sdb", size_mib=64), Disk(name="sdc", size_mib=96)),
        nics=(Nic(network="lan", address=f"{_HERE}/24"), Nic(network="spare")),
    ),
    Machine(name="there", distro=_NAME, nics=(Nic(network="lan", address=f"{_THERE}/24"),)),
)


@dataclass(frozen=True)
class _Pair:
    """Two machines that are set up."""

    distro: Distro
    provider: QemuProvider
    instance: Instance

    def said(self, machine: str, command: str) -> str:
        """Return what a command says that must succeed, over a connection of its own."""
        endpoint = self.provider.endpoint(self.instance, machine)
        deadline = Deadline.after(_COMMAND_S)
        with Session.connect(endpoint, machine=machine, deadline=deadline) as session:
            result = session.run(command, deadline=deadline)
        assert result.status == 0, f"{command}: {result.stdout!r} {result.stderr!r}"
        return result.stdout.decode().strip()


@pytest.fixture(scope="module")
def pair(vm_home: Home, make_plan: Callable[..., Plan]) -> Iterator[_Pair]:
    """Yield two machines on one network, set up as a lab's are."""
    distro = catalog.find_distro(_NAME)
    image = images.ensure(distro, vm_home, print)
    folder = private_folder(vm_home.instances / "distro")
    plan = make_plan(*_MACHINES, lab_id="distro", distro=_NAME, networks=("lan", "spare"))
    instance = Instance(id="distro", folder=folder, plan=plan, images={_NAME: image})
    provider = QemuProvider(vm_home)
    made = _Pair(distro, provider, instance)
    deadline = Deadline.after(_START_S)
    try:
        provider.create(instance, deadline=deadline, progress=print)
        provider.start(instance, deadline=deadline, progress=print)
        sessions = {
            machine.name: Session.connect(
                provider.endpoint(instance, machine.name), machine=machine.name, deadline=deadline
            )
            for machine in _MACHINES
        }
        families = dict.fromkeys(sessions, distro.family)
        provision(plan, families, sessions, deadline=deadline, progress=print)
        for session in sessions.values():
            session.close()
        yield made
    finally:
        provider.destroy(instance)


def _require_as_planned(pair: _Pair) -> None:
    assert pair.said("here", "hostname") == "here"
    assert pair.said("here", "lsblk --nodeps --noheadings --output NAME | sort | xargs") == "sda sdb sdc"
    addresses = pair.said("here", "ip -o -4 address show scope global | awk '{print $2, $4}'")
    assert addresses == f"eth0 {_HERE}/24", "a card without an address is the learner's"
    assert pair.said("there", f"ping -c 1 -W 5 {_HERE} | grep -c 'bytes from'") == "1"
    if pair.distro.family == "el":
        assert pair.said("here", "getenforce; systemctl is-active firewalld").split() == [
            "Enforcing",
            "active",
        ]


def test_machines_are_as_planned(pair: _Pair) -> None:
    """Names, disks, cards and what guards them are as the plan and the family have it."""
    _require_as_planned(pair)


def test_they_still_are_after_a_reboot(pair: _Pair) -> None:
    """What set-up configured is configured for each boot, and management comes back by itself."""
    pair.provider.restart(pair.instance, ["here", "there"], deadline=Deadline.after(_START_S))
    for machine in ("here", "there"):
        pair.said(machine, "systemctl is-system-running --wait > /dev/null || true")
    _require_as_planned(pair)


def test_the_catalogues_names_are_the_distributions(pair: _Pair) -> None:
    """Each service of the catalogue is one that systemd knows there."""
    names = " ".join(f"{name.replace('@server', '@')}.service" for name in pair.distro.services.values())
    known = pair.said("here", f"systemctl list-unit-files --no-legend --plain {names} | cut -d' ' -f1")
    assert set(names.split()) - set(known.split()) == set()
