"""Tests of lpiclab.checks.dns: its commands are run by a real shell, the programs are stand-ins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from testinfra.host import Host

from lpiclab.checks import dns

Programs = Callable[..., Host]

ANSWER = """\
; <<>> DiG 9.20 <<>> @192.0.2.1 example.net SOA www.example.net A
;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 4711
;; flags: qr aa; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1

;; ANSWER SECTION:
example.net.\t\t300 IN SOA\tNS1.example.net. root.example.net. 7 8 9 10 11

;; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN, id: 4712
;; flags: qr; QUERY: 1, ANSWER: 2, AUTHORITY: 0, ADDITIONAL: 1

;; ANSWER SECTION:
www.example.net.\t300 IN A\t192.0.2.9
www.example.net.\t300 IN A\t192.0.2.10
"""


def test_dig_asks_as_it_was_told(programs: Programs) -> None:
    """The question reaches dig word by word; no settings of the user's count, and nobody is asked beyond."""
    words = dns.dig(programs(dig='echo "$@"'), "@192.0.2.1 example.net SOA").split()
    assert words[-3:] == ["@192.0.2.1", "example.net", "SOA"]
    assert {"-r", "+norecurse", "+noadditional"} <= set(words)


def test_dig_asks_until_it_hears(programs: Programs, tmp_path: Path) -> None:
    """An answer that is yet to come is waited for, and no longer than until it comes."""
    host = programs(dig=f"echo x >> {tmp_path}/asked; wc -l < {tmp_path}/asked")
    assert dns.dig(host, "example.net SOA", until="3").strip() == "3"
    assert (tmp_path / "slept").read_text().count("x") == 2


def test_dig_gives_up(programs: Programs) -> None:
    """After eight times the answer is what it is."""
    assert dns.dig(programs(dig="echo lame"), "example.net SOA", until="flags: qr aa") == "lame\n"


def test_records_are_sorted_and_small() -> None:
    """Records of a type are compared whatever their order and case; comments are none."""
    assert dns.records(ANSWER, "A") == ["192.0.2.10", "192.0.2.9"]
    assert dns.records(ANSWER, "SOA") == ["ns1.example.net. root.example.net. 7 8 9 10 11"]
    assert dns.records(ANSWER, "NS") == []
    assert len(dns.records(ANSWER, r"\w+")) == 3


@pytest.mark.parametrize(("answer", "serial"), [(ANSWER, 7), ("", 0)])
def test_serial_is_the_third_word(answer: str, serial: int) -> None:
    """The serial is that of the SOA record, 0 without one."""
    assert dns.serial(answer) == serial


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (ANSWER, "NOERROR qr aa"),
        (
            ";; communications error to 192.0.2.1#53: timed out",
            "communications error to 192.0.2.1#53: timed out",
        ),
        ("; Transfer failed.", "Transfer failed."),
        (
            ";; Couldn't verify signature: tsig indicates error",
            "Couldn't verify signature: tsig indicates error",
        ),
        ("", "-"),
    ],
)
def test_verdict_is_the_first_answers(answer: str, verdict: str) -> None:
    """Status and flags of the first answer; without one, dig's complaint; a hyphen for silence."""
    assert dns.verdict(answer) == verdict


@pytest.mark.parametrize(
    ("options", "command"),
    [
        ("-f -u bind", "setpriv --reuid=bind --regid=bind --init-groups named-checkconf -z "),
        ("-f", "setpriv --reuid=root --regid=root --init-groups named-checkconf -z "),
        ("-u bind -t /jail -c /named.conf", "named-checkconf -z -t /jail /named.conf"),
    ],
)
def test_zones_are_loaded_as_the_running_named_did(programs: Programs, options: str, command: str) -> None:
    """User, root folder and configuration are those of the process."""
    # The stand-in for tr prints the command line, whatever /proc/self is.
    host = programs(systemctl="echo self", tr=f"printf '%s\\n' named {options}")
    assert dns.loading_anew(host, "named") == command
