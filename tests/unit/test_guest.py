"""Tests of family verbs."""

from __future__ import annotations

import pytest

from lpiclab.errors import ProviderError
from lpiclab.guest import (
    CARDS_UNIT,
    guard_setup,
    network_setup,
    package_commands,
    package_list_command,
)
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


def test_el_cards_get_a_keyfile_each() -> None:
    """NetworkManager has each addressed card under its own number, now and at boot; nobody else reads it."""
    nics = (
        Nic(network="in", address="10.0.0.1/24"),
        Nic(network="mid"),
        Nic(network="out", address="10.1.0.1/16"),
    )
    files, steps = network_setup(Machine(name="gw", nics=nics), "el")
    assert [(file.path, file.mode) for file in files] == [
        ("/etc/NetworkManager/system-connections/eth0.nmconnection", 0o600),
        ("/etc/NetworkManager/system-connections/eth2.nmconnection", 0o600),
    ]
    assert files[1].content == (
        "[connection]\nid=eth2\ntype=ethernet\ninterface-name=eth2\n\n"
        "[ipv4]\nmethod=manual\naddress1=10.1.0.1/16\n\n"
        "[ipv6]\nmethod=link-local\n"
    )
    (step,) = steps
    assert step.content.splitlines() == [
        "systemctl enable --quiet --now NetworkManager",
        "nmcli connection reload",
        "nmcli --wait 30 connection up eth0",
        "nmcli --wait 30 connection up eth2",
    ]


def test_el_machines_are_guarded_and_debians_are_not() -> None:
    """SELinux enforces and firewalld runs, now and after a boot, on the family that has them."""
    assert guard_setup(Machine(name="a"), "debian") == []
    (step,) = guard_setup(Machine(name="a"), "el")
    assert (step.machine, step.content.splitlines()) == (
        "a",
        [
            "sed -i 's/^SELINUX=.*/SELINUX=enforcing/' /etc/selinux/config",
            "setenforce 1",
            "systemctl enable --quiet --now firewalld",
        ],
    )


def test_debian_packages_are_installed_by_apt() -> None:
    """Nothing is asked and nothing more than needed is installed."""
    update, install, clean = package_commands("debian", ["mdadm", "lvm2"], [])
    assert update.endswith("apt-get --quiet --yes update")
    assert install.startswith("DEBIAN_FRONTEND=noninteractive apt-get ")
    assert install.endswith("--no-install-recommends install mdadm lvm2")
    assert clean == "apt-get clean"


def test_el_packages_come_after_their_repositories() -> None:
    """CRB and EPEL are switched on before what lies in them is asked for."""
    crb, epel, install, clean = package_commands("el", ["mdadm"], ["crb", "epel"])
    assert crb.endswith("config-manager --set-enabled crb")
    assert epel.endswith("install epel-release")
    assert install == "dnf --quiet --assumeyes --setopt=install_weak_deps=False install mdadm"
    assert clean == "dnf --quiet clean all"


@pytest.mark.parametrize(
    ("family", "repositories", "words"),
    [
        ("plan9", [], "packages from family plan9"),
        ("el", ["crb", "rpmfusion"], "repositories crb, rpmfusion of family el"),
        ("debian", ["epel"], "repositories epel of family debian"),
    ],
)
def test_unknown_repositories_and_families_are_errors(
    family: str, repositories: list[str], words: str
) -> None:
    """What nobody taught us is named."""
    with pytest.raises(ProviderError, match=words):
        package_commands(family, ["mdadm"], repositories)


def test_installed_packages_are_listed_by_each_familys_own_tool() -> None:
    """Both say a name, a space and a version on each line."""
    assert package_list_command("debian") == "dpkg-query --show --showformat '${Package} ${Version}\\n'"
    assert package_list_command("el").startswith("rpm --query --all --queryformat '%{NAME} %{VERSION}-")
