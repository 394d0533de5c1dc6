"""Tests of lpiclab.checks.probes: its commands are run by a real shell, the programs are stand-ins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from testinfra.host import Host

from lpiclab.checks import probes

Programs = Callable[..., Host]


@pytest.mark.parametrize(
    ("script", "state"),
    [
        ('echo "$1 of $2"', "is-active of named"),
        ("echo disabled; exit 1", "disabled"),
        ("echo 'Unit named.service could not be found.' >&2; exit 4", "-"),
    ],
)
def test_unit_state_is_what_systemctl_prints(programs: Programs, script: str, state: str) -> None:
    """A unit's state is systemctl's own word, whatever its status; no word is a hyphen."""
    assert probes.unit_state(programs(systemctl=script), "is-active", "named") == state


def test_a_starting_unit_is_waited_for(programs: Programs, tmp_path: Path) -> None:
    """A unit that is being started is asked again until it is up."""
    count = f"echo x >> {tmp_path}/asked; [ $(wc -l < {tmp_path}/asked) -gt 3 ]"
    host = programs(systemctl=f"{count} && echo active || echo activating")
    assert probes.unit_state(host, "is-active", "named") == "active"
    assert (tmp_path / "slept").read_text().count("x") == 3


def test_a_unit_that_never_starts_is_not_waited_for_forever(programs: Programs) -> None:
    """After some seconds a unit is what it is."""
    assert probes.unit_state(programs(systemctl="echo activating"), "is-active", "named") == "activating"


@pytest.mark.parametrize(
    ("started_us", "young"), [("$((${now%.*} * 1000000))", True), ("1", False), ("0", False), ("", False)]
)
def test_a_unit_is_young_for_some_seconds(programs: Programs, started_us: str, young: bool) -> None:
    """Systemd's own clock tells when a unit was started; one that was never started is not young."""
    host = programs(systemctl=f"read now rest < /proc/uptime; echo {started_us}")
    assert probes.is_young(host, "named") is young


_CGROUP = 'case "$1" in /proc/81*/cgroup) echo "0::/system.slice/named.service";; *) echo 0::/;; esac'


@pytest.mark.parametrize(
    ("listens", "holders"),
    [
        ('192.0.2.1:53 0.0.0.0:* users:(("named",pid=812,fd=9),("named",pid=812,fd=8))', "named"),
        ('0.0.0.0:53 0.0.0.0:* users:(("named",pid=812,fd=9))', "named"),
        ('*:53 *:* users:(("named",pid=812,fd=9))', "named"),
        ('[::ffff:192.0.2.1]:53 *:* users:(("named",pid=812,fd=9))', "named"),
        ('192.0.2.1:53 0.0.0.0:* users:(("named",pid=900,fd=9))', "named[900]"),
        ('0.0.0.0:53 0.0.0.0:* users:(("named",pid=812,fd=9),("nc",pid=900,fd=3))', "named nc[900]"),
        ('127.0.0.1:53 0.0.0.0:* users:(("named",pid=812,fd=9))', "-"),
        ('[::1]:53 [::]:* users:(("named",pid=812,fd=9))', "-"),
    ],
)
def test_port_holders_are_those_of_the_address(programs: Programs, listens: str, holders: str) -> None:
    """Who listens at the address counts, with the process's number where it is not of the service."""
    host = programs(ss=f"echo 'UNCONN 0 0 {listens}'", cat=_CGROUP)
    assert probes.port_holders(host, "udp", 53, "192.0.2.1", "named") == holders


def test_port_holders_are_asked_of_ss(programs: Programs, tmp_path: Path) -> None:
    """The port and the protocol reach ss, each as one word."""
    host = programs(ss=f"printf '%s\\n' \"$@\" > {tmp_path}/words")
    probes.port_holders(host, "tcp", 3128, "192.0.2.1", "squid", patience_s=0)
    assert (tmp_path / "words").read_text().splitlines() == ["-Hlnp", "--tcp", "sport = :3128"]


def test_a_port_may_be_let_go_of_for_a_moment(programs: Programs, tmp_path: Path) -> None:
    """A port that nobody holds is looked at again while there is patience."""
    listens = 'UNCONN 0 0 0.0.0.0:53 0.0.0.0:* users:(("named",pid=812,fd=9))'
    host = programs(ss=f"[ ! -e {tmp_path}/slept ] || echo '{listens}'", cat=_CGROUP)
    assert probes.port_holders(host, "udp", 53, "192.0.2.1", "named", patience_s=0) == "-"
    assert probes.port_holders(host, "udp", 53, "192.0.2.1", "named") == "named"
    assert (tmp_path / "slept").read_text().count("x") == 1


@pytest.mark.parametrize(
    ("script", "way"),
    [
        ("echo '192.0.2.1 dev eth0 src 192.0.2.9 uid 0 '", "192.0.2.1 dev eth0 src 192.0.2.9 uid 0"),
        ("echo 'RTNETLINK answers: Network is unreachable' >&2; exit 2", "-"),
    ],
)
def test_route_is_what_the_kernel_says(programs: Programs, script: str, way: str) -> None:
    """The route is the kernel's own line; none is a hyphen."""
    assert probes.route(programs(ip=script), "192.0.2.1") == way


@pytest.mark.parametrize(("text", "line"), [("a\nb\n\n", "b"), (" a ", "a"), ("", "-"), ("\n", "-")])
def test_last_line_is_never_empty(text: str, line: str) -> None:
    """The last line that says something; a hyphen where nothing does."""
    assert probes.last_line(text) == line


