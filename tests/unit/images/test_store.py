"""The images of a host: built once, replaced when damaged, never half there."""

from __future__ import annotations

import dataclasses
import errno
import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from lpiclab.catalog import find_distro
from lpiclab.errors import ImageError, ToolFailed, UsageError
from lpiclab.images import cloud, download, sandbox, store
from lpiclab.images.cloudrecipe import CloudRecipe
from lpiclab.images.recipe import Recipe, make_recipe
from lpiclab.model import CloudDisk, Distro
from lpiclab.paths import Home

BuildFolder = Callable[..., Path]


class _Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def distro() -> Distro:
    """Return a distribution that can be bootstrapped."""
    return find_distro("debian-13")


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, build_small: BuildFolder) -> list[str]:
    """Return the list of builds; all take no time and succeed."""
    names: list[str] = []

    def build(recipe: Recipe, part: Path, **words: object) -> Path:
        names.append(recipe.distro)
        return build_small(recipe, part, **words)

    monkeypatch.setattr(store, "build_folder", build)
    monkeypatch.setattr(sandbox, "require", lambda: None)
    return names


def _fail_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def build(_recipe: Recipe, part: Path, **_words: object) -> Path:
        (part / "root").mkdir()
        (part / "root/file").touch()
        raise error

    monkeypatch.setattr(store, "build_folder", build)


def _visible(home: Home) -> list[str]:
    return sorted(path.name for path in home.images.iterdir() if not path.name.endswith(".lock"))


def test_image_is_built_once(distro: Distro, home: Home, built: list[str]) -> None:
    """The first `ensure` builds, later ones and `find` find what was built."""
    assert store.find(distro, home) is None
    image = store.ensure(distro, home, pytest.fail)
    assert store.ensure(distro, home, pytest.fail) == image
    assert store.find(distro, home, digest=image.digest) == image
    assert built == ["debian-13"]
    assert image.folder.name == f"debian-13-{image.digest[:16]}"


def test_damaged_image_is_built_again(distro: Distro, home: Home, built: list[str]) -> None:
    """A truncated disk is reported by `find`; `ensure` says so and builds it again."""
    image = store.ensure(distro, home, pytest.fail)
    image.disk.write_text("cut")
    with pytest.raises(ImageError, match=r"disk\.qcow2 is damaged"):
        store.find(distro, home)
    said: list[str] = []
    assert store.ensure(distro, home, said.append) == image
    assert "disk.qcow2 is damaged" in said[0]
    assert said[0].endswith("building it again")
    assert len(built) == 2


def test_sound_image_is_replaced_on_demand_only(distro: Distro, home: Home, built: list[str]) -> None:
    """`build` leaves a sound image alone, unless told to build it anew."""
    store.build(distro, home, pytest.fail)
    store.build(distro, home, pytest.fail)
    assert len(built) == 1
    store.build(distro, home, pytest.fail, anew=True)
    assert len(built) == 2


@pytest.mark.usefixtures("built")
def test_leftovers_of_a_killed_build_are_cleared(distro: Distro, home: Home) -> None:
    """What a killed build left is never used, and gone after the next one."""
    leftover = home.images / ".debian-13.part/image"
    leftover.mkdir(parents=True)
    (leftover / "disk.qcow2").write_text("half")
    assert store.find(distro, home) is None
    assert store.list_images(home) == []
    image = store.build(distro, home, pytest.fail)
    assert _visible(home) == [image.folder.name]


def test_builder_that_waited_uses_the_other_ones_image(
    distro: Distro, home: Home, built: list[str], monkeypatch: pytest.MonkeyPatch, build_small: BuildFolder
) -> None:
    """Two builds of one image at a time are one build."""
    lock = store._lock

    @contextmanager
    def lock_after_another(home: Home, name: str, command: str, progress: store.Progress) -> Iterator[None]:
        recipe = make_recipe(distro)
        made = build_small(recipe, home.images / "other")
        made.rename(home.images / f"debian-13-{recipe.digest[:16]}")
        with lock(home, name, command, progress):
            yield

    monkeypatch.setattr(store, "_lock", lock_after_another)
    image = store.ensure(distro, home, pytest.fail)
    assert image.folder.is_dir()
    assert built == []


@pytest.mark.usefixtures("built")
def test_lock_is_held_while_building(
    distro: Distro, home: Home, monkeypatch: pytest.MonkeyPatch, build_small: BuildFolder
) -> None:
    """Nobody else can build the distribution meanwhile."""
    refused: list[bool] = []

    def build(recipe: Recipe, part: Path, **words: object) -> Path:
        with (home.images / ".debian-13.lock").open() as stream, pytest.raises(BlockingIOError):
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        refused.append(True)
        return build_small(recipe, part, **words)

    monkeypatch.setattr(store, "build_folder", build)
    store.build(distro, home, pytest.fail)
    assert refused == [True]


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    ("error", "free_mib", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 9000, "became full"),
        (ToolFailed("mke2fs ended with status 1", details="Could not write"), 100, "became full"),
        (ToolFailed("mmdebstrap ended with 25", details="E: 404"), 9000, "could not be built: mmdebstrap"),
    ],
)
def test_failed_build_leaves_nothing(
    distro: Distro,
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
    *,
    error: Exception,
    free_mib: int,
    words: str,
) -> None:
    """A full disk and a program that fails are told apart; neither leaves a trace."""
    monkeypatch.setattr(store, "_require_space", lambda *_: None)
    monkeypatch.setattr(store, "_free_mib", lambda _folder: free_mib)
    _fail_with(monkeypatch, error)
    with pytest.raises(ImageError, match=words) as caught:
        store.build(distro, home, pytest.fail)
    assert caught.value.hint
    assert caught.value.details == getattr(error, "details", "")
    assert _visible(home) == []


