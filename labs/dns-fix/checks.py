"""Ask both name servers with dig, each from the other machine, as a client would."""

import re
from functools import cache
from shlex import quote

from lpiclab.checks import dns, expect, task
from lpiclab.checks.dns import dig, dig_started, given_to_anybody, records, serial, transfer, verdict
from lpiclab.checks.probes import NOTHING

TRIES = "1 2 3 4 5 6 7 8"


def expect_authority(answer, **values):
    """Expect an authoritative answer with the zone's SOA record."""
    found = verdict(answer)
    expect(found, "NOERROR qr aa", ok=" aa" in found and serial(answer) > 0, why="lame", **values)


def contents(parameters):
    """Return what the zone has to answer: name and type, and the data."""
    zone, net = parameters.zone, parameters.net
    return {
        (f"{parameters.host}.{zone}", "A"): f"{net}.{parameters.octet}",
        (f"{parameters.new_host}.{zone}", "A"): f"{net}.{parameters.new_octet}",
        (f"{parameters.alias}.{zone}", "CNAME"): f"{parameters.host}.{zone}.",
    }


def expect_contents(client, server, parameters):
    """Expect that the server at an address answers all names of the zone as they have to be."""
    for (name, kind), wanted in contents(parameters).items():
        found = records(dig(client, f"@{server} {name} {kind}"), kind)
        expect(" ".join(found) or NOTHING, wanted, why="record", name=name, kind=kind)


@task("zone")
def test_master_answers_the_names(ns1, ns2, parameters, distro):
    """ns1 answers with authority, each host with its address and the alias with its host."""
    question = f"@{parameters.net}.1 {parameters.zone} SOA"
    expect_authority(dig_started(ns2, question, ns1, distro.services["bind"]))
    expect_contents(ns2, f"{parameters.net}.1", parameters)


@task("servers")
def test_every_name_server_answers(ns1, ns2, parameters, distro):
    """The zone names both servers and no other, and each answers with authority at its address."""
    zone, unit = parameters.zone, distro.services["bind"]
    named = records(dig(ns2, f"@{parameters.net}.1 {zone} NS"), "NS")
    expect(" ".join(named) or NOTHING, f"ns1.{zone}. ns2.{zone}.", why="named")
    for server, octet in ((ns1, 1), (ns2, 2)):
        name, address = f"ns{octet}.{zone}", f"{parameters.net}.{octet}"
        found = records(dig(ns2, f"@{parameters.net}.1 {name} A"), "A")
        expect(" ".join(found) or NOTHING, address, why="address", name=name)
        expect_authority(dig_started(ns2, f"@{address} {zone} SOA", server, unit), name=name)


def zone_status(host, parameters):
    """Return what named itself says of the zone: its type, serial and file."""
    text = host.run("rndc zonestatus %s", parameters.zone).stdout
    return dict(re.findall(r"^(\w+): (\S+)$", text, re.MULTILINE))


@task("same")
def test_slave_follows_its_master(ns1, ns2, parameters):
    """ns2 is a slave that answers with authority, with its master's serial."""
    zone, net = parameters.zone, parameters.net
    first = dig(ns2, f"@{net}.1 {zone} SOA")
    wanted = serial(first)
    expect(verdict(first), "NOERROR qr aa", ok=wanted > 0, why="master")
    answer = dig(ns1, f"@{net}.2 {zone} SOA", until=f" {wanted} ")
    expect_authority(answer)
    status = zone_status(ns2, parameters)
    kind = status.get("type", NOTHING)
    expect(kind, "secondary", ok=kind in ("secondary", "slave"), why="type")
    expect(serial(answer), wanted, why="behind")


@task("same")
def test_slave_answers_as_its_master(ns1, ns2, parameters):
    """Every name has the same answer on ns2 as on ns1."""
    zone, net = parameters.zone, parameters.net
    for name, kind in [(zone, "SOA"), (zone, "NS"), *contents(parameters)]:
        first = " ".join(records(dig(ns2, f"@{net}.1 {name} {kind}"), kind)) or NOTHING
        second = " ".join(records(dig(ns1, f"@{net}.2 {name} {kind}"), kind)) or NOTHING
        expect(second, first, why="differs", name=name, kind=kind)


