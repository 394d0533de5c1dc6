"""List, read and write with smbclient from the client; look into the directories on the server."""

import re

from lpiclab.checks import expect, task
from lpiclab.checks.probes import NOTHING, last_line, nonce, put_file, take_file, unit_state

COMPLAINT = re.compile(r"^.*(?:unknown parameter|error|can't|not a service).*$", re.IGNORECASE | re.MULTILINE)


def said(result):
    """Return what a program complained of: Samba's status, or the last line."""
    text = result.stdout + result.stderr
    found = re.search(r"NT_STATUS_\w+", text)
    return found[0] if found else last_line(text)


class Client:
    """The client machine's smbclient, without a configuration of its own, as a guest or as somebody."""

    def __init__(self, host, parameters, password=None):
        self._host = host
        who = "--no-pass" if password is None else f"--user={parameters.user}%{password}"
        self._start = f"timeout 25 smbclient --configfile=/dev/null {who}"
        self._server = f"//{parameters.net}.{parameters.octet}"

    def shares(self):
        """Return the names of the directories that the server lists, and what smbclient says."""
        listed = self._host.run(f"{self._start} --grepable --list={self._server}")
        return re.findall(r"^Disk\|([^|]+)\|", listed.stdout, re.MULTILINE), said(listed)

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


def written(server, client, share, folder):
    """Write a file by way of a share; return whether it came into the folder, and what smbclient says."""
    name = f"lpiclab-{nonce()}.txt"
    answer = client.write(share, name)
    return take_file(server, folder, name) == name, answer


@task("share")
def test_share_is_in_the_list(server, client, parameters, distro):
    """The client finds the share in the server's list."""
    names, answer = Client(client, parameters).shares()
    if not names:
        expect(unit_state(server, "is-active", distro.services["samba"]), "active", why="stopped")
        names, answer = Client(client, parameters).shares()
    expect(answer, parameters.share, ok=bool(names), why="unreachable")
    listed = {name.lower() for name in names}
    expect(" ".join(names), parameters.share, ok=parameters.share in listed, why="absent")


@task("share")
def test_share_shows_the_directory(server, client, parameters):
    """A file from the directory can be read by way of the share, by anybody at all."""
    name = put_file(server, parameters.path)
    answers = [
        Client(client, parameters, word).read(parameters.share, name) for word in (None, parameters.password)
    ]
    take_file(server, parameters.path, name)
    expect(answers[0], name, ok=name in answers, why="other")


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
    done, answer = written(server, guest, parameters.share, parameters.path)
    expect(answer, parameters.path, ok=done, why="unwritable")


@task("user")
def test_user_comes_in_with_the_password_only(server, client, parameters):
    """Samba knows the user, takes the right password and no other, and lets the user write."""
    known = server.run("pdbedit --list").stdout
    names = [line.partition(":")[0] for line in known.splitlines()]
    expect(" ".join(names) or NOTHING, parameters.user, ok=parameters.user in names, why="unknown")
    entered, answer = Client(client, parameters, parameters.password).enter(parameters.share)
    expect(answer, parameters.user, ok=entered, why="refused")
    entered, _ = Client(client, parameters, nonce()).enter(parameters.share)
    expect("welcome" if entered else "NT_STATUS_LOGON_FAILURE", "NT_STATUS_LOGON_FAILURE", why="open")
    user = Client(client, parameters, parameters.password)
    done, answer = written(server, user, parameters.share, parameters.path)
    expect(answer, parameters.path, ok=done, why="unwritable")


@task("notices")
def test_notices_are_written_by_the_user_only(server, client, parameters):
    """A guest reads the notices and can't write there; the user can."""
    guest, user = Client(client, parameters), Client(client, parameters, parameters.password)
    names, _ = guest.shares()
    expect(
        " ".join(names),
        parameters.notices,
        ok=parameters.notices in [name.lower() for name in names],
        why="absent",
    )
    name = put_file(server, parameters.notices_path)
    answer = guest.read(parameters.notices, name)
    take_file(server, parameters.notices_path, name)
    expect(answer, name, why="unreadable")
    # Refused, not written and swept away: smbclient says so.
    done, answer = written(server, guest, parameters.notices, parameters.notices_path)
    refused = not done and answer.startswith("NT_STATUS")
    expect(answer if refused else "written", "NT_STATUS_ACCESS_DENIED", ok=refused, why="open")
    done, answer = written(server, user, parameters.notices, parameters.notices_path)
    expect(answer, parameters.notices_path, ok=done, why="unwritable")


@task("boot")
def test_samba_is_enabled(server, distro):
    """Samba is started at boot."""
    expect(unit_state(server, "is-enabled", distro.services["samba"]), "enabled", why="disabled")


@task("boot")
def test_share_is_there_after_a_reboot(fork, parameters):
    """After a reboot of the server, on a copy, the share shows its directory again."""
    fork.reboot("server")
    name = put_file(fork.server, parameters.path)
    user = Client(fork.client, parameters, parameters.password)
    answers = [Client(fork.client, parameters).read(parameters.share, name)]
    if answers[0] != name:
        answers.append(user.read(parameters.share, name))
    expect(answers[0], name, ok=name in answers, why="gone")
