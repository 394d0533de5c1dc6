"""Tests of the provider `ssh`, with machines that are none."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lpiclab.errors import ConnectFailed, ProviderError, TimedOut
from lpiclab.model import Host, Instance, Machine, MachineState, Plan, SshEndpoint
from lpiclab.paths import Home
from lpiclab.providers.base import Adopts
from lpiclab.providers.ssh import provider as module
from lpiclab.providers.ssh.provider import SshProvider
from lpiclab.ssh import Session
from lpiclab.wait import Deadline

if TYPE_CHECKING:
    from tests.unit.conftest import Stranger

Strangers = dict[str, "Stranger"]
_MACHINES = (Machine(name="server", distro="debian-13"), Machine(name="client", distro="debian-13"))


def _soon() -> Deadline:
    return Deadline.after(20)


@pytest.fixture
def provider(home: Home) -> SshProvider:
    """Return the provider."""
    return SshProvider(home)


@pytest.fixture
def instance(home: Home, make_plan: Callable[..., Plan], host: Host) -> Instance:
    """Return an instance on two machines of an inventory."""
    hosts = {
        "server": replace(host, address="web.example", port=2222, user="hanako"),
        "client": replace(host, address="client.example"),
    }
    folder = home.instances / "raid1"
    return Instance(id="raid1", folder=folder, plan=make_plan(*_MACHINES), hosts=hosts)


@pytest.fixture
def taken(provider: SshProvider, instance: Instance, strangers: Strangers) -> Strangers:
    """Return the machines, taken for the instance."""
    provider.create(instance, deadline=_soon(), progress=print)
    return strangers


def _states(provider: SshProvider, instance: Instance) -> list[MachineState]:
    return [each.state for each in provider.status(instance).values()]


def test_provider_adopts_and_needs_nothing(provider: SshProvider) -> None:
    """It has the ability by which it is told from those that make machines."""
    assert isinstance(provider, Adopts)
    assert [finding.state for finding in provider.probe()] == ["ok"]


def test_machines_that_were_not_taken_are_absent(provider: SshProvider, instance: Instance) -> None:
    """They have no endpoint, can't be rebooted or started, and there is nothing to stop or give back."""
    assert _states(provider, instance) == [MachineState.ABSENT] * 2
    for refused in (
        lambda: provider.endpoint(instance, "server"),
        lambda: provider.restart(instance, ["server"], deadline=_soon()),
        lambda: provider.start(
            replace(instance, plan=replace(instance.plan, machines=_MACHINES[:1])),
            deadline=_soon(),
            progress=print,
        ),
    ):
        with pytest.raises(ProviderError, match="raid1/server has not been taken"):
            refused()
    provider.stop(instance, deadline=_soon())
    provider.destroy(instance)


def test_taking_keeps_what_is_there(provider: SshProvider, instance: Instance, taken: Strangers) -> None:
    """A machine that is ready is not asked again; whose it is, is known to this user only."""
    owners = [stranger.owner for stranger in taken.values()]
    assert all(owners)
    for stranger in taken.values():
        stranger.log.clear()
    provider.create(instance, deadline=_soon(), progress=print)
    assert [stranger.log for stranger in taken.values()] == [[], []]
    assert [stranger.owner for stranger in taken.values()] == owners
    assert (instance.folder / "taken" / "server.json").stat().st_mode & 0o777 == 0o600
    assert (instance.folder / "taken").stat().st_mode & 0o777 == 0o700


def test_taking_that_was_cut_short_goes_on(
    provider: SshProvider, instance: Instance, strangers: Strangers
) -> None:
    """A machine that is ours already gets what is missing, under the same token."""
    strangers["web.example"].refuses = "become"
    with pytest.raises(Exception, match="could not get its host name"):
        provider.create(instance, deadline=_soon(), progress=print)
    owner = strangers["web.example"].owner
    strangers["web.example"].refuses = ""
    provider.create(instance, deadline=_soon(), progress=print)
    assert strangers["web.example"].owner == owner
    assert sum(" claim " in line for line in strangers["web.example"].log) == 1


def test_endpoint_is_the_inventorys(provider: SshProvider, instance: Instance, taken: Strangers) -> None:
    """A learner comes in as the inventory's user; so does root, with sudo."""
    assert taken
    host = instance.hosts["server"]
    assert provider.endpoint(instance, "server") == SshEndpoint(
        host="web.example",
        port=2222,
        host_key=host.host_key,
        key_file=Path(host.key),
        user="hanako",
        learner="hanako",
        sudo=True,
        inventoried=True,
    )
    assert provider.logs(instance, "server") == []


def test_start_looks_whether_machines_are_still_ours(
    provider: SshProvider, instance: Instance, taken: Strangers
) -> None:
    """One that was given back by hand, or is another instance's now, is told."""
    told: list[str] = []
    provider.start(instance, deadline=_soon(), progress=told.append)
    assert sorted(told) == ["client answers", "server answers"]
    ours = taken["web.example"].owner
    taken["web.example"].owner = ours.replace('"token":"', '"token":"x').replace("raid1", "lvm")
    with pytest.raises(ProviderError, match="raid1/server is not this instance's any more: it is in use"):
        provider.start(instance, deadline=_soon(), progress=print)
    taken["web.example"].owner = ""
    with pytest.raises(ProviderError, match="it is given back by hand"):
        provider.start(instance, deadline=_soon(), progress=print)
    with pytest.raises(ProviderError, match="it is given back by hand"):
        provider.restart(instance, ["server"], deadline=_soon())
    assert taken["web.example"].boots == 1