@cache
def configuration(host, unit):
    """Return named's configuration with all its includes, and its complaint."""
    return dns.configuration(host, unit)


@task("transfer")
def test_transfer_needs_the_key(ns1, ns2, parameters, distro):
    """ns1 gives the zone to ns2 with the key that ns2 uses, and to nobody without a key."""
    (text, complaint), master = configuration(ns2, distro.services["bind"]), f"{parameters.net}.1"
    expect(complaint, NOTHING, why="invalid")
    name = dns.used_key(text, master)
    expect(name, "key", ok=name != NOTHING, why="unsigned")
    key = dns.key_called(text, name)
    expect(NOTHING, name, ok=key is not None, why="undefined", name=name)
    granted = transfer(ns2, master, parameters.zone, key)
    expect(verdict(granted), "SOA", ok=bool(records(granted, "SOA")), why="denied", name=name)
    expect_closed(ns1, ns2, parameters)


def expect_closed(ns1, ns2, parameters):
    """Expect that ns1 gives the zone to nobody without a key, not even to itself."""
    client, got = given_to_anybody(ns1, f"{parameters.net}.1", parameters.zone, ns2)
    expect(got, 0, why="open", asked="ns2" if client is ns2 else "ns1")


@task("transfer")
def test_slave_fetches_the_zone_again(fork, parameters, distro):
    """When ns2 loses what it has fetched, on a copy, it fetches it again: as it runs, and started anew."""
    unit, folder = distro.services["bind"], distro.paths["bind_zones"]
    fetched = zone_status(fork.ns2, parameters).get("files", "")
    file = quote(fetched)
    lose = f"cd {folder} && rm -f -- {file}"
    if fetched:
        there = f"for i in {TRIES}; do [ -s {file} ] && exit; sleep 1; done; false"
        again = fork.ns2.run(f"{lose} && rndc retransfer {parameters.zone}; {there}")
        expect("the zone" if again.succeeded else NOTHING, "the zone", why="stale")
    fork.ns2.run(f"systemctl stop {unit}; {lose}; systemctl start {unit}")
    question = f"@{parameters.net}.2 {parameters.zone} SOA"
    found = verdict(dig(fork.ns1, question, until="flags: qr aa"))
    expect(found, "NOERROR qr aa", ok=" aa" in found, why="starved")


@task("boot")
def test_both_would_come_back(ns1, ns2, parameters, distro):
    """Both are started at boot, and what BIND may read on ns1 is the zone that it answers now."""
    unit = distro.services["bind"]
    for machine, host in (("ns1", ns1), ("ns2", ns2)):
        state = host.run("systemctl is-enabled %s", unit).stdout.strip()
        expect(state or NOTHING, "enabled", why="disabled", machine=machine)
    loaded = ns1.run(f"{dns.loading_anew(ns1, unit)} 2>&1")
    complaint = [line for line in loaded.stdout.splitlines() if not re.search(r": loaded serial \d+$", line)]
    expect((complaint or [NOTHING])[0], NOTHING, ok=loaded.succeeded, why="invalid")
    now = str(serial(dig(ns2, f"@{parameters.net}.1 {parameters.zone} SOA")))
    line = rf"^zone {re.escape(parameters.zone)}/IN\S*: loaded serial (\d+)$"
    later = re.findall(line, loaded.stdout, re.MULTILINE)
    expect(" ".join(later) or NOTHING, now, ok=now in later, why="other")


@task("boot")
def test_both_answer_alike_after_a_reboot(fork, parameters):
    """After a reboot, on a copy of the machines, both give the right answers, and the zone to nobody."""
    fork.reboot()
    zone, net = parameters.zone, parameters.net
    serials = []
    for machine, client, octet in (("ns1", fork.ns2, 1), ("ns2", fork.ns1, 2)):
        answer = dig(client, f"@{net}.{octet} {zone} SOA", until="flags: qr aa")
        expect_authority(answer, machine=machine)
        expect_contents(client, f"{net}.{octet}", parameters)
        serials.append(serial(answer))
    expect(serials[1], serials[0], why="behind")
    expect_closed(fork.ns1, fork.ns2, parameters)
