"""Tests of commands over a machine's port (`engine.portshell`), with shells of this host for machines."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lpiclab import ssh
from lpiclab.engine.context import Context
from lpiclab.engine.lifecycle import Wish, up
from lpiclab.engine.portshell import PortShell
from lpiclab.errors import ConnectFailed, ProviderError, TimedOut
from lpiclab.model import CommandResult, Instance
from lpiclab.providers.fake import FakeProvider
from lpiclab.wait import Deadline


class _Port(FakeProvider):
    """Start a shell of this host for each connection; `off` is a machine that is."""

    shells: list[subprocess.Popen[bytes]]
    program = "/bin/sh"
    off = False

    def connect_shell(self, instance: Instance, machine: str, /) -> socket.socket:
        """Connect to a new shell."""
        if self.off:
            raise ProviderError(f"{instance.id}/{machine} is not running")
        ours, theirs = socket.socketpair()
        with theirs:
            self.shells.append(
                subprocess.Popen([self.program], stdin=theirs.fileno(), stdout=theirs.fileno())
            )
        return ours


class _Session:
    """SSH: notes what it is told."""

    told: list[str]

    def run(self, command: str, *, stdin: bytes = b"", deadline: Deadline) -> CommandResult:
        """Note it."""
        del stdin, deadline
        self.told.append(command)
        return CommandResult(command=command, status=0, stdout=b"by ssh", stderr=b"", seconds=0.0)

    def close(self) -> None:
        """Note it."""
        self.told.append("close")


@pytest.fixture
def provider(context: Context) -> Iterator[_Port]:
    """Return the provider; its shells end with the test."""
    made = _Port(context.home)
    made.shells = []
    yield made
    for shell in made.shells:
        shell.kill()
        shell.wait()


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> _Session:
    """Return what every SSH connection is."""
    made = _Session()
    made.told = []
    monkeypatch.setattr(ssh.Session, "connect", lambda *_, **__: made)
    return made


@pytest.fixture
def port(context: Context, provider: _Port, commands: list[tuple[str, str]], tmp_path: Path) -> PortShell:
    """Return the port of the machine `web`."""
    record = up(context, "web", Wish(provider="fake"))
    commands.clear()
    return PortShell(provider, context.instance(record), "web", scratch=str(tmp_path))


def _soon() -> Deadline:
    return Deadline.after(20.0)


def test_commands_share_a_shell(port: PortShell, provider: _Port, session: _Session) -> None:
    """No command pays for a connection but the first, and none goes by SSH."""
    assert port.run("echo one", deadline=_soon()).stdout == b"one\n"
    assert port.run("cat", stdin=b"two", deadline=_soon()).stdout == b"two"
    assert len(provider.shells) == 1
    port.close()
    assert provider.shells[0].wait(timeout=20) == 0
    assert session.told == []


def test_released_port_is_taken_again(port: PortShell, provider: _Port) -> None:
    """Between two commands others may have the port."""
    port.run(":", deadline=_soon())
    port.release()
    assert provider.shells[0].wait(timeout=20) == 0
    assert port.run("echo again", deadline=_soon()).stdout == b"again\n"
    assert len(provider.shells) == 2
    port.close()


def test_command_that_hangs_is_cleared_away_by_ssh(
    port: PortShell, provider: _Port, session: _Session
) -> None:
    """It is told as a time-out; what it left on the port is killed, and the next command goes by SSH."""
    port.run(":", deadline=_soon())
    with pytest.raises(TimedOut, match="web/web: timed out waiting for `sleep 600`"):
        port.run("sleep 600", deadline=Deadline.after(0.2))
    assert port.run("echo one", deadline=_soon()).stdout == b"by ssh"
    assert session.told == ["systemctl kill --signal=KILL lpiclab-shell.service", "echo one"]
    port.close()
    assert session.told[-1] == "close"
    assert len(provider.shells) == 1


def test_port_that_does_not_answer(port: PortShell, provider: _Port, session: _Session) -> None:
    """Where no shell answers, SSH does."""
    provider.program = "/bin/false"
    assert port.run("echo one", deadline=_soon()).stdout == b"by ssh"
    assert session.told[-1] == "echo one"
    port.close()


def test_machine_that_is_off(port: PortShell, provider: _Port, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without power has no SSH either: it is said at once."""

    def refuse(*_: object, **__: object) -> None:
        raise ConnectFailed("nobody answers")

    monkeypatch.setattr(ssh.Session, "connect", refuse)
    provider.off = True
    with pytest.raises(ProviderError, match="web/web is not running"):
        port.run(":", deadline=_soon())
