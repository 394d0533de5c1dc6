"""What QEMU is told of each kind of machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lpiclab.hardware import AARCH64, ARCHITECTURES, PROCESSORS, X86_64_V3
from lpiclab.model import X86_64, X86_64_V2


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_each_architecture_has_a_processor_for_each_level(name: str) -> None:
    """Whatever a catalogue entry asks for can be emulated, and KVM takes the host's."""
    kind = ARCHITECTURES[name]
    assert kind.name == name
    assert all(kind.processor_option("tcg", level) for level in PROCESSORS)
    assert {kind.processor_option("kvm", level) for level in PROCESSORS} == {"host"}


def test_wider_level_of_x86_64_adds_to_the_narrower() -> None:
    """The third level is the second and AVX2 and its company (System V ABI, AMD64 supplement)."""
    kind = ARCHITECTURES[X86_64]
    second = kind.processor_option("tcg", X86_64_V2).split(",")
    third = kind.processor_option("tcg", X86_64_V3).split(",")
    more = {"+avx", "+avx2", "+bmi1", "+bmi2", "+f16c", "+fma", "+abm", "+movbe", "+xsave"}
    assert set(third) - set(second) == more
    assert set(second) <= set(third)


def test_firmware_is_wanted_on_arm_only(tmp_path: Path) -> None:
    """A firmware that is not installed is none; x86-64 needs no file."""
    arm = ARCHITECTURES[AARCH64]
    assert ARCHITECTURES[X86_64].firmware_file() is None
    assert replace(arm, firmware=str(tmp_path / "none.fd")).firmware_file() is None
    (tmp_path / "some.fd").touch()
    assert replace(arm, firmware=str(tmp_path / "some.fd")).firmware_file() == tmp_path / "some.fd"
