"""Which box a machine is made from: lpiclab's own where it has been added, else the catalogue's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from lpiclab.errors import ImageError
from lpiclab.images.box import KINDS, box_name
from lpiclab.model import Distro


class Listed(Protocol):
    """A box as `vagrant box list` tells of it."""

    name: str
    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxChoice:
    """A box for a machine; `own` tells that it is lpiclab's own image, which needs no preparing."""

    name: str
    version: str = ""
    own: bool = False


def choose(distro: Distro, backend: str, added: Iterable[Listed]) -> BoxChoice:
    """Return the box of a distribution for a Vagrant provider.

    Raises:
        ImageError: there is none.
    """
    own = box_name(distro.id)
    if any(box.name == own and box.provider == backend for box in added):
        return BoxChoice(name=own, own=backend == "libvirt")
    if distro.box is None:
        raise ImageError(
            f"there is no box of {distro.title} for {backend}",
            hint=f"`lpiclab image box {distro.id} --for {backend}` packs one, and says how to add it"
            if backend in KINDS
            else "choose another distribution, or another provider of Vagrant's",
        )
    return BoxChoice(name=distro.box.name, version=distro.box.version)
