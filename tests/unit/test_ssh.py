"""Tests of management SSH against a real SSH server in a thread of this process."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import paramiko
import pytest
from paramiko import common

from lpiclab.errors import ConnectFailed, GuestError, TimedOut
from lpiclab.keys import make_key_pair
from lpiclab.model import SshEndpoint
from lpiclab.shell import Shell
from lpiclab.ssh import ChannelStream, Session, learn_host_key
from lpiclab.wait import Deadline


def _soon() -> Deadline:
    return Deadline.after(30.0)


class _Policy(paramiko.ServerInterface):
    """Accepts one key of root and of hanako; each command is run by this host's shell."""

    def __init__(self, key: paramiko.PKey) -> None:
        self._key = key

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        known = username in {"root", "hanako"} and key == self._key
        return common.AUTH_SUCCESSFUL if known else common.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        del username
        return "publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        del kind, chanid
        return common.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=_execute, args=(channel, command), daemon=True).start()
        return True


class _Transport(paramiko.Transport):
    """Tells when a channel's request was answered: a channel that closes before that looks refused."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection)
        self.answered = threading.Semaphore(0)

    def _send_user_message(self, data: paramiko.Message) -> None:
        super()._send_user_message(data)  # type: ignore[misc]  # the types leave it out
        if data.asbytes()[:1] == common.cMSG_CHANNEL_SUCCESS:
            self.answered.release()


def _execute(channel: paramiko.Channel, command: bytes) -> None:
    """Copy between a channel and a process until the process has ended."""
    transport = channel.get_transport()
    assert isinstance(transport, _Transport)
    transport.answered.acquire(timeout=20)
    with (
        contextlib.suppress(OSError, EOFError),
        contextlib.closing(channel),
        subprocess.Popen(
            ["/bin/sh", "-c", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        ) as process,
    ):
        threading.Thread(target=_feed, args=(channel, process), daemon=True).start()
        assert process.stdout
        while data := process.stdout.read(4096):
            channel.sendall(data)
        channel.send_exit_status(process.wait())


def _feed(channel: paramiko.Channel, process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    with contextlib.suppress(OSError, ValueError):
        while data := channel.recv(4096):
            process.stdin.write(data)
        process.stdin.close()


@dataclass(frozen=True)
class _Server:
    """A running server: where it is and what it has accepted."""

    endpoint: SshEndpoint
    transports: list[paramiko.Transport]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[_Server]:
    """Yield a server that knows one user's key."""
    host_key = make_key_pair(tmp_path / "host_key", "host")
    make_key_pair(tmp_path / "key", "user")
    policy = _Policy(paramiko.Ed25519Key.from_private_key_file(str(tmp_path / "key")))
    transports: list[paramiko.Transport] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
                while True:
                    connection, _ = listening.accept()
                    transport = _Transport(connection)
                    transports.append(transport)
                    transport.add_server_key(
                        paramiko.Ed25519Key.from_private_key_file(str(tmp_path / "host_key"))
                    )
                    transport.start_server(event=threading.Event(), server=policy)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = listening.getsockname()[1]
        yield _Server(
            SshEndpoint(host="127.0.0.1", port=port, host_key=host_key, key_file=tmp_path / "key"), transports
        )
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(20)
    for transport in transports:
        transport.close()


@pytest.fixture
def session(server: _Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Session]:
    """Yield a session as root, whose shells keep their scratch files in this test's folder."""
    start = Shell.start

    def local(stream: object, *, deadline: Deadline, machine: str) -> Shell:
        return start(stream, deadline=deadline, machine=machine, scratch=str(tmp_path))  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(Shell, "start", local)
    with Session.connect(server.endpoint, machine="raid1/server", deadline=_soon()) as made:
        yield made


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Path]:
    """Yield a pipe that whoever reads it waits for, until the test is over."""
    pipe = tmp_path / "hold"
    os.mkfifo(pipe)
    keeper = os.open(pipe, os.O_RDWR)
    yield pipe
    os.close(keeper)


