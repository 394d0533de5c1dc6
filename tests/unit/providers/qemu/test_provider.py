"""Tests of the provider `qemu` without any QEMU: what it finds, and which machines it does what to."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from lpiclab.errors import GuestError, ProviderError
from lpiclab.model import Instance, MachineState
from lpiclab.paths import Home
from lpiclab.providers.base import Progress
from lpiclab.providers.qemu import accelerator, frozen, launch, making, process
from lpiclab.providers.qemu import provider as qemu_provider
from lpiclab.providers.qemu.place import Place, places
from lpiclab.providers.qemu.provider import QemuProvider
from lpiclab.wait import Deadline


@pytest.fixture
def provider(home: Home, monkeypatch: pytest.MonkeyPatch) -> QemuProvider:
    """Return the provider, on a host where it need not try for KVM."""
    monkeypatch.setattr(accelerator, "ensure", lambda *_: "tcg")
    return QemuProvider(home)


@pytest.fixture
def running(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the processes that are there: one for each machine."""
    uuids = {place.identity.uuid for place in places(instance)}

    def find(wanted: Iterable[str]) -> dict[str, int]:
        return dict.fromkeys(uuids.intersection(wanted), 1)

    monkeypatch.setattr(process, "find", find)
    monkeypatch.setattr(process, "memory_bytes", lambda _: 5 << 20)
    return uuids


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return which machines were let go on, had a killed command left them standing still."""
    labels: list[str] = []
    monkeypatch.setattr(frozen, "wake", lambda every: labels.extend(place.label for place in every))
    return labels


def _soon() -> Deadline:
    return Deadline.after(20.0)


def test_state_is_told_by_process_and_files(
    provider: QemuProvider, instance: Instance, running: set[str]
) -> None:
    """A machine whose process is there runs only when its start has come to its end."""
    one, two = places(instance)
    two.port.unlink()
    found = provider.status(instance)
    assert [found[name].state for name in ("ns1", "ns2")] == [MachineState.RUNNING, MachineState.STARTING]
    assert found["ns1"].memory_bytes == 5 << 20
    running.clear()
    one.state.write_text("state")
    found = provider.status(instance)
    assert [found[name].state for name in ("ns1", "ns2")] == [MachineState.SUSPENDED, MachineState.STOPPED]
    one.disks()[1][1].unlink()
    two.disks()[0][1].unlink()
    found = provider.status(instance)
    assert [found[name].state for name in ("ns1", "ns2")] == [MachineState.BROKEN, MachineState.ABSENT]


def test_what_has_not_started_to_the_end_is_started(
    provider: QemuProvider,
    instance: Instance,
    running: set[str],
    woken: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Machines that are off and those whose start was interrupted; the others are not disturbed."""
    started: list[str] = []

    async def start(place: Place, *_: object) -> None:
        started.append(place.label)

    monkeypatch.setattr(making, "start", start)
    for _ in range(2):
        provider.start(instance, deadline=_soon(), progress=pytest.fail)
    assert started == []
    one, two = places(instance)
    running.discard(one.identity.uuid)
    two.port.unlink()
    provider.start(instance, deadline=_soon(), progress=pytest.fail)
    assert started == ["raid1/ns1", "raid1/ns2"]
    assert woken[:2] == ["raid1/ns1", "raid1/ns2"]


@pytest.mark.usefixtures("woken")
def test_way_in_is_known_once_a_machine_has_started(
    provider: QemuProvider, instance: Instance, running: set[str]
) -> None:
    """Before that, and when it is off, the error says which command helps."""
    place = places(instance)[0]
    assert provider.endpoint(instance, "ns1").port == 43211
    place.port.unlink()
    with pytest.raises(ProviderError, match="raid1/ns1 has not finished starting") as raised:
        provider.endpoint(instance, "ns1")
    assert raised.value.hint == "`lpiclab up raid1` finishes it"
    running.clear()
    with pytest.raises(ProviderError, match="raid1/ns1 is not running") as raised:
        provider.endpoint(instance, "ns1")
    assert raised.value.hint == "`lpiclab up raid1` starts it again"


@pytest.mark.usefixtures("woken")
def test_shell_is_of_a_machine_that_has_started(
    provider: QemuProvider, instance: Instance, running: set[str]
) -> None:
    """What the port's shell would say of a machine before that, or of one that is off, is no grade."""
    place = places(instance)[0]
    with pytest.raises(ProviderError, match="raid1/ns1 is not running"):  # its socket is not there
        provider.connect_shell(instance, "ns1")
    place.port.unlink()
    with pytest.raises(ProviderError, match="raid1/ns1 has not finished starting"):
        provider.connect_shell(instance, "ns1")
    running.clear()
    with pytest.raises(ProviderError, match="raid1/ns1 is not running"):
        provider.connect_shell(instance, "ns1")


def test_only_what_runs_is_rebooted(
    provider: QemuProvider, instance: Instance, running: set[str], woken: list[str]
) -> None:
    """One that stands still would never answer, so it is let go on; the others are told what helps."""
    places(instance)[0].port.unlink()
    with pytest.raises(ProviderError, match="raid1/ns1 has not finished starting"):
        provider.restart(instance, ["ns1"], deadline=_soon())
    running.clear()
    with pytest.raises(ProviderError, match="raid1/ns2 is not running"):
        provider.restart(instance, ["ns2"], deadline=_soon())
    assert woken == ["raid1/ns1", "raid1/ns2"] * 2


@pytest.mark.usefixtures("woken")
def test_machine_whose_qemu_crashes_as_it_reboots_is_booted(
    provider: QemuProvider, instance: Instance, running: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had shut down in order; what it is to begin with is on its disks."""
    booted: list[str] = []

    async def crash(chosen: Place) -> None:
        running.discard(chosen.identity.uuid)
        raise GuestError("QEMU ended")

    async def boot(chosen: Place, accelerator: str, _: Progress) -> None:
        booted.append(f"{chosen.machine.name} by {accelerator}")

    monkeypatch.setattr(qemu_provider, "_reboot", crash)
    monkeypatch.setattr(launch, "boot", boot)
    provider.restart(instance, ["ns1"], deadline=_soon())
    assert booted == ["ns1 by tcg"]


@pytest.mark.usefixtures("woken", "running")
def test_machine_that_fails_to_reboot_and_runs_is_told(
    provider: QemuProvider, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its QEMU still runs is not started beside it."""

    async def fail(_: Place) -> None:
        raise GuestError("the shell port failed")

    monkeypatch.setattr(qemu_provider, "_reboot", fail)
    monkeypatch.setattr(process, "wait_gone", lambda *_, **__: False)
    with pytest.raises(GuestError, match="the shell port failed"):
        provider.restart(instance, ["ns1"], deadline=_soon())
