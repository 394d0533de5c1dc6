"""The images of this host: find, build, list, remove.

An image lies in ``images/DISTRO-DIGEST``. It is bootstrapped, or made of a published cloud disk where a
distribution has no other way, and is the same kind of thing then. It is built in a hidden folder beside
and renamed when it is complete, so whatever has an image's name was complete once; what a killed build
left behind is cleared by the next one, but for a download, which the next one goes on with. Builders of
one distribution wait for each other.
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
from lpiclab.images import download, sandbox
from lpiclab.images.builder import build_folder
from lpiclab.images.cloudrecipe import CloudRecipe, make_cloud_recipe
from lpiclab.images.manifest import Manifest, read_manifest, verify
from lpiclab.images.recipe import Recipe, make_recipe
from lpiclab.model import Distro, Image
from lpiclab.names import nearest
from lpiclab.paths import Home
from lpiclab.wait import Deadline

_DIGITS = 16
NEEDED_MIB = 6000
"""Free space that a build wants: root folder, raw disk and qcow2 are 4700 MiB at its peak."""
_CLOUD_NEEDED_MIB = 9000
"""The same for a published disk: the download, what its first boot writes, and the copy of that."""
_FULL_MIB = 512
"""With less than this left, a program that failed is taken to have failed for want of space."""
_BUILD_S = 3600.0
_CLOUD_BUILD_S = 10800.0
"""An emulated machine installs packages many times slower than this host does."""
_DOWNLOADS = ".downloads"

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
    digest = digest or recipe_of(distro).digest
    folder = _folder(home, distro.id, digest)
    return verify(folder).image(folder) if folder.is_dir() else None


def recipe_of(distro: Distro) -> Recipe | CloudRecipe:
    """Return what a distribution's image is made from: bootstrapped where it can be.

    Raises:
        ImageError: the catalogue says no way that works here.
    """
    if distro.bootstrap is None:
        return make_cloud_recipe(distro)
    return make_recipe(distro)


def ensure(distro: Distro, home: Home, progress: Progress, *, accelerator: str = "tcg") -> Image:
    """Return a distribution's image; build it when it is absent or damaged, as `build` does.

    Raises:
        MissingTool: this host lacks a program to build it.
        ImageError: it can't be built.
    """
    try:
        image = find(distro, home)
    except ImageError as error:
        progress(f"{error.message}; building it again")
        image = None
    return image or build(distro, home, progress, accelerator=accelerator)


def build(
    distro: Distro, home: Home, progress: Progress, *, anew: bool = False, accelerator: str = "tcg"
) -> Image:
    """Build a distribution's image, and return it; `anew` replaces one that is sound already.

    `accelerator` is what a machine runs with in which a published disk boots.

    Raises:
        MissingTool: this host lacks a program.
        ImageError: the disk is full, the archive or the published disk can't be had, or a program failed.
    """
    recipe = recipe_of(distro)
    _require_tools(recipe)
    folder = _folder(home, distro.id, recipe.digest)
    with _lock(home, distro.id, f"image build {distro.id}", progress):
        if not anew and (image := _sound(folder)):
            return image
        needed_mib = NEEDED_MIB if isinstance(recipe, Recipe) else _CLOUD_NEEDED_MIB
        with _part(home, distro.id, needed_mib) as part:
            with _explained(recipe, part):
                made = _build(recipe, part, progress, accelerator)
            _clear(folder)
            made.rename(folder)
            if isinstance(recipe, CloudRecipe):
                download.discard(recipe.disk, home.images / _DOWNLOADS)
    return read_manifest(folder).image(folder)


@contextmanager
def workshop(recipe: Recipe, home: Home, command: str, progress: Progress) -> Iterator[Path]:
    """Lend an empty folder to bootstrap something in; whatever is left in it goes in the end.

    Raises:
        MissingTool: this host lacks a program.
        ImageError: the disk is or becomes full, the archive can't be had, or a program fails in it.
    """
    _require_tools(recipe)
    with (
        _lock(home, recipe.distro, command, progress),
        _part(home, recipe.distro, NEEDED_MIB) as part,
        _explained(recipe, part),
    ):
        yield part


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


def _require_tools(recipe: Recipe | CloudRecipe) -> None:
    if isinstance(recipe, Recipe):
        sandbox.require()
        return
    from lpiclab.images import cloud  # noqa: PLC0415 - it takes SSH, which costs 100 ms

    cloud.require(recipe.architecture)


@contextmanager
def _part(home: Home, distro: str, needed_mib: int) -> Iterator[Path]:
    part = private_folder(home.images) / f".{distro}.part"
    _clear(part)
    try:
        _require_space(home.images, needed_mib)
        part.mkdir(mode=0o700)
        yield part
    finally:
        _clear(part)


def _build(recipe: Recipe | CloudRecipe, part: Path, progress: Progress, accelerator: str) -> Path:
    if isinstance(recipe, Recipe):
        return build_folder(recipe, part, progress=progress, deadline=Deadline.after(_BUILD_S))
    from lpiclab.images import cloud  # noqa: PLC0415 - it takes SSH, which costs 100 ms

    return cloud.build_cloud_folder(
        recipe,
        part,
        part.parent / _DOWNLOADS,
        accelerator=accelerator,
        progress=progress,
        deadline=Deadline.after(_CLOUD_BUILD_S),
    )


@contextmanager
def _explained(recipe: Recipe | CloudRecipe, part: Path) -> Iterator[None]:
    """Tell of a full disk and of programs that fail as what they mean to who builds."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise _disk_full(part) from error
    except ToolFailed as error:
        if _free_mib(part) < _FULL_MIB:
            raise _disk_full(part, error.details) from error
        raise ImageError(
            f"the image {recipe.distro} could not be built: {error.message}",
            hint="can apt reach its archive? `apt-get update` shows it" if isinstance(recipe, Recipe) else "",
            details=error.details,
        ) from error


def _require_space(folder: Path, needed_mib: int) -> None:
    free_mib = _free_mib(folder)
    if free_mib < needed_mib:
        raise ImageError(
            f"building an image needs {needed_mib} MiB in {folder}, {free_mib} MiB are free",
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
