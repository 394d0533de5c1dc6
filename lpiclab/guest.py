"""Family verbs: what is done differently on Debian and on other families."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lpiclab.errors import ProviderError
from lpiclab.model import Machine, RenderedFile, RenderedStep

FIRST_CARD = "eth0"


def network_setup(machine: Machine, family: str) -> tuple[list[RenderedFile], list[RenderedStep]]:
    """Return the files and steps that give a machine's cards their addresses, now and at each boot.

    Cards without an address are left alone: configuring them is the learner's work.

    Raises:
        ProviderError: the family is not known.
    """
    if not any(nic.address for nic in machine.nics):
        return [], []
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


_NETWORKS: Mapping[str, Callable[[Machine], tuple[list[RenderedFile], list[RenderedStep]]]] = {
    "debian": _debian,
}
