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
        ("-f -u bind", "setpriv --reuid=bind --regid=bind --init-groups named-checkconf -z -j "),
        ("-f", "setpriv --reuid=root --regid=root --init-groups named-checkconf -z -j "),
        ("-u bind -t /jail -c /named.conf", "named-checkconf -z -j -t /jail /named.conf"),
    ],
)
def test_zones_are_loaded_as_the_running_named_did(programs: Programs, options: str, command: str) -> None:
    """User, root folder and configuration are those of the process."""
    # The stand-in for tr prints the command line, whatever /proc/self is.
    host = programs(systemctl="echo self", tr=f"printf '%s\\n' named {options}")
    assert dns.loading_anew(host, "named") == command


AUTHORITY = "echo ';; ->>HEADER<<- status: NOERROR, id: 1'; echo ';; flags: qr aa; QUERY: 1'"
YOUNG, OLD = "echo $(($(cut -d. -f1 /proc/uptime) * 1000000))", "echo 1"


@pytest.mark.parametrize(("started", "tries"), [(YOUNG, 3), (OLD, 1), ("echo 0", 1)])
def test_server_that_has_just_started_is_asked_until_it_has_its_zones(
    programs: Programs, tmp_path: Path, started: str, tries: int
) -> None:
    """Who started seconds ago gets some patience; what an old server says counts at once."""
    count = f"echo x >> {tmp_path}/asked; [ $(wc -l < {tmp_path}/asked) -lt 3 ] || {{ {AUTHORITY}; }}"
    host = programs(dig=count, systemctl=started)
    answer = dns.dig_started(host, "example.net SOA", host, "named")
    assert (tmp_path / "asked").read_text().count("x") == tries
    assert (dns.verdict(answer) == "NOERROR qr aa") is (tries > 1)


def test_transfer_is_signed_with_the_key(programs: Programs) -> None:
    """A key is given to dig as algorithm, name and secret; without one the question is bare."""
    host = programs(dig='echo "$@"')
    signed = dns.transfer(host, "192.0.2.1", "example.net", dns.Key("k", "hmac-sha256", "c2Vj"))
    assert signed.split()[-5:] == ["-y", "hmac-sha256:k:c2Vj", "@192.0.2.1", "example.net", "AXFR"]
    assert "-y" not in dns.transfer(host, "192.0.2.1", "example.net").split()


@pytest.mark.parametrize("allowed", ["@127.0.0.1", "@192.0.2.1"])
def test_master_may_not_give_the_zone_to_itself(programs: Programs, allowed: str) -> None:
    """The master is asked at each of its addresses, from itself."""
    master = programs(dig=f"case \"$*\" in *{allowed}*) echo 'example.net. 1 IN SOA a b 1 2 3 4 5';; esac")
    assert dns.given_to_anybody(master, "192.0.2.1", "example.net") == (master, 1)
    assert dns.given_to_anybody(programs(dig=""), "192.0.2.1", "example.net") == (None, 0)


CONFIGURATION = """\
key "rndc-key" {
\talgorithm "hmac-sha256";
\tsecret "cm5kYw==";
};
key "Example.net." {
\talgorithm "hmac-sha256";
\tsecret "c2VjcmV0";
};
"""


def test_keys_have_domain_names() -> None:
    """A key is found whatever the case of its name and whether it ends in a dot; rndc's is none."""
    key = dns.Key("Example.net.", "hmac-sha256", "c2VjcmV0")
    assert dns.keys(CONFIGURATION) == [key]
    assert dns.key_called(CONFIGURATION, "example.net") == key
    assert dns.key_called(CONFIGURATION, "example.net2") is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('primaries { 192.0.2.1 key "a"; };', "a"),
        ("primaries { 192.0.2.1 port 53 key a; };", "a"),
        ('primaries { 192.0.2.11 key "a"; };', "-"),
        ('primaries { 2.192.0.2.1 key "a"; };', "-"),
        ('server 192.0.2.1/32 {\n\tkeys  "b";\n};', "b"),
        ("server 192.0.2.1 { bogus no; keys { b; }; };", "b"),
        ('server 192.0.2.0/24 { keys "c"; }; server 192.0.2.1/32 { keys "b"; };', "b"),
        ('server 192.0.2.0/24 { keys "c"; }; server 198.51.100.0/24 { keys "d"; };', "c"),
        ('server 192.0.2.1/32 { keys "b"; }; zone "z" { primaries { 192.0.2.1 key "a"; }; };', "a"),
        ("", "-"),
    ],
)
def test_used_key_is_the_one_nearest_to_the_zone(text: str, name: str) -> None:
    """The key of ``primaries`` counts first, then that of the narrowest network."""
    assert dns.used_key(text, "192.0.2.1") == name


@pytest.mark.parametrize(
    ("options", "words"), [("-f -u bind", "-p"), ("-t /jail -c /named.conf", "-p -t /jail /named.conf")]
)
def test_configuration_is_read_where_the_running_named_reads_it(
    programs: Programs, options: str, words: str
) -> None:
    """Root folder and file are those of the process; a valid configuration has no complaint."""
    tr = f"printf '%s\\n' named {options}"
    host = programs(systemctl="echo self", tr=tr, **{"named-checkconf": 'echo "$@"'})
    assert dns.configuration(host, "named") == (f"{words}\n", "-")
    host = programs(systemctl="echo self", tr=tr, **{"named-checkconf": "echo bad >&2; exit 1"})
    assert dns.configuration(host, "named") == ("", "bad")
