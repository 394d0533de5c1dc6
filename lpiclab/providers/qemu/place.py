"""Where one machine of an instance is, and its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lpiclab.errors import ImageError
from lpiclab.model import Image, Instance, Machine
from lpiclab.providers.qemu import generation
from lpiclab.providers.qemu.identity import Identity


@dataclass(frozen=True, slots=True)
class Place:
    """One machine of an instance, in one generation of its files."""

    instance: Instance
    machine: Machine
    generation: Path

    @property
    def folder(self) -> Path:
        """Return the folder of the machine's files."""
        return self.generation / self.machine.name

    @property
    def label(self) -> str:
        """Return what messages call the machine."""
        return f"{self.instance.id}/{self.machine.name}"

    @property
    def identity(self) -> Identity:
        """Return the machine's identity."""
        return Identity.of(self.folder)

    @property
    def image(self) -> Image:
        """Return the image that the machine stands on.

        Raises:
            ImageError: the instance does not know any.
        """
        image = self.instance.images.get(self.machine.distro)
        if image is None:
            raise ImageError(f"{self.label}: no image of {self.machine.distro}")
        return image

    @property
    def memory(self) -> Path:
        """Return the file that is the machine's memory, if it has one of its own."""
        return self.folder / "memory"

    @property
    def state(self) -> Path:
        """Return the file of the device state while the machine is frozen."""
        return self.folder / "state"

    @property
    def port(self) -> Path:
        """Return the file with the number of its management port: absent until the machine has started."""
        return self.folder / "port"

    @property
    def identified(self) -> Path:
        """Return the file that is there once the machine knows who it is."""
        return self.folder / "identified"

    @property
    def template(self) -> Path:
        """Return the link to the template that the machine begins with, gone once it has begun."""
        return self.folder / "template"

    def disks(self) -> list[tuple[str, Path]]:
        """Return each disk's name in the guest and its file, the system disk first."""
        names = ["sda", *(each.name for each in self.machine.disks)]
        return [(name, self.folder / f"{name}.qcow2") for name in names]

    def socket(self, name: str) -> Path:
        """Return the socket `name`: ``monitor``, ``shell`` or ``console``."""
        return self.folder / f"{name}.sock"


def places(instance: Instance, folder: Path | None = None) -> list[Place]:
    """Return the machines of an instance, in the generation in use or in `folder`."""
    where = folder or generation.current(instance.folder)
    return [Place(instance, machine, where) for machine in instance.plan.machines]


def place(instance: Instance, machine: str) -> Place:
    """Return one machine of an instance, in the generation in use."""
    return next(each for each in places(instance) if each.machine.name == machine)


def labels(chosen: Sequence[Place]) -> str:
    """Return the names of machines for a message."""
    return ", ".join(each.label for each in chosen)
