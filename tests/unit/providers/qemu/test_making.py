"""Tests of making machines: as templates have them, or by booting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lpiclab.errors import ProviderError
from lpiclab.files import private_folder
from lpiclab.model import Instance
from lpiclab.providers.qemu import frozen, making
from lpiclab.providers.qemu.launch import Frozen
from lpiclab.providers.qemu.place import Place, places
from lpiclab.providers.qemu.templates import Templates
from lpiclab.wait import Deadline

MakeInstance = Callable[..., Instance]
Qemu = Any
"""What would have been done with QEMU: `qemu/conftest.py` notes it."""


def _soon() -> Deadline:
    return Deadline.after(20.0)


def _start(place: Place) -> None:
    asyncio.run(making.start(place, "tcg", lambda _: None))


def test_machines_are_made_on_their_templates(
    make_instance: MakeInstance, kept: Templates, qemu: Qemu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has keys, an identity, disks on its bare template, and is noted to stand on that."""
    instance = make_instance()
    template = private_folder(kept.root / "bare" / "machine")
    (template / "sda.qcow2").touch()
    monkeypatch.setattr(Templates, "bare", lambda *_, **__: "bare")
    making.create(instance, kept, "tcg", deadline=_soon(), progress=lambda _: None)
    assert (instance.folder / "key.pub").exists()
    for place in places(instance):
        assert (place.folder / "host_key.pub").exists()
        assert place.identity.individual != place.identity.uuid
        assert place.template.resolve() == template.parent
        assert (place.folder / "origin").read_text() == "bare"
    assert qemu.backings == {f"{name}/sda.qcow2": template / "sda.qcow2" for name in ("ns1", "ns2")}
    assert places(instance)[0].disks()[1][1].read_text() == "empty"
    assert kept.users() == {"bare": ["raid1"]}


