"""The images of this host: find, build, list, remove.

An image lies in ``images/DISTRO-DIGEST``. It is built in a hidden folder beside and renamed when it
is complete, so whatever has an image's name was complete once; what a killed build left behind is
cleared by the next one. Builders of one distribution wait for each other.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lpiclab.errors import ImageError, MachineryError, ToolFailed, UsageError
from lpiclab.files import file_lock, private_folder
from lpiclab.images import sandbox
from lpiclab.images.builder import build_folder
from lpiclab.images.manifest import Manifest, read_manifest, verify
from lpiclab.images.recipe import Recipe, make_recipe
from lpiclab.model import Distro, Image
from lpiclab.names import nearest
from lpiclab.paths import Home
from lpiclab.wait import Deadline

_DIGITS = 16
NEEDED_MIB = 6000
"""Free space that a build wants: root folder, raw disk and qcow2 are 4700 MiB at its peak."""
_FULL_MIB = 512
"""With less than this left, a program that failed is taken to have failed for want of space."""
_BUILD_S = 3600.0

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """An image folder as `list_images` found it; `problem` says what is wrong with it, if anything."""

    distro: str
    digest: str
    folder: Path
    created: str
    size_bytes: int
    problem: str


def find(distro: Distro, home: Home, *, digest: str | None = None) -> Image | None:
    """Return the image of a distribution's recipe, or that with `digest`; None when there is none.

    Raises:
        ImageError: it is damaged.
    """
    digest = digest or make_recipe(distro).digest
    folder = _folder(home, distro.id, digest)
    return verify(folder).image(folder) if folder.is_dir() else None


def ensure(distro: Distro, home: Home, progress: Progress) -> Image:
    """Return a distribution's image; build it when it is absent or damaged.

    Raises:
        MissingTool: this host lacks a program to build it.
        ImageError: it can't be built.
    """
    try:
        image = find(distro, home)
    except ImageError as error:
        progress(f"{error.message}; building it again")
        image = None
    return image or build(distro, home, progress)


def build(distro: Distro, home: Home, progress: Progress, *, anew: bool = False) -> Image:
    """Build a distribution's image, and return it; `anew` replaces one that is sound already.

    Raises:
        MissingTool: this host lacks a program.
        ImageError: the disk is full, the archive can't be had, or a program failed.
    """
    recipe = make_recipe(distro)
    sandbox.require()
    folder = _folder(home, distro.id, recipe.digest)
    with _lock(home, distro.id, f"image build {distro.id}", progress):
        if not anew and (image := _sound(folder)):
            return image
        part = private_folder(home.images) / f".{distro.id}.part"
        _clear(part)
        try:
            _require_space(home.images)
            part.mkdir(mode=0o700)
            made = _build(recipe, part, progress)
            _clear(folder)
            made.rename(folder)
        finally:
            _clear(part)
    return read_manifest(folder).image(folder)


def list_images(home: Home, *, thorough: bool = False) -> list[StoredImage]:
    """Return all images, sound or not; `thorough` reads them as a whole (some seconds each)."""
    folders = sorted(home.images.glob("[!.]*")) if home.images.is_dir() else []
    return [_stored(folder, thorough=thorough) for folder in folders if folder.is_dir()]


def remove(name: str, home: Home, progress: Progress = lambda _: None) -> list[StoredImage]:
    """Remove the images of the distribution `name`, or the one in the folder `name`; return them.

    It is not known here whether machines still need them.

    Raises:
        UsageError: there is none.
    """
    images = list_images(home)
    chosen = [image for image in images if name in {image.distro, image.folder.name}]
    if not chosen:
        raise UsageError(f'no image is called "{name}"', hint=nearest(name, {i.distro for i in images}))
    for image in chosen:
        with _lock(home, image.distro, f"image rm {image.distro}", progress):
            # Its name goes first: what is half removed must not look like an image.
            part = image.folder.with_name(f".{image.distro}.part")
            _clear(part)
            image.folder.rename(part)
            _clear(part)
    return chosen


def _folder(home: Home, distro: str, digest: str) -> Path:
    return home.images / f"{distro}-{digest[:_DIGITS]}"


@contextmanager
def _lock(home: Home, distro: str, command: str, progress: Progress) -> Iterator[None]:
    with file_lock(private_folder(home.images) / f".{distro}.lock", command, progress):
        yield


def _sound(folder: Path) -> Image | None:
    try:
        return verify(folder).image(folder) if folder.is_dir() else None
    except ImageError:
        return None


def _build(recipe: Recipe, part: Path, progress: Progress) -> Path:
    try:
        return build_folder(recipe, part, progress=progress, deadline=Deadline.after(_BUILD_S))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise _disk_full(part) from error
    except ToolFailed as error:
        if _free_mib(part) < _FULL_MIB:
            raise _disk_full(part, error.details) from error
        raise ImageError(
            f"the image {recipe.distro} could not be built: {error.message}",
            hint="can apt reach its archive? `apt-get update` shows it",
            details=error.details,
        ) from error


def _require_space(folder: Path) -> None:
    free_mib = _free_mib(folder)
    if free_mib < NEEDED_MIB:
        raise ImageError(
            f"building an image needs {NEEDED_MIB} MiB in {folder}, {free_mib} MiB are free",
            hint="`lpiclab image rm` removes images, LPICLAB_HOME chooses another place",
        )


def _free_mib(folder: Path) -> int:
    return shutil.disk_usage(folder).free >> 20


def _disk_full(part: Path, details: str = "") -> ImageError:
    return ImageError(
        f"the disk with {part.parent} became full while an image was built; nothing of it was kept",
        hint=f"make {NEEDED_MIB} MiB of space, or choose another place with LPICLAB_HOME",
        details=details,
    )


def _clear(folder: Path) -> None:
    """Remove a folder of ours; in an unprivileged build's root folder most files belong to others."""
    if not folder.exists():
        return
    try:
        shutil.rmtree(folder)
    except PermissionError:
        sandbox.run(["rm", "-rf", "--one-file-system", folder], deadline=Deadline.after(_BUILD_S))


def _stored(folder: Path, *, thorough: bool) -> StoredImage:
    manifest: Manifest | None = None
    problem = ""
    try:
        manifest = read_manifest(folder)
        verify(folder, thorough=thorough)
    except MachineryError as error:
        problem = error.message
    return StoredImage(
        distro=manifest.distro if manifest else folder.name.rpartition("-")[0],
        digest=manifest.digest if manifest else "",
        folder=folder,
        created=manifest.created if manifest else "",
        size_bytes=sum(file.stat().st_blocks * 512 for file in folder.iterdir()),
        problem=problem,
    )
