"""Tests of the star of datagram sockets, by wiring its ends up as QEMU would."""

from __future__ import annotations

from collections.abc import Sequence

from lpiclab.model import Machine, Nic
from lpiclab.providers.qemu import lan


def _machine(name: str, *networks: str) -> Machine:
    return Machine(name=name, nics=tuple(Nic(network=network) for network in networks))


def _path(netdev: lan.Netdev, end: str) -> str | None:
    found = netdev.get(end)
    return str(found["path"]) if isinstance(found, dict) else None


def _all(machines: Sequence[Machine]) -> dict[tuple[str, int], list[lan.Netdev]]:
    return {
        (machine.name, index): values
        for machine in machines
        for index, values in enumerate(lan.netdevs(machine.name, machines))
    }


def _reached(machines: Sequence[Machine]) -> dict[tuple[str, int], set[tuple[str, int]]]:
    """Return which cards hear each card: those that share a wire, or a hub with wires to it."""
    cards = _all(machines)
    listens = {
        path: card for card, values in cards.items() for each in values if (path := _path(each, "local"))
    }
    assert len(listens) == sum("local" in each for values in cards.values() for each in values)
    wires = {
        card: {listens[path] for each in values if (path := _path(each, "remote"))}
        for card, values in cards.items()
    }
    return {
        card: {far for near in reached for far in wires[near] | {near}} - {card}
        for card, reached in wires.items()
    }


def test_two_machines_hear_each_other() -> None:
    """Each end sends to where the other listens."""
    reached = _reached([_machine("a", "lan"), _machine("b", "lan")])
    assert reached == {("a", 0): {("b", 0)}, ("b", 0): {("a", 0)}}


def test_three_machines_form_a_star() -> None:
    """The first machine repeats what the others say to each other."""
    machines = [_machine(name, "lan") for name in "abc"]
    assert _reached(machines) == {
        ("a", 0): {("b", 0), ("c", 0)},
        ("b", 0): {("a", 0), ("c", 0)},
        ("c", 0): {("a", 0), ("b", 0)},
    }
    hub = [each for each in _all(machines)["a", 0] if each["type"] == "hubport"]
    assert len(hub) == 3
    assert {each["hubid"] for each in hub} == {0}


def test_networks_are_apart() -> None:
    """Cards on different networks do not hear each other, also behind one machine with two cards."""
    machines = [_machine("gw", "in", "out"), _machine("host", "in"), _machine("world", "out")]
    assert _reached(machines) == {
        ("gw", 0): {("host", 0)},
        ("gw", 1): {("world", 0)},
        ("host", 0): {("gw", 0)},
        ("world", 0): {("gw", 1)},
    }


def test_one_machine_with_two_cards_on_one_network() -> None:
    """Two cards of one machine on one network hear each other, on hubs that QEMU keeps apart."""
    machines = [_machine("a", "lan", "lan"), _machine("b", "lan")]
    reached = _reached(machines)
    assert reached["a", 0] == {("a", 1), ("b", 0)}
    assert reached["b", 0] == {("a", 0), ("a", 1)}


def test_back_ends_have_names_of_their_own() -> None:
    """No two back-ends of one QEMU have the same id, and each card finds the one of its number."""
    machines = [_machine("gw", "in", "out"), _machine("b", "out", "in"), _machine("c", "in", "out")]
    for machine in machines:
        values = [[value["id"] for value in card] for card in lan.netdevs(machine.name, machines)]
        names = [name for card in values for name in card]
        assert len(names) == len(set(names))
        assert [card[0] for card in values] == ["lan0", "lan1"]


def test_card_alone_on_its_network_has_a_back_end() -> None:
    """A network with one card is a hub with nothing else on it."""
    assert lan.netdevs("a", [_machine("a", "lan")]) == [[{"type": "hubport", "id": "lan0", "hubid": 0}]]
