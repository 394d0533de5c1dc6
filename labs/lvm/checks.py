"""Ask LVM for groups and volumes, the kernel for the mount, and mount for what fstab does."""

from lpiclab.checks import expect, task
from lpiclab.checks.probes import NOTHING, device_number, fstab_options, lvm_rows, mount_anew, mounted

MIB = 1024 * 1024
DISKS = {"sdb", "sdc", "sdd"}


def volume(server, parameters):
    """Return LVM's row of the lab's volume, and the names of all volumes of its group."""
    fields = "lv_name,lv_size,vg_extent_size,lv_kernel_major,lv_kernel_minor"
    rows = lvm_rows(server, f"lvs -o {fields} {parameters.group}")
    names = [row["lv_name"] for row in rows]
    return next((row for row in rows if row["lv_name"] == parameters.volume), None), names


@task("group")
def test_group_has_three_physical_volumes(server, parameters):
    """The group is there, made of three physical volumes, one on each disk, none of them missing."""
    rows = lvm_rows(server, "vgs -o vg_name,pv_count,vg_missing_pv_count")
    group = next((row for row in rows if row["vg_name"] == parameters.group), None)
    names = " ".join(row["vg_name"] for row in rows)
    expect(names or NOTHING, parameters.group, ok=group is not None, why="absent")
    expect(int(group["pv_count"]), 3, why="count")
    expect(int(group["vg_missing_pv_count"]), 0, why="missing")
    rows = lvm_rows(server, f"vgs -o pv_name {parameters.group}")
    devices = " ".join(row["pv_name"] for row in rows)
    under = server.run(f"lsblk --noheadings --raw --inverse --output NAME,TYPE {devices}").stdout
    disks = {line.split()[0] for line in under.splitlines() if line.endswith(" disk")}
    expect(" ".join(sorted(disks)) or NOTHING, " ".join(sorted(DISKS)), ok=disks == DISKS, why="disks")


@task("volume")
def test_volume_has_the_size(server, parameters):
    """The volume has the size asked for, rounded up as lvcreate does."""
    row, names = volume(server, parameters)
    expect(" ".join(names) or NOTHING, parameters.volume, ok=row is not None, why="absent")
    size, extent = int(row["lv_size"]), int(row["vg_extent_size"])
    asked = parameters.lv_mib * MIB
    most = asked + extent * len(DISKS)  # to whole extents, and on each disk as many: lvcreate --stripes
    expect(f"{size / MIB:g}", parameters.lv_mib, ok=asked <= size < most, why="size")


@task("mount")
def test_filesystem_on_the_volume_is_mounted(server, parameters):
    """A filesystem that fills the volume is mounted where the task says, for writing."""
    row, _ = volume(server, parameters)
    topmost = mounted(server, parameters.mount, "SOURCE", "SIZE", "OPTIONS")
    wanted = f"/dev/{parameters.group}/{parameters.volume}"
    expect(topmost.get("source") or NOTHING, wanted, ok=bool(topmost), why="absent")
    source = topmost["source"] or NOTHING
    device = f"{row['lv_kernel_major']}:{row['lv_kernel_minor']}"
    expect(source, wanted, ok=device_number(server, source) == device, why="source")
    expect(topmost["options"], "rw", ok="rw" in topmost["options"].split(","), why="read_only")
    # What a filesystem keeps for itself is below a fifth: XFS has the most, a log of 64 MiB.
    size = int(topmost["size"])
    expect(f"{size / MIB:.0f}", parameters.lv_mib, ok=size * 5 >= int(row["lv_size"]) * 4, why="small")


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
    """After a reboot, on a copy of the machine, the volume is mounted again."""
    fork.reboot()
    source = fork.server.run("findmnt --noheadings --output SOURCE --mountpoint %s", parameters.mount)
    volume_file = f"/dev/{parameters.group}/{parameters.volume}"
    expect(source.stdout.strip() or NOTHING, volume_file, ok=source.succeeded, why="gone")
