"""The machines as checks reach them: connected side by side, given up once they are lost."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from lpiclab.errors import MachineryError, TimedOut
from lpiclab.model import CommandResult
from lpiclab.wait import Deadline

_PROBE_S = 10.0


class Connection(Protocol):
    """A `lpiclab.checks.host.Runner` that is closed when the grading is over."""

    def run(self, command: str, *, stdin: bytes = b"", deadline: Deadline) -> CommandResult:
        """Run a command to its end."""

    def close(self) -> None:
        """End the connection."""


Connector = Callable[[Deadline], Connection]
"""Connects to one machine, or raises a `MachineryError`."""


class Machine:
    """One machine: connects in the background, and knows whether asking it again is of use.

    `trouble` is the last thing that went wrong with it. A check may not hide that: a lab's author
    who catches an exception must not turn a broken machine into a learner's mistake.
    """

    def __init__(self, name: str, connect: Connector, deadline: Deadline) -> None:
        self.name = name
        self.trouble: Exception | None = None
        self._lost: Exception | None = None
        self._suspect = False
        self._connection: Future[Connection] = Future()
        # A daemon: a connection that takes its time must not keep an interrupted process alive.
        threading.Thread(target=self._connect, args=(connect, deadline), daemon=True).start()

    def run(self, command: str, *, stdin: bytes = b"", deadline: Deadline) -> CommandResult:
        """Run a command, or raise at once when the machine is known to be lost.

        After a failure the machine is asked for a sign of life first. Without one it is lost: the
        checks still to come must not each wait for it.

        Raises:
            MachineryError: the machine can't be reached, or the deadline came first.
        """
        try:
            connection = self._living(deadline)
            return connection.run(command, stdin=stdin, deadline=deadline)
        except MachineryError as error:
            self._suspect = True
            self.trouble = error
            raise
        except ValueError:
            raise  # no command: its author's mistake
        except Exception as error:
            self.trouble = error
            raise

    def wait(self, deadline: Deadline) -> None:
        """Wait until it is known whether the machine can be reached: no check's time may pass over that."""
        with contextlib.suppress(TimeoutError):
            self._connection.exception(deadline.left_s())

    def close(self) -> None:
        """End the connection, now or as soon as it is made."""
        self._connection.add_done_callback(_close)

    def _connect(self, connect: Connector, deadline: Deadline) -> None:
        try:
            self._connection.set_result(connect(deadline))
        except BaseException as error:  # noqa: BLE001 - raised where the connection is used
            self._connection.set_exception(error)

    def _living(self, deadline: Deadline) -> Connection:
        if self._lost is not None:
            raise self._lost
        try:
            connection = self._connected(deadline)
            if self._suspect:
                connection.run(":", deadline=deadline.sooner(_PROBE_S))
                self._suspect = False
        except MachineryError as error:
            self._lost = error
            raise
        return connection

    def _connected(self, deadline: Deadline) -> Connection:
        try:
            return self._connection.result(deadline.left_s())
        except TimeoutError as error:
            raise TimedOut(f"{self.name}: timed out waiting for a connection") from error


def _close(connection: Future[Connection]) -> None:
    if connection.exception() is None:
        connection.result().close()
