"""Ask both name servers with dig, each from the other machine, as a client would."""

import re
from functools import cache

from lpiclab.checks import expect, task
from lpiclab.checks.dns import KEY, dig, records, serial, verdict
from lpiclab.checks.probes import NOTHING, last_line


@cache
def configuration(host):
    """Return named's configuration with all its includes, and the complaint when it is not valid."""
    printed = host.run("named-checkconf -p")
    return printed.stdout, "" if printed.succeeded else last_line(printed.stdout + printed.stderr)


def key_of(text, name):
    """Return name, algorithm and secret of the key called `name`, and the names of all keys."""
    keys = [found for found in KEY.findall(text) if found[0] != "rndc-key"]
    same = [found for found in keys if found[0].rstrip(".").lower() == name.lower()]
    return same[0] if same else None, " ".join(found[0] for found in keys)


@task("key")
def test_master_knows_the_key(ns1, parameters):
    """ns1's configuration is valid and defines the key."""
    text, complaint = configuration(ns1)
    expect(complaint or NOTHING, NOTHING, why="invalid")
    key, names = key_of(text, parameters.key_name)
    expect(names or NOTHING, parameters.key_name, ok=key is not None, why="absent")


@task("transfer")
def test_transfer_needs_the_key(ns1, ns2, parameters):
    """ns1 gives the zone to who has the key, and to nobody else."""
    key, _ = key_of(configuration(ns1)[0], parameters.key_name)
    name, algorithm, secret = key
    question = f"@{parameters.net}.1 {parameters.zone} AXFR"
    granted = dig(ns2, f"-y {algorithm}:{name}:{secret} {question}")
    expect(verdict(granted), "SOA", ok=bool(records(granted, "SOA")), why="denied")
    refused = dig(ns2, question)
    expect(len(records(refused, r"\w+")), 0, why="open")


@task("slave")
def test_slave_answers_with_authority(ns1, ns2, parameters, distro):
    """ns2 runs as a slave of ns1 that has the key, and answers for the zone."""
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
    master = re.escape(f"{parameters.net}.1")
    name = rf'"?{re.escape(parameters.key_name)}\.?"?'
    uses = rf"\b{master}(?: port \d+)? key {name}|server {master}(?:/32)? \{{[^}}]*keys (?:\{{ *)?{name}"
    text, _ = configuration(ns2)
    signed = re.search(uses, text, re.IGNORECASE) is not None
    expect(parameters.key_name if signed else NOTHING, parameters.key_name, why="unsigned")


@task("slave")
def test_slave_answers_without_its_master(fork, parameters):
    """With ns1 switched off, on a copy of the machines, ns2 still answers with authority."""
    fork.cut_power("ns1")
    answer = dig(fork.ns2, f"@{parameters.net}.2 {parameters.zone} SOA")
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
    """Somebody without rights finds the secret in no file of the name server, nor where copies lie."""
    places = f"/etc {distro.paths['bind_zones']} /tmp /home"
    for machine, host in (("ns1", ns1), ("ns2", ns2)):
        key, _ = key_of(configuration(host)[0], parameters.key_name)
        nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups"  # the group has no common name
        found = host.run(f"{nobody} grep -rlsF -e %s {places}", key[2]).stdout.split()
        expect(" ".join(found) or NOTHING, NOTHING, why="open", machine=machine)


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
    refused = dig(fork.ns2, f"@{parameters.net}.1 {parameters.zone} AXFR")
    expect(len(records(refused, r"\w+")), 0, why="open")
