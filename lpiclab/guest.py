"""What is where on machines, and family verbs: what is done differently on Debian and on other families."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence

from lpiclab.errors import ProviderError
from lpiclab.model import Machine, RenderedFile, RenderedStep

FOLDER = "/var/lib/lpiclab"
"""The folder of root's on a machine of an inventory that is in use: whose it is, and what it was before."""
UNDO = f"{FOLDER}/undo"
"""The script in it that gives the machine back, with nothing else."""

CARDS_UNIT = "lpiclab-cards.service"
"""Configures the lab's cards of a machine that has others as well."""


def network_setup(machine: Machine, family: str) -> tuple[list[RenderedFile], list[RenderedStep]]:
    """Return the files and steps that give a machine's cards their addresses, now and at each boot.

    Cards without an address are left alone: configuring them is the learner's work. Where cards have
    names of their own the machine is not ours alone: what configures its other cards is not touched.

    Raises:
        ProviderError: the family is not known.
    """
    if not any(nic.address for nic in machine.nics):
        return [], []
    if any(nic.interface for nic in machine.nics):
        return _beside_others(machine)
    try:
        make = _NETWORKS[family]
    except KeyError:
        raise ProviderError(f"don't know how to configure the network of family {family}") from None
    return make(machine)


def guard_setup(machine: Machine, family: str) -> list[RenderedStep]:
    """Return the steps that switch on what guards a machine of the family, now and at each boot.

    The CentOS family is learned with SELinux enforcing and firewalld running; Debian has neither.
    Management is not concerned: its card is in a network namespace of its own.
    """
    if family != "el":
        return []
    return [RenderedStep(machine=machine.name, source="guards' set-up", content=_EL_GUARDS)]


def package_commands(family: str, packages: Sequence[str], repositories: Sequence[str]) -> list[str]:
    """Return the shell commands that switch repositories on and install packages, not what these recommend.

    Raises:
        ProviderError: the family is not known, or does not know a repository.
    """
    words = shlex.join(packages)
    if family == "debian" and not repositories:
        quiet = "DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes"
        return [
            f"{quiet} update",
            f"{quiet} --no-install-recommends install {words}",
            "apt-get clean",
        ]
    if family == "el" and set(repositories) <= _EL_REPOSITORIES.keys():
        quiet = "dnf --quiet --assumeyes --setopt=install_weak_deps=False"
        return [
            *(f"{quiet} {_EL_REPOSITORIES[name]}" for name in repositories),
            f"{quiet} install {words}",
            "dnf --quiet clean all",
        ]
    named = f"repositories {', '.join(repositories)} of " if repositories else ""
    raise ProviderError(f"don't know how to install packages from {named}family {family}")


def package_list_command(family: str) -> str:
    """Return the shell command that prints ``NAME VERSION`` of each installed package."""
    if family == "el":
        return r"rpm --query --all --queryformat '%{NAME} %{VERSION}-%{RELEASE}\n'"
    return r"dpkg-query --show --showformat '${Package} ${Version}\n'"


def _debian(machine: Machine) -> tuple[list[RenderedFile], list[RenderedStep]]:
    """Use ifupdown, Debian's own way on servers; see interfaces(5)."""
    stanzas = ["auto lo", "iface lo inet loopback"]
    for index, nic in enumerate(machine.nics):
        if nic.address:
            card = f"eth{index}"
            stanzas += ["", f"auto {card}", f"iface {card} inet static", f"    address {nic.address}"]
    file = RenderedFile(
        machine=machine.name,
        path="/etc/network/interfaces",
        content="\n".join(stanzas) + "\n",
        owner="root",
        group="root",
        mode=0o644,
    )
    step = RenderedStep(
        machine=machine.name, source="network set-up", content="systemctl enable --quiet --now networking\n"
    )
    return [file], [step]


def _beside_others(machine: Machine) -> tuple[list[RenderedFile], list[RenderedStep]]:
    """Use a unit of our own, which works beside ifupdown, NetworkManager and systemd-networkd."""
    cards = {nic.interface: nic.address for nic in machine.nics if nic.address}
    devices = " ".join(
        f"sys-subsystem-net-devices-{card.replace('-', chr(92) + 'x2d')}.device" for card in cards
    )
    lines = [
        "[Unit]",
        "Description=Network cards of a lab of lpiclab",
        f"Wants={devices}",
        f"After=network-pre.target {devices}",
        "Before=network.target",
        "",
        "[Service]",
        "Type=oneshot",
        "RemainAfterExit=yes",
    ]
    for card, address in cards.items():
        lines += [
            f"ExecStart=/usr/bin/env ip address replace {address} dev {card}",
            f"ExecStart=/usr/bin/env ip link set dev {card} up",
        ]
    lines += ["", "[Install]", "WantedBy=multi-user.target"]
    file = RenderedFile(
        machine=machine.name,
        path=f"/etc/systemd/system/{CARDS_UNIT}",
        content="\n".join(lines) + "\n",
        owner="root",
        group="root",
        mode=0o644,
    )
    start = (
        f"systemctl daemon-reload\nsystemctl enable --quiet {CARDS_UNIT}\nsystemctl restart {CARDS_UNIT}\n"
    )
    return [file], [RenderedStep(machine=machine.name, source="network set-up", content=start)]


def _el(machine: Machine) -> tuple[list[RenderedFile], list[RenderedStep]]:
    """Use NetworkManager, with a keyfile for each card; see nm-settings-keyfile(5)."""
    files = []
    commands = ["systemctl enable --quiet --now NetworkManager", "nmcli connection reload"]
    for index, nic in enumerate(machine.nics):
        if not nic.address:
            continue
        card = f"eth{index}"
        sections = {
            "connection": {"id": card, "type": "ethernet", "interface-name": card},
            "ipv4": {"method": "manual", "address1": nic.address},
            "ipv6": {"method": "link-local"},
        }
        lines = [
            line
            for name, keys in sections.items()
            for line in (f"[{name}]", *(f"{key}={value}" for key, value in keys.items()), "")
        ]
        files.append(
            RenderedFile(
                machine=machine.name,
                path=f"/etc/NetworkManager/system-connections/{card}.nmconnection",
                content="\n".join(lines),
                owner="root",
                group="root",
                mode=0o600,  # NetworkManager ignores a keyfile that others can read
            )
        )
        commands.append(f"nmcli --wait 30 connection up {card}")
    content = "".join(f"{command}\n" for command in commands)
    return files, [RenderedStep(machine=machine.name, source="network set-up", content=content)]


_NETWORKS: Mapping[str, Callable[[Machine], tuple[list[RenderedFile], list[RenderedStep]]]] = {
    "debian": _debian,
    "el": _el,
}
_EL_GUARDS = """\
sed -i 's/^SELINUX=.*/SELINUX=enforcing/' /etc/selinux/config
setenforce 1
systemctl enable --quiet --now firewalld
"""
_EL_REPOSITORIES = {
    "crb": "install dnf-plugins-core && dnf --quiet config-manager --set-enabled crb",
    "epel": "install epel-release",
}
