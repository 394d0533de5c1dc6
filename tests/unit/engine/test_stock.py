"""Tests of the images as their user sees them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lpiclab import images
from lpiclab.engine import stock
from lpiclab.engine.context import Context
from lpiclab.errors import UsageError
from lpiclab.images import StoredImage
from lpiclab.images.box import libvirt, virtualbox
from lpiclab.model import Image, Plan
from lpiclab.state import new_record


@pytest.fixture
def image(context: Context, monkeypatch: pytest.MonkeyPatch) -> StoredImage:
    """Return the only image, on which the instance `web` stands once it is recorded."""
    made = StoredImage(
        distro="debian-13",
        digest="abcdef",
        folder=context.home.images / "debian-13-abc",
        created="",
        size_bytes=0,
        problem="",
    )
    monkeypatch.setattr(images, "list_images", lambda *_, **__: [made])
    return made


@pytest.fixture
def changes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what was done to images."""
    done: list[str] = []
    monkeypatch.setattr(images, "remove", lambda name, *_: done.append(f"remove {name}") or [])  # type: ignore[func-returns-value]  # append says nothing
    monkeypatch.setattr(
        images, "build", lambda distro, *_, anew, **__: done.append(f"build {distro.id} {anew}")
    )
    return done


@pytest.fixture
def in_use(context: Context, image: StoredImage, make_plan: Callable[..., Plan], tmp_path: Path) -> None:
    """Record an instance that stands on the image."""
    context.store.save(new_record("web", "qemu", tmp_path, {"debian-13": image.digest}, make_plan()))


@pytest.mark.usefixtures("in_use")
@pytest.mark.parametrize("name", ["debian-13", "debian-13-abc"])
def test_image_in_use_is_not_removed(context: Context, changes: list[str], name: str) -> None:
    """Machines whose disks stand on an image would be lost with it."""
    with pytest.raises(UsageError, match="debian-13-abc is in use by web") as raised:
        stock.remove(context, name)
    assert "lpiclab down web" in raised.value.hint
    assert changes == []


@pytest.mark.usefixtures("in_use")
def test_image_in_use_is_not_built_anew(context: Context, changes: list[str]) -> None:
    """Building what is there already is refused only when it would replace it."""
    with pytest.raises(UsageError, match="in use by web"):
        stock.build(context, "debian-13", anew=True)
    stock.build(context, "debian-13", anew=False)
    assert changes == ["build debian-13 False"]


@pytest.mark.usefixtures("image")
def test_unused_image_is_removed_and_built_anew(context: Context, changes: list[str]) -> None:
    """What nobody stands on is the user's to change."""
    stock.remove(context, "debian-13")
    stock.build(context, "debian-13", anew=True)
    assert changes == ["remove debian-13", "build debian-13 True"]


def test_unknown_distribution_is_a_users_mistake(context: Context, changes: list[str]) -> None:
    """The nearest one is suggested."""
    with pytest.raises(UsageError) as raised:
        stock.build(context, "debian13", anew=False)
    assert raised.value.hint == 'did you mean "debian-13"?'
    assert changes == []


def test_box_is_packed_of_the_image(
    context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is named after the distribution unless a name is given, as when it is added to Vagrant."""
    found = Image(distro="debian-13", digest="abc", folder=tmp_path / "debian-13-abc", command_line="")
    monkeypatch.setattr(images, "ensure", lambda *_: found)
    monkeypatch.setattr(libvirt, "pack", lambda _image, file, _progress: file)
    monkeypatch.chdir(tmp_path)
    named = stock.box(context, "debian-13", "libvirt", None)
    assert named == (tmp_path / "lpiclab-debian-13-libvirt.box", "lpiclab/debian-13")
    (tmp_path / "x").mkdir()
    assert stock.box(context, "debian-13", "libvirt", Path("x/y"))[0] == tmp_path / "x/y"


def test_box_for_virtualbox_needs_no_image(
    context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is bootstrapped by itself, as it has to hold a boot loader."""
    monkeypatch.setattr(images, "ensure", pytest.fail)
    packed: list[str] = []
    monkeypatch.setattr(virtualbox, "pack", lambda distro, *_: packed.append(distro.id))
    monkeypatch.chdir(tmp_path)
    file, name = stock.box(context, "debian-13", "virtualbox", None)
    assert (file.name, name) == ("lpiclab-debian-13-virtualbox.box", "lpiclab/debian-13")
    assert packed == ["debian-13"]
