"""List, read and write with smbclient from the client; look into the directories on the server."""

import re

from lpiclab.checks import expect, task
from lpiclab.checks.probes import NOTHING, last_line, nonce, put_file, take_file, unit_state

COMPLAINT = re.compile(
    r"^.*(?:unknown parameter|in service section|error|can't|not a service).*$", re.IGNORECASE | re.MULTILINE
)
NOT_LET_IN = ("NT_STATUS_ACCESS_DENIED", "NT_STATUS_LOGON_FAILURE", "NT_STATUS_ACCOUNT_DISABLED")


def said(result):
    """Return what a program complained of: Samba's status, or the last line."""
    text = result.stdout + result.stderr
    found = re.search(r"NT_STATUS_\w+", text)
    return found[0] if found else last_line(text)


class Client:
    """The client machine's smbclient, without a configuration of its own, as a guest or as somebody."""

    def __init__(self, host, parameters, password=None, user=None):
        self._host = host
        who = "--no-pass" if password is None else f"--user={user or parameters.user}%{password}"
        self._start = f"timeout 25 smbclient --configfile=/dev/null {who}"
        self._server = f"//{parameters.net}.{parameters.octet}"

    def shares(self):
        """Return the directories that the server lists, whether there is a list, and what smbclient says."""
        listed = self._host.run(f"{self._start} --grepable --list={self._server}")
        names = re.findall(r"^Disk\|([^|]+)\|", listed.stdout, re.MULTILINE)
        # smbclient succeeds without a list too; in each list there is at least IPC$.
        return names, "|" in listed.stdout, said(listed)

    def read(self, share, name):
        """Return the content of a file, or what smbclient says instead."""
        got = self._host.run(f"{self._start} {self._server}/{share} --command='get {name} -'")
        return next((line for line in got.stdout.splitlines() if line.startswith(name)), said(got))

    def write(self, share, name):
        """Put a file with its own name in it; return what smbclient says."""
        command = f'{self._start} {self._server}/{share} --command="put $f {name}"'
        return said(self._host.run(f"f=$(mktemp) && echo {name} > $f; {command}; rm $f"))

    def enter(self, share):
        """Return whether the share could be entered at all, and what smbclient says."""
        done = self._host.run(f"{self._start} {self._server}/{share} --command=pwd")
        return done.succeeded, said(done)


def written(server, client, share, folder, reader=None):
    """Write a file by way of a share, and have it read by that way too.

    Returns whether it came into the folder, what smbclient said to that, and what the reader got.
    """
    name = f"lpiclab-{nonce()}.txt"
    answer = client.write(share, name)
    got = reader.read(share, name) if reader else NOTHING
    return take_file(server, folder, name) == name, answer, "readable" if got == name else got


def refused(done, answer):
    """Return whether nothing was written because Samba refused it, not swept away afterwards."""
    return not done and answer.startswith("NT_STATUS")


def directory(host, path):
    """Return what kind of file is at a path: ``directory``."""
    return host.run("stat --dereference --format %%F %s", path).stdout.strip() or NOTHING


@task("share")
def test_share_is_in_the_list(server, client, parameters, distro):
    """The client finds the share in the server's list."""
    names, listed, answer = Client(client, parameters).shares()
    if not listed:
        expect(unit_state(server, "is-active", distro.services["samba"]), "active", why="stopped")
        names, listed, answer = Client(client, parameters).shares()
    expect(answer, parameters.share, ok=listed, why="unreachable")
    there = parameters.share in [name.lower() for name in names]
    expect(" ".join(names) or NOTHING, parameters.share, ok=there, why="absent")


@task("share")
def test_share_shows_the_directory(server, client, parameters):
    """A file from the directory can be read by whom the share lets in already, if there is somebody."""
    expect(directory(server, parameters.path), "directory", why="missing")
    name = put_file(server, parameters.path)
    answers = [
        Client(client, parameters, word).read(parameters.share, name) for word in (None, parameters.password)
    ]
    take_file(server, parameters.path, name)
    let_in = [answer for answer in answers if answer not in NOT_LET_IN]
    if let_in:
        expect(let_in[0], name, ok=name in let_in, why="other")
        return
    # Guests and users are asked for by other tasks: until then, Samba's own word.
    asked = f"--section-name={parameters.share} --parameter-name=path"
    path = server.run(f"testparm --suppress-prompt {asked} 2> /dev/null").stdout.strip()
    expect(path or NOTHING, parameters.path, ok=path.rstrip("/") == parameters.path, why="elsewhere")


