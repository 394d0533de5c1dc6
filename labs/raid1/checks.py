"""Ask the kernel for the array and its mount; read a file only where the file is the task."""

import json
import re

from lpiclab.checks import expect, task

NOTHING = "-"
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
    # Linux notices when it reads; then the spare is filled.
    again = f"dd if={array} of=/dev/null bs=1M count=16 iflag=direct; mdadm --wait {array}"
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
    names = {name, f"/dev/{name}", f"/dev/md/{name}", f"/dev/md/{name.removeprefix('md')}"}
    detail = server.run("mdadm --detail --export %s", f"/dev/{name}").stdout
    uuid = hexadecimal("".join(re.findall(r"^MD_UUID=(.*)$", detail, re.MULTILINE)))
    path = distro.paths["mdadm_config"]
    lines = array_lines(server.run(f"cat {path} {path}.d/*.conf /etc/mdadm.conf 2>/dev/null").stdout)
    ours = [device for device, found in lines if found and found == uuid]
    stale = [found for device, found in lines if device in names and found not in ("", uuid)]
    expect(stale[0] if stale else uuid, uuid, why="stale")
    expect(" ".join(ours) or NOTHING, f"/dev/{name}", ok=bool(ours), why="missing")
    expect(" ".join(ours), f"/dev/{name}", ok=names.issuperset(ours), why="name")


def array_lines(text):
    """Return device and UUID of each ARRAY line; see mdadm.conf(5) for how lines continue."""
    lines = re.sub(r"\n[ \t]+", " ", re.sub(r"#.*", "", text))
    found = re.findall(r"^arr(?:a|ay)?\s+(\S+)(.*)$", lines, re.IGNORECASE | re.MULTILINE)
    return [(device, hexadecimal(rest.lower().partition("uuid=")[2])) for device, rest in found]


def hexadecimal(text):
    """Return the digits of the UUID that `text` begins with, however it is punctuated."""
    return re.sub(r"[^0-9a-f]", "", text.split()[0].lower()) if text else ""


@task("mount")
def test_filesystem_on_the_array_is_mounted(server, parameters):
    """A filesystem on the array is mounted where the task says, for writing."""
    columns = "--output SOURCE,OPTIONS --mountpoint"
    text = server.run(f"findmnt --json --list {columns} %s", parameters.mount).stdout
    array = f"/dev/{parameters.array}"
    expect(text or NOTHING, array, ok=bool(text), why="absent")
    topmost = json.loads(text)["filesystems"][-1]
    source = topmost["source"] or NOTHING
    # A partition of the array is a right answer too.
    expect(source, array, ok=re.fullmatch(array + r"(p\d+)?", source) is not None, why="source")
    expect(topmost["options"], "rw", ok="rw" in topmost["options"].split(","), why="read_only")


@task("fstab")
def test_fstab_mounts_the_same_filesystem(server, parameters):
    """Mounting by fstab, tried in a mount namespace of its own, gives the same filesystem again."""
    entry = server.run("findmnt --noheadings --fstab --output OPTIONS --mountpoint %s", parameters.mount)
    expect(entry.stdout.strip() or NOTHING, parameters.mount, ok=entry.succeeded, why="missing")
    options = entry.stdout.split()[-1] if entry.stdout.strip() else "defaults"
    expect(options, "defaults", ok={"noauto", "ro"}.isdisjoint(options.split(",")), why="options")
    show = f"findmnt --noheadings --output MAJ:MIN --mountpoint {parameters.mount}"
    now = server.run(show).stdout.strip()
    again = f"umount {parameters.mount} && mount {parameters.mount} && {show}"
    tried = server.run("unshare --mount sh -c %s", again)
    expect(tried.stderr.strip() or NOTHING, "mount", ok=tried.succeeded, why="refused")
    expect(tried.stdout.strip(), now, why="other")


@task("fstab")
def test_mounted_again_after_a_reboot(fork, parameters):
    """After a reboot, on a copy of the machine, the filesystem is mounted again."""
    fork.reboot()
    source = fork.server.run("findmnt --noheadings --output SOURCE --mountpoint %s", parameters.mount)
    array = f"/dev/{parameters.array}"
    expect(source.stdout.strip() or NOTHING, array, ok=source.succeeded, why="gone")
