"""Ask name servers with dig, and read what it prints."""

from __future__ import annotations

import ipaddress
import re
from itertools import pairwise
from typing import NamedTuple

from testinfra.host import Host

from lpiclab.checks.probes import NOTHING, is_young, last_line

_KEY = re.compile(r'key "([^"]+)" \{\s*algorithm "?([\w.-]+)"?;\s*secret "([^"]+)";')
_SERVER_KEY = re.compile(r'\bserver ([\d./]+) \{[^}]*?\bkeys\s+(?:\{\s*)?"?([^";\s]+)')
_OPTIONS = "-r +norecurse +noauthority +noadditional +time=2"
_TRIES = 8


def dig(host: Host, question: str, *, until: str = "") -> str:
    """Return what dig, without ``~/.digrc``, prints on a machine: answers only, and no recursion.

    With `until` it asks again, a second apart and eight times at most, until that is printed.

    >>> dig(client, "@192.168.130.1 example.net SOA", until="flags: qr aa")
    """
    if not until:
        return str(host.run(f"dig {_OPTIONS} +tries=2 {question}").stdout)
    tries = " ".join(map(str, range(_TRIES)))
    once = f"a=$(dig {_OPTIONS} +tries=1 {question})"
    again = f'for i in {tries}; do {once}; case $a in *"{until}"*) break;; esac; sleep 1; done'
    return str(host.run(f'{again}; echo "$a"').stdout)


def dig_started(client: Host, question: str, server: Host, unit: str) -> str:
    """Return what dig prints; a server whose unit was started seconds ago may still be loading its zones."""
    answer = dig(client, question)
    if " aa" in verdict(answer) or not is_young(server, unit):
        return answer
    return dig(client, question, until="flags: qr aa")


class Key(NamedTuple):
    """A TSIG key, as its configuration has it."""

    name: str
    algorithm: str
    secret: str


def transfer(client: Host, address: str, zone: str, key: Key | None = None) -> str:
    """Return what dig prints when it asks for a whole zone, signed with a key or without one."""
    signature = f"-y {key.algorithm}:{key.name}:{key.secret} " if key else ""
    return dig(client, f"{signature}@{address} {zone} AXFR")


def given_to_anybody(master: Host, address: str, zone: str, *others: Host) -> tuple[Host | None, int]:
    """Return who gets a zone without a key, and how many records: ``None, 0`` when nobody does.

    The master is asked from itself too, at `address` and at 127.0.0.1: what is allowed to itself is
    allowed to whoever has an account there.
    """
    for client, asked in ((master, "127.0.0.1"), (master, address), *((other, address) for other in others)):
        got = records(transfer(client, asked, zone), r"\w+")
        if got:
            return client, len(got)
    return None, 0


def records(answer: str, kind: str) -> list[str]:
    """Return the data of each record of type `kind` (a pattern) in an answer, in small letters and sorted."""
    found = re.findall(rf"^[^;\s]\S*\s+\d+\s+IN\s+{kind}\s+(.*)$", answer, re.MULTILINE)
    return sorted(each.lower() for each in found)


def serial(answer: str) -> int:
    """Return the serial of the SOA record in an answer, 0 without one."""
    found = records(answer, "SOA")
    return int(found[0].split()[2]) if found else 0


def verdict(answer: str) -> str:
    """Return dig's first status and flags: ``NOERROR qr aa``; or what it says instead of an answer."""
    found = re.search(r"status: (\w+).*\n;; flags: ([a-z ]+);", answer)
    if found:
        return " ".join(found.groups())
    complaint = r"^;+ ((?:Transfer|communications|connection|no servers|Couldn't).*)"
    said = re.search(complaint, answer, re.MULTILINE)
    return said[1] if said else NOTHING


def configuration(server: Host, unit: str) -> tuple[str, str]:
    """Return named's configuration with all its includes, and the complaint when it is not valid, else ``-``.

    It is read as the running named would, from the same file below the same root folder.
    """
    options = _options(server, unit)
    root = f"-t {options['-t']}" if "-t" in options else ""
    printed = server.run(f"named-checkconf -p {root} {options.get('-c', '')}")
    return printed.stdout, NOTHING if printed.succeeded else last_line(printed.stdout + printed.stderr)


def keys(text: str) -> list[Key]:
    """Return the TSIG keys in a configuration, without the one that rndc uses."""
    return [Key(*found) for found in _KEY.findall(text) if found[0] != "rndc-key"]


def key_called(text: str, name: str) -> Key | None:
    """Return the key with a name, which is a domain name: neither case nor a dot at its end matter."""
    return next((key for key in keys(text) if same_name(key.name, name)), None)


def same_name(first: str, second: str) -> bool:
    """Tell whether two domain names are the same."""
    return first.rstrip(".").lower() == second.rstrip(".").lower()


def used_key(text: str, master: str) -> str:
    """Return the name of the key that signs questions to the address `master`, or ``-``.

    A key in ``primaries`` counts before one in a ``server`` statement, and there the narrowest network
    that holds the address (named.conf(5)).
    """
    named = re.search(rf'(?<![\d.]){re.escape(master)}(?: port \d+)? key "?([^";\s]+)', text)
    if named:
        return named[1]
    networks = [(ipaddress.ip_network(where, strict=False), key) for where, key in _SERVER_KEY.findall(text)]
    holding = [(net.prefixlen, key) for net, key in networks if ipaddress.ip_address(master) in net]
    return max(holding)[1] if holding else NOTHING


def loading_anew(server: Host, unit: str) -> str:
    """Return the command that loads all zones as the running named did: its user, root folder and file.

    It succeeds when all do; each zone that does gives a line: ``zone example.net/IN: loaded serial 7``.
    Journals are read too: what was changed by nsupdate(1) is there after a boot.
    """
    options = _options(server, unit)
    file = options.get("-c", "")
    if "-t" in options:  # changing the root needs root
        return f"named-checkconf -z -j -t {options['-t']} {file}"
    user = options.get("-u", "root")
    return f"setpriv --reuid={user} --regid={user} --init-groups named-checkconf -z -j {file}"


def _options(server: Host, unit: str) -> dict[str, str]:
    """Return the options of the named that runs, with their arguments; nothing when it does not."""
    pid = server.run("systemctl show --property MainPID --value %s", unit).stdout.strip()
    words = server.run(f"tr '\\0' '\\n' < /proc/{pid}/cmdline").stdout.splitlines()
    return dict(pairwise(words))
