"""Ask the directory with the LDAP tools, from the client and from the server: both must hear the same.

Whether something may be written is asked with the control "no operation": the server does everything
but the change itself. Only the copy of the machines is really written to.
"""

import base64
import re

from lpiclab.checks import expect, task
from lpiclab.checks.probes import NOTHING, last_line, nonce, port_holders, route, unit_state

DONE = "No Operation"
DENIED = "Insufficient access (50)"
# What the service's settings add to the command line of slapd.
SETTINGS = (
    '[ -d "$SLAPD_CONF" ] && option=-F || option=-f; '
    'echo " ${SLAPD_USER:+-u $SLAPD_USER} ${SLAPD_CONF:+$option $SLAPD_CONF} $SLAPD_OPTIONS"'
)


class Directory:
    """The server's directory as `host` sees it; files and variables with settings are not read."""

    def __init__(self, host, parameters):
        self._host = host
        self._to = f"-x -o nettimeout=5 -H ldap://{parameters.net}.{parameters.octet}"

    def search(self, base, scope, *attributes, who=("", "")):
        """Return the entries, each a dict of lists with its ``dn``, and the complaint, empty if none."""
        options = f"-LLL -o ldif-wrap=no {self._to} -s {scope}"
        words = " ".join(attributes)
        command = f"LDAPNOINIT=1 ldapsearch {options} -D %s -w %s -b %s '(objectClass=*)' {words}"
        got = self._host.run(command, *who, base)
        return entries(got.stdout), complaint(got)

    def password(self, entry, who=("", "")):
        """Return the stored passwords of an entry."""
        found, _ = self.search(entry, "base", "userPassword", who=who)
        return found[0].get("userpassword", []) if found else []

    def try_change(self, ldif, who=("", "")):
        """Return what the server says to a change that it only tries: `DONE` when it is allowed."""
        return self.change(ldif, who, "-e '!noop'")

    def change(self, ldif, who, options=""):
        """Return what the server says to a change that it makes: nothing when it is made."""
        command = f"LDAPNOINIT=1 ldapmodify {options} {self._to} -D %s -w %s"
        got = self._host.run(f"printf '%%s\\n' %s | {command}", ldif, *who)
        return complaint(got)


def entries(ldif):
    """Return the entries of an LDIF text that is not wrapped; names of attributes in small letters."""
    found = []
    for block in re.split(r"\n\n+", ldif.strip()):
        entry = {}
        for name, colon, value in re.findall(r"^([^:#\s]+)(::?) ?(.*)$", block, re.MULTILINE):
            text = base64.b64decode(value).decode(errors="replace") if colon == "::" else value
            entry.setdefault(name.lower(), []).append(text)
        if "dn" in entry:
            found.append(entry)
    return found


def complaint(result):
    """Return what an LDAP tool complained about: ``No such object (32)``; empty if all went well."""
    said = [line for line in result.stderr.splitlines() if re.match(r"ldap_|No such|ldapsearch:", line)]
    last = said[0] if said else last_line(result.stderr)
    return "" if result.succeeded else re.sub(r"^ldap_[^:]*: ", "", last)


def digits(number):
    """Return a telephone number as it is compared, without blanks and hyphens."""
    return re.sub(r"[^+0-9]", "", number)


def same(dn):
    """Return a name as it is compared: in small letters, no blanks but single ones within values."""
    return re.sub(r"\s*([,=])\s*", r"\1", " ".join(dn.lower().split()))


def suffix(parameters):
    """Return the name at the root of the directory."""
    return f"dc={parameters.dc},dc={parameters.top}"


def manager(parameters):
    """Return the manager's name and password."""
    return f"cn={parameters.manager},{suffix(parameters)}", parameters.manager_password


def person(parameters):
    """Return the name of the entry of the slides, and its password."""
    name = f"cn={parameters.surname} {parameters.given},ou={parameters.people},{suffix(parameters)}"
    return name, parameters.surname_password


def user(parameters):
    """Return the name of the user's entry, and its password."""
    return f"uid={parameters.user},ou={parameters.people},{suffix(parameters)}", parameters.user_password


