"""Tests of family verbs."""

from __future__ import annotations

import pytest

from lpiclab.errors import ProviderError
from lpiclab.guest import CARDS_UNIT, network_setup
from lpiclab.model import Machine, Nic


def test_debian_cards_get_their_addresses_now_and_at_boot() -> None:
    """Each card with an address has its stanza under its own number; loopback is kept."""
    machine = Machine(
        name="gw",
        nics=(
            Nic(network="in", address="10.0.0.1/24"),
            Nic(network="mid"),
            Nic(network="out", address="10.1.0.1/16"),
        ),
    )
    files, steps = network_setup(machine, "debian")
    assert [(file.machine, file.path, file.mode) for file in files] == [
        ("gw", "/etc/network/interfaces", 0o644)
    ]
    assert files[0].content == (
        "auto lo\niface lo inet loopback\n"
        "\nauto eth0\niface eth0 inet static\n    address 10.0.0.1/24\n"
        "\nauto eth2\niface eth2 inet static\n    address 10.1.0.1/16\n"
    )
    assert [step.machine for step in steps] == ["gw"]
    assert "--now networking" in steps[0].content


@pytest.mark.parametrize("nics", [(), (Nic(network="lan"),)])
def test_cards_without_an_address_are_left_to_the_learner(nics: tuple[Nic, ...]) -> None:
    """Where no card has an address nothing is changed, on any family."""
    assert network_setup(Machine(name="a", nics=nics), "plan9") == ([], [])


def test_unknown_family_is_an_error() -> None:
    """A family that nobody taught us is named."""
    machine = Machine(name="a", nics=(Nic(network="lan", address="10.0.0.1/24"),))
    with pytest.raises(ProviderError, match="family plan9"):
        network_setup(machine, "plan9")


def test_cards_beside_others_have_a_unit_of_their_own() -> None:
    """What configures the machine's other cards is not touched, whatever that is and on any family."""
    machine = Machine(
        name="gw",
        nics=(
            Nic(network="in", address="10.0.0.1/24", interface="ens-4"),
            Nic(network="out", interface="ens5"),
        ),
    )
    (file,), (step,) = network_setup(machine, "plan9")
    assert file.path == f"/etc/systemd/system/{CARDS_UNIT}"
    assert "ExecStart=/usr/bin/env ip address replace 10.0.0.1/24 dev ens-4\n" in file.content
    assert "ExecStart=/usr/bin/env ip link set dev ens-4 up\n" in file.content
    assert r"Wants=sys-subsystem-net-devices-ens\x2d4.device" in file.content
    assert "ens5" not in file.content
    assert f"systemctl restart {CARDS_UNIT}" in step.content
