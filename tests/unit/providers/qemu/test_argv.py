"""Tests of the QEMU command line."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from lpiclab.hardware import AARCH64, X86_64_V3
from lpiclab.model import X86_64, X86_64_V2, Disk, Machine, Nic
from lpiclab.providers.qemu import argv, lan
from lpiclab.providers.qemu.identity import Identity

_MACHINE = Machine(
    name="ns1",
    memory_mib=640,
    processors=3,
    disks=(Disk(name="sdb", size_mib=64),),
    nics=(Nic(network="lan"),),
)


def _argv(
    accelerator: str = "tcg",
    folder: Path = Path("/m"),
    machine: Machine = _MACHINE,
    memory: argv.Memory = argv.Memory(),  # noqa: B008 - it is frozen
    *,
    incoming: bool = False,
    architecture: str = X86_64,
    processor: str = X86_64_V2,
) -> list[str]:
    return argv.machine_argv(
        name="lpiclab-raid1-ns1",
        machine=machine,
        identity=Identity("0f5ca5bb-b2ee-5b4b-a2a5-4c0b1b6d5a5e", "1b6d5a5e-b2ee-5b4b-a2a5-4c0b0f5ca5bb"),
        accelerator=accelerator,
        boot=argv.Boot(
            kernel=Path("/i/vmlinux"),
            initrd=Path("/i/initrd"),
            command_line="root=/dev/sda quiet",
            architecture=architecture,
            processor=processor,
        ),
        memory=memory,
        disks=[(name, folder / f"{name}.qcow2") for name in ("sda", *(disk.name for disk in machine.disks))],
        netdevs=lan.netdevs(machine.name, [machine]),
        sockets=argv.Sockets(monitor=5, shell=6, console=7),  # noqa: S604 - a descriptor, no shell
        console_log="machines/ns1/console.log",
        incoming=incoming,
    )


def _values(words: list[str], option: str) -> list[str]:
    return [value for word, value in itertools.pairwise(words) if word == option]


def _of(words: list[str], option: str, beginning: str) -> list[str]:
    return [value for value in _values(words, option) if value.startswith(beginning)]


def _json(words: list[str], option: str) -> list[dict[str, object]]:
    return [json.loads(value) for value in _values(words, option) if value.startswith("{")]


def test_the_machine_is_as_the_lab_wants_it() -> None:
    """Processors, memory, kernel, initrd and kernel command line arrive as they were given."""
    words = _argv()
    assert _values(words, "-smp") == ["3"]
    assert _values(words, "-m") == ["640M"]
    assert _values(words, "-kernel") == ["/i/vmlinux"]
    assert _values(words, "-initrd") == ["/i/initrd"]
    assert _values(words, "-append") == ["root=/dev/sda quiet"]


def test_disks_follow_each_other_on_one_controller() -> None:
    """The system disk is target 0, the lab's disks come after it in their order."""
    disks = tuple(Disk(name=name, size_mib=64) for name in ("sdb", "sdc"))
    devices = _json(_argv(machine=Machine(name="ns1", disks=disks)), "-device")
    assert [(each["drive"], each["scsi-id"], each["bus"]) for each in devices] == [
        ("sda", 0, "scsi.0"),
        ("sdb", 1, "scsi.0"),
        ("sdc", 2, "scsi.0"),
    ]


def test_any_path_arrives_as_it_is() -> None:
    """A comma or a quote in a path stays part of the path."""
    first = _json(_argv(folder=Path('/a,b/c"d')), "-blockdev")[0]
    assert first["file"] == {"driver": "file", "filename": '/a,b/c"d/sda.qcow2'}


def test_memory_is_nobodys_or_a_files() -> None:
    """Without a file memory is fresh pages; a file's is shared with it, or copied on write."""
    kinds = [
        _json(_argv(memory=memory), "-object")[0]
        for memory in (argv.Memory(), argv.Memory(file=Path("/x")), argv.Memory(file=Path("/x"), shared=True))
    ]
    assert [each["qom-type"] for each in kinds] == ["memory-backend-ram", *["memory-backend-file"] * 2]
    assert [each.get("share") for each in kinds] == [None, False, True]
    assert {each["size"] for each in kinds} == {640 << 20}


def test_a_copy_waits_for_its_state_with_the_same_hardware() -> None:
    """The command lines of a machine that boots and of one that goes on differ in one word only."""
    assert _argv(incoming=True) == [*_argv(), "-incoming", "defer"]


