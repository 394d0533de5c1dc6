"""A plan, which is a lab with no template left in it, and the machines that a provider makes for it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lpiclab.model.distro import X86_64, X86_64_V2
from lpiclab.model.lab import Machine, Restore

Value = str | int
VALUE_PATTERN = r"[A-Za-z0-9._/:@+=-]+"  # no white space, nothing that a shell looks at


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedFile:
    """A file ready to be put on a machine."""

    machine: str
    path: str
    content: str
    owner: str
    group: str
    mode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedStep:
    """A script ready to be run as root on a machine; `source` names it in errors."""

    machine: str
    source: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A lab with its seed and distribution applied: everything that set-up needs, rendered.

    `faults` are the steps of the faults that the seed has drawn; `restores` and `undo` take changes back.
    """

    lab_id: str
    seed: str
    distro: str
    parameters: Mapping[str, Value]
    networks: tuple[str, ...]
    machines: tuple[Machine, ...]
    files: tuple[RenderedFile, ...]
    setup: tuple[RenderedStep, ...]
    faults: tuple[RenderedStep, ...] = ()
    restores: tuple[Restore, ...] = ()
    undo: tuple[RenderedStep, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A disk image on this host: `folder` holds the disk, the kernel, the initrd and a manifest."""

    distro: str
    digest: str
    folder: Path
    command_line: str
    architecture: str = X86_64
    processor: str = X86_64_V2

    @property
    def disk(self) -> Path:
        """Return the system disk, a qcow2 file that nobody writes to."""
        return self.folder / "disk.qcow2"

    @property
    def kernel(self) -> Path:
        """Return the uncompressed kernel."""
        return self.folder / "vmlinux"

    @property
    def initrd(self) -> Path:
        """Return the initrd that mounts the system disk."""
        return self.folder / "initrd"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedDisk:
    """A disk that a lab may use; `wipe` allows it to overwrite what is on it."""

    name: str
    wipe: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A machine that exists already, as an inventory has it.

    `user` is root, or becomes root by sudo; `key` is the file of the private key, `host_key` the public
    key line that the machine has to show. `interfaces` are in the order of the lab's `nics`.
    """

    address: str
    key: str
    host_key: str
    port: int = 22
    user: str = "root"
    disks: tuple[OfferedDisk, ...] = ()
    interfaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A plan's machines on this host.

    `id` is ``LAB`` or ``LAB@NAME``; `folder` (0700) is the provider's to keep disks, sockets and
    logs in; `images` maps each distribution id in use to its image (providers with images of their
    own ignore it); `hosts` are the machines of an inventory, by the lab's names.
    """

    id: str
    folder: Path
    plan: Plan
    images: Mapping[str, Image] = field(default_factory=dict)
    hosts: Mapping[str, Host] = field(default_factory=dict)


class MachineState(enum.Enum):
    """What a provider finds when it looks at a machine."""

    ABSENT = "absent"
    STOPPED = "stopped"
    SUSPENDED = "suspended"
    STARTING = "starting"
    RUNNING = "running"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class SshEndpoint:
    """Where management SSH of a machine answers; `host_key` is its public key line, known to us.

    With `sudo` only `user` can log in, and becomes root and everybody else by sudo(8); without it, each
    user logs in as such. A learner comes in as `learner`; `inventoried`: an inventory says all this.
    """

    host: str
    port: int
    host_key: str
    key_file: Path
    user: str = "root"
    sudo: bool = False
    learner: str = "student"
    inventoried: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What a command on a machine came to; `seconds` is wall time seen from the host."""

    command: str
    status: int
    stdout: bytes
    stderr: bytes
    seconds: float = 0.0
