"""Machines that exist already: one of the provider `qemu` is the stranger that `ssh` takes and gives back."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lpiclab import catalog, images
from lpiclab.engine import authoring, lifecycle
from lpiclab.engine.context import DEFAULT_DISTRO, Context
from lpiclab.engine.lifecycle import Wish
from lpiclab.files import private_folder
from lpiclab.model import Instance, Machine, Nic, Plan, SshEndpoint
from lpiclab.paths import Home, bundled
from lpiclab.providers.qemu.provider import QemuProvider
from lpiclab.provision import provision
from lpiclab.ssh import Session
from lpiclab.wait import Deadline

pytestmark = pytest.mark.vm

Done = Callable[..., str]
Start = Callable[..., subprocess.Popen[str]]
_RAID = "raid1@stranger"
_CARD = "lab0"
_OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
# What a machine is given back with: its files' content, modes and owners, its name, disks and cards.
# LVM keeps copies of its groups' metadata in /etc/lvm for ever.
_FILES = """
find /etc -xdev -path /etc/lvm -prune -o -type f -exec sha256sum {} + | sort
find /etc -xdev -path /etc/lvm -prune -o -printf '%p %l %M %u %g\\n' | sort
"""
_ALL = f"""{_FILES}
cat /proc/sys/kernel/hostname
lsblk --noheadings --output NAME,MOUNTPOINTS /dev/sdb /dev/sdc /dev/sdd
for disk in sdb sdc sdd; do wipefs --noheadings /dev/$disk; done
ip -brief address show dev {_CARD} | sed 's/fe80.*//'
ls -d /var/lib/lpiclab* 2> /dev/null || true
"""


@dataclass(frozen=True)
class _Stranger:
    """A machine that exists already, of which the tests are the owner."""

    endpoint: SshEndpoint

    def said(self, command: str) -> str:
        """Return what a command says that its owner runs as root, and that must succeed."""
        with Session.connect(self.endpoint, machine="stranger", deadline=Deadline.after(120)) as session:
            result = session.run(command, deadline=Deadline.after(120))
        assert result.status == 0, f"{command}: {result.stdout!r} {result.stderr!r}"
        return result.stdout.decode()

    def inventory(self, file: Path, *, machine: str = "server", **changes: str) -> str:
        """Write an inventory that offers all of the machine, and return its path."""
        file.write_text("\n".join(["schema: 1", "machines:", *self.lines(machine, **changes), ""]))
        return str(file)

    def lines(self, machine: str, **changes: str) -> list[str]:
        """Return an inventory's lines on the machine, as a lab's `machine`."""
        words = {
            "address": self.endpoint.host,
            "port": str(self.endpoint.port),
            "user": "student",
            "key": str(self.endpoint.key_file),
            "host_key": f'"{self.endpoint.host_key}"',
            "disks": "[{name: sdb}, {name: sdc}, {name: sdd}]",
            "nics": f"[{{network: lan, interface: {_CARD}}}]",
            **changes,
        }
        return [f"  {machine}:", *(f"    {key}: {words[key]}" for key in words)]


@pytest.fixture(scope="module")
def stranger(vm_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Stranger]:
    """Hold a machine that nothing in the tests' own home knows of, with an owner's work on it."""
    home = replace(vm_home, instances=private_folder(tmp_path_factory.mktemp("elsewhere") / "instances"))
    context = Context(
        home=home, lab_roots=[bundled("labs")], template_roots=[bundled("templates")], progress=print
    )
    record = lifecycle.up(context, "raid1", Wish(provider="qemu"))
    made = _Stranger(context.provider(record).endpoint(context.instance(record), "server"))
    made.said(
        "echo stranger > /etc/hostname; echo stranger > /proc/sys/kernel/hostname;"
        " sed -i 's/^127.0.1.1.*/127.0.1.1 stranger/' /etc/hosts; echo '# mine' >> /etc/fstab;"
        f" ip link add {_CARD} type dummy"
    )
    yield made
    lifecycle.down(context, "raid1")


@pytest.fixture
def ended(lpiclab: Start) -> Callable[..., str]:
    """Return what runs a command that must end with a status, and gives what it told, or its `data`."""

    def run(status: int, *words: str, data: bool = False) -> str:
        running = lpiclab(*words)
        stdout, stderr = running.communicate(timeout=300)
        assert running.returncode == status, f"{words}: {stdout}{stderr}"
        return stdout if data else stderr

    return run


@pytest.fixture
def refused(ended: Callable[..., str]) -> Callable[..., str]:
    """Return what runs a command that must fail for want of a machine, and gives what it told."""

    def run(*words: str) -> str:
        told = ended(4, *words)
        assert "error:" in told
        return told

    return run


def test_machine_is_taken_worked_on_and_given_back(
    stranger: _Stranger, done: Done, ended: Callable[..., str], tmp_path: Path
) -> None:
    """A lab is set up, graded, solved, reset and taken down; then all is as it was."""
    before = stranger.said(_ALL)
    done("up", _RAID, "--provider", "ssh", "--inventory", stranger.inventory(tmp_path / "inventory.yaml"))
    assert stranger.said("hostname --fqdn") == "centos.example.net\n"
    assert done("ssh", _RAID, "--", "id -un; sudo -n id -un").split() == ["student", "root"]

    assert "the provider ssh can't copy machines" in ended(1, "check", _RAID)
    done("solve", _RAID)
    done("check", _RAID, "--quick")

    boot_id = stranger.said("cat /proc/sys/kernel/random/boot_id")
    done("restart", _RAID)
    assert stranger.said("cat /proc/sys/kernel/random/boot_id") != boot_id
    done("check", _RAID, "--quick")

    done("reset", _RAID)
    assert "md0" not in stranger.said("cat /proc/mdstat")
    ended(1, "check", _RAID, "--quick")
    done("down", _RAID)
    stranger.said(f"ip link show dev {_CARD} 2> /dev/null || ip link add {_CARD} type dummy")
    assert stranger.said(_ALL) == before


def test_volumes_are_taken_apart(stranger: _Stranger, done: Done, tmp_path: Path) -> None:
    """A volume group that is mounted goes, with all that is on the offered disks."""
    before = stranger.said(_ALL)
    inventory = stranger.inventory(tmp_path / "inventory.yaml")
    done("up", "lvm@stranger", "--provider", "ssh", "--inventory", inventory)
    done("solve", "lvm@stranger")
    done("check", "lvm@stranger", "--quick")
    done("down", "lvm@stranger")
    assert stranger.said("pvs --noheadings") == ""
    assert stranger.said(_ALL) == before


def test_cards_files_and_scripts_are_undone(
    stranger: _Stranger, done: Done, refused: Callable[..., str], tmp_path: Path
) -> None:
    """A lab with a network, a file and scripts leaves nothing; meanwhile nobody else gets the machine."""
    folder = authoring.new_lab(str(tmp_path / "forward"))
    (folder / "undo.sh").write_text("rm -f /etc/sysctl.d/50-router.conf\necho undone >> /run/undone\n")
    with (folder / "lab.yaml").open("a") as file:
        file.write("undo:\n  - {machine: router, script: undo.sh}\n")
    inventory = stranger.inventory(tmp_path / "inventory.yaml", machine="router", user="root")
    before = stranger.said(_ALL)

    done("up", str(folder), "--provider", "ssh", "--inventory", inventory)
    assert "192.168.130.128/24" in stranger.said(f"ip -brief address show dev {_CARD}")
    assert "centos.example.net" in stranger.said("cat /etc/sysctl.d/10-hardening.conf")
    other = stranger.inventory(tmp_path / "other.yaml")
    said = refused("up", _RAID, "--provider", "ssh", "--inventory", other)
    assert "is in use by forward of " in said
    assert f"{_CARD} is in use: it has the address 192.168.130.128" not in said  # raid1 needs no card

    done("solve", str(folder))
    done("check", str(folder), "--quick")
    done("reset", str(folder))
    done("down", str(folder))
    assert stranger.said("cat /run/undone") == "undone\nundone\n"
    assert stranger.said(_ALL) == before


@pytest.fixture(scope="module")
def neighbours(vm_home: Home, make_plan: Callable[..., Plan]) -> Iterator[dict[str, _Stranger]]:
    """Hold two machines on a network of theirs, without addresses, for the lab of two name servers."""
    names = ("ns1", "ns2")
    distro = catalog.find_distro(DEFAULT_DISTRO)
    machines = [
        Machine(name=name, distro=distro.id, processors=1, nics=(Nic(network="lan"),)) for name in names
    ]
    instance = Instance(
        id="neighbours",
        folder=private_folder(vm_home.instances / "neighbours"),
        plan=make_plan(*machines, lab_id="neighbours"),
        images={distro.id: images.ensure(distro, vm_home, print)},
    )
    provider, deadline = QemuProvider(vm_home), Deadline.after(600)
    try:
        provider.create(instance, deadline=deadline, progress=print)
        provider.start(instance, deadline=deadline, progress=print)
        found = {name: _Stranger(provider.endpoint(instance, name)) for name in names}
        with contextlib.ExitStack() as stack:
            sessions = {
                name: stack.enter_context(Session.connect(each.endpoint, machine=name, deadline=deadline))
                for name, each in found.items()
            }
            families = dict.fromkeys(names, distro.family)
            provision(instance.plan, families, sessions, deadline=deadline, progress=print)
        yield found
    finally:
        provider.destroy(instance)


def test_two_machines_are_what_they_were(
    neighbours: dict[str, _Stranger], done: Done, ended: Callable[..., str], tmp_path: Path
) -> None:
    """A lab of two is solved; a reset leaves nothing of that, and `down` nothing of the lab."""
    state = f"{_FILES}\nhostname; find /var/cache/bind; systemctl is-enabled named; systemctl is-active named"
    before = {name: each.said(f"{state} || true") for name, each in neighbours.items()}
    inventory = tmp_path / "inventory.yaml"
    offered = {"user": "root", "disks": "[]", "nics": "[{network: lan, interface: eth0}]"}
    lines = [line for name, each in neighbours.items() for line in each.lines(name, **offered)]
    inventory.write_text("\n".join(["schema: 1", "machines:", *lines, ""]))

    done("up", "dns-tsig@two", "--provider", "ssh", "--inventory", str(inventory))
    done("solve", "dns-tsig@two")
    done("check", "dns-tsig@two", "--quick")
    done("reset", "dns-tsig@two")
    running = json.loads(ended(1, "check", "dns-tsig@two", "--quick", "--json", data=True))
    assert {task["outcome"] for task in running["tasks"]} == {"fail", "skip"}
    done("down", "dns-tsig@two")
    assert {name: each.said(f"{state} || true") for name, each in neighbours.items()} == before


def test_disk_in_use_is_refused_and_untouched(
    stranger: _Stranger, refused: Callable[..., str], tmp_path: Path
) -> None:
    """A mounted disk is not a spare, whatever the inventory says; nor is one that is not empty."""
    stranger.said("mkfs.ext4 -q /dev/sdd; mkfs.ext4 -q /dev/sdc; mount /dev/sdd /mnt")
    stranger.said("echo theirs > /mnt/file; sync")
    before = stranger.said(_ALL)
    inventory = stranger.inventory(
        tmp_path / "inventory.yaml", disks="[{name: sdb}, {name: sdc}, {name: sdd, wipe: true}]"
    )
    said = refused("up", _RAID, "--provider", "ssh", "--inventory", inventory)
    assert "server: sdd is in use: sdd is mounted at /mnt" in said
    assert "server: sdc is not empty (ext4): `wipe: true`" in said
    assert (stranger.said(_ALL), stranger.said("cat /mnt/file")) == (before, "theirs\n")
    stranger.said("umount /mnt; wipefs --all /dev/sdc /dev/sdd; udevadm settle")


def test_machine_that_is_not_the_one_is_refused(
    stranger: _Stranger, refused: Callable[..., str], tmp_path: Path
) -> None:
    """A wrong host key is a machine that nobody logs in to; a wrong user or key is told as such."""
    file = tmp_path / "inventory.yaml"
    words = ("up", _RAID, "--provider", "ssh", "--inventory", str(file))
    stranger.inventory(file, host_key=f'"{_OTHER_KEY}"')
    said = refused(*words)
    assert "its host key is not ours" in said
    assert "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in said
    stranger.inventory(file, user="nobody")
    assert "management SSH as nobody failed: Authentication failed" in refused(*words)
    stranger.inventory(file, port="9")
    assert "no connection to its management SSH" in refused(*words)
    stranger.inventory(file)
    assert "runs Debian GNU/Linux 13" in refused(*words, "--distro", "debian-12")
    assert "LEFT" not in stranger.said("ls /var/lib/lpiclab* 2> /dev/null && echo LEFT || true")


def test_user_who_may_not_become_root_is_told(
    stranger: _Stranger, refused: Callable[..., str], tmp_path: Path
) -> None:
    """The line that mends it is given."""
    stranger.said("mv /etc/sudoers.d/student /root/student.sudoers")
    inventory = stranger.inventory(tmp_path / "inventory.yaml")
    try:
        said = refused("up", _RAID, "--provider", "ssh", "--inventory", inventory)
    finally:
        stranger.said("mv /root/student.sudoers /etc/sudoers.d/student")
    assert "student can't become root by sudo without a password" in said
    assert "/etc/sudoers.d/student" in said
