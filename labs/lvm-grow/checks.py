"""Ask LVM and the kernel what there is, and the snapshot for what was there before."""

import hashlib
import re

from lpiclab.checks import expect, task
from lpiclab.checks.probes import NOTHING, fstab_options, lvm_rows, mount_anew, mounted

MIB = 1024 * 1024
COLUMNS = ("SOURCE", "MAJ:MIN", "SIZE", "OPTIONS")
DISKS = {"sdb", "sdc", "sdd"}
LINES = 2000  # of the file that is lost


def volumes(server, parameters):
    """Return LVM's rows of the group's volumes, by name."""
    fields = "lv_name,lv_attr,lv_size,vg_extent_size,origin,snap_percent,lv_kernel_major,lv_kernel_minor"
    rows = lvm_rows(server, f"lvs -o {fields} {parameters.group}")
    return {row["lv_name"]: row for row in rows}


def device(row):
    """Return a volume's major and minor number, as the kernel writes them."""
    return f"{row['lv_kernel_major']}:{row['lv_kernel_minor']}"


def before(server, parameters):
    """Return what `sha256sum` says of the lost file in the snapshot, and which files lie beside it.

    The snapshot is mounted in a mount namespace of its own, for reading unless the learner has it
    mounted for writing.
    """
    source = f"/dev/{parameters.group}/{parameters.snapshot}"
    mount = f"mount -o ro,noload {source} /mnt || mount {source} /mnt"
    look = f"({mount}) > /dev/null 2>&1 || exit; ls /mnt; sha256sum < /mnt/{parameters.lost}"
    names = server.run("unshare --mount sh -c %s", look).stdout.splitlines()
    summed = bool(names) and names[-1].endswith("  -")
    return names.pop().split()[0] if summed else NOTHING, names


def wanted_digest(parameters):
    """Return the SHA-256 of the lost file."""
    text = "".join(f"{number:05};{parameters.secret}\n" for number in range(1, LINES + 1))
    return hashlib.sha256(text.encode()).hexdigest()


@task("group")
def test_group_has_the_new_disks(server, parameters):
    """The group has a physical volume on each disk, none of them missing."""
    rows = lvm_rows(server, "vgs -o vg_name,vg_missing_pv_count")
    group = next((row for row in rows if row["vg_name"] == parameters.group), None)
    names = " ".join(row["vg_name"] for row in rows)
    expect(names or NOTHING, parameters.group, ok=group is not None, why="absent")
    expect(int(group["vg_missing_pv_count"]), 0, why="missing")
    rows = lvm_rows(server, f"vgs -o pv_name {parameters.group}")
    devices = " ".join(row["pv_name"] for row in rows)
    under = server.run(f"lsblk --noheadings --raw --inverse --output NAME,TYPE {devices}").stdout
    disks = {line.split()[0] for line in under.splitlines() if line.endswith(" disk")}
    expect(" ".join(sorted(disks)), " ".join(sorted(DISKS)), ok=disks >= DISKS, why="disks")


@task("grow")
def test_volume_has_grown(server, parameters):
    """The volume has the size asked for, rounded up to whole extents as lvextend does."""
    rows = volumes(server, parameters)
    expect(" ".join(rows) or NOTHING, parameters.volume, ok=parameters.volume in rows, why="absent")
    row = rows[parameters.volume]
    size, extent = int(row["lv_size"]), int(row["vg_extent_size"])
    asked = parameters.grow_mib * MIB
    expect(f"{size / MIB:g}", parameters.grow_mib, ok=asked <= size < asked + extent, why="size")


@task("grow")
def test_filesystem_has_grown_with_its_data(server, parameters):
    """The same filesystem fills the volume, is mounted for writing, and has its archive still."""
    row = volumes(server, parameters)[parameters.volume]
    wanted = f"/dev/{parameters.group}/{parameters.volume}"
    found = mounted(server, parameters.mount, *COLUMNS)
    expect(found.get("source") or NOTHING, wanted, ok=bool(found), why="unmounted")
    expect(found["source"] or NOTHING, wanted, ok=found["maj:min"] == device(row), why="source")
    expect(found["options"], "rw", ok="rw" in found["options"].split(","), why="read_only")
    # What a filesystem keeps for itself (journal, inodes) is far below a fifth of this size.
    size = int(found["size"])
    expect(f"{size / MIB:.0f}", parameters.grow_mib, ok=size * 5 >= int(row["lv_size"]) * 4, why="small")
    # Size and KiB on the disk; a file that is one hole takes none.
    listed = server.run("find %s/archive -name '2013-*.dat' -printf '%%s %%k\n'", parameters.mount).stdout
    sizes = [line.split() for line in listed.splitlines()]
    whole = parameters.start_mib // 5 * MIB
    kept = sum(min(int(size), int(kib) * 1024) >= whole for size, kib in sizes)
    expect(kept, 4, why="lost")


