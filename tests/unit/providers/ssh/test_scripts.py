"""Tests of the scripts that run on machines of an inventory, in a sandbox that they can't leave."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from lpiclab.guest import FOLDER

_GUEST = Path(__file__).parents[4] / "lpiclab" / "providers" / "ssh" / "guest"
_MINE = f"{FOLDER}.0123"
_NAMESPACES = ("unshare", "--user", "--map-root-user", "--mount", "--uts", "--net", "--ipc")
_STUBS = (
    *("dmsetup", "findmnt", "hostname", "ip", "lsblk", "mdadm", "pvs", "swapoff", "systemctl"),
    *("getent", "pkill", "udevadm", "umount", "userdel", "vgs", "wipefs"),
)
_STUB = """#!/bin/bash
echo "${0##*/} $*" >> /log
[ ! -e "/answers/${0##*/}" ] || cat "/answers/${0##*/}"
[ ! -e "/refuses/${0##*/}" ] || exit 1
"""
_ENTER = """
set -eu
mkdir -p "$1/usr" "$1/proc/sys/kernel" "$1/dev" "$1/tmp" "$1/sys/class/block" "$1/sys/class/net"
mount --rbind /usr "$1/usr"
mount -o remount,bind,ro "$1/usr"
touch "$1/dev/null" "$1/dev/stdin"
mount --bind /dev/null "$1/dev/null"
exec chroot "$1" /usr/bin/env -i PATH=/stubs:/usr/sbin:/usr/bin bash "$2" "${@:3}"
"""


@dataclass
class _Sandbox:
    """A root folder in namespaces of its own, with this host's programs and stubs for those that act."""

    root: Path

    def run(self, script: str, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a guest's script as root of the sandbox; it can write nowhere else."""
        shutil.copy(_GUEST / script, self.root / "script")
        return subprocess.run(
            [*_NAMESPACES, "bash", "-c", _ENTER, "enter", str(self.root), "/script", *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def file(self, path: str) -> Path:
        """Return a path of the sandbox, its folder made."""
        made = self.root / path.lstrip("/")
        made.parent.mkdir(parents=True, exist_ok=True)
        return made

    def answer(self, program: str, said: str) -> None:
        """Let a stub print something."""
        self.file(f"answers/{program}").write_text(said)

    def refuse(self, program: str, *, again: bool = False) -> None:
        """Let a stub fail, or do so no more."""
        self.file(f"refuses/{program}").touch() if not again else self.file(f"refuses/{program}").unlink()

    @property
    def log(self) -> list[str]:
        """Return what the stubs were told."""
        file = self.root / "log"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def sandbox(tmp_path: Path) -> _Sandbox:
    """Return a machine's root folder with a host name and a hosts file."""
    made = _Sandbox(tmp_path / "root")
    for name in ("bin", "sbin", "lib", "lib64"):
        made.file(name).symlink_to(f"usr/{name}")
    made.refuse("findmnt")
    made.answer("pvs", "")
    for name in _STUBS:
        stub = made.file(f"stubs/{name}")
        stub.write_text(_STUB)
        stub.chmod(0o755)
    made.file("/etc/hostname").write_text("stranger\n")
    made.file("/etc/hosts").write_text("127.0.0.1\tlocalhost\n127.0.1.1\tstranger\n")
    made.file("/proc/sys/kernel/hostname").write_text("stranger\n")
    made.file("/proc/swaps").write_text("Filename Type\n")
    made.file("/var/lib/x").touch()
    return made


def _tree(root: Path) -> dict[str, tuple[int, str]]:
    """Return mode and content of each file, or where it leads, outside of what the test itself needs."""
    ours = re.compile(r"(usr|stubs|answers|refuses|dev|sys|tmp)(/|$)|log$|script$")
    found = {}
    for file in sorted(root.rglob("*")):
        name = str(file.relative_to(root))
        if not ours.match(name):
            what = str(file.readlink()) if file.is_symlink() else file.read_text() if file.is_file() else ""
            found[name] = (file.lstat().st_mode, what)
    return found


def _claim(sandbox: _Sandbox, *lines: str) -> subprocess.CompletedProcess[str]:
    sandbox.file(f"{_MINE}/instance").write_text("{}")
    (sandbox.root / _MINE.lstrip("/")).chmod(0o700)
    return sandbox.run("claim", _MINE, stdin="\n".join([*lines, ""]))


def _done(ended: subprocess.CompletedProcess[str]) -> None:
    assert ended.returncode == 0, ended.stderr


def _disk(sandbox: _Sandbox, name: str, *parts: str) -> None:
    for part in parts:
        sandbox.file(f"/sys/class/block/{name}/{part}/partition").write_text("1\n")
    sandbox.file(f"/sys/class/block/{name}/dev").write_text("8:16\n")


def test_files_become_what_they_were(sandbox: _Sandbox) -> None:
    """Replaced files get content, mode and links back; what was not there goes, with its folders."""
    sandbox.file("/etc/app.conf").write_text("theirs\n")
    sandbox.file("/etc/app.conf").chmod(0o640)
    sandbox.file("/etc/link").symlink_to("app.conf")
    before = _tree(sandbox.root)
    files = ("/etc/hostname", "/etc/hosts", "/etc/app.conf", "/etc/link", "/opt/a/new", "/opt/a/b")
    _done(_claim(sandbox, *(f"file {path}" for path in files)))
    assert stat.S_IMODE((sandbox.root / FOLDER.lstrip("/")).stat().st_mode) == 0o700

    _done(sandbox.run("become", "web.example.net"))
    assert sandbox.file("/etc/hostname").read_text() == "web\n"
    assert sandbox.file("/proc/sys/kernel/hostname").read_text() == "web\n"
    assert "127.0.1.1\tweb.example.net web\n" in sandbox.file("/etc/hosts").read_text()
    for path in files[2:]:
        file = sandbox.file(path)
        file.unlink(missing_ok=True)
        file.write_text("the lab's\n")
        file.chmod(0o600)

    _done(sandbox.run("undo"))
    assert _tree(sandbox.root) == before
    assert "systemctl daemon-reload" in sandbox.log


def test_machine_without_a_line_for_its_name_gets_one(sandbox: _Sandbox) -> None:
    """Its new name is found in any case."""
    sandbox.file("/etc/hosts").write_text("127.0.0.1\tlocalhost\n")
    _done(sandbox.run("become", "web"))
    assert sandbox.file("/etc/hosts").read_text() == "127.0.0.1\tlocalhost\n127.0.1.1\tweb\n"


def test_machine_is_taken_once(sandbox: _Sandbox) -> None:
    """Who comes second is told so, and leaves nothing behind."""
    _done(_claim(sandbox, "file /etc/hosts"))
    taken = _tree(sandbox.root)
    assert _claim(sandbox, "file /etc/hosts").returncode == 3
    assert _tree(sandbox.root) == taken


def test_what_can_not_be_kept_leaves_the_machine_free(sandbox: _Sandbox) -> None:
    """A machine of which something could not be kept is nobody's."""
    before = _tree(sandbox.root)
    sandbox.refuse("lsblk")
    assert _claim(sandbox, "file /etc/hosts", "disk sdb").returncode not in {0, 3}
    assert _tree(sandbox.root) == before


def test_undoing_a_free_machine_does_nothing(sandbox: _Sandbox) -> None:
    """The script can be run once more."""
    before = _tree(sandbox.root)
    _done(sandbox.run("undo"))
    assert (_tree(sandbox.root), sandbox.log) == (before, [])


def test_undo_steps_come_first_and_once(sandbox: _Sandbox) -> None:
    """A step that fails ends it and is named; it goes on there, and what has been done is not again."""
    sandbox.file(f"{_MINE}/steps/01-a.sh").write_text("echo a >> /var/steps\n")
    sandbox.file(f"{_MINE}/steps/02-b.sh").write_text("[ -e /var/mended ]\necho b >> /var/steps\n")
    _done(_claim(sandbox, "file /etc/hosts"))
    failed = sandbox.run("undo")
    assert failed.returncode == 1
    assert f"{FOLDER}/steps/02-b.sh failed" in failed.stderr
    sandbox.file("/var/mended").touch()
    _done(sandbox.run("undo"))
    assert sandbox.file("/var/steps").read_text() == "a\nb\n"
    assert not (sandbox.root / FOLDER.lstrip("/")).exists()


def test_folders_become_what_they_were_as_wholes(sandbox: _Sandbox) -> None:
    """What a learner removed, changed or added in them is undone, and what is mounted there is left alone."""
    sandbox.file("/etc/app/app.conf").write_text("theirs\n")
    sandbox.file("/etc/app/parts/a.conf").write_text("theirs\n")
    before = _tree(sandbox.root)
    _done(_claim(sandbox, "tree /etc/app", "tree /srv/new", "tree /etc/app.list"))
    sandbox.file("/etc/app/app.conf").write_text("the lab's\n")
    sandbox.file("/etc/app/parts/a.conf").unlink()
    sandbox.file("/etc/app/parts/b.conf").write_text("the learner's\n")
    sandbox.file("/etc/app.list").write_text("the learner's\n")
    sandbox.file("/srv/new/file").write_text("the learner's\n")
    sandbox.refuse("findmnt", again=True)
    sandbox.answer("findmnt", "/\n/srv/newer\n/srv/new\n/srv/new/deep\n")

    _done(sandbox.run("undo"))
    assert _tree(sandbox.root) == before
    assert [each for each in sandbox.log if each.startswith("umount")] == [
        "umount /srv/new/deep",
        "umount /srv/new",
    ]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("enabled", ["unmask --quiet web", "stop web", "daemon-reload", "enable --quiet web"]),
        ("active", ["unmask --quiet web", "stop web", "disable --quiet web", "daemon-reload", "start web"]),
        ("masked", ["stop web", "disable --quiet web", "daemon-reload"]),
        ("", ["unmask --quiet web", "stop web", "disable --quiet web", "daemon-reload"]),
    ],
)
def test_services_become_what_they_were(sandbox: _Sandbox, state: str, told: list[str]) -> None:
    """They rest while files come back, and then are enabled and active as before."""
    sandbox.answer("systemctl", state)
    _done(_claim(sandbox, "service web"))
    asked = len(sandbox.log)
    _done(sandbox.run("undo"))
    assert [each.removeprefix("systemctl ") for each in sandbox.log[asked:]] == told


def test_users_that_were_not_there_go(sandbox: _Sandbox) -> None:
    """One who was there stays; one who can't be removed is told."""
    _done(_claim(sandbox, "user theirs"))
    assert sandbox.file(f"{FOLDER}/users").read_text() == ""
    _done(sandbox.run("undo"))
    sandbox.refuse("getent")
    _done(_claim(sandbox, "user new"))
    sandbox.refuse("getent", again=True)
    failed = sandbox.run("undo")
    assert (failed.returncode, failed.stderr) == (1, "the user new could not be removed\n")
    sandbox.file("/stubs/userdel").write_text(f"{_STUB}touch /refuses/getent\n")
    _done(sandbox.run("undo"))
    assert [each for each in sandbox.log if each.startswith(("pkill", "userdel"))] == [
        "pkill -KILL -u new",
        "userdel --force --remove new",
    ] * 2


def test_offered_disks_are_cleared_and_no_others(sandbox: _Sandbox) -> None:
    """Partitions first, then the disk; those that were not offered are not even looked at."""
    sandbox.answer("lsblk", "335544320 serial-b  \n")
    _disk(sandbox, "sdb", "sdb1", "sdb2")
    _disk(sandbox, "sdc", "sdc1")
    _done(_claim(sandbox, "disk sdb"))
    _done(sandbox.run("undo"))
    assert [line for line in sandbox.log if line.startswith("wipefs")] == [
        "wipefs --quiet --all /dev/sdb1",
        "wipefs --quiet --all /dev/sdb2",
        "wipefs --quiet --all /dev/sdb",
    ]
    assert not any("sdc" in line for line in sandbox.log)


def test_disk_that_is_another_now_is_not_touched(sandbox: _Sandbox) -> None:
    """Names of disks may change at a boot: the serial number tells."""
    sandbox.answer("lsblk", "335544320 serial-b\n")
    _disk(sandbox, "sdb")
    _done(_claim(sandbox, "disk sdb"))
    sandbox.answer("lsblk", "335544320 serial-x\n")
    refused = sandbox.run("undo")
    assert refused.returncode == 1
    assert "sdb is another disk" in refused.stderr
    assert not any(line.startswith("wipefs") for line in sandbox.log)


def test_disk_that_was_taken_out_is_passed_over(sandbox: _Sandbox) -> None:
    """There is nothing to clear then."""
    sandbox.answer("lsblk", "335544320 serial-b\n")
    _done(_claim(sandbox, "disk sdb"))
    _done(sandbox.run("undo"))
    assert not any(line.startswith("wipefs") for line in sandbox.log)


def test_array_is_stopped_before_its_disks_are_cleared(sandbox: _Sandbox) -> None:
    """What stands on the disks goes first."""
    sandbox.answer("lsblk", "335544320 serial\n")
    for name in ("sdb", "sdc"):
        _disk(sandbox, name)
        sandbox.file(f"/sys/class/block/{name}/holders/md0/dev").write_text("9:0\n")
        sandbox.file(f"/sys/class/block/md0/slaves/{name}/dev").write_text("8:16\n")
    sandbox.file("/sys/class/block/md0/dev").write_text("9:0\n")
    _done(_claim(sandbox, "disk sdb", "disk sdc"))
    _done(sandbox.run("undo"))
    acts = [line for line in sandbox.log if line.startswith(("mdadm", "wipefs"))]
    assert acts[0] == "mdadm --quiet --stop /dev/md0"
    assert acts[-2:] == ["wipefs --quiet --all /dev/sdb", "wipefs --quiet --all /dev/sdc"]


def test_array_that_stands_on_others_disks_too_is_left_alone(sandbox: _Sandbox) -> None:
    """A disk that was not offered would lose a leg: that is for its owner to decide."""
    sandbox.answer("lsblk", "335544320 serial\n")
    _disk(sandbox, "sdb")
    _disk(sandbox, "sda", "sda5")
    sandbox.file("/sys/class/block/sdb/holders/md0/dev").write_text("9:0\n")
    sandbox.file("/sys/class/block/sda5").symlink_to("sda/sda5")
    sandbox.file("/sys/class/block/md0/slaves/sdb/dev").write_text("8:16\n")
    sandbox.file("/sys/class/block/md0/slaves/sda5/dev").write_text("8:5\n")
    _done(_claim(sandbox, "disk sdb"))
    refused = sandbox.run("undo")
    assert refused.returncode == 1
    assert "md0 stands on sda as well as on sdb" in refused.stderr
    assert not any(line.startswith(("mdadm", "wipefs")) for line in sandbox.log)


# Mounted once on the disk itself, until it is unmounted.
_FINDMNT = """#!/bin/bash
case $* in *--source\\ /dev/sdb) ! grep -q umount /log && echo /mnt/data ;; *) exit 1 ;; esac
"""


@pytest.fixture
def mounted(sandbox: _Sandbox) -> _Sandbox:
    """Return a machine that is taken, whose offered disk is mounted."""
    sandbox.answer("lsblk", "335544320 serial-b\n")
    _disk(sandbox, "sdb")
    _done(_claim(sandbox, "disk sdb"))
    sandbox.file("/log").touch()
    sandbox.file("stubs/findmnt").write_text(_FINDMNT)
    sandbox.file("stubs/findmnt").chmod(0o755)
    return sandbox


def _acts(sandbox: _Sandbox) -> list[str]:
    return [line for line in sandbox.log if not line.startswith(("lsblk", "pvs", "udevadm", "systemctl"))]


def test_filesystems_and_swap_are_taken_out_of_use(mounted: _Sandbox) -> None:
    """A disk is cleared once nothing uses it."""
    mounted.file("/proc/swaps").write_text("Filename Type\n/dev/sdb partition\n")
    _done(mounted.run("undo"))
    assert _acts(mounted) == ["umount /mnt/data", "swapoff /dev/sdb", "wipefs --quiet --all /dev/sdb"]


def test_filesystem_in_use_keeps_everything(mounted: _Sandbox) -> None:
    """Somebody is there: the disk is not cleared under them, and it can be tried again."""
    mounted.refuse("umount")
    refused = mounted.run("undo")
    assert refused.returncode == 1
    assert "/mnt/data is in use: leave it (`fuser -vm /mnt/data` tells who is there)" in refused.stderr
    assert not any("wipefs" in line for line in mounted.log)
    mounted.file("/log").write_text("")
    mounted.refuse("umount", again=True)
    _done(mounted.run("undo"))


def test_volumes_go_before_their_disks(sandbox: _Sandbox) -> None:
    """Volumes, encrypted disks and whatever else the device mapper made are removed, the topmost first."""
    sandbox.answer("lsblk", "335544320 serial\n")
    _disk(sandbox, "sdb")
    for name, on in (("dm-0", "sdb"), ("dm-1", "dm-0")):
        sandbox.file(f"/sys/class/block/{name}/dev").write_text("253:0\n")
        sandbox.file(f"/sys/class/block/{name}/dm/name").write_text(f"the-{name}\n")
        sandbox.file(f"/sys/class/block/{name}/slaves/{on}/dev").write_text("253:0\n")
        sandbox.file(f"/sys/class/block/{on}/holders/{name}/dev").write_text("253:0\n")
    _done(_claim(sandbox, "disk sdb"))
    _done(sandbox.run("undo"))
    assert [line for line in _acts(sandbox) if line.startswith(("dmsetup", "wipefs"))] == [
        "dmsetup remove --retry the-dm-1",
        "dmsetup remove --retry the-dm-0",
        "wipefs --quiet --all /dev/sdb",
    ]


@pytest.mark.parametrize(
    ("volumes", "refused"), [("  /dev/sdb\n", False), ("  /dev/sdb\n  /dev/sda3\n", True)]
)
def test_volume_group_with_others_disks_is_left_alone(sandbox: _Sandbox, volumes: str, refused: bool) -> None:
    """A learner who added the lab's disk to the machine's own group has to take it out again."""
    sandbox.answer("lsblk", "335544320 serial\n")
    sandbox.answer("pvs", "  data\n")
    sandbox.answer("vgs", volumes)
    _disk(sandbox, "sdb")
    _disk(sandbox, "sda", "sda3")
    sandbox.file("/sys/class/block/sda3").symlink_to("sda/sda3")
    _done(_claim(sandbox, "disk sdb"))
    ended = sandbox.run("undo")
    assert ended.returncode == int(refused)
    assert ("the volume group data has sda as well as sdb" in ended.stderr) is refused
    assert any("wipefs" in line for line in sandbox.log) is not refused


@pytest.mark.parametrize(("flags", "down"), [("0x1002", True), ("0x1003", False)])
def test_cards_lose_their_addresses(sandbox: _Sandbox, flags: str, down: bool) -> None:
    """The unit goes, addresses go, and a card is up only if it was."""
    sandbox.file("/sys/class/net/ens4/flags").write_text(f"{flags}\n")
    unit = "/etc/systemd/system/lpiclab-cards.service"
    _done(_claim(sandbox, f"file {unit}", "card ens4"))
    sandbox.file(unit).touch()
    _done(sandbox.run("undo"))
    assert "systemctl disable --quiet --now lpiclab-cards.service" in sandbox.log
    assert "ip address flush dev ens4" in sandbox.log
    assert ("ip link set dev ens4 down" in sandbox.log) is down
    assert not sandbox.file(unit).exists()


def test_disks_that_may_be_overwritten_are_cleared_first(sandbox: _Sandbox) -> None:
    """A lab begins with empty disks."""
    _disk(sandbox, "sdb", "sdb1")
    _done(sandbox.run("become", "web", "sdb"))
    assert sandbox.log == [
        "wipefs --quiet --all /dev/sdb1",
        "wipefs --quiet --all /dev/sdb",
        "udevadm settle",
    ]