def test_commands_run_and_their_ends_are_told(session: Session) -> None:
    """Output, errors, status and standard input pass through one connection."""
    result = session.run("cat; echo err >&2; exit 3", stdin=b"in", deadline=_soon())
    assert (result.stdout, result.stderr, result.status) == (b"in", b"err\n", 3)


def test_shell_is_kept_between_commands(session: Session, server: _Server) -> None:
    """A second command costs neither a shell nor a connection."""
    first = session.run("echo $$", deadline=_soon()).stdout
    assert session.run("echo $$", deadline=_soon()).stdout == first
    assert len(server.transports) == 1


def test_broken_shell_is_replaced(session: Session, server: _Server, hold: Path) -> None:
    """After a command that never ended the next one gets a new shell on the same connection."""
    first = session.run("echo $$", deadline=_soon()).stdout
    with pytest.raises(TimedOut, match="raid1/server"):
        session.run(f"cat {hold}", deadline=Deadline.after(0.2))
    second = session.run("echo $$", deadline=_soon()).stdout
    assert second != first
    assert len(server.transports) == 1


def test_followed_output_comes_as_it_is_printed(session: Session) -> None:
    """Both outputs are handed over, before the command has ended, and its status is returned."""
    seen: list[bytes] = []
    status = session.follow("echo one; echo two >&2; cat; exit 7", seen.append, deadline=_soon())
    assert status == 7
    assert b"".join(seen) == b"one\ntwo\n"


def test_following_ends_at_the_deadline(session: Session, hold: Path) -> None:
    """A command that goes on for ever does not hold us."""
    with pytest.raises(TimedOut):
        session.follow(f"cat {hold}", print, deadline=Deadline.after(0.1))


def test_channel_hands_through_bytes(session: Session) -> None:
    """A channel of one's own carries what is sent, and ends with its command."""
    with session.channel("cat", None) as channel:
        channel.sendall(b"\0\xff")
        channel.shutdown_write()
        assert channel.makefile("rb").read() == b"\0\xff"
        assert channel.recv_exit_status() == 0


def test_wrong_host_key_is_refused(server: _Server, tmp_path: Path) -> None:
    """Something else at the machine's address is never logged in to."""
    other = replace(server.endpoint, host_key=make_key_pair(tmp_path / "other", "other"))
    with pytest.raises(ConnectFailed, match="raid1/server: something else answers"):
        Session.connect(other, machine="raid1/server", deadline=_soon())
    assert not any(transport.is_authenticated() for transport in server.transports)


@pytest.mark.parametrize("wrong", ["key", "user"])
def test_refused_login_is_told(server: _Server, tmp_path: Path, wrong: str) -> None:
    """A key or a user that the machine does not know is a failed connection."""
    make_key_pair(tmp_path / "other", "other")
    endpoint = replace(server.endpoint, key_file=tmp_path / "other") if wrong == "key" else server.endpoint
    user = "nobody" if wrong == "user" else "root"
    with pytest.raises(ConnectFailed, match=f"management SSH as {user} failed"):
        Session.connect(endpoint, machine="raid1/server", user=user, deadline=_soon())


def test_nobody_there_is_told(server: _Server) -> None:
    """A port at which nothing listens is a failed connection that names the machine."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(ConnectFailed, match="raid1/server: no connection"):
        Session.connect(replace(server.endpoint, port=port), machine="raid1/server", deadline=_soon())


def test_silence_is_timed_out(server: _Server) -> None:
    """Something that accepts and says nothing is given up at the deadline."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = replace(server.endpoint, port=silent.getsockname()[1])
        with pytest.raises((ConnectFailed, TimedOut), match="raid1/server"):
            Session.connect(endpoint, machine="raid1/server", deadline=Deadline.after(0.3))


def test_lost_connection_is_an_error_of_the_machine(session: Session, server: _Server) -> None:
    """When the machine goes away a command fails, and so does the next one."""
    session.run("true", deadline=_soon())
    server.transports[0].close()
    for _ in range(2):
        with pytest.raises(GuestError, match="raid1/server"):
            session.run("true", deadline=_soon())