def unmounted(server, row):
    """Return what the kernel says since the boot that it says only where the volume was unmounted.

    Not each kernel speaks of unmounting. Each speaks of mounting, and the first time is the boot's.
    """
    said = rf"EXT4-fs \(dm-{row['lv_kernel_minor']}\): "
    log = server.run("dmesg").stdout
    kept = server.run("journalctl --dmesg --boot --quiet --output cat").stdout
    found = re.findall(rf"{said}unmounting filesystem\S*", log + kept)
    found += re.findall(f"{said}mounted filesystem", log)[1:]
    return found[0] if found else NOTHING


@task("online")
def test_volume_was_never_away(server, parameters):
    """Since the boot the kernel has not unmounted the volume; in no boot was the service started twice."""
    row = volumes(server, parameters)[parameters.volume]
    expect(unmounted(server, row), NOTHING, why="away")
    state = server.run("systemctl is-active orders").stdout.strip()
    expect(state or NOTHING, "active", why="stopped")
    starts = server.run("cat /var/lib/orders/starts").stdout.split()
    again = len(starts) - len(set(starts))
    boot = server.file("/proc/sys/kernel/random/boot_id").content_string.strip()
    expect(again if boot in starts else NOTHING, 0, why="restarted")
    pid = server.run("systemctl show --property MainPID --value orders").stdout.strip()
    files = server.run(f"stat --dereference --format '%Hd:%Ld' /proc/{pid}/fd/*").stdout.split()
    expect(" ".join(files) or NOTHING, device(row), ok=device(row) in files, why="elsewhere")


@task("snapshot")
def test_snapshot_shows_what_was_before(server, parameters):
    """There is a snapshot of the volume, still valid, that was made before the month was closed."""
    rows = volumes(server, parameters)
    expect(" ".join(rows), parameters.snapshot, ok=parameters.snapshot in rows, why="absent")
    row = rows[parameters.snapshot]
    expect(row["origin"] or NOTHING, parameters.volume, why="origin")
    size = int(row["lv_size"])
    valid = row["lv_attr"][4:5] == "a"
    expect(row["snap_percent"] or row["lv_attr"], "100", ok=valid, why="full")
    expect(f"{size / MIB:g}", parameters.snap_mib, ok=size >= parameters.snap_mib * MIB, why="size")
    digest, names = before(server, parameters)
    seen = " ".join(names) or NOTHING
    expect(seen, parameters.lost, ok=digest == wanted_digest(parameters), why="late")
    expect(seen, parameters.lost, ok=parameters.closed not in names, why="late")


@task("restore")
def test_file_is_back(server, parameters):
    """The month is closed, and the file that this cost is there again, as it was."""
    path, closed = (f"{parameters.mount}/{name}" for name in (parameters.lost, parameters.closed))
    wanted = wanted_digest(parameters)
    done = server.run("cat %s", closed).stdout
    expect(done.strip() or NOTHING, closed, ok=wanted in done, why="open")
    found = server.file(path)
    expect(path if found.is_file else NOTHING, path, why="absent")
    digest = server.run("sha256sum < %s", path).stdout[:64]
    expect(digest, wanted, why="content")
    facts = server.run("stat --format '%%U:%%G %%a' %s", path).stdout.strip()
    expect(facts, f"{parameters.owner}:{parameters.owner} 640", why="owner")


@task("boot")
def test_mount_is_configured(server, parameters):
    """An enabled unit mounts the volume, or a line of fstab, tried in a mount namespace of its own."""
    options = fstab_options(server, parameters.mount)
    if options == NOTHING:
        unit = server.run("systemd-escape --path --suffix=mount %s", parameters.mount).stdout.strip()
        state = server.run("systemctl is-enabled %s", unit).stdout.strip()
        expect(state or NOTHING, "enabled", ok=state == "enabled", why="missing", unit=unit)
        return
    expect(options, "defaults", ok={"noauto", "ro"}.isdisjoint(options.split(",")), why="options")
    found, complaint = mount_anew(server, parameters.mount)
    expect(complaint, "mount", ok=complaint == NOTHING, why="refused")
    expect(found, device(volumes(server, parameters)[parameters.volume]), why="other")


@task("boot")
def test_volume_is_back_after_a_reboot(fork, parameters):
    """After a reboot, on a copy of the machine, the same large filesystem is mounted and the service runs."""
    fork.reboot()
    row = volumes(fork.server, parameters).get(parameters.volume)
    found = mounted(fork.server, parameters.mount, *COLUMNS)
    wanted = f"/dev/{parameters.group}/{parameters.volume}"
    ours = bool(found and row) and found["maj:min"] == device(row)
    expect(found.get("source") or NOTHING, wanted, ok=ours, why="gone")
    expect(fork.server.run("systemctl is-active orders").stdout.strip(), "active", why="stopped")
