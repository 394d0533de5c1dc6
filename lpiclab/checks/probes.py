"""What many labs ask a machine: services, ports, routes, files, mounts, LVM.

Each function takes a testinfra host and returns what the machine says, in the words of the program
that was asked. The verdict is the lab's.
"""

from __future__ import annotations

import json
import re
import secrets
from typing import Any, Literal

from testinfra.host import Host

NOTHING = "-"
"""What is shown as seen where there is nothing to see."""

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - what ss prints
_STARTING_TRIES = 8
_YOUNG_S = 20


def unit_state(host: Host, verb: Literal["is-active", "is-enabled"], unit: str) -> str:
    """Return what ``systemctl VERB UNIT`` prints; a unit that is still starting gets some seconds."""
    tries = " ".join(map(str, range(_STARTING_TRIES)))
    once = f"s=$(systemctl {verb} {unit} 2> /dev/null)"
    again = f'for i in {tries}; do {once}; [ "$s" = activating ] || break; sleep 1; done'
    return str(host.run(f'{again}; echo "$s"').stdout).strip() or NOTHING


def is_young(host: Host, unit: str) -> bool:
    """Tell whether a unit was started seconds ago: it may not do yet what it will do."""
    since = "systemctl show --property ActiveEnterTimestampMonotonic --value %s"  # in microseconds
    started_us, _, uptime = host.run(f'echo "$({since})"; cat /proc/uptime', unit).stdout.partition("\n")
    return int(started_us or 0) > 0 and float(uptime.split()[0]) - int(started_us) / 1e6 < _YOUNG_S


def port_holders(
    host: Host, protocol: Literal["tcp", "udp"], port: int, address: str, unit: str, *, patience_s: int = 2
) -> str:
    """Return the processes that listen at a port of `address`: ``named``; one not of `unit`: ``named[812]``.

    A service that is being reloaded lets go of its port for a moment: without a holder, the machine is
    asked again for `patience_s` seconds.
    """
    names = _holders(host, protocol, port, address, unit)
    while not names and patience_s > 0:
        host.run("sleep 1")
        patience_s -= 1
        names = _holders(host, protocol, port, address, unit)
    return " ".join(sorted(names)) or NOTHING


def _holders(host: Host, protocol: str, port: int, address: str, unit: str) -> set[str]:
    names = set()
    places = (address, ANY_ADDRESS, "*", f"[::ffff:{address}]")
    for line in host.run(f"ss -Hlnp --{protocol} %s", f"sport = :{port}").stdout.splitlines():
        if line.split()[3].rpartition(":")[0] not in places:
            continue
        for name, pid in re.findall(r'"([^"]+)",pid=(\d+)', line):
            ours = f"/{unit}.service" in host.run(f"cat /proc/{pid}/cgroup").stdout
            names.add(name if ours else f"{name}[{pid}]")
    return names


def route(host: Host, address: str) -> str:
    """Return the way to `address`; it begins with the address itself unless that is the machine's own."""
    return str(host.run(f"ip -o route get {address}").stdout).strip() or NOTHING


def last_line(text: str) -> str:
    """Return the last line of what a program printed: that is where most of them say what went wrong."""
    return (text.strip().splitlines() or [NOTHING])[-1]


def nonce() -> str:
    """Return a word of hexadecimal digits that nobody can know beforehand."""
    return secrets.token_hex(6)


def put_file(host: Host, folder: str, mode: str = "644") -> str:
    """Put a new file of root's, with its own name in it, into `folder`, and return its name.

    A folder that is not there is the learner's to make: then there is no file, and nobody reads it.
    """
    name = f"lpiclab-{nonce()}.txt"
    host.run(f"cd {folder} && echo {name} > {name} && chmod {mode} {name}")
    return name


def take_file(host: Host, folder: str, name: str) -> str:
    """Remove a file from `folder` and return what was in it."""
    return str(host.run(f"cd {folder} && {{ cat {name}; rm -f {name}; }}").stdout).strip() or NOTHING


def mounted(host: Host, mountpoint: str, *columns: str) -> dict[str, Any]:
    """Return findmnt's columns, in small letters, of the topmost mount there; nothing mounted is {}.

    The source is the device also where a part of its filesystem is mounted, as a subvolume of btrfs.

    >>> mounted(server, "/srv/data", "SOURCE", "SIZE", "OPTIONS")
    """
    options = f"--json --list --bytes --nofsroot --output {','.join(columns)}"
    text = host.run(f"findmnt {options} --mountpoint %s", mountpoint).stdout
    found: dict[str, Any] = json.loads(text)["filesystems"][-1] if text else {}
    return found


def device_number(host: Host, device: str) -> str:
    """Return a block device's major and minor number, ``254:0``; what is no block device has ``-``.

    A mount's MAJ:MIN is not always its device's: btrfs makes up one of its own.
    """
    listed = host.run("lsblk --nodeps --noheadings --output MAJ:MIN %s", device)
    return str(listed.stdout).strip() or NOTHING


def fstab_options(host: Host, mountpoint: str) -> str:
    """Return the options of fstab's line for a mount point, the last one; without a line ``-``."""
    entry = host.run("findmnt --noheadings --fstab --output OPTIONS --mountpoint %s", mountpoint)
    if not entry.succeeded:
        return NOTHING
    return str((entry.stdout.split() or ["defaults"])[-1])


def mount_anew(host: Host, mountpoint: str, column: str = "MAJ:MIN") -> tuple[str, str]:
    """Unmount and mount by fstab, in a mount namespace of its own: the machine keeps what it has.

    Returns findmnt's column of what is mounted then, and what mount complained of; ``-`` for nothing.
    """
    show = f"findmnt --noheadings --nofsroot --output {column} --mountpoint {mountpoint}"
    anew = f"umount --recursive {mountpoint} && mount {mountpoint}"
    tried = host.run("unshare --mount sh -c %s", f"{anew} && {show}")
    complaint = NOTHING if tried.succeeded else tried.stderr.strip() or f"status {tried.rc}"
    return tried.stdout.strip() or NOTHING, complaint


def lvm_rows(host: Host, report: str) -> list[dict[str, str]]:
    """Return the rows of an LVM report such as ``vgs -o vg_name,pv_count``; sizes are in bytes."""
    command, _, fields = report.partition(" ")
    text = host.run(f"{command} --reportformat json --units b --nosuffix {fields}").stdout
    reports = json.loads(text)["report"] if text else []
    return [row for each in reports for rows in each.values() for row in rows]
