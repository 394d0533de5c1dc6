"""The provider contract.

A provider works on a whole instance, all machines and networks at once, so that networks and
snapshots stay consistent. It knows nothing of SSH sessions, set-up or grading, and prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, Protocol, runtime_checkable

from lpiclab.model import Instance, MachineState, SshEndpoint
from lpiclab.wait import Deadline

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One need of a provider or of the tool: found or not, what that means, what mends it."""

    name: str
    state: Literal["ok", "missing", "slower"]
    meaning: str
    mend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineStatus:
    """One machine as the provider finds it; memory and disk are what the host gives away now."""

    state: MachineState
    memory_bytes: int = 0
    disk_bytes: int = 0


class Provider(Protocol):
    """Machines for instances.

    Every method may be called after a crash in any other: it looks at what is there.
    Failures are `MachineryError` and name the machine.
    """

    name: ClassVar[str]
    images: ClassVar[bool]
    """Whether machines are made from lpiclab's own disk images."""

    def probe(self) -> Sequence[Finding]:
        """Tell what this provider needs on this host; never raise."""

    def create(self, instance: Instance, /, *, deadline: Deadline) -> None:
        """Make disks and identities; keep what is there already."""

    def start(self, instance: Instance, /, *, deadline: Deadline, progress: Progress) -> None:
        """Power all machines on that are not, and return when their management answers."""

    def restart(self, instance: Instance, machines: Sequence[str], /, *, deadline: Deadline) -> None:
        """Reboot `machines` in an orderly way, by force if they can't, and return as `start` does."""

    def stop(self, instance: Instance, /, *, deadline: Deadline) -> None:
        """Shut all machines down, by force at the deadline; disks stay."""

    def destroy(self, instance: Instance, /) -> None:
        """Remove everything of the instance's machines; absent is success."""

    def status(self, instance: Instance, /) -> Mapping[str, MachineStatus]:
        """Look at each machine without disturbing it."""

    def endpoint(self, instance: Instance, machine: str, /) -> SshEndpoint:
        """Return where management SSH of a running machine is; ask again after each start."""

    def logs(self, instance: Instance, machine: str, /) -> Sequence[Path]:
        """Return the files that tell what happened, the machine's console first."""


@runtime_checkable
class Snapshots(Protocol):
    """A second ability, asked for with isinstance: the state of a whole running instance, kept.

    Memory and disks of all machines at one moment. Connections to the machines do not survive a
    restore: make new ones.
    """

    def save(self, instance: Instance, tag: str, /, *, deadline: Deadline) -> None:
        """Keep the instance as it is under `tag`; refuse a tag that is taken."""

    def restore(self, instance: Instance, tag: str, /, *, deadline: Deadline) -> None:
        """Make the running instance what it was when `tag` was saved, with the right time of day."""
