"""Management SSH: the only importer of paramiko.

One connection a machine. Host keys are known beforehand; an unknown one is refused.
"""

from __future__ import annotations

import base64
import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Self

import paramiko

from lpiclab.errors import ConnectFailed, GuestError, TimedOut
from lpiclab.model import CommandResult, SshEndpoint
from lpiclab.shell import Shell
from lpiclab.wait import Deadline

_CONNECT_S = 30.0
_SHELL_S = 20.0
_SEND_LIMIT_S = 60.0
_RECEIVE_BYTES = 65536


class ChannelStream:
    """A `lpiclab.shell.ByteStream` over an SSH channel."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel

    def send(self, data: bytes, /) -> None:
        """Send all of `data`, for at most a minute without progress."""
        self._channel.settimeout(_SEND_LIMIT_S)
        try:
            self._channel.sendall(data)
        except TimeoutError as error:
            raise TimedOut(f"the other end read nothing for {_SEND_LIMIT_S:.0f} s") from error
        except (OSError, paramiko.SSHException, EOFError) as error:
            raise GuestError(f"the connection is lost: {str(error) or 'it ended'}") from error

    def receive(self, deadline: Deadline, /) -> bytes:
        """Return what has come in; ``b""`` once the channel is closed."""
        self._channel.settimeout(deadline.require("data"))
        try:
            return self._channel.recv(_RECEIVE_BYTES)
        except TimeoutError as error:
            raise TimedOut("timed out waiting for data") from error

    def close(self) -> None:
        """Close the channel."""
        with contextlib.suppress(OSError, EOFError):
            self._channel.close()


class Session:
    """A connection to one machine as one user; `machine` is what messages call it.

    As a runner of commands it keeps one shell, and makes a new one when a command broke it.
    """

    def __init__(self, transport: paramiko.Transport, machine: str) -> None:
        self._transport = transport
        self._machine = machine
        self._shell: Shell | None = None

    @classmethod
    def connect(
        cls, endpoint: SshEndpoint, *, machine: str, user: str = "root", deadline: Deadline
    ) -> Session:
        """Connect and log in.

        Raises:
            ConnectFailed: nobody answers, it is not the machine we know, or it refuses our key.
            TimedOut: it did not answer in time.
        """
        wait_s = min(_CONNECT_S, deadline.require(f"{machine} to answer on SSH"))
        try:
            connection = socket.create_connection((endpoint.host, endpoint.port), timeout=wait_s)
            transport = paramiko.Transport(connection)
        except TimeoutError as error:
            raise TimedOut(f"{machine}: timed out waiting for SSH to answer") from error
        except (OSError, paramiko.SSHException) as error:
            raise ConnectFailed(f"{machine}: no connection to its management SSH: {error}") from error
        transport.banner_timeout = transport.auth_timeout = transport.handshake_timeout = wait_s
        try:
            _prefer_cheap(transport)
            key = paramiko.Ed25519Key.from_private_key_file(str(endpoint.key_file))
            transport.start_client(timeout=wait_s)
            _require_host_key(transport, endpoint, machine)
            transport.auth_publickey(user, key)
        except BaseException as error:
            transport.close()
            if isinstance(error, OSError | paramiko.SSHException | EOFError):
                reason = str(error) or type(error).__name__
                raise ConnectFailed(f"{machine}: management SSH as {user} failed: {reason}") from error
            raise
        return cls(transport, machine)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the shell and the connection; a second call does nothing."""
        if self._shell is not None:
            self._shell.close()
            self._shell = None
        self._transport.close()

    def run(self, command: str, *, stdin: bytes = b"", deadline: Deadline) -> CommandResult:
        """Run shell text to its end in the session's long-lived shell.

        Raises:
            GuestError: the machine went away.
            TimedOut: the command did not end in time; the next one gets a new shell.
        """
        if self._shell is None or self._shell.broken:
            stream = ChannelStream(self._open("sh"))
            self._shell = Shell.start(stream, deadline=deadline.sooner(_SHELL_S), machine=self._machine)
        return self._shell.run(command, stdin=stdin, deadline=deadline)

    def follow(self, command: str, show: Callable[[bytes], None], *, deadline: Deadline) -> int:
        """Run a command, hand what it prints to `show` as it comes, and return its exit status."""
        channel = self._open(command, merge_errors=True)
        with contextlib.closing(channel):
            channel.shutdown_write()
            stream = ChannelStream(channel)
            while data := stream.receive(deadline):
                show(data)
            return channel.recv_exit_status()

    @contextlib.contextmanager
    def channel(
        self, command: str | None, terminal: tuple[str, int, int] | None
    ) -> Iterator[paramiko.Channel]:
        """Hold a channel that runs `command`, or the login shell.

        `terminal` is the terminal's type, columns and lines, or None for plain pipes.
        """
        channel = self._open(command, terminal=terminal)
        with contextlib.closing(channel):
            yield channel

    def _open(
        self,
        command: str | None,
        *,
        terminal: tuple[str, int, int] | None = None,
        merge_errors: bool = False,
    ) -> paramiko.Channel:
        try:
            channel = self._transport.open_session(timeout=_CONNECT_S)
            channel.set_combine_stderr(merge_errors)
            if terminal:
                channel.get_pty(*terminal)
            if command is None:
                channel.invoke_shell()
            else:
                channel.exec_command(command)
        except (OSError, paramiko.SSHException, EOFError) as error:
            raise GuestError(f"{self._machine}: the SSH connection failed: {error}") from error
        return channel


def _require_host_key(transport: paramiko.Transport, endpoint: SshEndpoint, machine: str) -> None:
    """Refuse a machine that shows another key than the one that we gave it."""
    expected = base64.b64decode(endpoint.host_key.split()[1])
    if transport.get_remote_server_key().asbytes() != expected:
        raise ConnectFailed(
            f"{machine}: something else answers at {endpoint.host}:{endpoint.port}: its host key is not ours",
            hint="`lpiclab restart` and `lpiclab reset` give the machine a new way in",
        )


def _prefer_cheap(transport: paramiko.Transport) -> None:
    """Offer only what an emulated processor computes fastest; our machines' sshd has all of it."""
    options = transport.get_security_options()
    options.kex = [name for name in options.kex if name.startswith("curve25519")]
    options.key_types = ["ssh-ed25519"]
    options.ciphers = ["aes128-ctr"]
