"""What a lab's author wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = ("en", "ja")


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
class Restore:
    """What set-up or a learner changes on a machine, and becomes what it was when the machine is given back.

    `paths` are files and folders, as wholes; of `services` it is kept whether they are enabled and
    active; `users` that were not there go. Only machines that outlast the lab need it.
    """

    machine: str
    paths: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
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
    restores: tuple[Restore, ...] = ()
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