@task("suffix")
def test_server_holds_the_suffix(server, client, parameters, distro):
    """The service's slapd answers on the network, and anybody can read the entry of the suffix."""
    unit, address = distro.services["ldap"], f"{parameters.net}.{parameters.octet}"
    expect(unit_state(server, "is-active", unit), "active", why="stopped")
    holder = port_holders(server, "tcp", 389, address, unit)
    expect(holder, f"{address}:389", ok=holder != NOTHING, why="deaf")
    expect(holder, "slapd", why="foreign")
    way = route(client, address)
    expect(way, address, ok=way.startswith(address), why="self")
    for machine, host in (("client", client), ("server", server)):
        found, said = Directory(host, parameters).search(suffix(parameters), "base", "dn")
        expect(said, "LDAP", ok="contact" not in said, why="unreachable", machine=machine)
        expect(said or NOTHING, suffix(parameters), ok=bool(found), why="absent", machine=machine)


@task("manager")
def test_manager_may_write(server, client, parameters):
    """The manager binds with the password and may add an entry; nobody may without a name."""
    who, root = manager(parameters), suffix(parameters)
    name = nonce()
    entry = f"dn: ou={name},{root}\nchangetype: add\nobjectClass: organizationalUnit\nou: {name}"
    for machine, host in (("client", client), ("server", server)):
        directory = Directory(host, parameters)
        _, said = directory.search(root, "base", "dn", who=who)
        expect(said or NOTHING, who[0], ok=not said, why="bind", machine=machine)
        said = directory.try_change(entry, who)
        expect(said or NOTHING, DONE, ok=said.startswith(DONE), why="read_only", machine=machine)
        said = directory.try_change(entry)
        refused = said and not said.startswith(DONE)
        expect(said or NOTHING, DENIED, ok=refused, why="anybody", machine=machine)


@task("people")
def test_entries_are_there(server, client, parameters):
    """The unit and both entries below it are there, with what was asked of them."""
    unit = f"ou={parameters.people},{suffix(parameters)}"
    name, account = person(parameters)[0], user(parameters)[0]
    number = f"+81 3 {parameters.phone} {parameters.extension}"
    for host in (client, server):
        found = {}
        for dn in (unit, name, account):
            got, said = Directory(host, parameters).search(dn, "base")
            expect(said or NOTHING, dn, ok=bool(got), why="absent")
            found[dn] = got[0]
        surnames = found[name].get("sn", [])
        expect(" ".join(surnames) or NOTHING, parameters.surname, ok=parameters.surname in surnames, why="sn")
        phones = found[name].get("telephonenumber", [])
        right = digits(number) in map(digits, phones)
        expect(", ".join(phones) or NOTHING, number, ok=right, why="phone", dn=name)


@task("password")
def test_both_have_a_hashed_password(server, client, parameters, distro):
    """Both bind with their password, and no password is kept in clear."""
    for dn, password in (user(parameters), person(parameters)):
        for machine, host in (("client", client), ("server", server)):
            _, said = Directory(host, parameters).search(suffix(parameters), "base", "dn", who=(dn, password))
            expect(said or NOTHING, dn, ok=not said, why="bind", machine=machine)
        stored = Directory(server, parameters).password(dn, manager(parameters))
        # A manager who is no root of the database need not be able to read it.
        stored = stored or dumped(server, parameters, distro, dn)
        clear = [each for each in stored if not re.match(r"\{(?!CLEARTEXT)[\w./-]+\}.", each, re.IGNORECASE)]
        kept = re.sub(r"(?<=^..).*", "…", clear[0]) if clear else "{SSHA}" if stored else NOTHING
        expect(kept, "{SSHA}…", ok=stored and not clear, why="clear", dn=dn)


