"""Fetch pages with curl: from the network, from outside it, and from the proxy by its outside address."""

import re

from lpiclab.checks import expect, task
from lpiclab.checks.probes import NOTHING, last_line, nonce, port_holders, route, unit_state

TRIES = "1 2 3 4 5 6 7 8"
PORT = 3128


class Answer:
    """What curl, without ~/.curlrc, got for `url` by way of the proxy at `address`."""

    def __init__(self, host, address, url, options=""):
        patience = "--retry 3 --retry-connrefused --retry-delay 1 --retry-max-time 6 --max-time 6"
        ends = r"--write-out '\n%{http_code} %{http_connect}'"
        proxy = f"--noproxy '' --proxy http://{address}:{PORT}"
        got = host.run(f"curl -q --silent --show-error {patience} {ends} {proxy} {options} '{url}'")
        body, _, codes = got.stdout.rpartition("\n")
        self.body = body.strip()
        self.code, self.tunnel = [*codes.split(), "000", "000"][:2]
        self.said = self.code if self.code != "000" else last_line(got.stderr)


def complaint(parsed):
    """Return the first thing that ``squid -k parse`` finds wrong."""
    return (re.findall(r"(?:FATAL|ERROR): (.*)", parsed.stdout) or [NOTHING])[0]


@task("proxy")
def test_client_gets_pages_from_squid(proxy, client, parameters, distro):
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


@task("outsider")
def test_others_are_refused(proxy, web, parameters):
    """Who is not of the network gets 403 from Squid, also where a firewall does not help it."""
    url = f"http://{parameters.site}/"
    inside, outside = f"{parameters.net}.{parameters.octet}", f"{parameters.outside}.1"
    answer = Answer(proxy, inside, url, f"--interface {outside}")
    expect(answer.said, "403", why="open", address=outside)
    answer = Answer(web, outside, url)
    address = f"{parameters.outside}.80"
    expect(answer.said, "403", ok=answer.code in ("403", "000"), why="open", address=address)


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


@task("cache")
def test_second_fetch_comes_from_the_cache(proxy, client, parameters):
    """A page fetched twice is the same, though the server never says the same; and it is on the disk."""
    address = f"{parameters.net}.{parameters.octet}"
    name = nonce()
    first, second = (Answer(client, address, f"http://{parameters.site}/static/{name}") for _ in "12")
    same = first.body and second.body == first.body
    expect(second.body or NOTHING, first.body or NOTHING, ok=same, why="miss")
    parsed = proxy.run("squid -k parse 2>&1")
    folders = re.findall(r"Processing: cache_dir \S+ (\S+) (\d+)", parsed.stdout)
    expect(complaint(parsed), "cache_dir", ok=bool(folders), why="memory")
    size = sum(int(size) for _, size in folders)
    expect(size, parameters.cache_mb, why="size")
    places = " ".join(folder for folder, _ in folders)
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
    """After a reboot, on copies, the proxy fetches pages, and has what it kept without the web server."""
    address, path = f"{parameters.net}.{parameters.octet}", f"/{nonce()}"
    kept = f"http://{parameters.site}/static/{nonce()}"
    before = Answer(fork.client, address, kept).body
    fork.reboot("proxy")
    fetched = Answer(fork.client, address, f"http://{parameters.site}{path}")
    expect(fetched.said, "200", ok=path in fetched.body, why="gone")
    fork.cut_power("web")
    again = Answer(fork.client, address, kept)
    expect(again.body or again.said, before, ok=before and again.body == before, why="forgotten")