def test_start_can_not_switch_on(provider: SshProvider, instance: Instance, taken: Strangers) -> None:
    """What does not answer is told, all machines at once."""
    for stranger in taken.values():
        stranger.switched_off = True
    assert _states(provider, instance) == [MachineState.STOPPED] * 2
    with pytest.raises(ProviderError, match="2 machines failed") as raised:
        provider.start(instance, deadline=_soon(), progress=print)
    assert raised.value.details.splitlines() == [
        "raid1/client: no connection (is it on?)",
        "raid1/server: no connection (is it on?)",
    ]
    with pytest.raises((ProviderError, TimedOut)) as late:
        provider.start(instance, deadline=Deadline.after(0), progress=print)
    assert "timed out waiting for server to answer" in late.value.details


def test_stop_leaves_machines_running(provider: SshProvider, instance: Instance, taken: Strangers) -> None:
    """They are not ours to switch off: they are not even told anything."""
    for stranger in taken.values():
        stranger.log.clear()
    provider.stop(instance, deadline=_soon())
    assert [stranger.log for stranger in taken.values()] == [[], []]
    assert _states(provider, instance) == [MachineState.RUNNING] * 2


def test_restart_waits_for_another_boot(
    provider: SshProvider, instance: Instance, taken: Strangers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer of the old boot, or none, is no answer; only the machine named boots."""
    connect = Session.connect
    attempts: list[str] = []

    def slowly(endpoint: SshEndpoint, **words: object) -> object:
        attempts.append(endpoint.host)
        if len(attempts) in {2, 3}:
            raise ConnectFailed("not yet")
        return connect(endpoint, **words)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(Session, "connect", slowly)
    monkeypatch.setattr(module, "_BETWEEN_S", 0.0)
    provider.restart(instance, ["server"], deadline=_soon())
    assert attempts == ["web.example"] * 4
    assert [stranger.boots for stranger in taken.values()] == [2, 1]


def test_machine_that_does_not_go_down_is_forced(
    provider: SshProvider, instance: Instance, taken: Strangers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that still answers from the old boot is told to reboot by force; if it never does, time is over."""
    stranger = taken["web.example"]
    stranger.refuses = "systemctl reboot"
    monkeypatch.setattr(module, "_BETWEEN_S", 0.01)
    monkeypatch.setattr(module, "_PATIENCE_S", 0.0)
    with pytest.raises(TimedOut, match="raid1/server to come back from its reboot"):
        provider.restart(instance, ["server"], deadline=Deadline.after(0.2))
    told = [line for line in stranger.log if line.startswith("systemctl")]
    assert told[:2] == ["systemctl reboot", "systemctl reboot --force"]


def test_destroying_gives_back(provider: SshProvider, instance: Instance, taken: Strangers) -> None:
    """The machines are free; once more is no mistake."""
    provider.destroy(instance)
    assert [stranger.owner for stranger in taken.values()] == ["", ""]
    assert _states(provider, instance) == [MachineState.ABSENT] * 2
    assert not (instance.folder / "taken").exists()
    provider.destroy(instance)


def test_machine_of_no_inventory_is_told(provider: SshProvider, instance: Instance) -> None:
    """The option that names one is said."""
    with pytest.raises(ProviderError) as raised:
        provider.create(replace(instance, hosts={}), deadline=_soon(), progress=print)
    assert "--inventory FILE" in raised.value.details


def test_damaged_note_is_told(provider: SshProvider, instance: Instance, taken: Strangers) -> None:
    """Without its token a machine is given back by hand."""
    assert taken
    (instance.folder / "taken" / "server.json").write_text("{")
    with pytest.raises(ProviderError, match=r"server\.json is damaged") as raised:
        provider.destroy(instance)
    assert "`bash /var/lib/lpiclab/undo`" in raised.value.hint


@pytest.fixture
def greeting() -> Iterator[Callable[[bytes], int]]:
    """Return a maker of servers that greet whoever comes; it returns their port."""
    made: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def make(words: bytes) -> int:
        listening = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(words)

        threads.append(threading.Thread(target=serve, daemon=True))
        threads[-1].start()
        made.append(listening)
        return int(listening.getsockname()[1])

    yield make
    for listening, thread in zip(made, threads, strict=True):
        thread.join(20)
        listening.close()


@pytest.mark.parametrize(("words", "answers"), [(b"SSH-2.0-x\r\n", True), (b"HTTP/1.1", False), (b"", False)])
def test_knocking_asks_for_ssh(
    greeting: Callable[[bytes], int], host: Host, words: bytes, answers: bool
) -> None:
    """Something else at the address is not the machine."""
    assert module._answers(replace(host, port=greeting(words))) is answers


def test_knocking_where_nobody_is(host: Host) -> None:
    """A refused connection is a machine that does not answer."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert not module._answers(replace(host, port=port))
