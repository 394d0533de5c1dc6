"""A testinfra host over any runner of commands.

testinfra's own ways to a machine open a new channel, or start a new process, for each command, keep
hosts for the life of the process and have no time limit. Here a host lives as long as its grading,
and what goes wrong with the machine comes out as a `MachineryError`: testinfra itself only makes
assertions about commands that did run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from testinfra.backend.base import BaseBackend
from testinfra.host import Host
from testinfra.modules.systeminfo import SystemInfo

from lpiclab.model import CommandResult
from lpiclab.wait import Deadline

COMMAND_LIMIT_S = 30.0
"""How long one command of a check may take."""


class Runner(Protocol):
    """Something that runs shell text as root on one machine."""

    def run(self, command: str, *, stdin: bytes = b"", deadline: Deadline) -> CommandResult:
        """Run a command to its end.

        Raises:
            MachineryError: the machine can't be reached, or the deadline came first.
        """


def make_host(machine: str, runner: Runner, deadline: Callable[[], Deadline] | None = None) -> Host:
    """Return a new testinfra host for `machine`.

    What every machine of a lab has in common is not asked for again: that it runs Linux (testinfra
    would ask before nearly everything), and that its shell knows ``command -v``.

    Args:
        machine: Its name.
        runner: What runs the commands.
        deadline: Called before each command; without it each has `COMMAND_LIMIT_S` seconds.
    """
    backend = Backend(machine, runner, deadline or (lambda: Deadline.after(COMMAND_LIMIT_S)))
    host = Host(backend)
    backend.set_host(host)
    host.has_command_v = True
    host.system_info = _LinuxInfo.get_module(host)
    return host


class Backend(BaseBackend):  # type: ignore[misc]  # testinfra ships no types
    """Run testinfra's commands by a `Runner`."""

    NAME = "lpiclab"

    def __init__(self, machine: str, runner: Runner, deadline: Callable[[], Deadline]) -> None:
        super().__init__(machine)
        self._runner = runner
        self._deadline = deadline

    def run(self, command: str, *args: str, stdin: bytes = b"") -> Any:
        """Run a command, each ``%s`` in it replaced by one of `args`, quoted.

        Raises:
            MachineryError: the machine can't be reached, or the command did not end in time.
        """
        text = self.get_command(command, *args)
        result = self._runner.run(text, stdin=stdin, deadline=self._deadline())
        return self.result(result.status, self.encode(text), result.stdout, result.stderr)

    def decode(self, data: bytes) -> str:
        """Return output as text; the guest's encoding is UTF-8 without asking it."""
        return data.decode(errors="replace")

    def encode(self, data: str) -> bytes:
        """Return a command as bytes."""
        return data.encode(errors="surrogateescape")

    def get_sudo_command(self, command: str, sudo_user: str | None) -> str:
        """Return `command` as another user's: we are root, and sudo may be what the lab is about."""
        return str(self.quote("runuser -u %s -- /bin/sh -c %s", sudo_user or "root", command))


class _LinuxInfo(SystemInfo):  # type: ignore[misc]  # testinfra ships no types
    """The facts about a machine of which one is known beforehand; the others are asked for once."""

    @property
    def type(self) -> str:
        return "linux"
