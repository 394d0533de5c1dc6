"""Ask the kernel, mdadm and its configuration for arrays."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from testinfra.host import Host

from lpiclab.checks.probes import NOTHING

_FACTS = ("array_state", "level", "raid_disks", "degraded", "sync_action", "dev-*/slot", "dev-*/state")


class ArrayLine(NamedTuple):
    """An ARRAY line of mdadm.conf(5): the device it names, and the UUID's digits ("" without one)."""

    device: str
    uuid: str


class Record(NamedTuple):
    """What mdadm's configuration says of an array: in which file, under which devices, and what is stale."""

    file: str
    devices: list[str]
    stale: list[str]


def arrays(host: Host) -> list[str]:
    """Return the names of the arrays that the kernel has, also of those that do not run.

    The files below /sys are many; /proc/mdstat is one, and another file is soon mounted over it.
    """
    text = host.run("grep -H . /sys/block/md*/md/array_state").stdout
    found = re.findall(r"^/sys/block/(\w+)/md/array_state:(\S+)$", text, re.MULTILINE)
    return sorted(name for name, state in found if state != "clear")


def array_facts(host: Host, array: str) -> dict[str, str]:
    """Return what the kernel says of an array: ``level``, ``degraded``, ``dev-sdb1/state`` and so on."""
    folder = f"/sys/block/{array}/md/"
    lines = host.run("grep -H . " + " ".join(folder + file for file in _FACTS)).stdout.splitlines()
    return dict(line.removeprefix(folder).split(":", 1) for line in lines)


def array_members(facts: dict[str, str]) -> dict[str, str]:
    """Return the state of each member, by its name: ``in_sync``, ``spare``, ``faulty``, ``rebuilding``.

    The kernel calls a spare what is not in sync; one with a place in the array is being filled.
    """
    members = {}
    for key, state in sorted(facts.items()):
        device, _, what = key.partition("/")
        if what == "state":
            placed = facts.get(f"{device}/slot", "none") != "none"
            members[device.removeprefix("dev-")] = state.replace("spare", "rebuilding") if placed else state
    return members


def in_words(members: dict[str, str]) -> str:
    """Return members with their states for people: ``sdb1 in_sync, sdc1 faulty``; none is ``-``."""
    return ", ".join(f"{name} {state}" for name, state in members.items()) or NOTHING


def array_names(array: str) -> set[str]:
    """Return what an array such as ``md0`` can be called in mdadm.conf(5)."""
    return {array, f"/dev/{array}", f"/dev/md/{array}", f"/dev/md/{array.removeprefix('md')}"}


def array_uuid(host: Host, array: str) -> str:
    """Return the digits of a running array's UUID."""
    detail = host.run("mdadm --detail --export %s", f"/dev/{array}").stdout
    return _hexadecimal("".join(re.findall(r"^MD_UUID=(.*)$", detail, re.MULTILINE)))


def config_file(host: Host, paths: Mapping[str, str]) -> str:
    """Return the one configuration file that mdadm reads, out of a distribution's two.

    Debian 13's mdadm passes over its own ``/etc/mdadm/mdadm.conf`` where there is an ``/etc/mdadm.conf``
    (FILES in mdadm.conf(5)).
    """
    preferred = paths["mdadm_config_preferred"]
    return preferred if host.file(preferred).exists else paths["mdadm_config"]


def array_lines(host: Host, path: str) -> list[ArrayLine]:
    """Return the ARRAY lines of mdadm's configuration: of a file and of the folder that belongs to it."""
    text = host.run(f"cat {path} {path}.d/*.conf 2>/dev/null").stdout
    # mdadm.conf(5): a line that begins with white space goes on with the one before.
    lines = re.sub(r"\n[ \t]+", " ", re.sub(r"#.*", "", text))
    found = re.findall(r"^arr(?:a|ay)?\s+(\S+)(.*)$", lines, re.IGNORECASE | re.MULTILINE)
    return [ArrayLine(device, _hexadecimal(rest.lower().partition("uuid=")[2])) for device, rest in found]


def record(host: Host, array: str, paths: Mapping[str, str]) -> Record:
    """Return the devices of lines with a running array's UUID, and the UUIDs of others with its name."""
    uuid, file = array_uuid(host, array), config_file(host, paths)
    lines, names = array_lines(host, file), array_names(array)
    return Record(
        file=file,
        devices=[line.device for line in lines if line.uuid and line.uuid == uuid],
        stale=[line.uuid for line in lines if line.device in names and line.uuid not in ("", uuid)],
    )


def _hexadecimal(text: str) -> str:
    """Return the digits of the UUID that `text` begins with, however it is punctuated."""
    return re.sub(r"[^0-9a-f]", "", text.split(maxsplit=1)[0].lower()) if text.strip() else ""
