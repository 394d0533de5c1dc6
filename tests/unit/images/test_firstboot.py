"""The machine of a first boot: its command line, and what becomes of it, with programs that play QEMU."""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lpiclab.errors import ImageError, TimedOut
from lpiclab.hardware import AARCH64, X86_64_V3
from lpiclab.images import firstboot
from lpiclab.images.firstboot import FirstBoot, Hardware, first_boot, machine_argv
from lpiclab.model import X86_64, X86_64_V2
from lpiclab.wait import Deadline

Play = Callable[[str], None]

_QEMU = """\
#!{python}
import json, re, socket, sys
def channel(name):
    return socket.socket(fileno=int(re.search(f"id={{name}},fd=([0-9]+)", " ".join(sys.argv))[1]))
monitor, ready = channel("monitor"), channel("ready")
lines = monitor.makefile("r")
def say(message):
    monitor.sendall(json.dumps(message).encode() + b"\\n")
say({{"QMP": {{}}}})
open("console.log", "w").write("it said this\\n")
{script}
"""
_ANSWERS = """\
for line in lines:
    command = json.loads(line)["execute"]
    text = {text!r} if command == "human-monitor-command" else {{}}
    say({{"event": "NIC_RX_FILTER_CHANGED"}})
    say({{"return": text}})
"""


def _hardware(architecture: str = X86_64, processor: str = X86_64_V2, accelerator: str = "tcg") -> Hardware:
    return Hardware(
        architecture=architecture,
        processor=processor,
        accelerator=accelerator,
        system="system.qcow2",
        target="image/disk.qcow2",
        seed="seed.iso",
    )


def _words(hardware: Hardware) -> list[str]:
    return machine_argv("el-9", hardware, monitor=7, ready=8)


def _values(words: list[str], option: str) -> list[str]:
    return [value for word, value in itertools.pairwise(words) if word == option]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Return what puts a program that does something in QEMU's place."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def put(script: str) -> None:
        program = folder / "qemu-system-x86_64"
        program.write_text(_QEMU.format(python=sys.executable, script=script))
        program.chmod(0o700)

    return put


def _soon(seconds: float = 20.0) -> Deadline:
    return Deadline.after(seconds)


def _booted(folder: Path, use: Callable[[FirstBoot], object]) -> None:
    with first_boot("el-9", folder, _hardware()) as machine:
        use(machine)


def test_disks_are_told_apart_by_what_the_machine_sees() -> None:
    """Firmware boots the published disk, our script finds the empty one, and nobody writes the seed."""
    words = _words(_hardware())
    backends = {each["node-name"]: each for each in map(json.loads, _values(words, "-blockdev"))}
    assert {name: each["file"]["filename"] for name, each in backends.items()} == {
        "system": "system.qcow2",
        "target": "image/disk.qcow2",
        "seed": "seed.iso",
    }
    assert {name for name, each in backends.items() if each["read-only"]} == {"seed"}
    devices = _values(words, "-device")
    assert "virtio-blk-pci,drive=system,bootindex=1" in devices
    assert "virtio-blk-pci,drive=target,serial=lpiclab" in devices
    assert not _values(words, "-kernel")


def test_machine_reaches_the_outside_and_is_reached_on_loopback_only() -> None:
    """Its package manager gets out; its SSH is at a port of 127.0.0.1 that the kernel chooses."""
    (network,) = _values(_words(_hardware()), "-netdev")
    assert "restrict" not in network
    assert "hostfwd=tcp:127.0.0.1:0-:22" in network.split(",")


def test_channels_are_inherited_and_qemu_is_confined() -> None:
    """Monitor and ready port are our ends of pairs; QEMU can start no programs."""
    words = _words(_hardware())
    channels = _values(words, "-chardev")
    assert "socket,id=monitor,fd=7" in channels
    assert "socket,id=ready,fd=8" in channels
    assert "spawn=deny" in _values(words, "-sandbox")[0].split(",")


@pytest.mark.parametrize(
    ("level", "has_avx2"), [(X86_64_V2, False), (X86_64_V3, True)], ids=["el-9", "el-10"]
)
def test_emulated_processor_has_what_the_distribution_is_built_for(level: str, *, has_avx2: bool) -> None:
    """AVX2 is emulated only where programs would not start without it."""
    (processor,) = _values(_words(_hardware(processor=level)), "-cpu")
    assert ("+avx2" in processor.split(",")) == has_avx2


