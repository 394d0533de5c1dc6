"""Tests of copies of an instance for grading, with a provider whose copies are folders."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lpiclab.checks.fork import Copies
from lpiclab.engine import forking, lifecycle
from lpiclab.engine.context import Context
from lpiclab.errors import ProviderError
from lpiclab.files import private_folder
from lpiclab.model import Instance
from lpiclab.providers.base import Provider
from lpiclab.providers.fake import FakeProvider
from lpiclab.wait import Deadline


class _Forker(FakeProvider):
    """Fork by making a folder; note what is done to which copy."""

    done: list[tuple[str, ...]]

    def fork(self, instance: Instance, /, *, deadline: Deadline) -> Instance:
        """Make a copy's folder."""
        made = replace(instance, folder=private_folder(instance.folder / "forks" / "one"))
        self.create(made, deadline=deadline, progress=lambda _: None)
        self.start(made, deadline=deadline, progress=lambda _: None)
        return made

    def cut_power(self, instance: Instance, machine: str, /) -> None:
        """Note it."""
        self.done.append((instance.folder.name, "cut", machine))

    def unplug(self, instance: Instance, machine: str, disk: str, /) -> None:
        """Note it."""
        self.done.append((instance.folder.name, "unplug", machine, disk))


@pytest.fixture
def provider(context: Context) -> _Forker:
    """Return the provider."""
    made = _Forker(context.home)
    made.done = []
    return made


@pytest.fixture
def instance(context: Context, commands: list[tuple[str, str]]) -> Instance:
    """Return the instance `web`, up."""
    record = lifecycle.up(context, "web", lifecycle.Wish(provider="fake"))
    commands.clear()
    return context.instance(record)


def _soon() -> Deadline:
    return Deadline.after(20.0)


def test_copy_is_gone_afterwards(provider: _Forker, instance: Instance) -> None:
    """Also when what was done with it failed; the instance is as it was."""
    fork = forking.Reach(provider, instance).forker
    assert fork
    folder = instance.folder / "forks" / "one"

    def fail(copies: Copies) -> None:
        assert set(copies.connectors) == {"web", "web-client"}
        assert folder.is_dir()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), fork(_soon()) as copies:
        fail(copies)
    assert not folder.exists()
    assert (instance.folder / "machines" / "web" / "running").exists()


def test_what_hurts_is_done_to_the_copy(provider: _Forker, instance: Instance) -> None:
    """Rebooting, switching off and pulling a disk out never reach the learner's machines."""
    fork = forking.Reach(provider, instance).forker
    assert fork
    with fork(_soon()) as copies:
        copies.restart(["web"], deadline=_soon())
        copies.cut_power("web")
        copies.unplug("web-client", "sdb")
        made = instance.folder / "forks" / "one" / "machines" / "web"
        assert (made / "console.log").read_text() == "reboot\n"
    assert provider.done == [("one", "cut", "web"), ("one", "unplug", "web-client", "sdb")]
    assert not (instance.folder / "machines" / "web" / "console.log").exists()


def test_failed_fork_is_told(provider: _Forker, instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is removed that was not made."""

    def full(*_: object, **__: object) -> Instance:
        raise ProviderError("no space")

    monkeypatch.setattr(provider, "fork", full)
    fork = forking.Reach(provider, instance).forker
    assert fork
    with pytest.raises(ProviderError, match="no space"), fork(_soon()):
        pytest.fail("there is no copy")
    assert (instance.folder / "machines" / "web" / "running").exists()


def test_provider_without_the_ability_has_no_forker(context: Context, instance: Instance) -> None:
    """Checks that want a copy are told so by the runner."""
    plain: Provider = FakeProvider(context.home)
    assert forking.Reach(plain, instance).forker is None
