"""Ask the kernel for the array, and copies of the machine what it would survive."""

import hashlib
import re

from lpiclab.checks import expect, raid, task
from lpiclab.checks.probes import NOTHING, fstab_options, mount_anew, mounted, unit_state

DISKS = {"sdb", "sdc", "sdd", "sde"}
BOOKS = [f"2013-{month:02}.book" for month in range(1, 13)]
BOOK_BYTES = 2**20
SLOW_KIB_S = 10_000  # the kernel's own limit is 200000; a rebuild at less than this takes days on a real disk


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
    found = raid.array_facts(server, array)
    running = found.get("sync_action", "idle")
    expect(running, "idle", ok=running not in ("recover", "resync"), why="rebuilding")
    missing = int(found.get("degraded", "0"))
    expect(3 - missing, 3, ok=missing == 0, why="degraded", members=raid.in_words(raid.array_members(found)))
    return found


@task("array")
def test_array_is_whole_without_the_failed_disk(server, parameters):
    """The RAID 5 has three members in sync, on the three disks that are sound, and no failed one."""
    array = parameters.array
    found = raid.arrays(server)
    expect(" ".join(found) or NOTHING, array, ok=array in found, why="absent")
    level = raid.array_facts(server, array).get("level", NOTHING)
    expect(level, "raid5", why="level")
    found = expect_whole(server, parameters)
    expect(found["raid_disks"], "3", why="devices")
    members = raid.array_members(found)
    bad = [name for name in members if name.startswith(parameters.failed)]
    expect(" ".join(bad) or NOTHING, NOTHING, why="bad_disk", members=raid.in_words(members))
    faulty = [name for name, state in members.items() if "faulty" in state]
    expect(" ".join(faulty) or NOTHING, NOTHING, why="listed", members=raid.in_words(members))
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
    found = " ".join(raid.arrays(server)) or NOTHING
    expect(found, parameters.array, ok=parameters.array in found.split(), why="absent")
    expect(found, parameters.array, why="others")


@task("only")
def test_no_other_array(server, parameters):
    """No other array holds a disk."""
    expect_only(server, parameters)


def expect_fast(server, parameters):
    """Expect that nobody slows a rebuild down, for all arrays or for this one.

    The kernel asks for the maximum only above the minimum: the larger one is the limit. The array's
    files say what holds for it; without the array it is what holds for all.
    """
    look = f"cat /sys/block/{parameters.array}/md/sync_speed_m* || cat /proc/sys/dev/raid/speed_limit_m*"
    limit = max(map(int, re.findall(r"^\d+", server.run(look).stdout, re.MULTILINE)), default=0)
    expect(limit, SLOW_KIB_S, ok=limit >= SLOW_KIB_S, why="slow")


@task("speed")
def test_rebuild_may_be_fast(server, parameters):
    """The kernel may rebuild at the speed of disks."""
    expect_fast(server, parameters)


def expect_watched(server, unit):
    """Expect that mdadm's service runs, and is mdadm; after an event it may just be starting again."""
    expect(unit_state(server, "is-active", unit), "active", why="unwatched")
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
    names, uuid = raid.array_names(name), raid.array_uuid(server, name)
    expect(uuid or NOTHING, f"/dev/{name}", ok=uuid != "", why="unknown")
    file, ours, stale = raid.record(server, name, distro.paths)
    expect(stale[0] if stale else uuid, uuid, ok=not stale, why="stale")
    expect(" ".join(ours) or NOTHING, f"/dev/{name}", ok=bool(ours), why="missing", file=file)
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
    line = r"^-?dev[./]raid[./]speed_limit_(min|max)\s*=\s*(\d+)"
    # The kernel's minimum, and as much as its maximum as is asked for; of several lines the last one holds.
    limits = {"min": 1000, "max": SLOW_KIB_S}
    limits |= {which: int(limit) for which, limit in re.findall(line, read, re.MULTILINE)}
    limit = max(limits.values())
    expect(limit, SLOW_KIB_S, ok=limit >= SLOW_KIB_S, why="set_slow")


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