def test_arm_machine_has_uefi() -> None:
    """The machine is `virt`, booted by firmware that QEMU does not bring along itself."""
    words = _words(_hardware(AARCH64))
    assert words[0] == "qemu-system-aarch64"
    assert _values(words, "-machine") == ["virt"]
    assert _values(words, "-cpu") == ["cortex-a72"]
    (firmware,) = _values(words, "-drive")
    assert {"if=pflash", "readonly=on", "file=/usr/share/AAVMF/AAVMF_CODE.fd"} <= set(firmware.split(","))
    assert _values(_words(_hardware()), "-drive") == []


def test_arm_machine_on_kvm_has_the_hosts_interrupt_controller() -> None:
    """KVM can't do another one than the processor's."""
    words = _words(_hardware(AARCH64, accelerator="kvm"))
    assert _values(words, "-machine") == ["virt,gic-version=host"]
    assert _values(words, "-cpu") == ["host"]


def test_machine_is_waited_for_and_its_port_asked_for(play: Play, tmp_path: Path) -> None:
    """What is written to the ready port ends the wait; the monitor tells the forwarded port."""
    text = "VLAN -1 (net):\n  TCP[HOST_FORWARD]  11  127.0.0.1 40123  10.0.2.15  22\n"
    play("ready.sendall(b'ready\\n')\n" + _ANSWERS.format(text=text))
    ports: list[int] = []

    def use(machine: FirstBoot) -> None:
        machine.wait_ready(_soon())
        ports.append(machine.ssh_port(_soon()))

    _booted(tmp_path, use)
    assert ports == [40123]


def test_first_boot_that_hangs_shows_its_console(play: Play, tmp_path: Path) -> None:
    """At the deadline the machine is ended, and what it said last is told."""
    play("lines.read()")
    with pytest.raises(ImageError, match="el-9: its first boot did not come to cloud-init's end") as caught:
        _booted(tmp_path, lambda machine: machine.wait_ready(_soon(1.0)))
    assert caught.value.details == "it said this"


def test_qemu_that_ends_in_the_first_boot_is_told(play: Play, tmp_path: Path) -> None:
    """Nobody waits for the deadline when there is nothing left to wait for."""
    play("print('no such disk', file=sys.stderr)")
    with pytest.raises(ImageError, match="QEMU ended in the first boot") as caught:
        _booted(tmp_path, lambda machine: machine.wait_ready(_soon()))
    assert "no such disk" in caught.value.details


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (_ANSWERS.format(text="nothing"), "does not say which port"),
        ("say({'error': {'desc': 'not now'}})\nlines.read()", "QEMU refuses qmp_capabilities: not now"),
        ("", "QEMU ended"),
    ],
)
def test_monitor_that_does_not_answer_right_is_told(
    play: Play, tmp_path: Path, *, script: str, problem: str
) -> None:
    """Each way in which QEMU can fail us has its words."""
    play(script)
    with pytest.raises(ImageError, match=problem):
        _booted(tmp_path, lambda machine: machine.ssh_port(_soon()))


def test_monitor_that_says_nothing_is_not_waited_for(play: Play, tmp_path: Path) -> None:
    """A deadline ends the wait for an answer."""
    play("lines.read()")
    with pytest.raises(TimedOut, match="el-9: QEMU"):
        _booted(tmp_path, lambda machine: machine.ssh_port(_soon(1.0)))


def test_disk_counts_only_when_the_machine_was_switched_off(play: Play, tmp_path: Path) -> None:
    """QEMU's end alone proves nothing: it may have been killed in the middle of a write."""
    play("say({'event': 'SHUTDOWN', 'data': {'guest': True}})")
    _booted(tmp_path, lambda machine: machine.wait_off(_soon()))
    for event in ("", "say({'event': 'SHUTDOWN', 'data': {'guest': False}})"):
        play(event)
        with pytest.raises(ImageError, match="before the machine was switched off"):
            _booted(tmp_path, lambda machine: machine.wait_off(_soon()))


def test_qemu_has_ended_when_the_machine_is_left(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever went wrong, no process goes on writing to the build's files."""
    ended: list[int] = []
    end = firstboot._end

    def note(pid: int) -> None:
        end(pid)
        ended.append(pid)

    monkeypatch.setattr(firstboot, "_end", note)
    play("lines.read()\nlines.read()\nimport signal; signal.pause()")
    with pytest.raises(ZeroDivisionError):
        _booted(tmp_path, lambda _: 1 / 0)
    assert not Path(f"/proc/{ended[0]}").exists()
