"""Ask the kernel for the array, and copies of the machine what it would survive."""

import hashlib
import re

from lpiclab.checks import expect, task
from lpiclab.checks.probes import NOTHING, fstab_options, mount_anew, mounted
from lpiclab.checks.raid import array_lines, array_names, array_uuid

DISKS = {"sdb", "sdc", "sdd", "sde"}
BOOKS = [f"2013-{month:02}.book" for month in range(1, 13)]
BOOK_BYTES = 2**20
SLOW_KIB_S = 10_000  # the kernel's own limit is 200000; a rebuild at less than this takes days on a real disk


def arrays(server):
    """Return the names of the arrays that there are, also of those that do not run."""
    look = "grep -H . /sys/block/md*/md/array_state"
    found = re.findall(r"^/sys/block/(\w+)/md/array_state:(\S+)$", server.run(look).stdout, re.MULTILINE)
    return sorted(name for name, state in found if state != "clear")


def facts(server, array):
    """Return what the kernel says of an array, and the state of each member: ``dev-sdb1``."""
    look = f"cd /sys/block/{array}/md && grep -H . level raid_disks degraded sync_action dev-*/state"
    lines = server.run(look).stdout.replace("/state:", ":").splitlines()
    return dict(line.split(":", 1) for line in lines)


def members(found):
    """Return the members with their states, in words: ``sdb1 in_sync, sdc1 faulty``."""
    named = {name.removeprefix("dev-"): state for name, state in found.items() if name.startswith("dev-")}
    return ", ".join(f"{name} {state}" for name, state in sorted(named.items())) or NOTHING


def disks_below(server, array):
    """Return the disks that an array lies on."""
    below = server.run(f"lsblk --noheadings --raw --inverse --output NAME,TYPE /dev/{array}").stdout
    return {line.split()[0] for line in below.splitlines() if line.endswith(" disk")}


def spoilt_books(server, parameters):
    """Return the books that are not there or have other words, as they are on the disks, not in memory."""
    wanted = {
        name: hashlib.sha256(
            hashlib.shake_256(f"{parameters.secret} {name}".encode()).digest(BOOK_BYTES)
        ).hexdigest()
        for name in BOOKS
    }
    look = f"sync; echo 3 > /proc/sys/vm/drop_caches; cd {parameters.mount} && sha256sum {' '.join(BOOKS)}"
    found = {name: digest for digest, name in re.findall(r"(\w+)  (\S+)", server.run(look).stdout)}
    return [name for name in BOOKS if found.get(name) != wanted[name]]


def expect_whole(server, parameters):
    """Expect all three members of the array in sync; a rebuild gets some seconds to end."""
    array = parameters.array
    again = f"grep -q -e resync -e recover /sys/block/{array}/md/sync_action || break; sleep 1"
    server.run(f"for i in $(seq 20); do {again}; done")
    found = facts(server, array)
    running = found.get("sync_action", "idle")
    expect(running, "idle", ok=running not in ("recover", "resync"), why="rebuilding")
    missing = int(found.get("degraded", "0"))
    expect(3 - missing, 3, ok=missing == 0, why="degraded", members=members(found))
    return found


@task("array")
def test_array_is_whole_without_the_failed_disk(server, parameters):
    """The RAID 5 has three members in sync, on the three disks that are sound, and no failed one."""
    array = parameters.array
    found = arrays(server)
    expect(" ".join(found) or NOTHING, array, ok=array in found, why="absent")
    level = facts(server, array).get("level", NOTHING)
    expect(level, "raid5", why="level")
    found = expect_whole(server, parameters)
    expect(found["raid_disks"], "3", why="devices")
    bad = [name.removeprefix("dev-") for name in found if name.startswith(f"dev-{parameters.failed}")]
    expect(" ".join(bad) or NOTHING, NOTHING, why="bad_disk", members=members(found))
    faulty = [name.removeprefix("dev-") for name, state in found.items() if "faulty" in state]
    expect(" ".join(faulty) or NOTHING, NOTHING, why="listed", members=members(found))
    sound = DISKS - {parameters.failed}
    below = disks_below(server, array)
    expect(" ".join(sorted(below)), " ".join(sorted(sound)), why="disks")


@task("data")
def test_books_are_as_before(server, parameters):
    """Every book is on the array, with the words that it had."""
    source = mounted(server, parameters.mount, "SOURCE").get("source", NOTHING)
    expect(source, f"/dev/{parameters.array}", why="elsewhere")
    expect(" ".join(spoilt_books(server, parameters)) or NOTHING, NOTHING, why="spoilt")


@task("data")
def test_books_survive_the_next_disk(fork, parameters):
    """The failed disk is pulled and then another one, on a copy of the machine: all books can be read."""
    fork.unplug("server", parameters.failed)
    lost = min(disks_below(fork.server, parameters.array))
    fork.unplug("server", lost)
    spoilt = spoilt_books(fork.server, parameters)
    expect(" ".join(spoilt) or NOTHING, NOTHING, why="not_redundant", lost=lost)


