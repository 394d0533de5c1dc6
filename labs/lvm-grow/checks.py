"""Ask LVM and the kernel what there is, and the snapshot for what was there before."""

import hashlib
import re
import time

from lpiclab.checks import expect, task
from lpiclab.checks.probes import NOTHING, fstab_options, lvm_rows, mount_anew, mounted

MIB = 1024 * 1024
COLUMNS = ("SOURCE", "MAJ:MIN", "SIZE", "OPTIONS")
DISKS = {"sdb", "sdc", "sdd"}
ARCHIVE = {f"2013-{quarter}.dat": 5 for quarter in range(1, 5)} | {"2014.dat": 40}
"""Each file of the archive takes at least this fraction of what the volume had at first."""
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
    """The volume has the size asked for, rounded up as lvextend does."""
    rows = volumes(server, parameters)
    expect(" ".join(rows) or NOTHING, parameters.volume, ok=parameters.volume in rows, why="absent")
    row = rows[parameters.volume]
    size, extent = int(row["lv_size"]), int(row["vg_extent_size"])
    asked = parameters.grow_mib * MIB
    most = asked + extent * len(DISKS)  # to whole extents, and on each disk as many: lvextend --stripes
    expect(f"{size / MIB:g}", parameters.grow_mib, ok=asked <= size < most, why="size")


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
    missing = sorted(set(ARCHIVE) - whole_files(server, parameters))
    expect(" ".join(missing) or NOTHING, NOTHING, why="lost")


def whole_files(server, parameters):
    """Return the files of the archive that have their size, also on the disk: a hole takes nothing there."""
    listed = server.run(f"find {parameters.mount}/archive -name '*.dat' -printf '%f %s %k\n'").stdout
    files = [line.rsplit(maxsplit=2) for line in listed.splitlines()]
    taken = {name: min(int(size), int(kib) * 1024) for name, size, kib in files}
    volume = parameters.start_mib * MIB
    return {name for name, part in ARCHIVE.items() if taken.get(name, 0) * part >= volume}


def mount_times(server, parameters):
    """Return when the volume was mounted last, and when the service first wrote to it, by its own words.

    The superblock has the one (offset 1024 + 44: see ext4(5) and Linux's documentation), the birth of
    the service's file is the other.
    """
    superblock = f"od -A n -j 1068 -N 4 -t u4 /dev/{parameters.group}/{parameters.volume}"
    born = f"stat --format %W {parameters.mount}/orders.log"
    times = [int(each) for each in server.run(f"{superblock}; {born}").stdout.split()]
    return times[0], times[-1]


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
    """The volume was not unmounted since set-up or the boot; in no boot was the service started twice."""
    starts = server.run("cat /var/lib/orders/starts").stdout.split()
    boot = server.file("/proc/sys/kernel/random/boot_id").content_string.strip()
    if set(starts) <= {boot}:
        # The log of this boot may tell of what was there before set-up.
        last, first = mount_times(server, parameters)
        expect(clock(last), clock(first), ok=last <= first, why="remounted")
    else:
        expect(unmounted(server, volumes(server, parameters)[parameters.volume]), NOTHING, why="away")
    state = server.run("systemctl is-active orders").stdout.strip()
    expect(state or NOTHING, "active", why="stopped")
    again = len(starts) - len(set(starts))
    expect(again if boot in starts else NOTHING, 0, why="restarted")
    fds = f"/proc/{main_pid(server)}/fd/*"
    ours, *theirs = server.run(f"stat --dereference --format %d {parameters.mount} {fds}").stdout.split()
    expect(open_files(server), parameters.mount, ok=ours in theirs, why="elsewhere")


def clock(seconds):
    """Return a time as the clock shows it."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def main_pid(server):
    """Return the number of the service's process; one that does not run has 0."""
    return server.run("systemctl show --property MainPID --value orders").stdout.strip()


def open_files(server):
    """Return the names of the files that the service has open, as the kernel writes them."""
    return server.run(f"readlink /proc/{main_pid(server)}/fd/*").stdout.strip().replace("\n", ", ") or NOTHING


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
    moved = bool(names) and {parameters.lost, parameters.closed}.isdisjoint(names)
    expect(seen, parameters.lost, ok=not moved, why="moved")
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


@task("restore")
def test_orders_are_kept(server, parameters):
    """The service still writes to its file, and no order is missing there."""
    log = f"{parameters.mount}/orders.log"
    deleted = f"{log} (deleted)"
    expect(deleted if deleted in open_files(server) else log, log, why="replaced")
    expect(lost_orders(server, log), 0, why="orders")


def lost_orders(server, log):
    """Return how many orders the service has taken, by its own count or the file's, that the file lacks."""
    taken = server.run("cat /var/lib/orders/taken").stdout
    kept = set(re.findall(r"^(\d+) \d+$", server.run("cat %s", log).stdout, re.MULTILINE))
    last = max(map(int, kept.union(re.findall(r"^\d+$", taken))), default=0)
    return last - len(kept)


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
