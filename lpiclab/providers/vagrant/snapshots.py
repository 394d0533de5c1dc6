"""Snapshots by Vagrant, machine after machine, and what is known of them in the instance's folder.

VirtualBox and VMware keep memory and disks of a running machine, and so does libvirt where all disks
are qcow2 files, as here.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from lpiclab.errors import UsageError
from lpiclab.files import private_folder, write_private
from lpiclab.names import nearest
from lpiclab.providers.base import Progress, Snapshot
from lpiclab.providers.vagrant.command import Commands
from lpiclab.providers.vagrant.site import Site

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


def save(site: Site, name: str, title: str, commands: Commands) -> float:
    """Keep all machines under a name, and return how long that took.

    Raises:
        UsageError: the name is taken, or is none.
        MachineryError: Vagrant could not; nothing is kept then.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f'"{name}" cannot name a snapshot', hint="use letters, digits, - and _ (at most 32)")
    if any(each.name == name for each in listing(site)):
        raise UsageError(
            f"{site.instance.id} has a snapshot {name} already",
            hint=f"`lpiclab snapshot rm {site.instance.id} {name}` first, or choose another name",
        )
    begin = time.monotonic()
    done: list[str] = []
    try:
        for machine in site.names:
            commands.on_machines("snapshot", "save", machine, name)
            done.append(machine)
    except BaseException:
        for machine in done:
            commands.on_machines("snapshot", "delete", machine, name)
        raise
    made = Snapshot(
        name=name,
        title=title,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        size_bytes=0,
    )
    write_private(private_folder(site.snapshots) / f"{name}.json", msgspec.json.encode(made))
    return time.monotonic() - begin


def restore(site: Site, name: str, commands: Commands, progress: Progress) -> None:
    """Bring all machines back to a snapshot, one after the other.

    Raises:
        UsageError: there is none of that name.
        MachineryError: a machine could not go back; those before it have.
    """
    _require(site, name)
    for machine in site.names:
        progress(f"{machine} goes back")
        commands.on_machines("snapshot", "restore", "--no-provision", machine, name)


def listing(site: Site) -> Sequence[Snapshot]:
    """Return what is kept, the oldest first."""
    found = []
    for file in site.snapshots.glob("*.json"):
        try:
            found.append(msgspec.json.decode(file.read_bytes(), type=Snapshot))
        except (OSError, msgspec.MsgspecError):
            found.append(Snapshot(name=file.stem, title="", created="", size_bytes=0, problem="damaged"))
    return sorted(found, key=lambda each: each.created)


def forget(site: Site, name: str, commands: Commands) -> None:
    """Remove a snapshot of all machines.

    Raises:
        UsageError: there is none of that name.
        MachineryError: Vagrant could not remove it; it is still listed.
    """
    _require(site, name)
    for machine in site.names:
        commands.on_machines("snapshot", "delete", machine, name)
    (site.snapshots / f"{name}.json").unlink(missing_ok=True)


def _require(site: Site, name: str) -> None:
    known = [each.name for each in listing(site)]
    if name not in known:
        raise UsageError(f"{site.instance.id} has no snapshot {name}", hint=nearest(name, known))
