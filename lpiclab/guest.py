"""Family verbs: what is done differently on Debian and on other families."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lpiclab.errors import ProviderError
from lpiclab.model import Machine, RenderedFile, RenderedStep

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


_NETWORKS: Mapping[str, Callable[[Machine], tuple[list[RenderedFile], list[RenderedStep]]]] = {
    "debian": _debian,
}
