r"""One long-lived shell: many commands over one byte stream.

Starting a program costs tens of milliseconds on an emulated machine, so a command must cost one
fork at most beyond its own. The stream is the shell's input and output; there is no third channel.
For the command ``false`` the shell is sent::

    ( printf 'MARK<\n'; :; eval ' false' ) </dev/null 2>ERR
    set -- $?; if [ -s ERR ]; then printf 'MARK>%d\n' $1; head …; printf 'MARK.\n'; else … fi; set --

- ``eval`` in a subshell keeps ``exit``, ``exec``, ``set -e``, traps and even syntax errors of a
  command from the shell, and costs no program. Everything but ``head`` is built in, and ``head`` runs
  only when something was written to standard error.
- ``:`` keeps the mark out of bash's ``$_``.
- What comes before ``MARK<`` is the late output of an earlier command's background children, and is
  thrown away. The mark is random: output can't hold it by accident.
- No ``MARK<`` means that the redirection failed: the scratch folder is gone. That is not the
  command's fault, so it must not look like status 2 from it.
"""

from __future__ import annotations

import contextlib
import secrets
import shlex
import socket
import string
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from lpiclab.errors import ConnectFailed, GuestError, TimedOut
from lpiclab.model import CommandResult
from lpiclab.wait import Deadline

OUTPUT_LIMIT_BYTES = 4 * 1024 * 1024
"""How much of a command's standard output, and of its standard error, is kept."""

_ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
}
_ERROR_FILES = 64
_SEND_LIMIT_S = 60.0
_RECEIVE_BYTES = 65536
_TAIL_BYTES = 2000
_SHORT = 80
_PLAIN = frozenset((string.ascii_letters + string.digits + ' _./:;,=+@#(){}[]<>"\n').encode())
_PRINTF = [chr(byte) if byte in _PLAIN else f"\\{byte:03o}" for byte in range(256)]


class ByteStream(Protocol):
    """A two-way stream of bytes with a shell at its other end."""

    def send(self, data: bytes, /) -> None:
        """Send all of `data`.

        Raises:
            MachineryError: the other end is gone, or took nothing for too long.
        """

    def receive(self, deadline: Deadline, /) -> bytes:
        """Return what has come in, waiting for at least one byte; ``b""`` at the end of the stream.

        Raises:
            TimedOut: nothing came before the deadline.
        """

    def close(self) -> None:
        """Close the stream; a second call does nothing."""


