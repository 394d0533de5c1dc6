"""Ask both name servers with dig, each from the other machine, as a client would."""

import re
from functools import cache

from lpiclab.checks import dns, expect, task
from lpiclab.checks.dns import dig, dig_started, given_to_anybody, records, serial, transfer, verdict
from lpiclab.checks.probes import NOTHING, last_line


@cache
def configuration(host, unit):
    """Return named's configuration with all its includes, and the complaint when it is not valid."""
    return dns.configuration(host, unit)


def key_on(host, parameters, distro):
    """Return the key of the task as a machine's configuration has it, None without it."""
    text, _ = configuration(host, distro.services["bind"])
    return dns.key_called(text, parameters.key_name)


@task("key")
def test_master_knows_the_key(ns1, parameters, distro):
    """ns1's configuration is valid and defines the key."""
    text, complaint = configuration(ns1, distro.services["bind"])
    expect(complaint, NOTHING, why="invalid")
    names = " ".join(key.name for key in dns.keys(text)) or NOTHING
    expect(names, parameters.key_name, ok=key_on(ns1, parameters, distro) is not None, why="absent")


@task("transfer")
def test_transfer_needs_the_key(ns1, ns2, parameters, distro):
    """ns1 gives the zone to who has the key, and to nobody else, not even to itself."""
    address, zone = f"{parameters.net}.1", parameters.zone
    dig_started(ns2, f"@{address} {zone} SOA", ns1, distro.services["bind"])
    granted = transfer(ns2, address, zone, key_on(ns1, parameters, distro))
    expect(verdict(granted), "SOA", ok=bool(records(granted, "SOA")), why="denied")
    expect_closed(ns1, ns2, parameters)


def expect_closed(ns1, ns2, parameters):
    """Expect that ns1 gives the zone to nobody without the key."""
    client, got = given_to_anybody(ns1, f"{parameters.net}.1", parameters.zone, ns2)
    expect(got, 0, why="open", asked="ns2" if client is ns2 else "ns1")


@task("slave")
def test_slave_answers_with_authority(ns1, ns2, parameters, distro):
    """ns2 runs as a slave, and answers for the zone."""
    question = f"@{parameters.net}.2 {parameters.zone} SOA"
    answer = dig(ns1, question)
    if not serial(answer):
        state = ns2.run("systemctl is-active %s", distro.services["bind"]).stdout.strip()
        expect(state, "active", why="stopped")
        answer = dig(ns1, question, until="flags: qr aa")
    expect(verdict(answer), "NOERROR qr aa", ok=" aa" in verdict(answer) and serial(answer) > 0, why="lame")
    status = ns2.run("rndc zonestatus %s", parameters.zone).stdout
    kind = (re.findall(r"^type: (\w+)", status, re.MULTILINE) or [NOTHING])[0]
    expect(kind, "secondary", ok=kind in ("secondary", "slave"), why="type")


@task("slave")
def test_slave_can_fetch_the_zone_again(ns2, parameters, distro):
    """ns2 signs its requests to ns1 with the key, and with the key that it has ns1 gives it the zone."""
    master, name = f"{parameters.net}.1", parameters.key_name
    text, complaint = configuration(ns2, distro.services["bind"])
    expect(complaint, NOTHING, why="invalid")
    used = dns.used_key(text, master)
    expect(used, name, ok=dns.same_name(used, name), why="unsigned")
    key = key_on(ns2, parameters, distro)
    expect(NOTHING, name, ok=key is not None, why="undefined")
    granted = transfer(ns2, master, parameters.zone, key)
    expect(verdict(granted), "SOA", ok=bool(records(granted, "SOA")), why="denied")


@task("slave")
def test_slave_answers_without_its_master(fork, parameters, distro):
    """With ns1 switched off, on a copy of the machines, ns2 is started again and answers from its file."""
    fork.cut_power("ns1")
    fork.ns2.run("systemctl restart %s", distro.services["bind"])
    question = f"@{parameters.net}.2 {parameters.zone} SOA"
    answer = dig(fork.ns2, question, until="flags: qr aa")
    expect(verdict(answer), "NOERROR qr aa", ok=" aa" in verdict(answer) and serial(answer) > 0, why="alone")


@task("change")
def test_change_reaches_the_slave(ns1, ns2, parameters):
    """Both servers answer the new name, under the same raised serial."""
    name, address = f"{parameters.new_host}.{parameters.zone}", f"{parameters.net}.{parameters.new_octet}"
    master = dig(ns2, f"@{parameters.net}.1 {parameters.zone} SOA {name} A")
    expect(" ".join(records(master, "A")) or NOTHING, address, why="master")
    raised = serial(master)
    expect(raised, parameters.serial, ok=raised > parameters.serial, why="serial")
    slave = dig(ns1, f"@{parameters.net}.2 {parameters.zone} SOA {name} A", until=f" {raised} ")
    expect(serial(slave), raised, why="behind")
    expect(" ".join(records(slave, "A")) or NOTHING, address, why="slave")


@task("private")
def test_key_is_for_bind_only(ns1, ns2, parameters, distro):
    """Neither the learner without sudo nor anybody else can read the secret, nor a copy of it."""
    places = f"/etc {distro.paths['bind_zones']} /home /opt /root /srv /tmp /usr/local /var/named /var/tmp"
    nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups"  # the group has no common name
    for machine, host in (("ns1", ns1), ("ns2", ns2)):
        secret = key_on(host, parameters, distro).secret
        for who, as_who in (("nobody", nobody), ("student", "runuser -u student --")):
            found = host.run(f"{as_who} grep -rlsF -e %s {places}", secret).stdout.split()
            expect(" ".join(found) or NOTHING, NOTHING, why="readable", machine=machine, who=who)


@task("boot")
def test_both_come_back_after_a_boot(ns1, ns2, distro):
    """Both name servers are started at boot, and ns1 accepts its configuration and its zone file."""
    for machine, host in (("ns1", ns1), ("ns2", ns2)):
        state = host.run("systemctl is-enabled %s", distro.services["bind"]).stdout.strip()
        expect(state, "enabled", why="disabled", machine=machine)
    loaded = ns1.run("named-checkconf -z")
    expect(last_line(loaded.stdout + loaded.stderr), NOTHING, ok=loaded.succeeded, why="invalid")


@task("boot")
def test_both_answer_after_a_reboot(fork, parameters):
    """After a reboot, on a copy of the machines, both answer, and still nobody transfers without the key."""
    fork.reboot()
    for machine, client, octet in (("ns1", fork.ns2, 1), ("ns2", fork.ns1, 2)):
        answer = dig(client, f"@{parameters.net}.{octet} {parameters.zone} SOA", until="flags: qr aa")
        found = verdict(answer)
        expect(found, "NOERROR qr aa", ok=" aa" in found, why="silent", machine=machine)
    expect_closed(fork.ns1, fork.ns2, parameters)
