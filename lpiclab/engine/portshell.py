"""Run commands by the shell on a machine's management port: an SSH handshake would cost a second there."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from lpiclab.errors import MachineryError
from lpiclab.model import CommandResult, Instance
from lpiclab.providers.base import Provider, Shells
from lpiclab.shell import Shell, SocketStream
from lpiclab.wait import Deadline

if TYPE_CHECKING:
    from lpiclab.ssh import Session

_START_S = 20.0
_CLEAR_S = 10.0
# The port has one shell for all who come: what a command that hangs leaves of it would keep them out.
_CLEAR = "systemctl kill --signal=KILL lpiclab-shell.service"


class PortShell:
    """A machine's commands, by the shell on its port; by SSH once that does not answer.

    The port takes one connection at a time: `release` it before the provider needs it.
    """

    def __init__(
        self, provider: Provider, instance: Instance, machine: str, *, scratch: str = "/run"
    ) -> None:
        self._provider = provider
        self._instance = instance
        self.machine = machine
        self._label = f"{instance.id}/{machine}"
        self._scratch = scratch
        self._shell: Shell | None = None
        self._session: Session | None = None

    def run(self, command: str, *, stdin: bytes = b"", deadline: Deadline) -> CommandResult:
        """Run a command to its end.

        Raises:
            MachineryError: the machine can't be reached, or the deadline came first. What comes next
                goes by SSH.
        """
        runner = self._session or self._shell or self._connect(deadline)
        try:
            return runner.run(command, stdin=stdin, deadline=deadline)
        except MachineryError:
            if runner is self._shell:
                self._shell = None
                with contextlib.suppress(MachineryError):
                    self._by_ssh(Deadline.after(_CLEAR_S))
            raise

    def release(self) -> None:
        """Leave the port to others; the next command connects again."""
        if self._shell is not None:
            self._shell.close()
            self._shell = None

    def close(self) -> None:
        """End what there is of connections."""
        self.release()
        if self._session is not None:
            self._session.close()
            self._session = None

    def _connect(self, deadline: Deadline) -> Shell | Session:
        assert isinstance(self._provider, Shells)  # noqa: S101 - who made this has seen to it
        # A machine that is off has no port, and no SSH either.
        stream = SocketStream(self._provider.connect_shell(self._instance, self.machine))
        try:
            self._shell = Shell.start(
                stream, machine=self._label, scratch=self._scratch, deadline=deadline.sooner(_START_S)
            )
        except MachineryError:
            return self._by_ssh(deadline)
        return self._shell

    def _by_ssh(self, deadline: Deadline) -> Session:
        from lpiclab.ssh import Session  # noqa: PLC0415 - paramiko costs 100 ms

        endpoint = self._provider.endpoint(self._instance, self.machine)
        self._session = Session.connect(endpoint, machine=self._label, deadline=deadline)
        self._session.run(_CLEAR, deadline=deadline)
        return self._session
