"""Fetch pages with curl: from the network, from outside it, and from the proxy by its outside address."""

import re

from lpiclab.checks import expect, task
from lpiclab.checks.probes import NOTHING, last_line, nonce, port_holders, route, unit_state

TRIES = "1 2 3 4 5 6 7 8"
PORT = 3128
# What a firewall keeps away says nothing of Squid: for copies only.
FLUSH = "nft flush ruleset"


class Answer:
    """What curl, without ~/.curlrc, got for `url` by way of the proxy at `address`."""

    def __init__(self, host, address, url, options=""):
        patience = "--retry 3 --retry-connrefused --retry-delay 1 --retry-max-time 6 --max-time 6"
        # In a file, which curl empties before it tries again.
        ends = "--output $f --write-out '%{http_code} %{http_connect}'"
        proxy = f"--noproxy '' --proxy http://{address}:{PORT}"
        curl = f"curl -q --silent --show-error {patience} {ends} {proxy} {options} '{url}'"
        got = host.run(f'f=$(mktemp); c=$({curl}); cat $f; rm $f; echo; echo "$c"')
        body, _, codes = got.stdout.rstrip("\n").rpartition("\n")
        self.body = body.strip()
        self.code, self.tunnel = [*codes.split(), "000", "000"][:2]
        self.said = self.code if self.code != "000" else last_line(got.stderr)


def complaint(parsed):
    """Return the first thing that ``squid -k parse`` finds wrong."""
    found = re.search(r"(?<=FATAL: ).*|(?<=ERROR: ).*|\S+ unrecognized: .*", parsed.stdout)
    return found[0] if found else NOTHING


def asked_by(web, path, address):
    """Return the web server's line about a page that `address` has fetched from it."""
    line = f"grep -F ' {path} ' /var/log/nginx/access.log | grep '^{address} '"
    found = web.run(f"for i in {TRIES}; do {line} && break; sleep 1; done")
    return found.stdout.strip() or NOTHING


def outsiders(parameters):
    """Return addresses that are not of the network: the outside, the networks beside it, one far away."""
    first, second, third = parameters.net.split(".")
    beside = [f"{first}.{second}.{int(third) + step}.9" for step in (-1, 1)]
    return [f"{parameters.outside}.1", *beside, "203.0.113.9"]


@task("proxy")
def test_client_gets_pages_from_squid(proxy, client, web, parameters, distro):
    """Squid's service holds the port, and the client gets a page that the proxy has fetched."""
    unit, address = distro.services["squid"], f"{parameters.net}.{parameters.octet}"
    expect(unit_state(proxy, "is-active", unit), "active", why="stopped")
    holder = port_holders(proxy, "tcp", PORT, address, unit, patience_s=4)
    expect(holder, f"{address}:{PORT}", ok=holder != NOTHING, why="deaf")
    expect(holder, "squid", ok=holder in ("squid", "squid-1", "(squid-1)"), why="foreign")
    way = route(client, address)
    expect(way, address, ok=way.startswith(address), why="self")
    path = f"/{nonce()}"
    answer = Answer(client, address, f"http://{parameters.site}{path}")
    expect(answer.said, "200", ok=answer.code != "000", why="unreachable")
    expect(answer.said, "200", why="refused")
    fetched = f"{parameters.site} {path} {parameters.outside}.1"
    expect(answer.body or NOTHING, fetched, why="origin")
    line = asked_by(web, path, f"{parameters.outside}.1")
    expect(line, f"{parameters.outside}.1 {path}", ok=line != NOTHING, why="unasked")


@task("proxy")
def test_whole_network_is_served(proxy, parameters):
    """Another address of the network, the proxy's own, is not refused; a firewall may keep it silent."""
    address = f"{parameters.net}.{parameters.octet}"
    answer = Answer(proxy, address, f"http://{parameters.site}/", f"--interface {address}")
    expect(answer.said, "200", ok=answer.code in ("200", "000"), why="narrow", address=address)


@task("proxy")
def test_any_address_of_the_network_is_served(fork, parameters):
    """The client, on a copy, is served by whichever address of the network it takes."""
    proxy = f"{parameters.net}.{parameters.octet}"
    for octet in (5, 70, 254):
        address = f"{parameters.net}.{octet}"
        fork.client.run(f"set -- $(ip -o route get {proxy}); ip address add {address}/24 dev $3")
        answer = Answer(fork.client, proxy, f"http://{parameters.site}/", f"--interface {address}")
        expect(answer.said, "200", why="narrow", address=address)


@task("outsider")
def test_others_are_refused(proxy, web, parameters):
    """Who is not of the network gets 403 from Squid, or nothing at all where a firewall helps it."""
    url = f"http://{parameters.site}/"
    inside, outside = f"{parameters.net}.{parameters.octet}", f"{parameters.outside}.1"
    answers = {
        outside: Answer(proxy, inside, url, f"--interface {outside}"),
        f"{parameters.outside}.80": Answer(web, outside, url),
    }
    for address, answer in answers.items():
        expect(answer.said, "403", ok=answer.code in ("403", "000"), why="open", address=address)


