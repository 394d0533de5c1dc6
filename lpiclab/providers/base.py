"""The provider contract.

A provider works on a whole instance, all machines and networks at once, so that networks and
snapshots stay consistent. It knows nothing of grading and prints nothing. One that makes machines knows
nothing of SSH sessions and set-up either; one that has others' machines has no other way in.
"""

from __future__ import annotations

import socket
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A template as its provider finds it.

    `images` and `origins` are what it stands on, `users` the instances that stand on it; `used_at` is
    seconds since 1970; `problem` says what is wrong with it, if anything.
    """

    name: str
    title: str
    created: str
    size_bytes: int
    used_at: float
    images: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A kept state of an instance."""

    name: str
    title: str
    created: str
    size_bytes: int
    problem: str = ""


class Provider(Protocol):
    """Machines for instances.

    Every method may be called after a crash in any other: it looks at what is there.
    Failures are `MachineryError` and name the machine.
    """

    name: ClassVar[str]
    images: ClassVar[bool]
    """Whether machines are made from lpiclab's own disk images."""

    up_limit_s: ClassVar[float]
    """How long making, starting and setting up an instance may take, all in all."""

    restart_limit_s: ClassVar[float]
    """How long machines may take to reboot until management answers again."""

    def probe(self) -> Sequence[Finding]:
        """Tell what this provider needs on this host; never raise."""

    def create(self, instance: Instance, /, *, deadline: Deadline, progress: Progress) -> None:
        """Make disks and identities; keep what is there already."""

    def start(self, instance: Instance, /, *, deadline: Deadline, progress: Progress) -> None:
        """Power all machines on that are not, and return when their management answers.

        One that `Adopts` can only tell which don't answer.
        """

    def restart(self, instance: Instance, machines: Sequence[str], /, *, deadline: Deadline) -> None:
        """Reboot `machines` in an orderly way, by force if they can't, and return as `start` does."""

    def stop(self, instance: Instance, /, *, deadline: Deadline) -> None:
        """Shut all machines down, by force at the deadline; disks stay.

        One that `Adopts` leaves them running.
        """

    def destroy(self, instance: Instance, /) -> None:
        """Remove everything of the instance's machines; absent is success.

        One that `Adopts` gives them back as they were.
        """

    def status(self, instance: Instance, /) -> Mapping[str, MachineStatus]:
        """Look at each machine without disturbing it."""

    def endpoint(self, instance: Instance, machine: str, /) -> SshEndpoint:
        """Return where management SSH of a running machine is; ask again after each start."""

    def logs(self, instance: Instance, machine: str, /) -> Sequence[Path]:
        """Return the files that tell what happened, the machine's console first."""


@runtime_checkable
class Snapshots(Protocol):
    """A second ability, asked for with isinstance: the state of a whole instance, kept.

    Memory and disks of all machines at one moment. Connections to the machines do not survive a
    restore: make new ones.
    """

    def save(self, instance: Instance, name: str, /, *, title: str, deadline: Deadline) -> float:
        """Keep the instance as it is under `name`; refuse a name that is taken.

        Returns how many seconds its machines stood still.
        """

    def restore(self, instance: Instance, name: str, /, *, deadline: Deadline, progress: Progress) -> None:
        """Make the instance what it was when `name` was saved, with the right time of day.

        Where only the disks can be had back, its machines boot from them, and `progress` is told why.
        When that fails too, the instance is as it was before.
        """

    def snapshots(self, instance: Instance, /) -> Sequence[Snapshot]:
        """Return what is kept, the oldest first."""

    def forget(self, instance: Instance, name: str, /) -> None:
        """Remove what is kept under `name`; refuse a name that is not there."""


@runtime_checkable
class Templates(Protocol):
    """A third ability: instances that begin where another one's set-up ended."""

    def keep(
        self, instance: Instance, key: str, /, *, title: str, deadline: Deadline, progress: Progress
    ) -> bool:
        """Keep the instance just set up as the template `key`.

        The instance goes on, or begins anew from the template. False, and the instance is gone, when
        it could not be kept: `progress` was told why.
        """

    def begin(self, instance: Instance, key: str, /, *, deadline: Deadline, progress: Progress) -> bool:
        """Let the instance begin as the template `key`, instead of what it is now.

        False when there is no such template, or it is spoilt: then nothing has changed.
        """

    def templates(self, *, thorough: bool = False) -> Sequence[Kept]:
        """Return all templates; `thorough` reads them as a whole."""

    def remove_template(self, name: str, /, *, progress: Progress) -> None:
        """Remove a template.

        Raises:
            UsageError: instances stand on it.
        """


@runtime_checkable
class Forks(Protocol):
    """A fourth ability: a copy of a running instance, to do things to that would hurt."""

    def fork(self, instance: Instance, /, *, deadline: Deadline) -> Instance:
        """Return a copy of the instance, running, on networks of its own; the instance runs on.

        Its machines are the same individuals. `destroy` removes it; it ends with this process too.
        """

    def cut_power(self, instance: Instance, machine: str, /) -> None:
        """Switch a machine off as a power cut does."""

    def unplug(self, instance: Instance, machine: str, disk: str, /) -> None:
        """Pull a disk out of a running machine."""


@runtime_checkable
class Suspends(Protocol):
    """A fifth ability: machines that stop and later go on, also after a reboot of the host."""

    def suspend(self, instance: Instance, /, *, deadline: Deadline) -> None:
        """Keep all running machines' memory and end them; `start` lets them go on."""


@runtime_checkable
class Shells(Protocol):
    """A sixth ability: a way to a root shell that needs no SSH."""

    def connect_shell(self, instance: Instance, machine: str, /) -> socket.socket:
        """Return a connection to a shell of a running machine; there can be one at a time.

        Other methods use it too: none may be called while a connection is held.
        """


@runtime_checkable
class Adopts(Protocol):
    """A seventh ability: machines that exist already and outlast the instance, `Instance.hosts`."""

    name: ClassVar[str]

    def look(self, instance: Instance, /, *, deadline: Deadline, progress: Progress) -> None:
        """Look whether the instance can be made of its hosts; change nothing, there or here.

        Raises:
            ProviderError: it can't; holds everything that is wrong, over all machines.
        """
