"""The disk images, as their user sees them."""

from __future__ import annotations

from lpiclab import images
from lpiclab.engine.context import Context
from lpiclab.errors import UsageError
from lpiclab.images import StoredImage
from lpiclab.model import Image


def build(context: Context, distro: str, *, anew: bool) -> Image:
    """Build a distribution's image.

    Raises:
        UsageError: `anew`, and machines stand on the image that is there.
    """
    found = context.distro(distro)
    if anew:
        _require_unused(
            context, [image for image in images.list_images(context.home) if image.distro == distro]
        )
    return images.build(found, context.home, context.progress, anew=anew)


def listing(context: Context) -> list[StoredImage]:
    """Return all images, read as a whole."""
    return images.list_images(context.home, thorough=True)


def remove(context: Context, name: str) -> list[StoredImage]:
    """Remove images by distribution or folder name.

    Raises:
        UsageError: there is none, or machines stand on it.
    """
    chosen = [i for i in images.list_images(context.home) if name in {i.distro, i.folder.name}]
    _require_unused(context, chosen)
    return images.remove(name, context.home, context.progress)


def _require_unused(context: Context, chosen: list[StoredImage]) -> None:
    for instance_id in context.store.ids():
        record = context.store.find(instance_id)
        for image in chosen:
            if record and image.digest in record.images.values():
                raise UsageError(
                    f"{image.folder.name} is in use by {instance_id}",
                    hint=f"`lpiclab down {instance_id}` first",
                )