def test_what_is_there_is_kept(
    instance: Instance, kept: Templates, qemu: Qemu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Making an instance again changes no key, disk or identity, and looks for no template."""

    def no_template(*_: object, **__: object) -> str:
        raise AssertionError

    monkeypatch.setattr(Templates, "bare", no_template)
    before = {file: file.read_bytes() for file in instance.folder.rglob("*") if file.is_file()}
    making.create(instance, kept, "tcg", deadline=_soon(), progress=lambda _: None)
    assert {file: file.read_bytes() for file in instance.folder.rglob("*") if file.is_file()} == before
    assert qemu.backings == {}


def test_disk_lost_after_the_first_start_is_made_on_the_image(
    instance: Instance, kept: Templates, qemu: Qemu
) -> None:
    """A machine that has begun needs no template's memory any more, so none of its disks either."""
    place = places(instance)[0]
    place.disks()[0][1].unlink()
    making.create(instance, kept, "tcg", deadline=_soon(), progress=lambda _: None)
    assert qemu.backings == {"ns1/sda.qcow2": place.image.disk}


def test_new_machine_starts_from_its_template(instance: Instance, tmp_path: Path, qemu: Qemu) -> None:
    """It gets memory of its own, and from then on can't begin from the template once more."""
    template = private_folder(tmp_path / "bare" / "machine")
    (template / "memory").write_text("memory")
    place = places(instance)[0]
    place.template.symlink_to(tmp_path / "bare")
    _start(place)
    ((label, whole),) = qemu.resumed
    assert label == "raid1/ns1"
    assert whole == Frozen(state=template / "state", memory=place.memory, keep_memory=True, bare=True)
    assert place.memory.read_text() == "memory"
    assert not place.template.is_symlink()
    qemu.resumed.clear()
    qemu.running.clear()
    _start(place)
    assert (qemu.resumed, qemu.booted) == ([], ["raid1/ns1"])


def test_machine_that_could_not_begin_is_booted_next(instance: Instance, tmp_path: Path, qemu: Qemu) -> None:
    """Its disk may have moved away from the template's memory, so that is not tried twice."""
    (private_folder(tmp_path / "bare" / "machine") / "memory").touch()
    place = places(instance)[0]
    place.template.symlink_to(tmp_path / "bare")
    qemu.failures["ns1"] = ProviderError("it does not fit")
    with pytest.raises(ProviderError, match="it does not fit"):
        _start(place)
    _start(place)
    assert qemu.booted == ["raid1/ns1"]


def test_machine_whose_template_is_gone_is_booted(instance: Instance, tmp_path: Path, qemu: Qemu) -> None:
    """A link that leads nowhere is no reason not to start."""
    place = places(instance)[0]
    place.template.symlink_to(tmp_path / "gone")
    _start(place)
    assert qemu.booted == ["raid1/ns1"]
    assert not place.template.is_symlink()


def test_suspended_machine_goes_on_once(instance: Instance, qemu: Qemu) -> None:
    """Its state is used up: going on from it twice would not fit the disks."""
    place = places(instance)[0]
    place.state.write_text("state")
    _start(place)
    assert [whole.memory for _, whole in qemu.resumed] == [None]
    assert not place.state.exists()
    assert not list(place.folder.glob("state*"))
    qemu.running.clear()
    _start(place)
    assert qemu.booted == ["raid1/ns1"]


def test_machine_suspended_with_another_qemu_is_booted(instance: Instance, qemu: Qemu) -> None:
    """What it had in mind is lost, which is said; its disks are what they were."""
    place = places(instance)[0]
    place.state.write_text("state")
    (place.generation / "suspended-with").write_text("another shape")
    told: list[str] = []
    asyncio.run(making.start(place, "tcg", told.append))
    assert told == ["ns1: was suspended with another QEMU: it boots, from its disks of that moment"]
    assert (qemu.resumed, qemu.booted) == ([], ["raid1/ns1"])
    assert not place.state.exists()


def test_machine_suspended_with_this_qemu_goes_on(instance: Instance, qemu: Qemu) -> None:
    """The same QEMU, image and accelerator go on where it was."""
    place = places(instance)[0]
    place.state.write_text("state")
    (place.generation / "suspended-with").write_text(frozen.shape(instance, "tcg"))
    _start(place)
    assert ([label for label, _ in qemu.resumed], qemu.booted) == (["raid1/ns1"], [])


@pytest.mark.parametrize("suspended", [True, False])
def test_start_that_was_interrupted_is_brought_to_its_end(
    instance: Instance, qemu: Qemu, suspended: bool
) -> None:
    """A machine that has run since goes on running; one whose state is still there begins with it again."""
    place = places(instance)[0]
    qemu.running.add(place.identity.uuid)
    place.identified.touch()
    if suspended:
        place.state.write_text("state")
    _start(place)
    assert qemu.finished == ([] if suspended else ["raid1/ns1"])
    assert qemu.killed == ([place.identity.uuid] if suspended else [])
    assert [label for label, _ in qemu.resumed] == (["raid1/ns1"] if suspended else [])
    assert qemu.booted == []


def test_first_start_that_was_interrupted_is_a_boot(instance: Instance, qemu: Qemu) -> None:
    """A machine that was never told who it is may lack the lab's disks and cards, and has nobody's work."""
    place = places(instance)[0]
    qemu.running.add(place.identity.uuid)
    _start(place)
    assert (qemu.finished, qemu.killed, qemu.booted) == ([], [place.identity.uuid], ["raid1/ns1"])


def test_suspended_machine_that_does_not_go_on_can_be_tried_again(instance: Instance, qemu: Qemu) -> None:
    """As long as the machine has not run, what it had in mind is kept, and its half process ends."""
    place = places(instance)[0]
    place.state.write_text("state")
    qemu.failures["ns1"] = ProviderError("no memory left")
    with pytest.raises(ProviderError, match="no memory left") as raised:
        _start(place)
    assert "`lpiclab resume raid1` tries again" in raised.value.hint
    assert place.state.read_text() == "state"
    assert qemu.killed == [place.identity.uuid]
    qemu.failures.clear()
    _start(place)
    assert [label for label, _ in qemu.resumed] == ["raid1/ns1"]
    assert not place.state.exists()