def test_nonces_differ() -> None:
    """Each nonce is a new word, of letters and digits only."""
    first, second = probes.nonce(), probes.nonce()
    assert first != second
    assert first.isalnum()


def test_a_file_is_put_and_taken(programs: Programs, tmp_path: Path) -> None:
    """A file holds its own name, has the mode asked for, and is gone once it has been taken."""
    host, folder = programs(), tmp_path / "share"
    folder.mkdir()
    name = probes.put_file(host, str(folder), "600")
    assert (folder / name).read_text() == f"{name}\n"
    assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert probes.take_file(host, str(folder), name) == name
    assert not list(folder.iterdir())


def test_a_folder_is_not_made_for_a_file(programs: Programs, tmp_path: Path) -> None:
    """Where the folder is missing, nothing is put or taken, and it is still missing."""
    host, folder = programs(), tmp_path / "share"
    name = probes.put_file(host, str(folder))
    assert probes.take_file(host, str(folder), name) == "-"
    assert not folder.exists()


def test_a_file_that_is_not_there_is_nothing(programs: Programs, tmp_path: Path) -> None:
    """Taking what is not there gives a hyphen."""
    assert probes.take_file(programs(), str(tmp_path), "lpiclab-none.txt") == "-"


def test_mounted_is_the_topmost_mount(programs: Programs, tmp_path: Path) -> None:
    """Of several mounts at one place the last one counts, with the columns asked for."""
    answer = '{"filesystems": [{"source": "/dev/a"}, {"source": "/dev/b"}]}'
    host = programs(findmnt=f"printf '%s\\n' \"$@\" > {tmp_path}/words; echo '{answer}'")
    assert probes.mounted(host, "/srv/a b", "SOURCE", "SIZE") == {"source": "/dev/b"}
    words = (tmp_path / "words").read_text().splitlines()
    assert words[-5:] == ["--nofsroot", "--output", "SOURCE,SIZE", "--mountpoint", "/srv/a b"]


def test_nothing_mounted_is_empty(programs: Programs) -> None:
    """Where nothing is mounted findmnt prints nothing."""
    assert probes.mounted(programs(findmnt="exit 1"), "/mnt", "SOURCE") == {}


@pytest.mark.parametrize(
    ("script", "number"),
    [
        ('[ "$*" = "--nodeps --noheadings --output MAJ:MIN /dev/a/b" ] && echo "254:0  "', "254:0"),
        ("echo 'lsblk: tmpfs: not a block device' >&2; exit 32", "-"),
    ],
)
def test_device_number_is_the_kernels(programs: Programs, script: str, number: str) -> None:
    """A block device's number is told without its blanks; what is no block device has a hyphen."""
    assert probes.device_number(programs(lsblk=script), "/dev/a/b") == number


def test_lvm_rows_are_those_of_all_reports(programs: Programs, tmp_path: Path) -> None:
    """An LVM report's rows come as dicts, its options reach the program."""
    answer = '{"report": [{"vg": [{"vg_name": "a"}]}, {"vg": [{"vg_name": "b"}]}]}'
    host = programs(vgs=f"printf '%s ' \"$@\" > {tmp_path}/words; echo '{answer}'")
    assert probes.lvm_rows(host, "vgs -o vg_name") == [{"vg_name": "a"}, {"vg_name": "b"}]
    assert (tmp_path / "words").read_text() == "--reportformat json --units b --nosuffix -o vg_name "


def test_no_lvm_report_is_no_row(programs: Programs) -> None:
    """A group that is not there gives no rows."""
    assert probes.lvm_rows(programs(lvs="exit 5"), "lvs -o lv_name nothing") == []


@pytest.mark.parametrize(
    ("script", "options"),
    [
        ("echo 'rw,noauto '", "rw,noauto"),
        ("printf 'defaults\\nro\\n'", "ro"),
        ("echo", "defaults"),
        ("exit 1", "-"),
    ],
)
def test_fstab_options_are_those_of_the_last_line(programs: Programs, script: str, options: str) -> None:
    """The options in fstab are findmnt's; a line without any has the defaults, and no line is a hyphen."""
    assert probes.fstab_options(programs(findmnt=script), "/srv") == options


def test_mount_anew_shows_what_fstab_gives(programs: Programs, tmp_path: Path) -> None:
    """What is unmounted, mounted and looked at happens in a mount namespace of its own."""
    host = programs(
        unshare='[ "$1" = --mount ] && shift && exec "$@"',
        umount=f'echo "umount $*" >> {tmp_path}/done',
        mount=f'echo "mount $*" >> {tmp_path}/done',
        findmnt='echo "9:0 $*"',
    )
    shown = "9:0 --noheadings --nofsroot --output MAJ:MIN --mountpoint /srv"
    assert probes.mount_anew(host, "/srv") == (shown, "-")
    assert (tmp_path / "done").read_text().splitlines() == ["umount --recursive /srv", "mount /srv"]


@pytest.mark.parametrize(
    ("complains", "complaint"), [("echo 'wrong fs type' >&2", "wrong fs type"), (":", "status 32")]
)
def test_mount_anew_tells_a_complaint(programs: Programs, complains: str, complaint: str) -> None:
    """When mount refuses, nothing is mounted, and its words are told, or its status."""
    host = programs(unshare='shift; exec "$@"', umount=":", mount=f"{complains}; exit 32", findmnt="echo 9:0")
    assert probes.mount_anew(host, "/srv") == ("-", complaint)
