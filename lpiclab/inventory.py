"""Read an inventory: machines that exist already, and what of them a lab may use.

    schema: 1
    machines:
      server:
        address: 192.0.2.10
        port: 22
        user: root
        key: ~/.ssh/id_ed25519
        host_key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5…"
        disks: [{name: sdb}, {name: sdc, wipe: true}]
        nics: [{network: lan, interface: ens4}]

One file may have the machines of several labs; a lab gets those that it names, and of them only the
disks and cards that it needs.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lpiclab import yamlio
from lpiclab.errors import SpecError, SpecProblem
from lpiclab.model import Host, Lab, Machine, OfferedDisk
from lpiclab.names import nearest
from lpiclab.shapes import Converted, Flag, Integer, ListOf, MapOf, Record, Text
from lpiclab.yamlio import Document, Source

_KEY_TYPE = "ssh-ed25519"
_KEY_BYTES = 51  # RFC 8709, section 4: two strings with their lengths, of 11 and 32 bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Card:
    network: str
    interface: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A machine as it is written."""

    address: str
    key: Path
    host_key: str
    port: int = 22
    user: str = "root"
    disks: tuple[OfferedDisk, ...] = ()
    nics: tuple[_Card, ...] = ()


def _machines(*, schema: int, machines: dict[str, _Entry]) -> dict[str, _Entry]:
    del schema
    return machines


def _key_file(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(f"there is no such user as in {path}") from error


def _host_key(line: str) -> str:
    """Return type and key of a public key line, without the comment."""
    kind, _, rest = line.partition(" ")
    try:
        key = base64.b64decode(rest.partition(" ")[0], validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if kind != _KEY_TYPE or len(key) != _KEY_BYTES or _KEY_TYPE.encode() not in key:
        raise ValueError(
            f'expected the machine\'s public host key, "{_KEY_TYPE} AAAA…": it is in'
            " /etc/ssh/ssh_host_ed25519_key.pub there"
        )
    return f"{kind} {base64.b64encode(key).decode()}"


_ENTRY = Record(
    _Entry,
    required={
        "address": Text(r"[A-Za-z0-9][A-Za-z0-9.:-]*|::[0-9a-f:]+", "a host name or an address"),
        "key": Converted(Text(expected="the file of a private key"), _key_file),
        "host_key": Converted(Text(expected="a public host key in quotes"), _host_key),
    },
    optional={
        "port": Integer(minimum=1, maximum=65535),
        "user": Text(r"[a-z_][a-z0-9_.-]{0,31}", "the name of a user"),
        "disks": ListOf(
            Record(
                OfferedDisk,
                required={"name": Text(r"sd[b-z]", "a disk name from sdb on, the lab's")},
                optional={"wipe": Flag()},
            )
        ),
        "nics": ListOf(
            Record(
                _Card,
                required={
                    "network": Text(r"[a-z][a-z0-9-]{0,30}", "the name of a lab's network"),
                    "interface": Text(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}", "the name of a network card"),
                },
            )
        ),
    },
)

_INVENTORY = Record(
    _machines,
    required={
        "schema": Integer(minimum=1, maximum=1),
        "machines": MapOf(_ENTRY, key=r"[a-z][a-z0-9-]{0,30}"),
    },
)


def load(file: Path, lab: Lab) -> Mapping[str, Host]:
    """Return the machines that `lab` needs, with the disks and cards that it needs, in its order.

    Raises:
        SpecError: the file is wrong, or lacks something that the lab needs; holds every problem.
    """
    file = file.absolute()
    document = yamlio.load(file, _INVENTORY)
    problems = list(_problems(document, lab))
    if problems:
        raise SpecError(problems)
    return {each.name: _host(document.value[each.name], each, file.parent) for each in lab.machines}


def _host(entry: _Entry, machine: Machine, folder: Path) -> Host:
    needed = {disk.name for disk in machine.disks}
    free = {network: iter(cards) for network, cards in _cards(entry).items()}
    return Host(
        address=entry.address,
        port=entry.port,
        user=entry.user,
        key=str(folder / entry.key),
        host_key=entry.host_key,
        disks=tuple(disk for disk in entry.disks if disk.name in needed),
        interfaces=tuple(next(free[nic.network]) for nic in machine.nics),
    )


def _cards(entry: _Entry) -> dict[str, list[str]]:
    """Return the interfaces on each network, in the order in which they are written."""
    cards: dict[str, list[str]] = {}
    for card in entry.nics:
        cards.setdefault(card.network, []).append(card.interface)
    return cards


def _problems(document: Document[dict[str, _Entry]], lab: Lab) -> Iterator[SpecProblem]:
    entries, source = document.value, document.source
    places: dict[tuple[str, int], str] = {}
    for machine in lab.machines:
        entry = entries.get(machine.name)
        if entry is None:
            hint = nearest(machine.name, entries)
            yield source.problem(
                "machines", f'{lab.id} needs a machine "{machine.name}"; {hint}'.removesuffix("; ")
            )
            continue
        path = f"machines.{machine.name}"
        other = places.setdefault((entry.address, entry.port), machine.name)
        if other != machine.name:
            yield source.problem(f"{path}.address", f'"{other}" is the same machine')
        yield from _lacking(entry, machine, path, lab, source)
        yield from _twice(entry, path, source)
        key = source.file.parent / entry.key
        if not key.is_file():
            yield source.problem(f"{path}.key", f"there is no file {key}")


def _lacking(entry: _Entry, machine: Machine, path: str, lab: Lab, source: Source) -> Iterator[SpecProblem]:
    """Yield what of a machine the lab needs and the inventory does not offer."""
    offered = [disk.name for disk in entry.disks]
    for disk in machine.disks:
        if disk.name not in offered:
            message = f'{lab.id} needs the disk "{disk.name}" with {disk.size_mib} MiB'
            yield source.problem(f"{path}.disks", message)
    cards = _cards(entry)
    for network in dict.fromkeys(nic.network for nic in machine.nics):
        wanted = sum(nic.network == network for nic in machine.nics)
        found = len(cards.get(network, ()))
        if found < wanted:
            what = "a card" if wanted == 1 else f"{wanted} cards, not {found},"
            hint = "" if found else nearest(network, cards)
            message = f'{lab.id} needs {what} on the network "{network}"; {hint}'.removesuffix("; ")
            yield source.problem(f"{path}.nics", message)


def _twice(entry: _Entry, path: str, source: Source) -> Iterator[SpecProblem]:
    for part, names in (
        ("disks", [disk.name for disk in entry.disks]),
        ("nics", [card.interface for card in entry.nics]),
    ):
        for index, name in enumerate(names):
            if name in names[:index]:
                yield source.problem(f"{path}.{part}[{index}]", f'"{name}" is there twice')