@pytest.mark.usefixtures("built")
def test_interrupted_build_leaves_nothing(
    distro: Distro, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C cleans up, too."""
    _fail_with(monkeypatch, KeyboardInterrupt())  # type: ignore[arg-type] # no Exception, on purpose
    with pytest.raises(KeyboardInterrupt):
        store.build(distro, home, pytest.fail)
    assert _visible(home) == []


def test_too_little_space_is_seen_before(
    distro: Distro, home: Home, built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build that would fill the disk is not begun."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: _Usage(10 << 30, 9 << 30, 1 << 30))
    with pytest.raises(ImageError, match="1024 MiB are free"):
        store.build(distro, home, pytest.fail)
    assert built == []


@pytest.mark.usefixtures("built")
def test_listing_shows_damage(distro: Distro, home: Home) -> None:
    """Sound and damaged images are listed alike, the damage with its reason."""
    image = store.ensure(distro, home, pytest.fail)
    (listed,) = store.list_images(home)
    assert (listed.distro, listed.folder, listed.problem) == ("debian-13", image.folder, "")
    assert listed.size_bytes > 0
    (image.folder / "manifest.json").write_text("{")
    (listed,) = store.list_images(home)
    assert (listed.distro, listed.digest) == ("debian-13", "")
    assert "manifest.json is damaged" in listed.problem


def test_no_images_folder_is_no_images(home: Home) -> None:
    """Listing makes nothing."""
    assert store.list_images(home) == []
    assert not home.images.exists()


@pytest.mark.usefixtures("built")
def test_removed_by_distribution_or_folder(distro: Distro, home: Home) -> None:
    """Either name removes the image, also over the leftovers of a killed build."""
    for by_folder in (False, True):
        image = store.ensure(distro, home, pytest.fail)
        (home.images / ".debian-13.part/root").mkdir(parents=True)
        removed = store.remove(image.folder.name if by_folder else "debian-13", home)
        assert [each.folder for each in removed] == [image.folder]
        assert _visible(home) == []


@pytest.mark.usefixtures("built")
def test_removing_an_unknown_image_suggests_a_name(distro: Distro, home: Home) -> None:
    """A misspelt name removes nothing."""
    image = store.ensure(distro, home, pytest.fail)
    with pytest.raises(UsageError, match='called "debian-14"') as caught:
        store.remove("debian-14", home)
    assert caught.value.hint == 'did you mean "debian-13"?'
    assert image.folder.is_dir()


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, build_small: BuildFolder) -> list[str]:
    """Return the list of builds of published disks; all take no time and succeed."""
    done: list[str] = []

    def build(recipe: CloudRecipe, part: Path, downloads: Path, *, accelerator: str, **words: object) -> Path:
        done.append(f"{recipe.distro} with {accelerator}")
        downloads.mkdir()
        (downloads / "some.part").touch()
        return build_small(recipe, part, **words)

    def discard(_disk: CloudDisk, folder: Path) -> None:
        done.append(f"discard {folder.name}")
        shutil.rmtree(folder)

    monkeypatch.setattr(cloud, "build_cloud_folder", build)
    monkeypatch.setattr(cloud, "require", lambda _architecture: None)
    monkeypatch.setattr(download, "discard", discard)
    monkeypatch.setattr("lpiclab.images.cloudrecipe.host_architecture", lambda: "x86_64")
    return done


def test_image_of_a_published_disk_is_one_like_any(home: Home, published: list[str]) -> None:
    """It lies in the same store by the same kind of name, and its download is gone."""
    alma = find_distro("almalinux-9")
    assert store.find(alma, home) is None
    image = store.ensure(alma, home, pytest.fail, accelerator="kvm")
    assert image.folder.name == f"almalinux-9-{image.digest[:16]}"
    assert store.ensure(alma, home, pytest.fail) == image
    assert published == ["almalinux-9 with kvm", "discard .downloads"]
    assert _visible(home) == [image.folder.name]


def test_failed_build_of_a_published_disk_keeps_the_download(
    home: Home, published: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another try need not download again; of the image itself nothing is left."""

    def fail(_recipe: CloudRecipe, _part: Path, downloads: Path, **_words: object) -> Path:
        downloads.mkdir()
        (downloads / "some.part").touch()
        raise ToolFailed("qemu-img ended with status 1")

    monkeypatch.setattr(cloud, "build_cloud_folder", fail)
    with pytest.raises(ImageError, match="almalinux-9 could not be built: qemu-img") as caught:
        store.build(find_distro("almalinux-9"), home, pytest.fail)
    assert "apt" not in caught.value.hint
    assert _visible(home) == [".downloads"]
    assert published == []


def test_published_disk_needs_more_space(
    home: Home, published: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The download and what its first boot writes are there beside the image."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: _Usage(10 << 30, 0, 7 << 30))
    with pytest.raises(ImageError, match="needs 9000 MiB"):
        store.build(find_distro("almalinux-9"), home, pytest.fail)
    assert published == []


def test_bootstrap_comes_before_a_published_disk(distro: Distro, home: Home, built: list[str]) -> None:
    """A distribution that has both ways is bootstrapped, as it was before it had the other one."""
    alma = find_distro("almalinux-9")
    both = dataclasses.replace(distro, cloud=alma.cloud)
    image = store.ensure(both, home, pytest.fail)
    assert built == ["debian-13"]
    assert image.digest == make_recipe(distro).digest
