"""A box for VirtualBox: a disk that starts by itself, like public boxes but with the labs' packages in it.

What such a box has to hold is in https://developer.hashicorp.com/vagrant/docs/providers/virtualbox/boxes:
an appliance called box.ovf, as VirtualBox exports them (DMTF DSP0243), and its disk.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from lpiclab import proc
from lpiclab.images import bootable, box, store
from lpiclab.images.recipe import DISK_MIB, Recipe, make_recipe
from lpiclab.model import Distro
from lpiclab.paths import Home
from lpiclab.wait import Deadline

_PARTS = Path(__file__).resolve().parent
_LABEL = "lpiclab-box"
"""The file system's, by which boot loader and fstab find it."""
_LIMIT_S = 3600.0


def pack(distro: Distro, home: Home, file: Path, progress: Callable[[str], None]) -> Path:
    """Bootstrap a distribution, write the box of it to `file`, and return it.

    Raises:
        MissingTool: this host lacks a program for it.
        ImageError: it can't be bootstrapped, the disk is full, or the box could not be written.
        TimedOut: it took more than an hour.
    """
    recipe = make_recipe(distro)
    deadline = Deadline.after(_LIMIT_S)
    with store.workshop(recipe, home, f"image box {distro.id} --for virtualbox", progress) as folder:
        raw = bootable.make(contents(recipe), folder, progress=progress, deadline=deadline)
        progress("packing it as a box (half a gigabyte)")
        packed = folder / "box.vmdk"
        options = ["-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized"]
        proc.run(["qemu-img", "convert", *options, raw, packed], deadline=deadline)
        texts = {
            "metadata.json": json.dumps({"provider": "virtualbox"}).encode(),
            "Vagrantfile": (_PARTS / "Vagrantfile").read_bytes(),
            "box.ovf": appliance(distro),
        }
        return box.write(file, texts, {packed.name: packed})


def contents(recipe: Recipe) -> bootable.Disk:
    """Return what is on the box's disk."""
    return bootable.Disk(
        bootstrap=recipe.bootstrap,
        label=_LABEL,
        size_mib=DISK_MIB,
        customize=(_PARTS / "customize").read_text(encoding="utf-8"),
        preseed=recipe.preseed,
    )


def appliance(distro: Distro) -> bytes:
    """Return the description of the machine: one processor and card, and a SATA controller with the disk."""
    text = (_PARTS / "box.ovf").read_text(encoding="utf-8")
    values = {"NAME": f"lpiclab-{distro.id}", "CAPACITY": str(DISK_MIB << 20)}
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text.encode()
