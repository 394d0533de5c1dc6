"""Look for everything the tool needs on this host."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from lpiclab import images
from lpiclab.engine.context import DEFAULT_DISTRO, Context
from lpiclab.errors import LpiclabError
from lpiclab.images import sandbox
from lpiclab.providers.base import Finding
from lpiclab.providers.registry import DEFAULT, load_provider


def examine(context: Context, provider: str | None = None) -> Sequence[Finding]:
    """Return each need of the tool and of one provider, found or not; never raise for a missing one.

    Raises:
        UsageError: there is no such provider.
    """
    name = provider or DEFAULT
    chosen = load_provider(name, context.home)
    if name != DEFAULT:
        return [*chosen.probe(), _space(context)]
    return [*chosen.probe(), *_vagrant(), _building(), _image(context), _space(context)]


def _vagrant() -> Sequence[Finding]:
    """Tell of Vagrant where it is there; nobody else has to have it."""
    path = shutil.which("vagrant")
    if path is None:
        return []
    meaning = f"found: {path}; `lpiclab doctor --provider vagrant` looks at it closely"
    return [Finding(name="vagrant", state="ok", meaning=meaning)]


def _building() -> Finding:
    try:
        sandbox.require()
    except LpiclabError as error:
        return Finding(name="image build", state="missing", meaning=error.message, mend=error.hint)
    return Finding(name="image build", state="ok", meaning="all its programs are found")


def _image(context: Context) -> Finding:
    name = f"image {DEFAULT_DISTRO}"
    mend = f"lpiclab image build {DEFAULT_DISTRO}"
    try:
        image = images.find(context.distro(DEFAULT_DISTRO), context.home)
    except LpiclabError as error:
        return Finding(name=name, state="missing", meaning=error.message, mend=mend)
    if image is None:
        return Finding(
            name=name, state="missing", meaning="the first `up` builds it, some minutes", mend=mend
        )
    return Finding(name=name, state="ok", meaning=f"found: {image.folder}")


def _space(context: Context) -> Finding:
    folder = context.home.images
    while not folder.exists():
        folder = folder.parent
    free_mib = shutil.disk_usage(folder).free >> 20
    if free_mib < images.NEEDED_MIB:
        return Finding(
            name="disk space",
            state="missing",
            meaning=f"{free_mib} MiB free in {folder}, an image build wants {images.NEEDED_MIB}",
            mend="remove what is not needed, or choose another place with LPICLAB_HOME",
        )
    return Finding(name="disk space", state="ok", meaning=f"{free_mib} MiB free in {folder}")