@pytest.mark.parametrize("error", [EOFError, OSError, paramiko.SSHException])
def test_channel_of_a_lost_connection(error: type[Exception]) -> None:
    """Whatever paramiko raises when a connection ends is one error of ours, and closing is quiet."""

    class _Lost:
        def settimeout(self, _: float) -> None:
            pass

        def sendall(self, _: bytes) -> None:
            raise error

        def close(self) -> None:
            raise EOFError

    stream = ChannelStream(_Lost())  # type: ignore[arg-type]  # as much of a channel as is used
    with pytest.raises(GuestError, match="connection is lost"):
        stream.send(b"x")
    stream.close()


def test_closing_twice_is_harmless(session: Session) -> None:
    """A closed session can be closed again."""
    session.run("true", deadline=_soon())
    session.close()
    session.close()


_SUDO = """#!/bin/sh
echo "$4" >> "${0%/*}/log"
[ "$1 $2 $3" = "-n -H -u" ] || exit 9
case $4 in root|student) ;; *) echo "sudo: a password is required" >&2; exit 1 ;; esac
LPICLAB_USER=$4 HOME=${0%/*} SHELL=/bin/bash
export LPICLAB_USER HOME SHELL
shift 4
[ "$1" = -i ] && exec sh -c 'echo login'
[ "$1" = -- ] && shift
exec "$@"
"""


@pytest.fixture
def inventoried(server: _Server) -> SshEndpoint:
    """Return the server as an inventory would have it, with a user who has to become root."""
    return replace(server.endpoint, user="hanako", sudo=True, learner="hanako", inventoried=True)


@pytest.fixture
def sudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a sudo on the server's PATH, and return it."""
    program = tmp_path / "sudo"
    program.write_text(_SUDO)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return program


def test_root_is_had_by_sudo(inventoried: SshEndpoint, sudo: Path) -> None:
    """Commands, followed ones and login shells go by sudo, which never asks; they begin at home."""
    said: list[bytes] = []
    with Session.connect(inventoried, machine="raid1/server", deadline=_soon()) as session:
        command = "echo $LPICLAB_USER 'a  b' ${PWD##*/} ${BASH_VERSION:+bash}; exit 3"
        assert session.follow(command, said.append, deadline=_soon()) == 3
        with session.channel(None, None) as channel:
            assert channel.makefile("rb").read() == b"login\n"
    assert b"".join(said) == f"root a  b {sudo.parent.name} bash\n".encode()
    assert (sudo.parent / "log").read_text().splitlines() == ["root"] * 3


def test_other_users_are_reached_by_sudo(inventoried: SshEndpoint, sudo: Path) -> None:
    """Where only one user is let in, the others are reached by that one."""
    with Session.connect(inventoried, machine="raid1/server", user="student", deadline=_soon()) as session:
        said: list[bytes] = []
        session.follow("echo $LPICLAB_USER", said.append, deadline=_soon())
    assert said == [b"student\n"]
    assert (sudo.parent / "log").read_text().splitlines() == ["student"] * 2


def test_user_is_not_made_root(inventoried: SshEndpoint, sudo: Path) -> None:
    """Who asks for a user gets a shell as that one."""
    said: list[bytes] = []
    with Session.connect(inventoried, machine="raid1/server", user="hanako", deadline=_soon()) as session:
        session.follow("echo me", said.append, deadline=_soon())
    assert said == [b"me\n"]
    assert not (sudo.parent / "log").exists()


def test_sudo_with_a_password_is_told(inventoried: SshEndpoint, sudo: Path, server: _Server) -> None:
    """What sudo said, and the line for sudoers; nothing stays connected."""
    sudo.write_text("#!/bin/sh\necho sudo: a password is required >&2\nexit 1\n")
    with pytest.raises(ConnectFailed, match="hanako can't become root by sudo without a password") as raised:
        Session.connect(inventoried, machine="raid1/server", deadline=_soon())
    assert raised.value.details == "sudo: a password is required"
    assert "/etc/sudoers.d/hanako" in raised.value.hint
    server.transports[0].join(20)
    assert not server.transports[0].is_active()


