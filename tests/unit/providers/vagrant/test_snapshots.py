"""Tests of snapshots by Vagrant, with a stand-in for it."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from lpiclab import ssh
from lpiclab.errors import ProviderError, UsageError
from lpiclab.model import Instance, SshEndpoint
from lpiclab.paths import Home
from lpiclab.providers.base import Snapshots
from lpiclab.providers.vagrant.provider import VagrantProvider
from lpiclab.providers.vagrant.site import Site
from lpiclab.wait import Deadline


@pytest.fixture
def provider(vagrant: Any, home: Home, instance: Instance) -> VagrantProvider:
    """Return the provider, whose instance runs."""
    made = VagrantProvider(home)
    made.create(instance, deadline=_soon(), progress=print)
    made.start(instance, deadline=_soon(), progress=print)
    vagrant.calls()
    return made


def _soon() -> Deadline:
    return Deadline.after(30.0)


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return whose clock was set: the stand-in's machines let nobody in."""
    seen: list[str] = []

    def connect(_endpoint: SshEndpoint, *, machine: str, deadline: Deadline) -> mock.MagicMock:
        deadline.require(machine)
        session = mock.MagicMock()
        session.__enter__.return_value.run.side_effect = lambda command, **_: seen.append(
            f"{machine} {command.split()[0]}"
        )
        return session

    monkeypatch.setattr(ssh.Session, "connect", connect)
    return seen


def test_each_machine_is_kept_and_brought_back(
    provider: VagrantProvider, instance: Instance, vagrant: Any, clocks: list[str]
) -> None:
    """Vagrant is asked machine by machine; what is known of a snapshot is with the instance."""
    assert isinstance(provider, Snapshots)
    assert provider.save(instance, "one", title="first", deadline=_soon()) > 0
    provider.save(instance, "two", title="", deadline=_soon())
    assert vagrant.calls()[:2] == ["snapshot save server one", "snapshot save client one"]
    assert [(each.name, each.title) for each in provider.snapshots(instance)] == [
        ("one", "first"),
        ("two", ""),
    ]
    told: list[str] = []
    instance_names = ["server", "client"]
    provider.restore(instance, "one", deadline=_soon(), progress=told.append)
    assert vagrant.calls()[:2] == [f"snapshot restore --no-provision {name} one" for name in instance_names]
    assert told == ["server goes back", "client goes back"]
    assert clocks == [f"squid-acl@two/{name} date" for name in instance_names]
    vagrant.calls()
    provider.forget(instance, "one")
    assert vagrant.calls() == ["snapshot delete server one", "snapshot delete client one"]
    assert [each.name for each in provider.snapshots(instance)] == ["two"]


def test_a_failed_save_keeps_nothing(provider: VagrantProvider, instance: Instance, vagrant: Any) -> None:
    """What was kept of other machines goes away again."""
    vagrant.answer("snapshot save client", stderr="no space\n", status=1)
    with pytest.raises(ProviderError, match="`vagrant snapshot` failed: no space"):
        provider.save(instance, "one", title="", deadline=_soon())
    assert vagrant.calls()[-1] == "snapshot delete server one"
    assert provider.snapshots(instance) == []


@pytest.mark.parametrize("name", ["", "-x", "a b", "ö", "x" * 33])
def test_names_that_are_none(provider: VagrantProvider, instance: Instance, name: str) -> None:
    """They are refused before Vagrant sees them."""
    with pytest.raises(UsageError, match="cannot name a snapshot"):
        provider.save(instance, name, title="", deadline=_soon())


def test_taken_and_unknown_names(provider: VagrantProvider, instance: Instance, vagrant: Any) -> None:
    """A name is used once; the nearest to an unknown one is suggested."""
    provider.save(instance, "begin", title="", deadline=_soon())
    vagrant.calls()
    with pytest.raises(UsageError, match="has a snapshot begin already"):
        provider.save(instance, "begin", title="", deadline=_soon())
    with pytest.raises(UsageError, match="no snapshot begni") as raised:
        provider.restore(instance, "begni", deadline=_soon(), progress=print)
    assert raised.value.hint == 'did you mean "begin"?'
    with pytest.raises(UsageError, match="no snapshot end"):
        provider.forget(instance, "end")
    assert vagrant.calls() == []


def test_damaged_note_is_listed(provider: VagrantProvider, instance: Instance) -> None:
    """It can be seen and removed."""
    provider.save(instance, "one", title="", deadline=_soon())
    (Site(instance).snapshots / "one.json").write_text("{")
    assert provider.snapshots(instance)[0].problem == "damaged"
    provider.forget(instance, "one")
    assert provider.snapshots(instance) == []
