"""What the catalogue knows of a distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

X86_64, X86_64_V2 = "x86_64", "x86-64-v2"  # what a machine is for, see `lpiclab.hardware`


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
