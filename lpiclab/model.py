"""The nouns of lpiclab: frozen dataclasses without behaviour or I/O.

A `Lab` is what its author wrote. A `Plan` is a lab with a seed and a distribution applied: no
template is left in it. An `Instance` is a plan that a provider makes machines for.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = ("en", "ja")
X86_64, X86_64_V2 = "x86_64", "x86-64-v2"  # what a machine is for, see `lpiclab.hardware`


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """An empty extra disk; `name` is what the guest calls it (``sdb``), `size_mib` its size."""

    name: str
    size_mib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Nic:
    """A network card on the lab network `network`.

    `address` is an interface address such as ``192.168.130.128/24`` (a template in a `Lab`), or empty:
    then set-up leaves it unconfigured. `interface` is its name where it is not ``eth0``, ``eth1`` ….
    """

    network: str
    address: str = ""
    interface: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine of a lab; `distro` is empty where the lab does not care."""

    name: str
    hostname: str = ""
    distro: str = ""
    memory_mib: int = 512
    processors: int = 2
    disks: tuple[Disk, ...] = ()
    nics: tuple[Nic, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A value that the learner's seed draws; without a seed it is `default`, the slide's value.

    At most one of `choice` (drawn from), `range` (low, high, step; both ends included),
    `pattern` (text in which each ``#`` is drawn from 0-9 and each ``@`` from a-z), `secret_bytes`
    (random bytes, base64) and `value` is set. With none the value is always `default`; `value` is a
    template over the parameters before it, with or without a seed, and takes no `default`.
    """

    name: str
    default: str | int = ""
    choice: tuple[str | int, ...] = ()
    range: tuple[int, int, int] | None = None
    pattern: str = ""
    secret_bytes: int = 0
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSpec:
    """A file that set-up renders from `template` and puts at `path` on a machine.

    `families`, here and below, are the families of distributions that have it: all of the lab's if empty.
    """

    machine: str
    template: str
    path: str
    owner: str = "root"
    group: str = "root"
    mode: int = 0o644
    families: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A shell script of the lab folder, rendered with Jinja2 and run as root on `machine`."""

    machine: str
    script: str
    families: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A way in which set-up breaks sound machines: `steps` run last, then exactly `fails` must fail.

    An `always` fault is in each instance; how many of the others a seed draws is the lab's
    `faults_drawn`.
    """

    id: str
    fails: tuple[str, ...]
    steps: tuple[Step, ...]
    always: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing the learner has to do; tasks in `needs` must pass before this one is measured."""

    id: str
    points: int
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """A correct way through the whole lab; the first of a lab is the reference.

    `only_because` is why it is one on `families` only.
    """

    id: str
    steps: tuple[Step, ...]
    families: tuple[str, ...] = ()
    only_because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A wrong solution: `steps` run after `start`, then exactly the tasks in `fails` must fail.

    `reboot` grades it after a reboot of all machines, for mistakes that only show then. `only_because`
    is why it is a mistake on `families` only.
    """

    id: str
    fails: tuple[str, ...]
    steps: tuple[Step, ...]
    start: Literal["solution", "fresh"] = "solution"
    reboot: bool = False
    families: tuple[str, ...] = ()
    only_because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """A lab as its author wrote it; `folder` holds everything its relative paths name.

    `only_because` is why it runs on no other families than `families`.
    """

    id: str
    folder: Path
    objectives: tuple[str, ...]
    minutes: int
    kind: Literal["build", "fix", "find"]
    families: tuple[str, ...]
    networks: tuple[str, ...]
    machines: tuple[Machine, ...]
    parameters: tuple[Parameter, ...]
    files: tuple[FileSpec, ...]
    setup: tuple[Step, ...]
    tasks: tuple[Task, ...]
    solutions: tuple[Solution, ...]
    mutants: tuple[Mutant, ...]
    faults: tuple[Fault, ...] = ()
    faults_drawn: int = 0
    undo: tuple[Step, ...] = ()
    only_because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskText:
    """A task's words in one language; `hints` go from gentle to nearly the answer."""

    title: str
    body: str
    hints: tuple[str, ...]
    reasons: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabText:
    """A lab's words in one language, as templates or rendered.

    `then_and_now` is the Markdown table of the slides' commands and today's. `reasons` of a task
    stay templates until a check fails: they see `seen`, `wanted` and the check's own values.
    """

    language: Language
    title: str
    story: str
    then_and_now: str
    tasks: Mapping[str, TaskText]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    """How a Debian image is bootstrapped: archive suites, keyring file name and packages."""

    suites: tuple[str, ...]
    security_suites: tuple[str, ...]
    keyring: str
    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudDisk:
    """A disk with a system and cloud-init on it, that its distributor publishes for one architecture.

    `digest` is ``sha256:`` or ``sha512:`` and hexadecimal digits; `size_bytes` is 0 where nobody said.
    """

    url: str
    digest: str
    format: str = "qcow2"
    size_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """How an image is made of a published disk: that of the host's architecture, and what is put in.

    `repositories` are package repositories to switch on first, by the names that `guest` knows.
    """

    disks: Mapping[str, CloudDisk]
    packages: tuple[str, ...]
    repositories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicBox:
    """A box that Vagrant can fetch: its name, and a version or nothing for the newest."""

    name: str
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distro:
    """A distribution of the catalogue; `processor` is the level of x86-64 that it is built for.

    `services`, `paths` and `users` map the names that labs use (``bind``) to this distribution's own; a
    service's user has a group of the same name. `absent` says of the services that it has not what became
    of them. `box` is what the provider `vagrant` makes
    machines from where lpiclab's own box has not been added.
    """

    id: str
    title: str
    family: str
    version: str
    support_end: str
    services: Mapping[str, str]
    paths: Mapping[str, str]
    bootstrap: Bootstrap | None = None
    cloud: Cloud | None = None
    processor: str = X86_64_V2
    absent: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    box: PublicBox | None = None


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

    `faults` are the steps of the faults that the seed has drawn; `undo` takes set-up's changes back.
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


class Outcome(enum.StrEnum):
    """How a task was graded; `ERROR` means that it was not measured."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    SKIP = "skip"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """One task's grade, in the learner's language.

    `on_fork` tells that the verdict was found, or confirmed, on a copy of the machines.
    """

    id: str
    title: str
    outcome: Outcome
    points: int
    max_points: int
    seen: str = ""
    wanted: str = ""
    why: str = ""
    hint: str = ""
    on_fork: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole grading; `score` is None when something could not be measured."""

    lab: str
    seed: str
    passed: bool
    score: int | None
    max_score: int
    seconds: float
    tasks: tuple[TaskResult, ...]
