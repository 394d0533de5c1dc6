"""Ask the kernel for the array and its mount; read a file only where the file is the task."""

import re

from lpiclab.checks import expect, raid, task
from lpiclab.checks.probes import NOTHING, fstab_options, mount_anew, mounted

DISKS = ("sdb", "sdc", "sdd")
LINUX_RAID_TYPES = ("0xfd", "a19d880f-05fc-4d3b-a006-743f0f84911e")  # MBR, GPT; see sfdisk --list-types
REFILL_TRIES = 40  # of a second; a small disk is filled in some
IDLE_TRIES = 6  # the kernel needs a moment to see that a disk is gone, and to take the spare


def members(server, parameters):
    """Return the array's members with their states."""
    return raid.array_members(raid.array_facts(server, parameters.array))


@task("array")
def test_mirror_has_two_active_members(server, parameters):
    """The array is a running RAID 1 of two devices, on the new disks, and both are there."""
    found = raid.arrays(server)
    expect(" ".join(found) or NOTHING, parameters.array, ok=parameters.array in found, why="absent")
    facts = raid.array_facts(server, parameters.array)
    level = "inactive" if facts["array_state"] == "inactive" else facts.get("level", NOTHING)
    expect(level, "raid1", why="level")
    present = raid.array_members(facts)
    elsewhere = [name for name in present if not name.startswith(DISKS)]
    expect(" ".join(elsewhere) or NOTHING, " ".join(DISKS), ok=not elsewhere, why="elsewhere")
    expect(facts["raid_disks"], "2", why="devices")
    expect(2 - int(facts["degraded"]), 2, why="degraded", members=raid.in_words(present))


@task("spare")
def test_one_spare_waits(server, parameters):
    """One more device waits for a member to fail."""
    present = members(server, parameters)
    spares = [name for name, state in present.items() if "spare" in state]
    expect(len(spares), 1, why="count", members=raid.in_words(present))


@task("spare")
def test_spare_takes_over(fork, parameters):
    """When an active member is lost, on a copy of the machine, the spare takes its place."""
    server, array = fork.server, f"/dev/{parameters.array}"
    present = members(server, parameters)
    lost = next(name for name, state in present.items() if "in_sync" in state)
    disk = lost.rstrip("0123456789")
    if any(name != lost and name.startswith(disk) for name in present):
        server.run("mdadm %s --fail %s", array, f"/dev/{lost}")
    else:
        fork.unplug("server", disk)
    active = refill(server, parameters, lost)
    expect(active, 2, why="idle", lost=lost, members=raid.in_words(members(server, parameters)))


def refill(server, parameters, lost):
    """Write to the array until `lost` is replaced, or nothing comes of it; return how many are in sync.

    Linux notices a lost disk when it writes (what it reads may come from the other member).
    """
    array = f"/dev/{parameters.array}"
    same = f"dd if={array} of={array} bs=4096 count=1 iflag=direct oflag=direct conv=notrunc"
    idle = 0
    for _ in range(REFILL_TRIES):
        server.run(f"{same}; sleep 1")
        facts = raid.array_facts(server, parameters.array)
        states = [state for name, state in raid.array_members(facts).items() if name != lost]
        active = sum("in_sync" in state for state in states)
        idle += facts.get("sync_action") not in ("recover", "resync")
        if active == 2 or idle == IDLE_TRIES:
            break
    return active


@task("types")
def test_partitions_have_the_raid_type(server, parameters):
    """Each member that is a partition has the type Linux RAID; a whole disk has none to set."""
    devices = [f"/dev/{name}" for name in members(server, parameters)]
    probed = server.run("blkid --probe --output export " + " ".join(devices)).stdout
    for device in probed.split("\n\n"):
        facts = dict(line.split("=", 1) for line in device.splitlines())
        kind = facts.get("PART_ENTRY_TYPE", "")
        allowed = ("", *LINUX_RAID_TYPES)
        expect(kind, "Linux RAID", ok=kind in allowed, why="type", device=facts.get("DEVNAME", NOTHING))


@task("config")
def test_mdadm_conf_names_the_array(server, parameters, distro):
    """An ARRAY line gives the array's UUID and its name, and no other line claims that name."""
    name = parameters.array
    names, uuid = raid.array_names(name), raid.array_uuid(server, name)
    file, ours, stale = raid.record(server, name, distro.paths)
    expect(stale[0] if stale else uuid, uuid, why="stale")
    expect(" ".join(ours) or NOTHING, f"/dev/{name}", ok=bool(ours), why="missing", file=file)
    expect(" ".join(ours), f"/dev/{name}", ok=names.issuperset(ours), why="name")


@task("mount")
def test_filesystem_on_the_array_is_mounted(server, parameters):
    """A filesystem on the array is mounted where the task says, for writing."""
    topmost = mounted(server, parameters.mount, "SOURCE", "OPTIONS")
    array = f"/dev/{parameters.array}"
    expect(topmost.get("source") or NOTHING, array, ok=bool(topmost), why="absent")
    source = topmost["source"] or NOTHING
    # A partition of the array is a right answer too.
    expect(source, array, ok=re.fullmatch(array + r"(p\d+)?", source) is not None, why="source")
    expect(topmost["options"], "rw", ok="rw" in topmost["options"].split(","), why="read_only")


@task("fstab")
def test_fstab_mounts_the_same_filesystem(server, parameters):
    """Mounting by fstab, tried in a mount namespace of its own, gives the same filesystem again."""
    options = fstab_options(server, parameters.mount)
    expect(options, parameters.mount, ok=options != NOTHING, why="missing")
    expect(options, "defaults", ok={"noauto", "ro"}.isdisjoint(options.split(",")), why="options")
    now = mounted(server, parameters.mount, "MAJ:MIN")["maj:min"]
    device, complaint = mount_anew(server, parameters.mount)
    expect(complaint, "mount", ok=complaint == NOTHING, why="refused")
    expect(device, now, why="other")


@task("fstab")
def test_mounted_again_after_a_reboot(fork, parameters):
    """After a reboot, on a copy of the machine, the filesystem is mounted again."""
    fork.reboot()
    source = fork.server.run("findmnt --noheadings --output SOURCE --mountpoint %s", parameters.mount)
    array = f"/dev/{parameters.array}"
    expect(source.stdout.strip() or NOTHING, array, ok=source.succeeded, why="gone")
