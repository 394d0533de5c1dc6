"""Mount what the server exports, from the client and in a mount namespace of its own, and try it."""

from lpiclab.checks import expect, task
from lpiclab.checks.probes import NOTHING, last_line, mounted, nonce, put_file, take_file, unit_state

TRIES = "1 2 3 4 5 6 7 8"
OPTIONS = "soft,timeo=40,retrans=2,retry=0,nolock,nosharecache"


def trying(host, source, action):
    """Run shell text with `source` mounted at /mnt for it alone; status 90 means that it was not."""
    mount = f"timeout 20 mount -t nfs -o {OPTIONS} {source} /mnt || exit 90"
    return host.run("unshare --mount sh -c %s", f"{mount}; cd /mnt && {action}")


def as_user(parameters, action):
    """Return shell text that runs `action` with the user's ids, as after a login."""
    return f"setpriv --reuid={parameters.uid} --regid={parameters.uid} --clear-groups sh -c '{action}'"


def address(parameters):
    """Return the server's address in the network."""
    return f"{parameters.net}.{parameters.octet}"


@task("export")
def test_client_reads_and_writes(server, client, parameters, distro):
    """The client mounts the share, and its user reads and writes there with her own ids."""
    expect(unit_state(server, "is-active", distro.services["nfs"]), "active", why="stopped")
    source = f"{address(parameters)}:{parameters.share}"
    name = put_file(server, parameters.share)
    other = nonce()
    read = as_user(parameters, f"cat {name}")
    tried = trying(client, source, f"{read}; {as_user(parameters, f'echo > {other}')}")
    owner = server.run(
        f"cd {parameters.share}; stat --format %u {other}; rm -f {name} {other}"
    ).stdout.strip()
    expect(last_line(tried.stderr), source, ok=tried.rc != 90, why="refused")
    expect(tried.stdout.strip() or last_line(tried.stderr), name, why="other")
    expect(last_line(tried.stderr), "rw", ok=tried.succeeded, why="unwritable")
    expect(owner or NOTHING, parameters.uid, ok=owner == str(parameters.uid), why="owner")


@task("export")
def test_whole_network_is_served(server, parameters):
    """Another host of the network mounts the share too: the server itself, by its address there."""
    source = f"{address(parameters)}:{parameters.share}"
    tried = trying(server, source, "true")
    expect(last_line(tried.stderr), source, ok=tried.rc != 90, why="narrow")


@task("squash")
def test_root_of_the_client_is_nobody(server, client, parameters):
    """Root of the client may not read what root of the server keeps for itself."""
    name = put_file(server, parameters.share, "600")
    tried = trying(client, f"{address(parameters)}:{parameters.share}", f"cat {name}")
    take_file(server, parameters.share, name)
    expect("root" if name in tried.stdout else "nobody", "nobody", why="root")


@task("readonly")
def test_manuals_are_for_reading(server, client, parameters):
    """The client reads the manuals, and the server lets nobody write, not even who owns them."""
    source = f"{address(parameters)}:{parameters.manuals}"
    name, other = put_file(server, parameters.manuals), nonce()
    tried = trying(client, source, f"cat {name}; {as_user(parameters, f'echo > {other}')}")
    written = server.run(f"cd {parameters.manuals} && [ -e {other} ]").succeeded
    server.run(f"cd {parameters.manuals} && rm -f {name} {other}")
    expect(last_line(tried.stderr), source, ok=tried.rc != 90, why="refused")
    expect(tried.stdout.strip() or last_line(tried.stderr), name, why="other")
    expect("rw" if written else "ro", "ro", why="written")
    expect(last_line(tried.stderr), "Read-only file system", ok="Read-only" in tried.stderr, why="mode")


@task("guests")
def test_guests_are_refused(server, client, parameters):
    """Nothing is exported to the guests, also where a firewall does not help the server."""
    for folder in (parameters.share, parameters.manuals):
        source = f"{parameters.guests}.{parameters.octet}:{folder}"
        for machine, host in (("server", server), ("client", client)):
            tried = trying(host, source, "true")
            seen = source if tried.rc != 90 else NOTHING
            expect(seen, NOTHING, why="open", machine=machine)


@task("mount")
def test_share_is_mounted(server, client, parameters):
    """The server's directory is mounted where the task says, for writing."""
    wanted = f"{parameters.host}:{parameters.share}"
    client.run(f"timeout 20 ls {parameters.mount}/.")  # an automounter waits for that
    found = mounted(client, parameters.mount, "SOURCE", "FSTYPE", "OPTIONS")
    expect(found.get("source") or NOTHING, wanted, ok=bool(found), why="absent")
    kind = f"{found['fstype']} ({found['source']})"
    expect(kind, "nfs4", ok=found["fstype"] in ("nfs", "nfs4"), why="local")
    options = found["options"].split(",")
    served = next((option.partition("=")[2] for option in options if option.startswith("addr=")), NOTHING)
    expect(served, address(parameters), why="server")
    expect(found["options"], "rw", ok="rw" in options, why="read_only")
    name = put_file(server, parameters.share)
    read = client.run(f"timeout 20 cat {parameters.mount}/{name}")
    take_file(server, parameters.share, name)
    expect(read.stdout.strip() or last_line(read.stderr), name, why="other")


@task("boot")
def test_both_are_set_up_for_a_boot(server, client, parameters, distro):
    """The server's service is enabled, and the client has a line, a unit or a map that mounts."""
    expect(unit_state(server, "is-enabled", distro.services["nfs"]), "enabled", why="disabled")
    line = client.run("findmnt --fstab --mountpoint %s", parameters.mount)
    unit = client.run("systemd-escape --path --suffix=mount %s", parameters.mount).stdout.strip()
    units = client.run("systemctl is-enabled %s %s", unit, unit.replace(".mount", ".automount"))
    maps = unit_state(client, "is-enabled", distro.services["autofs"])
    ways = line.succeeded or "enabled" in units.stdout.split() or maps == "enabled"
    expect(NOTHING, parameters.mount, ok=ways, why="missing")


@task("boot")
def test_both_are_there_after_a_reboot(fork, parameters):
    """After a reboot of both, on copies, the share is mounted again and the manuals can be."""
    fork.reboot()
    name = put_file(fork.server, parameters.share)
    again = f"for i in {TRIES}; do timeout 10 cat {parameters.mount}/{name} && break; sleep 1; done"
    read = fork.client.run(f"timeout 28 sh -c '{again}'")
    expect(read.stdout.strip() or last_line(read.stderr), name, why="gone")
    source = f"{address(parameters)}:{parameters.manuals}"
    tried = trying(fork.client, source, "true")
    expect(last_line(tried.stderr), source, ok=tried.rc != 90, why="unexported")
