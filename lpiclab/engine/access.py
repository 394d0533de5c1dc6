"""A learner's ways onto a machine: a shell or command by SSH, and the serial console."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from lpiclab import terminal
from lpiclab.engine.context import Context
from lpiclab.errors import ProviderError, UsageError
from lpiclab.wait import Deadline

_CONNECT_S = 60.0


def shell(context: Context, name: str, machine: str | None, user: str | None, command: Sequence[str]) -> int:
    """Join the terminal to a login shell or a command on a machine; return its exit status.

    Without a `user` it is the learner's.

    Several words of a command are quoted, so that they arrive as the words they were typed as; one
    word is shell text, as with ssh(1).
    """
    from lpiclab.ssh import Session  # noqa: PLC0415 - paramiko costs 100 ms

    record = context.record(name)
    machine = context.machine(record, machine)
    endpoint = context.provider(record).endpoint(context.instance(record), machine)
    deadline = Deadline.after(_CONNECT_S)
    text = (command[0] if len(command) == 1 else shlex.join(command)) if command else None
    interactive = text is None and sys.stdin.isatty()
    label = f"{record.id}/{machine}"
    with (
        Session.connect(endpoint, machine=label, user=user or endpoint.learner, deadline=deadline) as session,
        session.channel(text, terminal.size() if interactive else None) as channel,
    ):
        terminal.join(
            channel,
            raw=interactive,
            end_of_input=channel.shutdown_write,
            resize=channel.resize_pty if interactive else None,
            errors=lambda: channel.recv_stderr(65536) if channel.recv_stderr_ready() else b"",
        )
        return channel.recv_exit_status()


def console(context: Context, name: str, machine: str | None) -> None:
    """Join the terminal to a machine's serial console, also while it is being set up.

    Raises:
        ProviderError: the provider has no console, the machine is off, or the console is in use.
    """
    if context.store.find(name) is None:
        context.record(name)
    record = context.store.load(name)
    machine = context.machine(record, machine)
    provider = context.provider(record)
    connect = getattr(provider, "connect_console", None)
    if connect is None:
        raise ProviderError(f"the provider {record.provider} has no consoles")
    if not sys.stdin.isatty():
        raise UsageError("the console needs a terminal")
    with connect(context.instance(record), machine) as stream:
        terminal.join(stream, raw=True, end_of_input=lambda: None, escape=terminal.ESCAPE)
