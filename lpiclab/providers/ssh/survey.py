"""Look at a machine of an inventory before anything is changed: can a lab be set up on it?

Only reads. What `wipefs --no-act` does is open a disk for itself alone (``O_EXCL``, see open(2)):
that also tells of users that leave no trace in sysfs, such as a filesystem over several disks.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lpiclab import catalog
from lpiclab.model import CommandResult, Disk, Distro, Host, Machine, OfferedDisk
from lpiclab.providers.ssh import claim
from lpiclab.wait import Deadline

_PROGRAMS = ("bash", "findmnt", "install", "ip", "lsblk", "systemctl", "udevadm", "wipefs")
_LACKING = 'for name; do command -v "$name" > /dev/null || echo "$name"; done'
_COLUMNS = "NAME,TYPE,SIZE,RO,MOUNTPOINTS"


class Runner(Protocol):
    """What runs commands as root on one machine."""

    def run(self, command: str, *, stdin: bytes = b"", deadline: Deadline) -> CommandResult:
        """Run shell text to its end."""


@dataclass(frozen=True, slots=True)
class _Ask:
    runner: Runner
    deadline: Deadline

    def __call__(self, *words: str) -> str | None:
        """Return what a command printed; None when it failed."""
        result = self.runner.run(shlex.join(words), deadline=self.deadline)
        return result.stdout.decode(errors="replace") if result.status == 0 else None


def problems(
    runner: Runner, machine: Machine, host: Host, distro: Distro, *, deadline: Deadline
) -> list[str]:
    """Return everything that keeps `machine` from being set up as `host`, each with what to try.

    Raises:
        MachineryError: the machine went away.
    """
    ask = _Ask(runner, deadline)
    if lacking := (ask("sh", "-c", _LACKING, "sh", *_PROGRAMS) or "").split():
        return [f"lacks {', '.join(lacking)}: install what they belong to"]
    found = [*_owner(runner, deadline), *_system(ask("cat", "/etc/os-release") or "", distro)]
    offers = {offer.name: offer for offer in host.disks}
    for disk in machine.disks:
        found += [f"{disk.name} {each}" for each in _disk(ask, disk, offers[disk.name])]
    for card in host.interfaces:
        found += [f"{card} {each}" for each in _card(ask, card)]
    return found


def _owner(runner: Runner, deadline: Deadline) -> Iterator[str]:
    owner = claim.owner(runner, deadline=deadline)
    if owner is not None:
        yield f"is in use by {owner}: {claim.get_rid(owner)}"


def _system(text: str, distro: Distro) -> Iterator[str]:
    release = _os_release(text)
    id_, version = release.get("ID", ""), release.get("VERSION_ID", "")
    if _is(distro, id_, version):
        return
    what = release.get("PRETTY_NAME") or "no distribution that says what it is"
    fitting = [each.id for each in catalog.load_distros().values() if _is(each, id_, version)]
    advice = f"`--distro {fitting[0]}` asks for that" if fitting else f"{distro.title} is needed"
    yield f"runs {what}, not {distro.title}: {advice}"


def _is(distro: Distro, id_: str, version: str) -> bool:
    """Tell whether a machine's os-release(5) is that of `distro`, or of a point release of it."""
    name, _, _ = distro.id.rpartition("-")
    return id_ == name and (version == distro.version or version.startswith(f"{distro.version}."))


def _os_release(text: str) -> Mapping[str, str]:
    values = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            values[name] = value.strip().strip("\"'")
    return values


def _disk(ask: _Ask, disk: Disk, offer: OfferedDisk) -> Iterator[str]:
    device = f"/dev/{disk.name}"
    listed = ask("lsblk", "--json", "--bytes", "--output", _COLUMNS, device)
    if listed is None:
        yield "is not there: `lsblk` on it shows what is"
        return
    tree = json.loads(listed)["blockdevices"][0]
    unfit = list(_unfit(tree, disk))
    yield from unfit
    used = list(_uses(tree))
    yield from used
    if unfit or used:
        return
    signatures = ask("wipefs", "--noheadings", "--output", "TYPE", device)
    kinds = list(dict.fromkeys((signatures or "").split()))
    if kinds and not offer.wipe:
        yield f"is not empty ({', '.join(kinds)}): `wipe: true` in the inventory allows to overwrite it"
    elif ask("wipefs", "--no-act", "--all", device) is None:
        yield "is in use: the kernel gives it to nobody else; offer another disk"


def _unfit(tree: Mapping[str, Any], disk: Disk) -> Iterator[str]:
    if tree["type"] != "disk":
        yield f"is no whole disk but a {tree['type']}: offer a whole disk"
    if int(tree["size"]) < disk.size_mib << 20:
        yield f"has {int(tree['size']) >> 20} MiB, {disk.size_mib} are needed: offer a larger disk"
    if tree["ro"]:
        yield "can only be read: offer another disk"


def _uses(tree: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a disk, or anything on it, is used for now."""
    name = tree["name"]
    for place in filter(None, tree.get("mountpoints") or ()):
        if place == "[SWAP]":
            yield f"is in use: {name} is swap space; `swapoff` it, or offer another disk"
        else:
            yield f"is in use: {name} is mounted at {place}; `umount` it, or offer another disk"
    for child in tree.get("children", ()):
        if child["type"] != "part":
            yield f"is in use: {name} is part of {child['name']} ({child['type']}); offer another disk"
        yield from _uses(child)


def _card(ask: _Ask, card: str) -> Iterator[str]:
    listed = ask("ip", "-json", "address", "show", "dev", card)
    if listed is None:
        yield "is not there: `ip link` on it shows its network cards"
        return
    for found in filter(None, json.loads(listed)):
        addresses = [each["local"] for each in found.get("addr_info", ()) if each.get("scope") != "link"]
        if addresses:
            yield f"is in use: it has the address {addresses[0]}; offer a card without one"
        if master := found.get("master"):
            yield f"is in use: it belongs to {master}; offer another card"
