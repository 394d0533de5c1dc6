"""Tests of starting machines' processes: what QEMU is told, and how failures are told."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from unittest import mock

import pytest

from lpiclab import proc
from lpiclab.errors import GuestError, ProviderError, TimedOut
from lpiclab.model import Instance
from lpiclab.providers.qemu import argv, launch, monitor
from lpiclab.providers.qemu.guestport import GuestPort
from lpiclab.providers.qemu.launch import Frozen
from lpiclab.providers.qemu.place import Place, places
from lpiclab.wait import Deadline


@pytest.fixture
def spawned(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], bool]]:
    """Return the command lines that were started, and whether they die with us; none is in truth."""
    started: list[tuple[list[str], bool]] = []

    def spawn(words: list[str], *, dies_with_us: bool, **_: object) -> int:
        started.append((words, dies_with_us))
        return 0

    monkeypatch.setattr(proc, "spawn", spawn)
    return started


_ANSWERS: dict[str, object] = {
    "query-status": {"status": "paused"},
    "human-monitor-command": "TCP[HOST_FORWARD]  14       127.0.0.1 43211       10.0.2.15  2200     0     0",
}
"""What QEMU's monitor answers, where it is more than nothing."""


@pytest.fixture
def guest(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what the monitor and the machine were asked for, in order."""
    asked: list[str] = []

    @contextlib.asynccontextmanager
    async def fake_monitor(*_: object) -> AsyncIterator[mock.Mock]:
        async def execute(command: str, words: dict[str, object] | None = None) -> object:
            name = (words or {}).get("id") or (words or {}).get("node-name") or ""
            asked.append(f"{command} {name}".strip())
            return _ANSWERS.get(command)

        yield mock.Mock(execute=execute)

    class Port(GuestPort):
        def __init__(self) -> None:
            pass

        async def _send(self, text: str) -> None:
            asked.append(text.split(" ", maxsplit=1)[0].strip())

        async def _line(self, prefix: bytes) -> str:
            return "0" if b"DONE" in prefix else "boot"

        async def appeared(self, file: str) -> None:
            asked.append(f"wait for {file}")

        async def close(self) -> None:
            pass

    async def connect(*_: object) -> GuestPort:
        return Port()

    async def read_state(_: object, file: Path, *, with_memory: bool) -> None:
        asked.append(f"read {file.name}{' with memory' if with_memory else ''}")

    monkeypatch.setattr(monitor, "monitor", fake_monitor)
    monkeypatch.setattr(monitor, "read_state", read_state)
    monkeypatch.setattr(GuestPort, "connect", connect)
    return asked


def _values(words: list[str], option: str) -> list[str]:
    return [value for word, value in itertools.pairwise(words) if word == option]


def _devices(words: list[str]) -> list[str]:
    found = [json.loads(value) for value in _values(words, "-device") if value.startswith("{")]
    return [each["id"] for each in found]


def _resume(place: Place, frozen: Frozen, *, dies_with_us: bool = False) -> None:
    asyncio.run(launch.resume(place, "tcg", frozen, dies_with_us=dies_with_us))


def test_frozen_machine_goes_on_with_all_that_it_had(
    instance: Instance, spawned: list[tuple[list[str], bool]], guest: list[str], tmp_path: Path
) -> None:
    """Its devices are there before its state; it answers and has the right time before it is identified."""
    place = places(instance)[0]
    _resume(place, Frozen(state=tmp_path / "state"), dies_with_us=True)
    ((words, dies),) = spawned
    assert dies
    assert words[-2:] == ["-incoming", "defer"]
    assert _devices(words) == ["disk-sda", "disk-sdb", "card0"]
    assert json.loads(_values(words, "-object")[0])["qom-type"] == "memory-backend-ram"
    assert guest == [
        "read state with memory",
        "query-status",
        "cont",
        "read",
        "date",
        "/usr/lib/lpiclab/identify",
        "human-monitor-command",
    ]
    assert (place.folder / "port").read_text() == "43211"
    assert (place.folder / "identified").exists()


def test_bare_machine_gets_its_devices_while_it_runs(
    instance: Instance, spawned: list[tuple[list[str], bool]], guest: list[str], tmp_path: Path
) -> None:
    """One after the other, each when the one before has its name, and all before it is identified."""
    place = places(instance)[0]
    _resume(place, Frozen(state=tmp_path / "state", memory=tmp_path / "memory", keep_memory=True, bare=True))
    ((words, dies),) = spawned
    assert not dies
    assert _devices(words) == ["disk-sda"]
    memory = json.loads(_values(words, "-object")[0])
    assert (memory["mem-path"], memory["share"]) == (str(tmp_path / "memory"), True)
    begin, end = guest.index("blockdev-add sdb"), guest.index("/usr/lib/lpiclab/identify")
    assert guest[0] == "read state"
    assert guest[begin:end] == [
        "blockdev-add sdb",
        "device_add disk-sdb",
        "wait for /dev/sdb",
        "netdev_add lan0",
        "netdev_add lan0leg0",
        "netdev_add lan0leg0hub",
        "device_add card0",
        "wait for /sys/class/net/eth0",
    ]


def test_identified_machine_stays_who_it_is(
    instance: Instance, spawned: list[tuple[list[str], bool]], guest: list[str], tmp_path: Path
) -> None:
    """A copy of a machine that knows its name is not told once more."""
    place = places(instance)[0]
    (place.folder / "identified").touch()
    _resume(place, Frozen(state=tmp_path / "state"))
    assert "/usr/lib/lpiclab/identify" not in guest
    assert spawned


def test_booted_machine_is_new(
    instance: Instance, spawned: list[tuple[list[str], bool]], guest: list[str]
) -> None:
    """A boot waits for the machine's own word, and gives it no state."""
    place = places(instance)[1]
    told: list[str] = []
    asyncio.run(launch.boot(place, "tcg", told.append))
    assert told == ["ns2: boots", "ns2: ready"]
    assert "-incoming" not in spawned[0][0]
    assert guest == ["/usr/lib/lpiclab/identify", "human-monitor-command"]


def test_machine_whose_start_was_interrupted_is_let_go_on(
    instance: Instance, guest: list[str], spawned: list[tuple[list[str], bool]]
) -> None:
    """Whether it stands still or runs: it answers, has the right time, and its way in is known."""
    place = places(instance)[0]
    place.port.unlink()
    asyncio.run(launch.finish(place))
    assert guest == ["query-status", "cont", "read", "date", "human-monitor-command"]
    assert place.port.read_text() == "43211"
    assert spawned == []


def test_failure_comes_with_what_was_said(
    instance: Instance,
    spawned: list[tuple[list[str], bool]],
    guest: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """QEMU's own words and the console's are the evidence."""
    place = places(instance)[0]
    (place.folder / "qemu.log").write_text("qemu: cannot allocate\n")
    (place.folder / "console.log").write_text("Kernel panic\n")

    async def damaged(*_: object, **__: object) -> None:
        raise ProviderError("QEMU could not migrate-incoming: unknown section")

    monkeypatch.setattr(monitor, "read_state", damaged)
    with pytest.raises(ProviderError, match="raid1/ns1: QEMU ended or the machine went off") as raised:
        _resume(place, Frozen(state=Path("state")))
    for words in ("unknown section", "cannot allocate", "Kernel panic"):
        assert words in raised.value.details
    assert spawned
    assert guest == []


def test_first_failure_ends_the_others(instance: Instance) -> None:
    """All machines are worked on at once; one that fails keeps nobody waiting for the rest."""
    ended: list[str] = []

    async def action(place: Place) -> None:
        if place.machine.name == "ns1":
            raise GuestError("ns1: no")
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(place.label)

    with pytest.raises(GuestError, match="ns1: no"):
        launch.together(places(instance), action, "to start", Deadline.after(20))
    assert ended == ["raid1/ns2"]


def test_failure_without_details_gets_the_machines_last_words(instance: Instance) -> None:
    """What an error brought itself is kept."""
    place = places(instance)[0]
    (place.folder / "console.log").write_text("last words\n")

    def failing(details: str) -> Callable[[Place], object]:
        async def action(_: Place) -> None:
            raise GuestError("no", details=details)

        return action

    for own, shown in (("", "last words"), ("my own", "my own")):
        with pytest.raises(GuestError) as raised:
            launch.together([place], failing(own), "to start", Deadline.after(20))  # type: ignore[arg-type]  # a coroutine
        assert shown in raised.value.details


def test_slow_machine_is_named_with_its_console(instance: Instance) -> None:
    """The time-out says what was waited for, how to look, and what the machine said last."""
    (places(instance)[0].folder / "console.log").write_text("A start job is running\n")

    async def never(_: Place) -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimedOut, match="timed out waiting for raid1/ns1 to boot") as raised:
        launch.together(places(instance)[:1], never, "to boot", Deadline.after(0.05))
    assert "lpiclab console raid1 ns1" in raised.value.hint
    assert "A start job is running" in raised.value.details


def test_sockets_are_there_before_the_process(
    instance: Instance, spawned: list[tuple[list[str], bool]]
) -> None:
    """The port of an earlier process is forgotten; the sockets are handed over by their numbers."""
    place = places(instance)[0]
    (place.folder / "port").write_text("1")
    launch.spawn(place, "tcg", argv.Memory())
    assert not (place.folder / "port").exists()
    assert all(place.socket(name).is_socket() for name in ("monitor", "shell", "console"))
    assert len([value for value in _values(spawned[0][0], "-chardev") if ",fd=" in value]) == 3