@task("private")
def test_passwords_are_private(server, client, parameters):
    """Nobody reads another's stored password, and each may change their own and nothing else."""
    people = (user(parameters), person(parameters))
    for machine, host in (("client", client), ("server", server)):
        directory = Directory(host, parameters)
        for who in (("", ""), *people):
            seen = readable(directory, parameters, who)
            expect(seen, NOTHING, why="readable", who=who[0] or NOTHING, machine=machine)
        for who, (other, _) in zip(people, reversed(people), strict=True):
            said = directory.try_change(new_password(who[0]), who)
            expect(said or NOTHING, DONE, ok=said.startswith(DONE), why="fixed", who=who[0], machine=machine)
            said = directory.try_change(new_password(other), who)
            refused = said and not said.startswith(DONE)
            expect(said or NOTHING, DENIED, ok=refused, why="writable", who=who[0], machine=machine)


def readable(directory, parameters, who):
    """Return the names of all others whose stored password `who` reads."""
    found, _ = directory.search(suffix(parameters), "sub", "userPassword", who=who)
    others = [each for each in found if same(each["dn"][0]) != same(who[0])]
    return " ".join(each["dn"][0] for each in others if each.get("userpassword")) or NOTHING


def new_password(dn):
    """Return the LDIF that gives an entry another password."""
    change = "replace: userPassword\nuserPassword"
    return f"dn: {dn}\nchangetype: modify\n{change}: {nonce()}"


def next_start(server, distro):
    """Return slapd's user at the service's next start, and the option that names its configuration."""
    settings = distro.paths.get("ldap_defaults")
    words = server.run(f". {settings}; {SETTINGS}").stdout if settings else ""
    words += server.run("systemctl show --property ExecStart --value %s", distro.services["ldap"]).stdout
    users = re.findall(r"\s-u\s*(\w\S*)", words) or ["root"]
    places = re.findall(r"""\s(-[fF])\s*["']?(/[^\s"';]+)""", words) or [("", "")]
    return users[-1], " ".join(places[-1])


def dumped(server, parameters, distro, dn):
    """Return the passwords of an entry as they stand in the database."""
    _, place = next_start(server, distro)
    dump = server.run(f"slapcat {place} -o ldif-wrap=no -b %s", suffix(parameters))
    found = [each for each in entries(dump.stdout) if same(each["dn"][0]) == same(dn)]
    return found[0].get("userpassword", []) if found else []


@task("boot")
def test_directory_comes_back_after_a_boot(server, parameters, distro):
    """The service starts at boot, and its user finds all entries in the database that it will open then."""
    expect(unit_state(server, "is-enabled", distro.services["ldap"]), "enabled", why="disabled")
    root = suffix(parameters)
    slapd, place = next_start(server, distro)
    as_slapd = f'setpriv --reuid={slapd} --regid="$(id --group {slapd})" --init-groups'
    dump = server.run(f"{as_slapd} slapcat {place} -o ldif-wrap=no -b %s", root)
    expect(last_line(dump.stderr), NOTHING, ok=dump.succeeded, why="invalid", place=place)
    kept = {same(each["dn"][0]) for each in entries(dump.stdout)}
    for dn in (root, person(parameters)[0], user(parameters)[0]):
        expect(" ".join(sorted(kept)) or NOTHING, dn, ok=same(dn) in kept, why="lost")


@task("boot")
def test_directory_is_as_before_after_a_reboot(fork, parameters):
    """After a reboot of the server, on a copy, both bind, the manager writes, and passwords are private."""
    fork.reboot("server")
    directory = Directory(fork.client, parameters)
    for dn, password in (person(parameters), user(parameters)):
        _, said = directory.search(suffix(parameters), "base", "dn", who=(dn, password))
        expect(said or NOTHING, dn, ok=not said, why="gone")
    for who in (("", ""), user(parameters)):
        expect(readable(directory, parameters, who), NOTHING, why="readable", who=who[0] or NOTHING)
    # The rules are for everybody, not for those who are known: here is one more.
    name, password = nonce(), nonce()
    newcomer = f"cn={name},ou={parameters.people},{suffix(parameters)}", password
    entry = f"objectClass: person\ncn: {name}\nsn: {name}\nuserPassword: {password}"
    said = directory.change(f"dn: {newcomer[0]}\nchangetype: add\n{entry}", manager(parameters))
    expect(said or NOTHING, NOTHING, why="unwritable")
    expect(readable(directory, parameters, newcomer), NOTHING, why="readable", who=newcomer[0])