def test_management_card_reaches_nothing() -> None:
    """Management networking is restricted: neither the host nor the outside can be reached through it."""
    management = _of(_argv(), "-netdev", "user,id=management")
    assert len(management) == 1
    assert "restrict=on" in management[0].split(",")
    assert "hostfwd=tcp:127.0.0.1:0-10.0.2.15:2200" in management[0].split(",")


def test_qemu_is_confined() -> None:
    """QEMU may neither start programs nor gain privileges, and reads no configuration of the user's."""
    words = _argv()
    sandbox = _values(words, "-sandbox")[0].split(",")
    assert sandbox[0] == "on"
    assert {"elevateprivileges=deny", "spawn=deny", "obsolete=deny"} <= set(sandbox)
    assert "-no-user-config" in words
    assert "-nodefaults" in words


@pytest.mark.parametrize(("accelerator", "processor"), [("kvm", "host"), ("tcg", "qemu64")])
def test_processor_goes_with_the_accelerator(accelerator: str, processor: str) -> None:
    """KVM gets the host's processor, TCG one whose instructions are cheap to emulate."""
    words = _argv(accelerator)
    assert _values(words, "-accel")[0].split(",")[0] == accelerator
    assert _values(words, "-cpu")[0].split(",")[0] == processor


def test_cards_sit_behind_root_ports_in_order() -> None:
    """Each card has the root port of its number; unused ports are there all the same."""
    machine = Machine(name="gw", nics=(Nic(network="a"), Nic(network="b")))
    words = _argv(machine=machine)
    cards = [each for each in _json(words, "-device") if each["driver"] == "virtio-net-pci"]
    assert [(card["id"], card["bus"]) for card in cards] == [("card0", "slot0"), ("card1", "slot1")]
    assert len({str(card["mac"]) for card in cards}) == 2
    assert len(_of(words, "-device", "pcie-root-port,")) == argv.CARD_SLOTS


def test_sockets_and_console_log_are_handed_over() -> None:
    """Monitor, console and shell are the inherited descriptors; the console is recorded."""
    channels = {value.split(",")[1]: value for value in _values(_argv(), "-chardev")}
    assert "fd=5" in channels["id=monitor"].split(",")
    assert "fd=6" in channels["id=shell"].split(",")
    console = channels["id=console"].split(",")
    assert {"fd=7", "logfile=machines/ns1/console.log", "logappend=on"} <= set(console)


def test_process_can_be_found_by_its_uuid() -> None:
    """The identity's UUID is on the command line, where `process` looks for it."""
    words = _argv()
    assert _values(words, "-uuid") == ["0f5ca5bb-b2ee-5b4b-a2a5-4c0b1b6d5a5e"]
    assert words[0] == "qemu-system-x86_64"


def test_processor_has_what_the_image_is_built_for() -> None:
    """The wider level costs time under emulation: only what needs it gets it; KVM has the host's anyway."""
    assert "+avx2" not in _values(_argv(), "-cpu")[0]
    assert "+avx2" in _values(_argv(processor=X86_64_V3), "-cpu")[0].split(",")
    assert _values(_argv("kvm", processor=X86_64_V3), "-cpu") == ["host"]


def test_arm_machine_differs_where_it_has_to() -> None:
    """Another program, board and processor, and no generation ID; disks, cards and channels are the same."""
    arm, other = _argv(architecture=AARCH64), _argv()
    assert arm[0] == "qemu-system-aarch64"
    assert _values(arm, "-machine") == ["virt,memory-backend=memory"]
    assert _values(arm, "-cpu") == ["cortex-a72"]
    assert not _of(arm, "-device", "vmgenid")
    assert _of(other, "-device", "vmgenid")
    for option in ("-blockdev", "-netdev", "-chardev", "-object", "-kernel", "-append"):
        assert _values(arm, option) == _values(other, option)
    assert [each for each in _values(other, "-device") if "vmgenid" not in each] == _values(arm, "-device")


def test_arm_machine_under_kvm_has_the_hosts_interrupt_controller() -> None:
    """KVM can't do another one than the processor's."""
    arm = _argv("kvm", architecture=AARCH64)
    assert _values(arm, "-machine") == ["virt,gic-version=host,memory-backend=memory"]


def test_command_line_of_a_bootstrapped_image_is_what_it_was() -> None:
    """Templates that hosts have stay of use: what makes them is in the order in which it always was."""
    words = _argv()
    assert words[:1] == ["qemu-system-x86_64"]
    assert _values(words, "-machine") == ["q35,sata=off,smbus=off,usb=off,vmport=off,memory-backend=memory"]
    assert _values(words, "-cpu") == ["qemu64,-svm,+ssse3,+sse4.1,+sse4.2,+popcnt,+cx16,+lahf-lm"]
