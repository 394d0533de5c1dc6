"""Management SSH: the only importer of paramiko.

One connection a machine. Host keys are known beforehand; an unknown one is refused. `learn_host_key`
is for providers whose machines can't be asked in another way.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
import shlex
import socket
from collections.abc import Callable, Iterator
from typing import Self

import paramiko

from lpiclab.errors import ConnectFailed, GuestError, TimedOut
from lpiclab.model import CommandResult, SshEndpoint
from lpiclab.shell import Shell
from lpiclab.wait import Deadline

# Without a handler its words, tracebacks among them, would be printed beside our own error.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

_CONNECT_S = 30.0
_SHELL_S = 20.0
_SEND_LIMIT_S = 60.0
_RECEIVE_BYTES = 65536
_AS_SSHD = 'cd; exec "$SHELL" -c "$0"'
"""How sshd(8) runs a command; sudo has set HOME and SHELL."""
_LOGIN_HINT = "does the user in the inventory have this key in ~/.ssh/authorized_keys there?"


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

    def __init__(self, transport: paramiko.Transport, machine: str, become: str = "") -> None:
        self._transport = transport
        self._machine = machine
        self._become = become
        self._shell: Shell | None = None

    @classmethod
    def connect(
        cls, endpoint: SshEndpoint, *, machine: str, user: str = "root", deadline: Deadline
    ) -> Session:
        """Connect and log in, by the endpoint's user and sudo where nobody else is let in.

        Raises:
            ConnectFailed: nobody answers, it is not the machine we know, it refuses our key, or sudo
                wants a password.
            TimedOut: it did not answer in time.
        """
        wait_s = min(_CONNECT_S, deadline.require(f"{machine} to answer on SSH"))
        login = endpoint.user if endpoint.sudo else user
        key = _private_key(endpoint, machine)
        transport = _reach(endpoint.host, endpoint.port, machine, wait_s, hint=_reach_hint(endpoint))
        try:
            _offer(transport, ours=not endpoint.inventoried)
            transport.start_client(timeout=wait_s)
            _require_host_key(transport, endpoint, machine)
            transport.auth_publickey(login, key)
            session = cls(transport, machine, become="" if user == login else user)
            session._require_sudo(deadline)
        except BaseException as error:
            transport.close()
            if isinstance(error, OSError | paramiko.SSHException | EOFError):
                reason = str(error) or type(error).__name__
                raise ConnectFailed(
                    f"{machine}: management SSH as {login} failed: {reason}",
                    hint=_LOGIN_HINT if endpoint.inventoried else "",
                ) from error
            raise
        return session

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

    def wait_closed(self, deadline: Deadline) -> bool:
        """Wait until the other end closes the connection; tell whether it has."""
        self._transport.join(deadline.left_s())
        return not self._transport.is_active()

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

    def _require_sudo(self, deadline: Deadline) -> None:
        """Find out now whether sudo lets us: later on it would look as if each command failed."""
        if not self._become:
            return
        said: list[bytes] = []
        if self.follow("true", said.append, deadline=deadline.sooner(_CONNECT_S)) != 0:
            login = self._transport.get_username()
            raise ConnectFailed(
                f"{self._machine}: {login} can't become {self._become} by sudo without a password",
                hint=f"as root on it: echo '{login} ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/{login}",
                details=b"".join(said).decode(errors="replace").strip(),
            )

    def _open(
        self,
        command: str | None,
        *,
        terminal: tuple[str, int, int] | None = None,
        merge_errors: bool = False,
    ) -> paramiko.Channel:
        if self._become:
            command = _as_user(self._become, command)
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


def learn_host_key(host: str, port: int, *, machine: str, deadline: Deadline) -> str:
    """Return the public key line of whatever answers at an address.

    It trusts at first sight: who can answer in the machine's place then is believed from then on.

    Raises:
        ConnectFailed: nobody answers, or with no SSH that we speak.
        TimedOut: it did not answer in time.
    """
    wait_s = min(_CONNECT_S, deadline.require(f"{machine} to answer on SSH"))
    transport = _reach(host, port, machine, wait_s)
    try:
        _offer(transport, ours=False)
        transport.start_client(timeout=wait_s)
        key = transport.get_remote_server_key()
    except (OSError, paramiko.SSHException, EOFError) as error:
        reason = str(error) or type(error).__name__
        raise ConnectFailed(f"{machine}: no host key could be learnt: {reason}") from error
    finally:
        transport.close()
    return f"{key.get_name()} {key.get_base64()}"


def _reach(host: str, port: int, machine: str, wait_s: float, *, hint: str = "") -> paramiko.Transport:
    try:
        transport = paramiko.Transport(socket.create_connection((host, port), timeout=wait_s))
    except TimeoutError as error:
        raise TimedOut(f"{machine}: timed out waiting for SSH to answer", hint=hint) from error
    except (OSError, paramiko.SSHException) as error:
        raise ConnectFailed(f"{machine}: no connection to its management SSH: {error}", hint=hint) from error
    transport.banner_timeout = transport.auth_timeout = transport.handshake_timeout = wait_s
    return transport


def _private_key(endpoint: SshEndpoint, machine: str) -> paramiko.PKey:
    try:
        return paramiko.PKey.from_path(endpoint.key_file)
    except Exception as error:
        # No file, a passphrase, damage: what reads keys has exceptions of many kinds for it.
        raise ConnectFailed(
            f"{machine}: the private key {endpoint.key_file} can't be used: {error}",
            hint="it has to be an OpenSSH or PEM key file without a passphrase",
        ) from error


def _as_user(user: str, command: str | None) -> str:
    """Return what runs `command`, or a login shell, as another user by sudo: as if that one had come in."""
    sudo = ["sudo", "-n", "-H", "-u", user]
    return shlex.join([*sudo, "-i"] if command is None else [*sudo, "--", "sh", "-c", _AS_SSHD, command])


def _require_host_key(transport: paramiko.Transport, endpoint: SshEndpoint, machine: str) -> None:
    """Refuse a machine that shows another key than the one that we know."""
    expected = base64.b64decode(endpoint.host_key.split()[1])
    shown = transport.get_remote_server_key().asbytes()
    if shown == expected:
        return
    message = (
        f"{machine}: something else answers at {endpoint.host}:{endpoint.port}: its host key is not ours"
    )
    if endpoint.inventoried:
        hint = (
            f"it shows {_fingerprint(shown)}, the inventory has {_fingerprint(expected)}: compare with"
            " `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the machine itself"
        )
    else:
        hint = "`lpiclab restart` and `lpiclab reset` give the machine a new way in"
    raise ConnectFailed(message, hint=hint)


def _fingerprint(key: bytes) -> str:
    """Return a public key's fingerprint as OpenSSH shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def _reach_hint(endpoint: SshEndpoint) -> str:
    if not endpoint.inventoried:
        return ""
    return f"is it switched on, and does its sshd listen at {endpoint.host} port {endpoint.port}?"


def _offer(transport: paramiko.Transport, *, ours: bool) -> None:
    """Offer of our own machines only what an emulated processor computes fastest: their sshd has it."""
    options = transport.get_security_options()
    options.key_types = ["ssh-ed25519"]
    if ours:
        options.kex = [name for name in options.kex if name.startswith("curve25519")]
        options.ciphers = ["aes128-ctr"]
