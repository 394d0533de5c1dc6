"""Tests of templates: made once, used only when sound, listed and removed as a whole."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from lpiclab.errors import ImageError, ProviderError, UsageError
from lpiclab.files import private_folder
from lpiclab.model import Image, Instance, Machine
from lpiclab.providers.qemu import accelerator, frozen, generation, templates
from lpiclab.providers.qemu.templates import Templates
from lpiclab.wait import Deadline

FillFrozen = Callable[..., Path]
_LIMIT_S = 20.0
_MACHINE = Machine(name="server", distro="debian-13", memory_mib=256, processors=2)


@pytest.fixture
def kept(tmp_path: Path) -> Templates:
    """Return the templates of a host that has none."""
    return Templates(tmp_path / "templates", tmp_path / "instances")


@pytest.fixture
def shape(instance: Instance) -> str:
    """Return the shape of the instance's machines."""
    return frozen.shape(instance, "tcg")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return which bare machines were booted and frozen; none is in truth."""
    booted: list[str] = []

    def make(instance: Instance, part: Path, *_: object) -> None:
        machine = instance.plan.machines[0]
        booted.append(f"{machine.distro} {machine.memory_mib} {machine.processors}")
        folder = private_folder(part / "frozen" / machine.name)
        for name in ("state", "memory", "sda.qcow2"):
            (folder / name).write_text(name)

    monkeypatch.setattr(templates, "_make_bare", make)
    return booted


def _silent(_: str) -> None:
    pass


def _bare(kept: Templates, image: Image, told: list[str] | None = None) -> str:
    progress = _silent if told is None else told.append
    return kept.bare(_MACHINE, image, "tcg", deadline=Deadline.after(_LIMIT_S), progress=progress)


def test_bare_one_is_made_once(kept: Templates, image: Image, made: list[str]) -> None:
    """The first machine of a kind makes its template, and the others find it."""
    told: list[str] = []
    name = _bare(kept, image, told)
    assert name.startswith("debian-13-256m-2p-")
    assert _bare(kept, image) == name
    assert made == ["debian-13 256 2"]
    assert told == ["a template of debian-13 with 256 MiB is made, once"]
    (only,) = kept.listing()
    assert (only.name, only.title, only.problem) == (name, "debian-13, 256 MiB, 2 processors", "")
    assert only.images == ("debian-13-0123",)
    assert only.used_at > 0


def test_spoilt_one_is_told_and_made_anew(kept: Templates, image: Image, made: list[str]) -> None:
    """A damaged file is named, and its template is never begun from."""
    name = _bare(kept, image)
    (kept.folder(name) / "machine" / "memory").write_text("cut")
    told: list[str] = []
    assert _bare(kept, image, told) == name
    assert any("memory is damaged" in each and each.endswith("; making it anew") for each in told)
    assert len(made) == 2
    assert (kept.folder(name) / "machine" / "memory").read_text() == "memory"


def test_another_qemu_makes_its_own(
    kept: Templates, image: Image, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the old one made is not begun from: that a new template is made is said; the old one stays."""
    old = _bare(kept, image)
    monkeypatch.setattr(accelerator, "qemu_fingerprint", lambda: (1001, 6))
    told: list[str] = []
    new = _bare(kept, image, told)
    assert new != old
    assert told == ["a template of debian-13 with 256 MiB is made, once"]
    assert len(made) == 2
    assert {each.name for each in kept.listing()} == {old, new}