@task("share")
def test_configuration_is_clean(server):
    """Samba's own test understands the whole configuration."""
    tested = server.run("testparm --suppress-prompt 2>&1 > /dev/null")
    complaint = COMPLAINT.search(tested.stdout)
    seen = complaint[0].strip() if complaint else NOTHING if tested.succeeded else said(tested)
    expect(seen, NOTHING, why="invalid")


@task("guest")
def test_guest_reads_and_writes(server, client, parameters):
    """Somebody without a name reads a file in the share, and writes one."""
    guest = Client(client, parameters)
    name = put_file(server, parameters.path)
    answer = guest.read(parameters.share, name)
    take_file(server, parameters.path, name)
    expect(answer, name, why="unreadable")
    done, answer, _ = written(server, guest, parameters.share, parameters.path)
    expect(answer, parameters.path, ok=done, why="unwritable")


@task("user")
def test_user_comes_in_with_the_password_only(server, client, parameters):
    """Samba knows the user, takes the right password and no other, and lets the user write for all."""
    known = server.run("pdbedit --list").stdout
    names = [line.partition(":")[0] for line in known.splitlines()]
    expect(" ".join(names) or NOTHING, parameters.user, ok=parameters.user in names, why="unknown")
    entered, answer = Client(client, parameters, parameters.password).enter(parameters.share)
    expect(answer, parameters.user, ok=entered, why="refused")
    entered, _ = Client(client, parameters, nonce()).enter(parameters.share)
    expect("welcome" if entered else "NT_STATUS_LOGON_FAILURE", "NT_STATUS_LOGON_FAILURE", why="open")
    user, guest = Client(client, parameters, parameters.password), Client(client, parameters)
    name = put_file(server, parameters.path)
    guests_read = guest.read(parameters.share, name) == name
    take_file(server, parameters.path, name)
    done, answer, read = written(server, user, parameters.share, parameters.path, reader=guest)
    expect(answer, parameters.path, ok=done, why="unwritable")
    # Where guests read nothing, another task says so.
    expect(read, "readable", ok=read == "readable" or not guests_read, why="private")


@task("notices")
def test_notices_are_written_by_the_user_only(server, client, parameters):
    """A guest reads the notices, the user's too, and can't write there; the user can."""
    share, path = parameters.notices, parameters.notices_path
    guest, user = Client(client, parameters), Client(client, parameters, parameters.password)
    names, _, _ = guest.shares()
    there = share in [name.lower() for name in names]
    expect(" ".join(names) or NOTHING, share, ok=there, why="absent")
    expect(directory(server, path), "directory", why="missing")
    name = put_file(server, path)
    answer = guest.read(share, name)
    take_file(server, path, name)
    expect(answer, name, why="unreadable")
    done, answer, _ = written(server, guest, share, path)
    shut = refused(done, answer)
    expect(answer if shut else "written", "NT_STATUS_ACCESS_DENIED", ok=shut, why="open")
    done, answer, read = written(server, user, share, path, reader=guest)
    expect(answer, path, ok=done, why="unwritable")
    expect(read, "readable", why="private")


@task("notices")
def test_another_user_writes_no_notices(fork, parameters):
    """Somebody else whom Samba knows, on a copy, can't write there."""
    word = nonce()
    fork.server.run(f"printf '%s\\n' {word} {word} | smbpasswd -s -a student")
    other = Client(fork.client, parameters, word, user="student")
    done, answer, _ = written(fork.server, other, parameters.notices, parameters.notices_path)
    shut = refused(done, answer)
    expect(answer if shut else "written", "NT_STATUS_ACCESS_DENIED", ok=shut, why="others")


@task("boot")
def test_samba_is_enabled(server, distro):
    """Samba is started at boot."""
    expect(unit_state(server, "is-enabled", distro.services["samba"]), "enabled", why="disabled")


@task("boot")
def test_shares_are_there_after_a_reboot(fork, parameters):
    """After a reboot of the server, on a copy, a guest reads in both shares again."""
    fork.reboot("server")
    guest = Client(fork.client, parameters)
    for share, path in (
        (parameters.share, parameters.path),
        (parameters.notices, parameters.notices_path),
    ):
        name = put_file(fork.server, path)
        expect(guest.read(share, name), name, why="gone", where=share)