@task("outsider")
def test_squid_itself_refuses_others(fork, parameters):
    """Without a firewall, on a copy, Squid says 403 to addresses near and far that are not of the network."""
    fork.proxy.run(FLUSH)
    for address in outsiders(parameters):
        fork.proxy.run(f"ip address add {address}/32 dev lo")
        inside = f"{parameters.net}.{parameters.octet}"
        answer = Answer(fork.proxy, inside, f"http://{parameters.site}/", f"--interface {address}")
        expect(answer.said, "403", why="exposed", address=address)


@task("denied")
def test_denied_domains_are_refused(client, parameters):
    """The domains and everything in them are refused, by http and by https; the rest is not."""
    address = f"{parameters.net}.{parameters.octet}"
    for domain in (parameters.denied, parameters.also_denied):
        # The third name is in no DNS: no other server can say 403 for it.
        for name in (domain, f"www.{domain}", f"{nonce()}.{domain}"):
            answer = Answer(client, address, f"http://{name}/")
            expect(answer.said, "403", why="reached", url=f"http://{name}/")
            tunnel = Answer(client, address, f"https://{name}/").tunnel
            expect(tunnel, "403", why="tunnel", url=f"https://{name}/")
    for name in (parameters.neighbour, f"www.{parameters.neighbour}"):
        path = f"/{nonce()}"
        answer = Answer(client, address, f"http://{name}{path}")
        passed = answer.code == "200" and path in answer.body
        expect(answer.said, "200", ok=passed, why="neighbour", name=name)
        # Nobody listens there, which Squid finds out by asking.
        tunnel = Answer(client, address, f"https://{name}/", "--retry 0").tunnel
        expect(tunnel, "503", ok=tunnel != "403", why="shut", url=f"https://{name}/")
    # A name that nobody can have allowed beforehand; that there is none, the proxy finds out by asking.
    name = f"www.{nonce()}.example"
    answer = Answer(client, address, f"http://{name}/", "--retry 0")
    expect(answer.said, "503", ok=answer.code != "403", why="others", name=name)


@task("cache")
def test_second_fetch_comes_from_the_cache(proxy, client, parameters):
    """A page fetched twice is the same, though the server never says the same; and it is on the disk."""
    address = f"{parameters.net}.{parameters.octet}"
    name = nonce()
    first, second = (Answer(client, address, f"http://{parameters.site}/static/{name}") for _ in "12")
    same = first.body and second.body == first.body
    expect(second.body or NOTHING, first.body or NOTHING, ok=same, why="miss")
    parsed = proxy.run("squid -k parse 2>&1")
    # Of two lines for one folder, the last counts.
    folders = dict(re.findall(r"Processing: cache_dir\s+\S+\s+(\S+)\s+(\d+)", parsed.stdout))
    expect(complaint(parsed), "cache_dir", ok=bool(folders), why="memory")
    expect(sum(map(int, folders.values())), parameters.cache_mb, why="size")
    places = " ".join(folders)
    once = f"f=$(grep -rlaF {name} {places})"
    found = proxy.run(f'for i in {TRIES}; do {once}; [ -z "$f" ] || break; sleep 1; done; echo "$f"')
    expect(found.stdout.strip() or NOTHING, places, ok=bool(found.stdout.strip()), why="disk")


@task("boot")
def test_squid_comes_back_after_a_boot(proxy, distro):
    """Squid starts at boot and accepts its configuration."""
    expect(unit_state(proxy, "is-enabled", distro.services["squid"]), "enabled", why="disabled")
    parsed = proxy.run("squid -k parse 2>&1")
    expect(complaint(parsed), NOTHING, ok=parsed.succeeded, why="invalid")


@task("boot")
def test_pages_come_after_a_reboot(fork, parameters):
    """After a reboot, on copies, the proxy fetches pages, refuses what it should, and has what it kept."""
    address, path = f"{parameters.net}.{parameters.octet}", f"/{nonce()}"
    outside, site = f"{parameters.outside}.1", f"http://{parameters.site}/"
    kept = f"http://{parameters.site}/static/{nonce()}"
    before = Answer(fork.client, address, kept).body
    fork.reboot("proxy")
    fetched = Answer(fork.client, address, f"http://{parameters.site}{path}")
    expect(fetched.said, "200", ok=path in fetched.body, why="gone")
    denied = f"http://www.{parameters.denied}/"
    answer = Answer(fork.client, address, denied)
    expect(answer.said, "403", why="reopened", address=f"{parameters.net}.1", url=denied)
    fork.proxy.run(FLUSH)
    answer = Answer(fork.proxy, address, site, f"--interface {outside}")
    expect(answer.said, "403", why="reopened", address=outside, url=site)
    fork.cut_power("web")
    for _ in "1234":
        again = Answer(fork.client, address, kept)
        if again.body == before:
            break
        fork.client.run("sleep 3")  # Squid may still be reading what is in its folder
    expect(again.body or again.said, before, ok=before and again.body == before, why="forgotten")
