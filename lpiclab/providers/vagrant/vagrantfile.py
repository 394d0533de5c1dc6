"""Write an instance's Vagrantfile from the template in the bundled folder `vagrant`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lpiclab.errors import ProviderError
from lpiclab.images.recipe import COMMAND_LINE
from lpiclab.model import Machine
from lpiclab.paths import bundled
from lpiclab.providers.vagrant.boxes import BoxChoice
from lpiclab.providers.vagrant.ruby import literal, require_literal
from lpiclab.providers.vagrant.site import Site

TEMPLATE = "Vagrantfile.j2"
_BOOT_S = 300
_EMULATED_BOOT_S = 1200
"""A public box starts much that labs do not need; that takes minutes where a processor is emulated."""
_MOST_DISKS = 6
"""What fits on one virtio-scsi controller of libvirt's beside the system disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a Vagrantfile is written for, beside the machines.

    `driver` is libvirt's, `public_key` the management key's line; `boxes`, `overlays` (our files for boxes
    that are not ours) and `packages` are each machine's.
    """

    backend: str
    driver: str
    boxes: Mapping[str, BoxChoice]
    public_key: str
    overlays: Mapping[str, Path]
    packages: Mapping[str, Sequence[str]]


def render(site: Site, setting: Setting) -> str:
    """Return the Vagrantfile of an instance.

    Raises:
        ProviderError: a machine wants what Vagrant can't give.
    """
    import jinja2  # noqa: PLC0415 - costs 50 ms

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(bundled("vagrant")),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - it is Ruby: each value goes through `ruby`, which finalize sees to
        finalize=require_literal,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["ruby"] = literal
    machines = [_machine(site, machine, setting) for machine in site.instance.plan.machines]
    return environment.get_template(TEMPLATE).render(
        backend=setting.backend,
        driver=setting.driver,
        boot_limit_s=_EMULATED_BOOT_S if setting.driver == "qemu" else _BOOT_S,
        prefix=f"{site.tag}_",
        prepare=bundled("vagrant") / "prepare.sh",
        key=site.key,
        machines=machines,
    )


def _machine(site: Site, machine: Machine, setting: Setting) -> dict[str, Any]:
    expected = [f"sd{letter}" for letter in "bcdefg"]
    names = [disk.name for disk in machine.disks]
    if names != expected[: len(names)]:
        raise ProviderError(
            f"{site.instance.id}/{machine.name}: Vagrant gives disks the names sdb, sdc …, at most "
            f"{_MOST_DISKS}; the lab wants {', '.join(names)}",
            hint=f"`lpiclab up {site.instance.id} --provider qemu`",
        )
    box = setting.boxes[machine.name]
    macs = [site.mac(machine.name, card) for card in range(len(machine.nics))]
    return {
        "name": machine.name,
        "box": box,
        "overlay": setting.overlays[machine.name],
        "title": f"{site.tag}_{machine.name}",
        "memory_mib": machine.memory_mib,
        "processors": machine.processors,
        "console": site.console(machine.name),
        "disks": [{"name": disk.name, "size_mib": disk.size_mib} for disk in machine.disks],
        "cards": [
            {
                "mac": mac if setting.backend == "vmware_desktop" else mac.replace(":", ""),
                "network": f"{site.tag}-{nic.network}",
                "segment": _segment(site, nic.network),
            }
            for mac, nic in zip(macs, machine.nics, strict=True)
        ],
        "command_line": f"{COMMAND_LINE} lpiclab.key={setting.public_key.split()[1]}",
        "identity": [
            machine.hostname or machine.name,
            site.machine_id(machine.name),
            setting.public_key,
            " ".join(macs),
            "" if box.own else " ".join(setting.packages[machine.name]),
        ],
    }


def _segment(site: Site, network: str) -> str:
    """Return the id of a VMware LAN segment: sixteen bytes in the way of a .vmx file."""
    import hashlib  # noqa: PLC0415 - only for VMware

    digits = [f"{byte:02x}" for byte in hashlib.sha256(f"{site.tag}-{network}".encode()).digest()[:16]]
    return f"{' '.join(digits[:8])}-{' '.join(digits[8:])}"
