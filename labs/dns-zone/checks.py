"""Ask the name server with dig, from the client and from the server itself: both must hear the same."""

import re

from lpiclab.checks import expect, task
from lpiclab.checks.dns import dig, dig_started, loading_anew, records, verdict
from lpiclab.checks.probes import NOTHING, nonce, port_holders, route, unit_state


def ask(host, parameters, *questions):
    """Return what dig prints on `host` for each question to the server's address."""
    return dig(host, f"@{parameters.net}.{parameters.octet} {' '.join(questions)}")


@task("server")
def test_service_answers_the_client(server, client, parameters, distro):
    """BIND's service runs, holds port 53 of the server's address, and the client gets an answer."""
    unit, address = distro.services["bind"], f"{parameters.net}.{parameters.octet}"
    expect(unit_state(server, "is-active", unit), "active", why="stopped")
    holder = port_holders(server, "udp", 53, address, unit)
    expect(holder, address, ok=holder != NOTHING, why="deaf")
    expect(holder, "named", why="foreign")
    way = route(client, address)
    expect(way, address, ok=way.startswith(address), why="self")
    heard = verdict(ask(client, parameters, parameters.zone, "SOA"))
    expect(heard, "NOERROR qr aa", ok=" qr" in heard, why="unreachable")


def expect_zone(answer, parameters, machine):
    """Expect authority, the SOA record's values and the NS record, of either zone."""
    authority = re.match("NOERROR.* aa", verdict(answer))
    expect(verdict(answer), "NOERROR qr aa", ok=authority, why="lame", machine=machine)
    name = f"{parameters.host}.{parameters.zone}."
    wanted = [name, f"root.{parameters.zone}.", str(parameters.serial)]
    wanted += map(str, (parameters.refresh, parameters.retry, parameters.expire, parameters.minimum))
    soa = (records(answer, "SOA") or [NOTHING])[0].split()
    serial = soa[2] if len(soa) > 2 else NOTHING
    same = soa[:2] + soa[3:] == wanted[:2] + wanted[3:]
    expect(" ".join(soa), " ".join(wanted), ok=same, why="soa")
    expect(serial, parameters.serial, ok=int(serial) >= parameters.serial, why="serial")
    expect(" ".join(records(answer, "NS")) or NOTHING, name, why="ns")


@task("zone")
def test_zone_has_the_values(server, client, parameters, distro):
    """The zone is answered with authority; its SOA and NS records are as asked."""
    question = f"@{parameters.net}.{parameters.octet} {parameters.zone} SOA"
    dig_started(client, question, server, distro.services["bind"])
    for machine, host in (("client", client), ("server", server)):
        answer = ask(host, parameters, parameters.zone, "SOA", parameters.zone, "NS")
        expect_zone(answer, parameters, machine)
        ttl = re.search(r"^[^;\s]\S*\s+(\d+)\s+IN\s+SOA", answer, re.MULTILINE)[1]
        expect(int(ttl), parameters.ttl, why="ttl")


@task("hosts")
def test_names_have_addresses(server, client, parameters):
    """Each name has its one address, and a name that nobody gave has none."""
    for host in (client, server):
        for label, octet in ((parameters.host, parameters.octet), (parameters.other, parameters.other_octet)):
            name, address = f"{label}.{parameters.zone}", f"{parameters.net}.{octet}"
            answer = ask(host, parameters, name, "A")
            expect(" ".join(records(answer, "A")) or NOTHING, address, why="address", name=name)
        nobody = f"{nonce()}.{parameters.zone}"
        heard = verdict(ask(host, parameters, nobody, "A"))
        expect(heard, "NXDOMAIN qr aa", ok=heard.startswith("NXDOMAIN"), why="wildcard", name=nobody)


@task("reverse")
def test_addresses_have_names(server, client, parameters):
    """The reverse zone is answered with authority, and each address has its one name."""
    zone = parameters.reverse_zone
    for machine, host in (("client", client), ("server", server)):
        expect_zone(ask(host, parameters, zone, "SOA", zone, "NS"), parameters, machine)
        for label, octet in ((parameters.host, parameters.octet), (parameters.other, parameters.other_octet)):
            name = f"{label}.{parameters.zone}."
            answer = ask(host, parameters, f"{octet}.{zone}", "PTR")
            address = f"{parameters.net}.{octet}"
            expect(" ".join(records(answer, "PTR")) or NOTHING, name, why="name", address=address)


@task("boot")
def test_server_comes_back_after_a_boot(server, parameters, distro):
    """BIND starts at boot, may read its files, and finds in them the zones that it answers now."""
    unit = distro.services["bind"]
    expect(unit_state(server, "is-enabled", unit), "enabled", why="disabled")
    loaded = server.run(f"{loading_anew(server, unit)} 2>&1")
    complaint = [line for line in loaded.stdout.splitlines() if not re.search(r": loaded serial \d+$", line)]
    expect((complaint or [NOTHING])[0], NOTHING, ok=loaded.succeeded, why="invalid")
    for zone in (parameters.zone, parameters.reverse_zone):
        now = (records(ask(server, parameters, zone, "SOA"), "SOA") or ["- - -"])[0].split()[2]
        line = rf"^zone {re.escape(zone)}/IN\S*: loaded serial (\d+)$"
        later = re.findall(line, loaded.stdout, re.MULTILINE)
        expect(" ".join(later) or NOTHING, now, ok=now in later, why="other", zone=zone)


@task("boot")
def test_zones_are_there_after_a_reboot(fork, parameters):
    """After a reboot of the server, on a copy, the client hears from both zones what it heard before."""
    name, number = f"{parameters.other}.{parameters.zone}", f"{parameters.octet}.{parameters.reverse_zone}"
    questions = ((parameters.zone, "SOA"), (name, "A"), (number, "PTR"))
    before = [records(ask(fork.client, parameters, *each), each[1]) for each in questions]
    fork.reboot("server")
    dig(fork.client, f"@{parameters.net}.{parameters.octet} {parameters.zone} SOA", until="flags: qr aa")
    for (name, kind), wanted in zip(questions, before, strict=True):
        answer = ask(fork.client, parameters, name, kind)
        seen = " ".join(records(answer, kind)) or verdict(answer)
        expect(seen, " ".join(wanted), why="gone", question=f"{name} {kind}")