class SocketStream:
    """A `ByteStream` over a connected socket, such as that of a virtio-serial port."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    @classmethod
    def connect(cls, path: Path, *, deadline: Deadline) -> SocketStream:
        """Connect to the unix socket at `path` (at most 107 bytes long, see unix(7)).

        Raises:
            ConnectFailed: nobody listens there.
            TimedOut: the deadline came first.
        """
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(deadline.require(str(path)))
            connection.connect(str(path))
        except TimeoutError as error:
            connection.close()
            raise TimedOut(f"timed out connecting to {path}") from error
        except OSError as error:
            connection.close()
            raise ConnectFailed(f"cannot connect to {path}: {error.strerror or error}") from error
        except BaseException:
            connection.close()
            raise
        return cls(connection)

    def send(self, data: bytes, /) -> None:
        """Send all of `data`, for at most a minute."""
        self._socket.settimeout(_SEND_LIMIT_S)
        try:
            self._socket.sendall(data)
        except TimeoutError as error:
            raise TimedOut(f"the other end read nothing for {_SEND_LIMIT_S:.0f} s") from error
        except OSError as error:
            raise GuestError(f"the connection is lost: {error.strerror or error}") from error

    def receive(self, deadline: Deadline, /) -> bytes:
        """Return what has come in; a connection that was reset has ended too."""
        try:
            self._socket.settimeout(deadline.require("data"))
            return self._socket.recv(_RECEIVE_BYTES)
        except TimeoutError as error:
            raise TimedOut("timed out waiting for data") from error
        except OSError:
            return b""

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class Shell:
    """Run commands one after the other in a POSIX shell behind a `ByteStream`.

    Each command runs in a subshell with a fixed environment, in ``/``. Not for several threads.

    Traps: ``$$`` is the long-lived shell, so ``kill $$`` ends it (`run` then raises GuestError).
    What a background child writes to standard output while a later command runs lands in that
    command's output: redirect it. A command that timed out goes on running on the machine; `pid` says
    whose child it is.
    """

    def __init__(self, stream: ByteStream, *, machine: str, scratch: str) -> None:
        self._stream = stream
        self._machine = machine
        self._mark = f"lpiclab-{secrets.token_hex(16)}"
        self._folder = f"{scratch}/lpiclab-{secrets.token_hex(8)}"
        self._pending = bytearray()
        self._count = 0
        self._broken = ""
        self.pid = 0

    @classmethod
    def start(
        cls,
        stream: ByteStream,
        *,
        deadline: Deadline,
        machine: str = "the machine",
        scratch: str = "/run",
        program: str = "/bin/sh",
    ) -> Shell:
        """Turn the shell that reads `stream` into a clean one and return it.

        Nothing of the shell found there is kept: neither its environment nor its functions and
        aliases. What it printed before (a greeting) is skipped.

        Args:
            stream: Where a shell reads commands; from now on this object's own, closed on failure.
            deadline: When the shell has to be ready.
            machine: What messages call the machine.
            scratch: An existing folder on the machine, best on a tmpfs, for a private folder that
                goes away with the shell.
            program: The shell to run.

        Raises:
            GuestError: the shell ended instead, for instance because `scratch` can't be written.
            TimedOut: it was not ready in time.
        """
        shell = cls(stream, machine=machine, scratch=scratch)
        # An empty line first: it ends whatever half a line an earlier, killed user of a port left.
        with shell._breaking("its shell to start"):
            shell._stream.send(f"\n{shell._bootstrap(program)}\n".encode())
            shell._until(shell._mark, deadline)
            shell.pid = int(shell._until("\n", deadline)[0])
            shell._stream.send(f"trap {shlex.quote('rm -rf ' + shlex.quote(shell._folder))} EXIT\n".encode())
        return shell

    @property
    def broken(self) -> bool:
        """Whether the shell can't be used any more: make a new one."""
        return bool(self._broken)

    def run(self, command: str, *, stdin: bytes = b"", deadline: Deadline) -> CommandResult:
        """Run a command and return what it came to.

        Output beyond `OUTPUT_LIMIT_BYTES` is dropped, and a line at the end of `stderr` says so.
        Background children that keep the output open are not waited for.

        Args:
            command: POSIX shell text, of any number of lines.
            stdin: What the command reads; empty is ``/dev/null``.
            deadline: When to give up; the shell is broken then.

        Raises:
            TimedOut: the command did not end in time.
            GuestError: the shell ended, or was broken already.
            ValueError: the command contains a NUL.
        """
        if "\0" in command:
            raise ValueError(f"a command must not contain NUL: {command!r}")
        if self._broken:
            raise GuestError(f"{self._machine}: the shell can't be used any more: {self._broken}")
        started_s = time.monotonic()
        with self._breaking(f"`{_short(command)}`"):
            self._stream.send(self._framed(command, stdin))
            self._until(self._mark, deadline)
            if self._until("\n", deadline)[0] != b"<":
                raise GuestError(f"{self._machine}: {self._folder} is gone or can't be written")
            stdout, stdout_cut = self._until(self._mark + ">", deadline)
            status = int(self._until("\n", deadline)[0])
            stderr, stderr_cut = self._until(self._mark + ".\n", deadline)
        for name, cut in (("output", stdout_cut), ("error output", stderr_cut)):
            if cut:
                stderr += f"\n[lpiclab kept the first {OUTPUT_LIMIT_BYTES} bytes of the {name}]\n".encode()
        return CommandResult(
            command=command,
            status=status,
            stdout=stdout,
            stderr=stderr,
            seconds=time.monotonic() - started_s,
        )

    def close(self) -> None:
        """Close the stream, at whose end the shell ends; a second call does nothing.

        The shell is not told to exit: it may have read already what the port's next user sends.
        """
        if not self._broken:
            self._broken = "it was closed"
            with contextlib.suppress(GuestError, TimedOut):
                self._stream.send(f"rm -rf {shlex.quote(self._folder)}\n".encode())
        self._stream.close()

    def _bootstrap(self, program: str) -> str:
        """Return the line that replaces any shell by a clean one.

        The shell found there may read ahead, so nothing may follow the line until the mark is back.
        """
        clean = (
            f"umask 022; cd /; mkdir -m 700 {shlex.quote(self._folder)} || exit;"
            f" printf '%s%d\\n' {self._mark} $$; exec {shlex.quote(program)} 2>/dev/null"
        )
        environment = shlex.join(f"{name}={value}" for name, value in _ENVIRONMENT.items())
        return f"exec /usr/bin/env -i {environment} {shlex.quote(program)} -c {shlex.quote(clean)} 2>&1"

    def _framed(self, command: str, stdin: bytes) -> bytes:
        """Return what to send for a command; see the module's own words."""
        # Names rotate: a child left behind by an earlier command may still write to its file.
        self._count += 1
        errors = shlex.quote(f"{self._folder}/{self._count % _ERROR_FILES}")
        source, null = (f"printf '{_octal(stdin)}' | ", "") if stdin else ("", "</dev/null ")
        # The space keeps a command that begins with "-" from being an option of eval.
        text = shlex.quote(" " + command)
        return (
            f"{source}( printf '{self._mark}<\\n'; :; eval {text} ) {null}2>{errors}\n"
            f"set -- $?; if [ -s {errors} ]; then printf '{self._mark}>%d\\n' $1;"
            f" head -c {OUTPUT_LIMIT_BYTES + 1} {errors}; : >{errors}; printf '{self._mark}.\\n';"
            f" else printf '{self._mark}>%d\\n{self._mark}.\\n' $1; fi; set --\n"
        ).encode(errors="surrogateescape")

    def _until(self, end: str, deadline: Deadline) -> tuple[bytes, bool]:
        """Return what comes before `end`, and whether some of it was dropped."""
        wanted = end.encode()
        kept = bytearray()
        dropped = False
        while True:
            at = self._pending.find(wanted)
            # The last bytes may be the beginning of `wanted`.
            sure = at if at >= 0 else max(0, len(self._pending) - len(wanted) + 1)
            room = OUTPUT_LIMIT_BYTES - len(kept)
            kept += self._pending[: min(sure, room)]
            dropped = dropped or sure > room
            if at >= 0:
                del self._pending[: at + len(wanted)]
                return bytes(kept), dropped
            del self._pending[:sure]
            try:
                data = self._stream.receive(deadline)
            except TimedOut as error:
                error.details = _tail(kept + self._pending)
                raise
            if not data:
                raise GuestError("the shell ended", details=_tail(kept + self._pending))
            self._pending += data

    @contextlib.contextmanager
    def _breaking(self, what: str) -> Iterator[None]:
        """Make any failure inside the end of this shell, and say what was being waited for.

        An interrupt breaks it as well: the answer still to come would be taken for the next one's.
        """
        try:
            yield
        except BaseException as error:
            self._broken = f"{what} was cut short"
            self._stream.close()
            if isinstance(error, TimedOut):
                message = f"{self._machine}: timed out waiting for {what}"
                raise TimedOut(message, details=error.details) from error
            if isinstance(error, GuestError):
                message = f"{self._machine}: {error.message} while waiting for {what}"
                raise GuestError(message, hint=error.hint, details=error.details) from error
            raise


def _short(command: str) -> str:
    """Return the beginning of a command, on one line."""
    line = " ".join(command.split())
    return line if len(line) <= _SHORT else line[: _SHORT - 1] + "…"


def _tail(data: bytes | bytearray) -> str:
    """Return the end of some output, for an error's details."""
    return bytes(data[-_TAIL_BYTES:]).decode(errors="replace")


def _octal(data: bytes) -> str:
    """Return a format for printf(1), safe in single quotes, that prints exactly `data`."""
    return "".join(map(_PRINTF.__getitem__, data))
