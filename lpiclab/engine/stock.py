"""The disk images and templates, as their user sees them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lpiclab import images
from lpiclab.engine.context import Context
from lpiclab.errors import UsageError
from lpiclab.images import StoredImage
from lpiclab.images import box as packing
from lpiclab.images.box import libvirt, virtualbox
from lpiclab.model import Image
from lpiclab.names import nearest
from lpiclab.providers.base import Kept, Templates
from lpiclab.providers.registry import DEFAULT, load_provider


def build(context: Context, distro: str, *, anew: bool) -> Image:
    """Build a distribution's image.

    Raises:
        UsageError: `anew`, and machines stand on the image that is there.
    """
    found = context.distro(distro)
    if anew:
        chosen = [image for image in images.list_images(context.home) if image.distro == distro]
        _require_unused(context, chosen)
        _remove_templates(context, _standing_on(context, chosen))
    return images.build(found, context.home, context.progress, anew=anew, accelerator=context.accelerator())


def box(context: Context, distro: str, kind: str, file: Path | None) -> tuple[Path, str]:
    """Pack a box of a distribution for Vagrant; return its file and the name to add it by.

    Raises:
        UsageError: no such distribution, no such kind of box, or no folder for the file.
        ImageError: a box of that kind can't be packed, or the image can't be had.
    """
    packing.require_kind(kind)
    chosen = context.distro(distro)
    file = (file or Path(f"lpiclab-{distro}-{kind}.box")).absolute()
    packing.require_place(file)
    if kind == "libvirt":
        image = images.ensure(chosen, context.home, context.progress)
        libvirt.pack(image, file, context.progress)
    else:
        virtualbox.pack(chosen, context.home, file, context.progress)
    return file, packing.box_name(distro)


def listing(context: Context) -> list[StoredImage]:
    """Return all images, read as a whole."""
    return images.list_images(context.home, thorough=True)


def templates(context: Context, *, thorough: bool = False) -> Sequence[Kept]:
    """Return all templates; `thorough` reads them as a whole."""
    provider = load_provider(DEFAULT, context.home)
    return provider.templates(thorough=thorough) if isinstance(provider, Templates) else []


def remove(context: Context, name: str) -> list[str]:
    """Remove images by distribution or folder name, with their templates, or one template; return all.

    Raises:
        UsageError: there is none, or machines stand on it.
    """
    kept = {each.name: each for each in templates(context)}
    if name in kept:
        return _remove_templates(context, _with_dependants(kept, name))
    chosen = [i for i in images.list_images(context.home) if name in {i.distro, i.folder.name}]
    if not chosen:
        known = [*kept, *(i.distro for i in images.list_images(context.home))]
        raise UsageError(f'no image or template is called "{name}"', hint=nearest(name, known))
    _require_unused(context, chosen)
    gone = _remove_templates(context, _standing_on(context, chosen))
    return gone + [each.folder.name for each in images.remove(name, context.home, context.progress)]


def prune(context: Context, *, keep_mib: int) -> list[str]:
    """Remove templates that nobody stands on, those unused longest first, until the rest fit; return them."""
    left = {each.name: each for each in templates(context)}
    gone: list[str] = []
    for each in sorted(left.values(), key=lambda each: each.used_at):
        if sum(other.size_bytes for other in left.values()) <= keep_mib << 20:
            break
        needed = each.users or any(each.name in other.origins for other in left.values())
        if not needed:
            gone += _remove_templates(context, [left.pop(each.name)])
    return gone


def _with_dependants(kept: dict[str, Kept], name: str) -> list[Kept]:
    """Return a template after those that stand on it."""
    return [*(each for each in kept.values() if name in each.origins), kept[name]]


def _standing_on(context: Context, chosen: Sequence[StoredImage]) -> list[Kept]:
    folders = {image.folder.name for image in chosen}
    found = [each for each in templates(context) if folders.intersection(each.images)]
    return sorted(found, key=lambda each: not each.origins)


def _remove_templates(context: Context, chosen: Sequence[Kept]) -> list[str]:
    provider = load_provider(DEFAULT, context.home)
    assert isinstance(provider, Templates) or not chosen  # noqa: S101 - where they came from
    for each in chosen:
        if each.users:
            users = " and ".join(each.users)
            raise UsageError(
                f"{each.name} is in use by {users}", hint=f"`lpiclab down {each.users[0]}` first"
            )
    if isinstance(provider, Templates):
        for each in chosen:
            provider.remove_template(each.name, progress=context.progress)
    return [each.name for each in chosen]


def _require_unused(context: Context, chosen: Sequence[StoredImage]) -> None:
    for instance_id in context.store.ids():
        record = context.store.find(instance_id)
        for image in chosen:
            if record and image.digest in record.images.values():
                raise UsageError(
                    f"{image.folder.name} is in use by {instance_id}",
                    hint=f"`lpiclab down {instance_id}` first",
                )