def test_wrong_key_of_an_inventory_is_told_with_both(inventoried: SshEndpoint, tmp_path: Path) -> None:
    """Fingerprints, as OpenSSH shows them, tell which of the two is wrong."""
    other = replace(inventoried, host_key=make_key_pair(tmp_path / "other", "other"))
    with pytest.raises(ConnectFailed, match="its host key is not ours") as raised:
        Session.connect(other, machine="raid1/server", deadline=_soon())
    for file in ("host_key", "other"):
        assert paramiko.PKey.from_path(tmp_path / file).fingerprint in raised.value.hint


def test_refused_login_of_an_inventory_has_a_hint(inventoried: SshEndpoint) -> None:
    """It is the inventory that may be wrong, or the machine's authorized_keys."""
    with pytest.raises(ConnectFailed, match="management SSH as nobody failed") as raised:
        Session.connect(replace(inventoried, user="nobody"), machine="raid1/server", deadline=_soon())
    assert "authorized_keys" in raised.value.hint


def test_nobody_at_an_inventorys_address_has_a_hint(inventoried: SshEndpoint) -> None:
    """The machine may be off."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(ConnectFailed) as raised:
        Session.connect(replace(inventoried, port=port), machine="raid1/server", deadline=_soon())
    assert raised.value.hint == f"is it switched on, and does its sshd listen at 127.0.0.1 port {port}?"


@pytest.mark.parametrize("key", [paramiko.ECDSAKey.generate(), paramiko.RSAKey.generate(2048)])
def test_other_kinds_of_private_keys_are_read(
    inventoried: SshEndpoint, tmp_path: Path, key: paramiko.PKey
) -> None:
    """A user's own key need not be ed25519; here it is one that the server does not know."""
    key.write_private_key_file(str(tmp_path / "own"))
    with pytest.raises(ConnectFailed, match="Authentication failed"):
        Session.connect(
            replace(inventoried, key_file=tmp_path / "own"), machine="raid1/server", deadline=_soon()
        )


@pytest.mark.parametrize("key", ["with a passphrase", "damaged", "absent"])
def test_private_key_that_can_not_be_used_is_told(inventoried: SshEndpoint, tmp_path: Path, key: str) -> None:
    """Nobody can be asked for a passphrase; and a file may be no key, or not be there."""
    file = tmp_path / "own"
    if key == "damaged":
        file.write_text("no key\n")
    elif key == "with a passphrase":
        paramiko.ECDSAKey.generate().write_private_key_file(str(file), password="secret")  # noqa: S106 - of a test
    with pytest.raises(ConnectFailed, match=r"the private key .* can't be used") as raised:
        Session.connect(replace(inventoried, key_file=file), machine="raid1/server", deadline=_soon())
    assert "without a passphrase" in raised.value.hint


def test_end_of_a_connection_is_noticed(session: Session, server: _Server) -> None:
    """A machine that goes down closes it; one that does not is waited for until the deadline."""
    assert not session.wait_closed(Deadline.after(0))
    server.transports[0].close()
    assert session.wait_closed(_soon())


def test_host_key_is_learnt(server: _Server) -> None:
    """What a machine shows is the line that its endpoint would have."""
    endpoint = server.endpoint
    line = learn_host_key(endpoint.host, endpoint.port, machine="raid1/server", deadline=_soon())
    assert line.split() == endpoint.host_key.split()[:2]


def test_host_key_of_nobody_is_told() -> None:
    """Where something does not speak SSH the machine is named, and so is where nothing answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def hang_up() -> None:
            listening.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        with pytest.raises(ConnectFailed, match="raid1/server: no host key"):
            learn_host_key("127.0.0.1", port, machine="raid1/server", deadline=_soon())
    with pytest.raises(ConnectFailed, match="raid1/server: no connection"):
        learn_host_key("127.0.0.1", port, machine="raid1/server", deadline=_soon())