def expect_only(server, parameters):
    """Expect no array but the one."""
    expect(" ".join(arrays(server)) or NOTHING, parameters.array, why="others")


@task("only")
def test_no_other_array(server, parameters):
    """No other array holds a disk."""
    expect_only(server, parameters)


def expect_fast(server, parameters):
    """Expect that nobody slows a rebuild down, for all arrays or for this one."""
    look = f"cat /proc/sys/dev/raid/speed_limit_max; cat /sys/block/{parameters.array}/md/sync_speed_max"
    limits = [int(each) for each in re.findall(r"^\d+", server.run(look).stdout, re.MULTILINE)]
    slowest = min(limits, default=0)
    expect(slowest, SLOW_KIB_S, ok=slowest >= SLOW_KIB_S, why="slow")


@task("speed")
def test_rebuild_may_be_fast(server, parameters):
    """The kernel may rebuild at the speed of disks."""
    expect_fast(server, parameters)


def expect_watched(server, unit):
    """Expect that mdadm's service runs, and is mdadm; after an event it may just be starting again."""
    state = server.run("systemctl is-active %s", unit).stdout.strip()
    expect(state or NOTHING, "active", why="unwatched")
    pid = server.run("systemctl show --property MainPID --value %s", unit).stdout.strip()
    program = server.run("readlink /proc/%s/exe", pid).stdout.strip().rpartition("/")[2]
    expect(program or NOTHING, "mdadm", why="asleep")


@task("monitor")
def test_array_is_watched(server, distro):
    """A program watches the arrays, and knows whom to tell."""
    expect_watched(server, distro.services["mdadm"])


@task("config")
def test_mdadm_conf_names_the_array(server, parameters, distro):
    """An ARRAY line gives the array's UUID and its name, and no other line claims that name."""
    name = parameters.array
    names, uuid = array_names(name), array_uuid(server, name)
    lines = array_lines(server, distro.paths["mdadm_config"])
    ours = [line.device for line in lines if line.uuid and line.uuid == uuid]
    stale = [line.uuid for line in lines if line.device in names and line.uuid not in ("", uuid)]
    expect(stale[0] if stale else uuid, uuid, ok=not stale, why="stale")
    expect(" ".join(ours) or NOTHING, f"/dev/{name}", ok=bool(ours), why="missing")
    expect(" ".join(ours), f"/dev/{name}", ok=names.issuperset(ours), why="name")


@task("mount")
def test_books_are_mounted_by_fstab(server, parameters):
    """The array's filesystem is mounted for writing, and fstab, tried in a namespace, mounts it again."""
    array = f"/dev/{parameters.array}"
    topmost = mounted(server, parameters.mount, "SOURCE", "OPTIONS")
    expect(topmost.get("source", NOTHING), array, why="source")
    expect(topmost["options"], "rw", ok="rw" in topmost["options"].split(","), why="read_only")
    options = fstab_options(server, parameters.mount)
    expect(options, parameters.mount, ok=options != NOTHING, why="missing")
    expect(options, "defaults", ok={"noauto", "ro"}.isdisjoint(options.split(",")), why="options")
    source, complaint = mount_anew(server, parameters.mount, "SOURCE")
    expect(complaint, "mount", ok=complaint == NOTHING, why="refused")
    expect(source, array, why="other")


@task("boot")
def test_nothing_waits_for_the_next_boot(server, parameters):
    """No disk has the superblock of another array, and no file slows rebuilds down at boot."""
    detail = server.run("mdadm --detail --export %s", f"/dev/{parameters.array}").stdout
    ours = re.findall(r"^MD_UUID=(.*)$", detail, re.MULTILINE)
    found = re.findall(r"UUID=(\S+)", server.run("mdadm --examine --scan").stdout)
    others = sorted(set(found) - set(ours))
    expect(" ".join(others) or NOTHING, NOTHING, why="waits")
    read = server.run("/usr/lib/systemd/systemd-sysctl --cat-config").stdout
    limit = r"^-?dev[./]raid[./]speed_limit_max\s*=\s*(\d+)"
    limits = [int(each) for each in re.findall(limit, read, re.MULTILINE)]
    last = limits[-1] if limits else SLOW_KIB_S  # the last one holds
    expect(last, SLOW_KIB_S, ok=last >= SLOW_KIB_S, why="set_slow")


@task("boot")
def test_all_is_well_after_a_reboot(fork, parameters, distro):
    """After a reboot, on a copy of the machine, all that was asked for is still so."""
    fork.reboot()
    server = fork.server
    expect_only(server, parameters)
    expect_whole(server, parameters)
    source = mounted(server, parameters.mount, "SOURCE").get("source", NOTHING)
    expect(source, f"/dev/{parameters.array}", why="gone")
    expect(" ".join(spoilt_books(server, parameters)) or NOTHING, NOTHING, why="spoilt")
    expect_fast(server, parameters)
    expect_watched(server, distro.services["mdadm"])
