"""What is promised of machines, on real ones: two instances of one pair of machines, up at once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import pytest

from lpiclab import catalog, images
from lpiclab.engine.context import DEFAULT_DISTRO
from lpiclab.files import private_folder
from lpiclab.model import CommandResult, Disk, Instance, Machine, Nic, Plan
from lpiclab.paths import Home
from lpiclab.providers.qemu.guestport import GuestPort
from lpiclab.providers.qemu.identity import Identity
from lpiclab.providers.qemu.place import place
from lpiclab.providers.qemu.provider import QemuProvider
from lpiclab.provision import provision
from lpiclab.shell import Shell, SocketStream
from lpiclab.ssh import Session
from lpiclab.wait import Deadline

pytestmark = pytest.mark.vm

_LEFT, _RIGHT = "10.20.30.1", "10.20.30.2"
_MACHINES = (
    Machine(
        name="left",
        distro=DEFAULT_DISTRO,
        disks=tuple(Disk(name=name, size_mib=size) for name, size in (("sdb", 64), ("sdc", 96), ("sdd", 48))),
        nics=(Nic(network="lan", address=f"{_LEFT}/24"),),
    ),
    Machine(name="right", distro=DEFAULT_DISTRO, nics=(Nic(network="lan", address=f"{_RIGHT}/24"),)),
)


def _soon() -> Deadline:
    return Deadline.after(180.0)


@dataclass(frozen=True)
class _Pair:
    """An instance that is up: `left` has three disks, `right` has none."""

    provider: QemuProvider
    instance: Instance
    sessions: dict[str, Session] = field(default_factory=dict)

    def connect(self, machine: str) -> None:
        """Make a new connection to a machine, for the commands to come."""
        if machine in self.sessions:
            self.sessions.pop(machine).close()
        endpoint = self.provider.endpoint(self.instance, machine)
        self.sessions[machine] = Session.connect(endpoint, machine=machine, deadline=_soon())

    def run(self, machine: str, command: str) -> CommandResult:
        """Run a command as root."""
        return self.sessions[machine].run(command, deadline=_soon())

    def said(self, machine: str, command: str) -> str:
        """Return what a command says that must succeed."""
        result = self.run(machine, command)
        assert result.status == 0, f"{command}: {result.stdout!r} {result.stderr!r}"
        return result.stdout.decode().strip()

    def mac(self, machine: str) -> str:
        """Return the address of a machine's first lab card, as its identity has it."""
        return Identity.of(self.instance.folder / "machines" / machine).mac(0)


@pytest.fixture(scope="module")
def pairs(vm_home: Home, make_plan: Callable[..., Plan]) -> Iterator[tuple[_Pair, _Pair]]:
    """Yield two instances of one plan, so with the same addresses."""
    provider = QemuProvider(vm_home)
    image = images.ensure(catalog.find_distro(DEFAULT_DISTRO), vm_home, print)
    plan = make_plan(*_MACHINES, lab_id="pair")
    with ExitStack() as stack:
        made = []
        for name in ("pair@one", "pair@two"):
            folder = private_folder(vm_home.instances / name)
            instance = Instance(id=name, folder=folder, plan=plan, images={DEFAULT_DISTRO: image})
            pair = _Pair(provider, instance)
            stack.callback(provider.destroy, instance)
            stack.callback(_hang_up, pair)
            _bring_up(pair)
            made.append(pair)
        yield made[0], made[1]


def _bring_up(pair: _Pair) -> None:
    pair.provider.create(pair.instance, deadline=_soon(), progress=print)
    pair.provider.start(pair.instance, deadline=_soon(), progress=print)
    for machine in _MACHINES:
        pair.connect(machine.name)
    families = {machine.name: "debian" for machine in _MACHINES}
    provision(pair.instance.plan, families, pair.sessions, deadline=_soon(), progress=print)


def _hang_up(pair: _Pair) -> None:
    for session in pair.sessions.values():
        session.close()


@pytest.fixture(scope="module")
def pair(pairs: tuple[_Pair, _Pair]) -> _Pair:
    """Return one of the instances."""
    return pairs[0]


def test_port_serves_one_after_the_other(pair: _Pair) -> None:
    """Nothing that somebody sends to the shell port is lost because another has just left it."""
    for number in range(20):
        stream = SocketStream(pair.provider.connect_shell(pair.instance, "left"))
        shell = Shell.start(stream, machine="left", scratch="/run", deadline=_soon())
        assert shell.run(f"echo {number}", deadline=_soon()).stdout == f"{number}\n".encode()
        shell.close()