def test_failed_making_leaves_nothing(kept: Templates, image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made of it goes away, and the next attempt begins with an empty folder."""

    def fail(_: Instance, part: Path, *__: object) -> None:
        assert list(part.iterdir()) == []
        (part / "half").touch()
        raise ProviderError("it went off")

    monkeypatch.setattr(templates, "_make_bare", fail)
    for _ in range(2):
        with pytest.raises(ProviderError, match="it went off"):
            _bare(kept, image)
    assert [each.name for each in kept.root.iterdir() if each.is_dir()] == []


def test_leftovers_of_a_killed_maker_are_cleared(kept: Templates) -> None:
    """A part folder that nobody works in is emptied; it is no template meanwhile."""
    left = private_folder(kept.root / ".name.part") / "half"
    left.touch()
    assert kept.listing() == []
    with kept.making("name", _silent) as part:
        assert part == left.parent
        assert not left.exists()
    assert not part.exists()


@pytest.mark.parametrize("use", ["make", "remove"])
def test_leftovers_of_other_names_are_cleared(kept: Templates, use: str) -> None:
    """A template that nobody makes again would keep its space for ever; one that is being made stays."""
    with kept.making("busy", _silent) as busy:
        for name in (".gone.part", ".gone.old"):
            (private_folder(kept.root / name) / "half").touch()
        (kept.root / ".gone.lock").touch()
        if use == "make":
            with kept.making("name", _silent):
                pass
        else:
            kept.remove("name", _silent)
        assert [each for each in kept.root.iterdir() if each.is_dir()] == [busy]


def test_two_makers_wait_for_each_other(kept: Templates) -> None:
    """Who comes second is told what is waited for, and works only when the first has finished."""
    order: list[str] = []
    told: list[str] = []
    waiting = threading.Event()

    def progress(sentence: str) -> None:
        told.append(sentence)
        waiting.set()

    def second() -> None:
        with kept.making("name", progress):
            order.append("second")

    with kept.making("name", _silent):
        thread = threading.Thread(target=second, daemon=True)
        thread.start()
        assert waiting.wait(_LIMIT_S)
        order.append("first")
    thread.join(_LIMIT_S)
    assert order == ["first", "second"]
    assert told == [f"waiting for `lpiclab up (name)` (process {os.getpid()}) to finish"]


def test_makers_of_different_ones_do_not(kept: Templates) -> None:
    """Two templates can be made side by side."""
    with kept.making("one", pytest.fail), kept.making("two", pytest.fail):
        pass


def test_published_one_replaces_a_spoilt_one(
    kept: Templates, instance: Instance, fill_frozen: FillFrozen, shape: str
) -> None:
    """A name leads to nothing or to a complete folder."""
    private_folder(kept.folder("name")) / "half"
    assert not kept.sound("name", shape, _silent)
    kept.publish(fill_frozen(kept.root / ".part", instance), "name")
    assert kept.sound("name", shape, pytest.fail)
    assert [each.name for each in kept.root.iterdir()] == ["name"]


def test_absent_one_is_not_sound_and_nothing_is_said(kept: Templates, shape: str) -> None:
    """There is nothing wrong with a template that nobody has made yet."""
    assert not kept.sound("name", shape, pytest.fail)


def test_outdated_one_is_told_and_not_used(
    kept: Templates, instance: Instance, fill_frozen: FillFrozen
) -> None:
    """What another QEMU made is of no use to this one."""
    fill_frozen(kept.folder("name"), instance)
    told: list[str] = []
    assert not kept.sound("name", "another shape", told.append)
    assert told == ["name was made with another QEMU, image or kind of machine; making it anew"]


def test_one_that_stands_on_a_spoilt_one_is_not_used(
    kept: Templates, instance: Instance, fill_frozen: FillFrozen, shape: str
) -> None:
    """Its disks would read what is damaged below them; both count as used when both are sound."""
    below = fill_frozen(kept.folder("below"), instance)
    above = fill_frozen(kept.folder("above"), instance)
    frozen.seal(above, title="above", shape=shape, instance=instance, origins=["below"])
    for folder in (above, below):
        os.utime(folder / "manifest.json", (5, 5))
    assert kept.sound("above", shape, pytest.fail)
    assert min(frozen.used_at(above), frozen.used_at(below)) > 5
    (below / "ns1" / "sda.qcow2").unlink()
    told: list[str] = []
    assert not kept.sound("above", shape, told.append)
    assert "below/ns1/sda.qcow2 is damaged" in told[0]


def test_listing_tells_what_is_wrong_and_who_stands_on_it(
    kept: Templates, instance: Instance, fill_frozen: FillFrozen
) -> None:
    """Damaged templates are listed too; only a thorough look reads files of the recorded date."""
    fill_frozen(kept.folder("a"), instance)
    fill_frozen(kept.folder("b"), instance, seal=False)
    state = kept.folder("a") / "ns1" / "state"
    status = state.stat()
    state.write_bytes(state.read_bytes().swapcase())
    os.utime(state, ns=(status.st_atime_ns, status.st_mtime_ns))
    for user in ("web", "web@two"):
        machine = private_folder(generation.new(kept.instances / user) / "web")
        (machine / "origin").write_text("a")
    one, two = kept.listing()
    assert (one.name, one.title, one.problem, one.users) == ("a", "kept", "", ("web", "web@two"))
    assert one.size_bytes > 0
    assert two.title == "b"
    assert "manifest.json is damaged" in two.problem
    assert "state is damaged" in kept.listing(thorough=True)[0].problem


def test_nothing_is_listed_where_nothing_is(kept: Templates) -> None:
    """Looking makes no folder."""
    assert kept.listing() == []
    assert not kept.root.exists()


def test_removed_one_is_gone(kept: Templates, instance: Instance, fill_frozen: FillFrozen) -> None:
    """Removing twice is no mistake: somebody else may have been faster."""
    fill_frozen(kept.folder("name"), instance)
    kept.remove("name", _silent)
    kept.remove("name", _silent)
    assert [each.name for each in kept.root.iterdir() if each.is_dir()] == []


def test_one_in_use_is_not_removed(kept: Templates, instance: Instance, fill_frozen: FillFrozen) -> None:
    """Also when its user came between the question and the removal: it is told who has to go first."""
    folder = fill_frozen(kept.folder("name"), instance)
    (private_folder(generation.new(kept.instances / "web") / "web") / "origin").write_text("name")
    with pytest.raises(UsageError, match="name is in use by web") as raised:
        kept.remove("name", _silent)
    assert raised.value.hint == "`lpiclab down web` first"
    assert frozen.read(folder).title == "kept"


def test_removal_cut_off_takes_nothing_from_anybody(
    kept: Templates, instance: Instance, fill_frozen: FillFrozen
) -> None:
    """Killed between taking the name away and finding a user: the next command gives the name back."""
    for name in ("used", "unused"):
        fill_frozen(kept.folder(name), instance)
        kept.folder(name).rename(kept.root / f".{name}.old")
    (private_folder(generation.new(kept.instances / "web") / "web") / "origin").write_text("used")
    kept.remove("other", _silent)
    assert [each.name for each in kept.root.iterdir() if each.is_dir()] == ["used"]


def test_half_removed_one_is_no_template(
    kept: Templates, instance: Instance, fill_frozen: FillFrozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name goes before its files."""
    fill_frozen(kept.folder("name"), instance)

    rmtree = shutil.rmtree
    calls: list[Path] = []

    def killed(path: Path, **_: object) -> None:
        calls.append(path)
        if len(calls) > 1:  # the first one clears what an earlier attempt left
            raise KeyboardInterrupt
        rmtree(path, ignore_errors=True)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            kept.remove("name", _silent)
    assert not kept.folder("name").exists()
    assert kept.listing() == []


def test_spoilt_one_in_use_is_not_replaced(
    kept: Templates, instance: Instance, shape: str, fill_frozen: FillFrozen
) -> None:
    """The disks of running machines stand on it: it is told who has to go first, and stays."""
    folder = fill_frozen(kept.folder("a"), instance)
    (private_folder(generation.new(kept.instances / "web") / "web") / "origin").write_text("a")
    (folder / "ns1" / "state").write_bytes(b"short")
    with pytest.raises(ImageError, match="state is damaged") as raised:
        kept.sound("a", shape, _silent)
    assert raised.value.hint == "web stand on it: `lpiclab down web` first"
    kept.remove_unused("a", _silent)
    assert folder.is_dir()


@pytest.mark.parametrize("name", ["", ".", "..", "../outside", "a/b", "/absolute", ".hidden"])
def test_names_never_lead_out_of_the_folder(kept: Templates, name: str) -> None:
    """What is removed by name lies in the folder of templates, whatever the name is."""
    with pytest.raises(UsageError, match="cannot name a template"):
        kept.remove(name, _silent)
