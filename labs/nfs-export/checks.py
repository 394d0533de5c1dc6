"""Mount what the server exports, from the client and in a mount namespace of its own, and try it."""

from lpiclab.checks import expect, task
from lpiclab.checks.probes import NOTHING, last_line, mounted, nonce, put_file, take_file, unit_state

TRIES = "1 2 3 4 5 6 7 8"
OPTIONS = "soft,timeo=40,retrans=2,retry=0,nolock,nosharecache"
# A client that was up before the server may have given up; what is wanted at boot is wanted again.
LATER = "systemctl -q is-active remote-fs.target && timeout 10 systemctl start remote-fs.target; sleep 1"
# The copied client gets another address: what came by the old one has to go first.
MOVE = (
    "umount --all --force --lazy --types nfs,nfs4; set -- $(ip -o route get {server}); "
    "ip address add {other}/24 dev $3 && ip route replace {server}/32 dev $3 src {other}"
)


def trying(host, source, action, patience_s=20):
    """Run shell text with `source` mounted at /mnt for it alone; status 90 means that it was not."""
    mount = f"timeout {patience_s} mount -t nfs -o {OPTIONS} {source} /mnt || exit 90"
    return host.run("unshare --mount sh -c %s", f"{mount}; {action}")


def as_user(parameters, action):
    """Return shell text that runs `action` with the user's ids, as after a login."""
    return f"setpriv --reuid={parameters.uid} --regid={parameters.uid} --init-groups sh -c '{action}'"


def address(parameters):
    """Return the server's address in the network."""
    return f"{parameters.net}.{parameters.octet}"


def root_reads(server, client, parameters):
    """Return the directory where the client's root reads what the server's root keeps for itself."""
    for folder in (parameters.share, parameters.manuals):
        name = put_file(server, folder, "600")
        tried = trying(client, f"{address(parameters)}:{folder}", f"cat /mnt/{name}")
        take_file(server, folder, name)
        if name in tried.stdout:
            return folder
    return NOTHING


def try_manuals(server, client, parameters):
    """Read and write the manuals as who owns them; return what to read, the trial, what was written."""
    name, other = put_file(server, parameters.manuals), nonce()
    both = as_user(parameters, f"cat /mnt/{name}; echo > /mnt/{other}")
    tried = trying(client, f"{address(parameters)}:{parameters.manuals}", both)
    written = server.run(f"cd {parameters.manuals} && rm {other}").succeeded
    take_file(server, parameters.manuals, name)
    return name, tried, other if written else NOTHING


def guests_mount(host, parameters):
    """Return what `host` can mount at the server's address among the guests."""
    for folder in (parameters.share, parameters.manuals):
        source = f"{parameters.guests}.{parameters.octet}:{folder}"
        if trying(host, source, "true", patience_s=10).rc != 90:  # a firewall may swallow what is asked
            return source
    return NOTHING


@task("export")
def test_client_reads_and_writes(server, client, parameters, distro):
    """The client mounts the share, and its user reads and writes there with her own ids."""
    expect(unit_state(server, "is-active", distro.services["nfs"]), "active", why="stopped")
    source = f"{address(parameters)}:{parameters.share}"
    name, other = put_file(server, parameters.share), nonce()
    both = as_user(parameters, f"cat /mnt/{name}; echo > /mnt/{other}")
    tried = trying(client, source, both)
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
    folder = root_reads(server, client, parameters)
    expect("nobody" if folder == NOTHING else "root", "nobody", why="root", folder=folder)


@task("readonly")
def test_manuals_are_for_reading(server, client, parameters):
    """The client reads the manuals, and the server lets nobody write, not even who owns them."""
    name, tried, written = try_manuals(server, client, parameters)
    source = f"{address(parameters)}:{parameters.manuals}"
    expect(last_line(tried.stderr), source, ok=tried.rc != 90, why="refused")
    expect(tried.stdout.strip() or last_line(tried.stderr), name, why="other")
    expect("ro" if written == NOTHING else "rw", "ro", why="written")
    expect(last_line(tried.stderr), "Read-only file system", ok="Read-only" in tried.stderr, why="mode")


@task("guests")
def test_server_gives_guests_nothing(server, parameters):
    """Nothing is exported to the guests' addresses, also where no firewall is in the way: on the server."""
    expect(guests_mount(server, parameters), NOTHING, why="open", machine="server")


@task("guests")
def test_client_gets_nothing_as_a_guest(client, parameters):
    """The client mounts nothing from its address among the guests."""
    expect(guests_mount(client, parameters), NOTHING, why="open", machine="client")


@task("mount")
def test_share_is_mounted(server, client, parameters):
    """The server's directory is mounted where the task says, for writing."""
    wanted = f"{parameters.host}:{parameters.share}"
    # An automounter waits for somebody who looks.
    client.run(as_user(parameters, f"timeout 20 ls {parameters.mount}/."))
    found = mounted(client, parameters.mount, "SOURCE", "FSTYPE", "OPTIONS")
    expect(found.get("source") or NOTHING, wanted, ok=bool(found), why="absent")
    kind = f"{found['fstype']} ({found['source']})"
    expect(kind, "nfs4", ok=found["fstype"] in ("nfs", "nfs4"), why="local")
    options = found["options"].split(",")
    served = next((option.partition("=")[2] for option in options if option.startswith("addr=")), NOTHING)
    expect(served, address(parameters), why="server")
    expect(found["options"], "rw", ok="rw" in options, why="read_only")
    name = put_file(server, parameters.share)
    read = client.run(as_user(parameters, f"timeout 20 cat {parameters.mount}/{name}"))
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
def test_all_is_there_after_a_reboot(fork, parameters):
    """After a reboot, on copies, the share is mounted again, and the exports are what they should be."""
    fork.reboot()
    name = put_file(fork.server, parameters.share)
    look = as_user(parameters, f"timeout 8 cat {parameters.mount}/{name}")
    read = fork.client.run("timeout 28 sh -c %s", f"for i in {TRIES}; do {look} && break; {LATER}; done")
    expect(read.stdout.strip() or last_line(read.stderr), name, why="gone")
    wrote = fork.client.run(as_user(parameters, f"timeout 8 touch {parameters.mount}/{nonce()}"))
    expect(last_line(wrote.stderr), "rw", ok=wrote.succeeded, why="unwritable")
    _, tried, written = try_manuals(fork.server, fork.client, parameters)
    source = f"{address(parameters)}:{parameters.manuals}"
    expect(last_line(tried.stderr), source, ok=tried.rc != 90, why="unexported")
    expect(written, NOTHING, why="looser", who="owner")
    expect(root_reads(fork.server, fork.client, parameters), NOTHING, why="looser", who="root")
    see_who_is_served(fork, parameters)


def see_who_is_served(fork, parameters):
    """The copied client is served at any address of the network, and at none of the guests'."""
    source = f"{address(parameters)}:{parameters.share}"
    fork.client.run(MOVE.format(server=address(parameters), other=f"{parameters.net}.250"))
    tried = trying(fork.client, source, "true")
    expect(last_line(tried.stderr), source, ok=tried.rc != 90, why="narrow")
    for host in (fork.server, fork.client):  # the exports are to refuse them, not a firewall
        host.run("nft flush ruleset")
    expect(guests_mount(fork.client, parameters), NOTHING, why="looser", who="guests")