def test_machines_reach_their_own_neighbour_only(pairs: tuple[_Pair, _Pair]) -> None:
    """Each pair's machines answer each other, not those of the other pair at the same addresses."""
    one, two = pairs
    for each in pairs:
        each.said("left", f"ping -c 2 -W 5 {_RIGHT}")
        assert each.mac("right") in each.said("left", f"ip neighbour show {_RIGHT}")
        assert each.said("right", f"ping -c 1 -W 5 {_LEFT} | grep -c 'bytes from'") == "1"
    assert one.mac("right") != two.mac("right")
    two.said("right", "ip link set eth0 down")
    two.said("left", "ip neighbour flush all")
    assert two.run("left", f"ping -c 1 -W 2 {_RIGHT}").status != 0
    one.said("left", f"ping -c 1 -W 5 {_RIGHT}")


def test_host_and_outside_are_out_of_reach(pair: _Pair) -> None:
    """A machine has no way to this host's loopback or to anything else, in either of its namespaces."""
    assert pair.said("left", "ip -o -4 address show scope global | wc -l") == "1"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        port = listening.getsockname()[1]
        for where in ("", "ip netns exec lpiclab"):
            for address in ("10.0.2.2", "127.0.0.1", "192.0.2.1"):
                knock = f"{where} timeout 2 bash -c 'exec 3<>/dev/tcp/{address}/{port} && echo hello >&3'"
                assert pair.run("left", knock).status != 0
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_disks_keep_their_names(pair: _Pair) -> None:
    """The lab's disks are sdb, sdc and sdd, in the lab's order, at each boot."""
    sizes = "lsblk --nodeps --noheadings --bytes --output NAME,SIZE,SERIAL | grep -v sda | sort"
    wanted = ["sdb", str(64 << 20), "sdb", "sdc", str(96 << 20), "sdc", "sdd", str(48 << 20), "sdd"]
    assert pair.said("left", sizes).split() == wanted
    pair.provider.restart(pair.instance, ["left"], deadline=_soon())
    pair.connect("left")
    pair.run("left", "systemctl is-system-running --wait")
    assert pair.said("left", sizes).split() == wanted


def test_management_survives_a_broken_machine(pair: _Pair) -> None:
    """No firewall, lost address, routing, name or stopped sshd of a lab's machine shuts us out."""
    for command in (
        "iptables -P INPUT DROP",
        "ip address flush dev eth0",
        "ip route flush table main; ip link set lo down",
        "systemctl stop ssh",
        "chmod 700 /home; rm -f /etc/ssh/sshd_config /etc/resolv.conf",
    ):
        pair.run("left", command)
    assert "-P INPUT DROP" in pair.said("left", "iptables -S INPUT")
    assert pair.said("left", "ip -o -4 address show dev eth0") == ""
    pair.connect("left")
    assert pair.said("left", "systemctl is-active ssh || echo still here").split()[-1] == "here"


def test_machine_whose_kernel_panics_boots_again(pair: _Pair) -> None:
    """A panic is no end: emulated kernels can fail for no reason of the learner's."""
    shell = place(pair.instance, "right").socket("shell")

    async def panic() -> None:
        async with asyncio.timeout(180), await GuestPort.connect(shell, "right") as port:
            before = await port.ready()
            await port._send("echo c > /proc/sysrq-trigger\n")
            assert await port.rebooted(before) != before

    asyncio.run(panic())
    pair.connect("right")
    assert pair.said("right", "cut -d. -f1 /proc/uptime")
    console = pair.provider.logs(pair.instance, "right")[0].read_text(errors="replace")
    assert "Kernel panic" in console


def test_console_is_recorded_and_answers(pair: _Pair) -> None:
    """The reboot of an earlier test is on record, and the console can be typed at."""
    console = pair.provider.logs(pair.instance, "left")[0].read_text(errors="replace")
    assert "reboot: Restarting system" in console
    with pair.provider.connect_console(pair.instance, "left") as stream:
        stream.settimeout(60)
        stream.sendall(b"\r")
        seen = b""
        while b"student@left" not in seen:
            data = stream.recv(4096)
            assert data, seen
            seen += data


def test_students_key_is_the_only_way_in(pair: _Pair) -> None:
    """The student logs in with our key and may become root; a key of somebody else's may not."""
    endpoint = pair.provider.endpoint(pair.instance, "right")
    with Session.connect(endpoint, machine="right", user="student", deadline=_soon()) as session:
        said: list[bytes] = []
        assert session.follow("id -un; sudo -n id -un", said.append, deadline=_soon()) == 0
        assert b"".join(said).split() == [b"student", b"root"]
    other = replace(endpoint, key_file=pair.instance.folder / "machines" / "right" / "host_key")
    with pytest.raises(Exception, match="management SSH as student failed"):
        Session.connect(other, machine="right", user="student", deadline=_soon())
