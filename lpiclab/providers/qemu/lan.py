"""A lab network between QEMU processes: a star of unix datagram sockets.

Datagram sockets keep packets whole and need no order of start: what is sent to a machine that is
off is lost, as on a wire. The first card on a network is the centre; its QEMU repeats packets with
its `hubport` back-end. File modes keep everybody else out. See `-netdev dgram` in qemu(1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lpiclab.model import Machine

FOLDER = "lan"
"""Where the sockets are, relative to the folder that QEMU works in."""

Netdev = Mapping[str, object]
"""A network back-end as QMP's `netdev_add` wants it."""


@dataclass(frozen=True, slots=True)
class _Card:
    machine: str
    index: int

    @property
    def label(self) -> str:
        return f"{self.machine}-{self.index}"


def netdevs(machine: str, machines: Sequence[Machine]) -> list[list[Netdev]]:
    """Return the back-ends of each card of `machine`, in the order of its cards.

    The card's own back-end has the id ``lan<index>``.
    """
    own = next(each for each in machines if each.name == machine)
    result: list[list[Netdev]] = []
    for index, nic in enumerate(own.nics):
        cards = list(_cards(nic.network, machines))
        card = _Card(machine, index)
        result.append(_centre(card, cards[1:]) if card == cards[0] else [_end(card, cards[0], f"lan{index}")])
    return result


def _cards(network: str, machines: Sequence[Machine]) -> Iterator[_Card]:
    for machine in machines:
        for index, nic in enumerate(machine.nics):
            if nic.network == network:
                yield _Card(machine.name, index)


def _centre(card: _Card, others: Sequence[_Card]) -> list[Netdev]:
    values: list[Netdev] = [{"type": "hubport", "id": f"lan{card.index}", "hubid": card.index}]
    for number, other in enumerate(others):
        leg = f"lan{card.index}leg{number}"
        values.append(_dgram(leg, local=f"{card.label}-{other.label}", remote=other.label))
        values.append({"type": "hubport", "id": f"{leg}hub", "hubid": card.index, "netdev": leg})
    return values


def _end(card: _Card, centre: _Card, netdev_id: str) -> Netdev:
    return _dgram(netdev_id, local=card.label, remote=f"{centre.label}-{card.label}")


def _dgram(netdev_id: str, *, local: str, remote: str) -> Netdev:
    return {
        "type": "dgram",
        "id": netdev_id,
        "local": {"type": "unix", "path": f"{FOLDER}/{local}"},
        "remote": {"type": "unix", "path": f"{FOLDER}/{remote}"},
    }
