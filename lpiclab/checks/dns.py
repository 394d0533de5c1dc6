"""Ask name servers with dig, and read what it prints."""

from __future__ import annotations

import re
from itertools import pairwise

from testinfra.host import Host

from lpiclab.checks.probes import NOTHING

KEY = re.compile(r'key "([^"]+)" \{\s*algorithm "?([\w.-]+)"?;\s*secret "([^"]+)";')
"""A TSIG key as ``named-checkconf -p`` prints it: its name, algorithm and secret."""

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


def loading_anew(server: Host, unit: str) -> str:
    """Return the command that loads all zones as the running named did: its user, root folder and file.

    It succeeds when all do; each zone that does gives a line: ``zone example.net/IN: loaded serial 7``.
    """
    pid = server.run("systemctl show --property MainPID --value %s", unit).stdout.strip()
    words = server.run(f"tr '\\0' '\\n' < /proc/{pid}/cmdline").stdout.splitlines()
    options = dict(pairwise(words))
    file = options.get("-c", "")
    if "-t" in options:  # changing the root needs root
        return f"named-checkconf -z -t {options['-t']} {file}"
    user = options.get("-u", "root")
    return f"setpriv --reuid={user} --regid={user} --init-groups named-checkconf -z {file}"
