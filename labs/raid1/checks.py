"""Ask the kernel for the array and its mount; read a file only where the file is the task."""

import re

from lpiclab.checks import expect, task
from lpiclab.checks.probes import NOTHING, fstab_options, mount_anew, mounted
from lpiclab.checks.raid import array_lines, array_names, array_uuid

DISKS = ("sdb", "sdc", "sdd")
LINUX_RAID_TYPES = ("0xfd", "a19d880f-05fc-4d3b-a006-743f0f84911e")  # MBR, GPT; see sfdisk --list-types


def arrays(server):
    """Return what /proc/mdstat says: each array's name with its two lines."""
    text = server.run("cat /proc/mdstat").stdout  # there is no such file before the first array
    return dict(re.findall(r"^(md\w+) : (.*\n.*)$", text, re.MULTILINE))


def members(status):
    """Return the members of an array, with their flags: ``sdd1[2](S)``."""
    return re.findall(r"\S+?\[\d+\](?:\(\w\))*", status.splitlines()[0])


@task("array")
def test_mirror_has_two_active_members(server, parameters):
    """The array is a running RAID 1 of two devices, on the new disks, and both are there."""
    found = arrays(server)
    expect(" ".join(found) or NOTHING, parameters.array, ok=parameters.array in found, why="absent")
    status = found[parameters.array]
    level = re.search(r"\b(raid\d+|linear|inactive)\b", status)
    expect(level[0] if level else NOTHING, "raid1", why="level")
    elsewhere = [member for member in members(status) if not member.startswith(DISKS)]
    expect(" ".join(elsewhere) or NOTHING, " ".join(DISKS), ok=not elsewhere, why="elsewhere")
    devices, active = re.search(r"\[(\d+)/(\d+)\]", status).groups()
    expect(devices, "2", why="devices")
    expect(active, "2", why="degraded", members=" ".join(members(status)))


@task("spare")
def test_one_spare_waits(server, parameters):
    """One more device waits for a member to fail."""
    present = members(arrays(server)[parameters.array])
    spares = [member for member in present if member.endswith("(S)")]
    expect(len(spares), 1, why="count", members=" ".join(present))


@task("spare")
def test_spare_takes_over(fork, parameters):
    """When an active member is lost, on a copy of the machine, the spare takes its place."""
    array = f"/dev/{parameters.array}"
    present = [member.partition("[") for member in members(arrays(fork.server)[parameters.array])]
    lost = next(name for name, _, flags in present if "(" not in flags)
    disk = lost.rstrip("0123456789")
    if any(name != lost and name.startswith(disk) for name, _, _ in present):
        fork.server.run("mdadm %s --fail %s", array, f"/dev/{lost}")
    else:
        fork.unplug("server", disk)
    # Linux notices when it writes (what it reads may come from the other member); then the spare is filled.
    same = f"dd if={array} of={array} bs=4096 count=1 iflag=direct oflag=direct conv=notrunc"
    again = f"{same}; mdadm --wait {array}"
    full = f"mdadm --detail --export {array} | grep -q DEVICE_ && grep -q '[[]2/2[]]' /proc/mdstat"
    fork.server.run(f"for i in 1 2 3 4 5 6; do {again}; {full} && break; sleep 1; done")
    status = arrays(fork.server)[parameters.array]
    active = re.search(r"\[\d+/(\d+)\]", status)[1]
    expect(active, "2", why="idle", lost=lost, members=" ".join(members(status)))


@task("types")
def test_partitions_have_the_raid_type(server, parameters):
    """Each member that is a partition has the type Linux RAID; a whole disk has none to set."""
    devices = ["/dev/" + member.partition("[")[0] for member in members(arrays(server)[parameters.array])]
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
    names, uuid = array_names(name), array_uuid(server, name)
    lines = array_lines(server, distro.paths["mdadm_config"])
    ours = [line.device for line in lines if line.uuid and line.uuid == uuid]
    stale = [line.uuid for line in lines if line.device in names and line.uuid not in ("", uuid)]
    expect(stale[0] if stale else uuid, uuid, why="stale")
    expect(" ".join(ours) or NOTHING, f"/dev/{name}", ok=bool(ours), why="missing")
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
