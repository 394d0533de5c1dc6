"""Tests of the accelerator's trial, with programs that play QEMU."""

from __future__ import annotations

import json
import os
import platform
import stat
from pathlib import Path

import pytest

from lpiclab.providers.qemu import accelerator

_BOOTS = "echo '[    1.2] Kernel panic - not syncing: No working init found.'"


@pytest.fixture
def kvm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a device that can be opened, in place of the host's."""
    device = tmp_path / "kvm"
    device.touch()
    monkeypatch.setattr(accelerator, "_KVM", device)
    return device


class _Qemu:
    """A program on PATH under QEMU's name; it notes each run."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._program = folder / "qemu-system-x86_64"
        self._runs = folder / "runs"
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def does(self, script: str) -> None:
        """Replace the program."""
        self._program.write_text(f'#!/bin/sh\necho "$@" >>{self._runs}\n{script}\n')
        self._program.chmod(0o700)

    @property
    def runs(self) -> list[str]:
        """Return the arguments of each run."""
        return self._runs.read_text().splitlines() if self._runs.exists() else []


@pytest.fixture
def qemu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Qemu:
    """Return a QEMU under which a kernel gets as far as it should."""
    folder = tmp_path / "bin"
    folder.mkdir()
    made = _Qemu(folder, monkeypatch)
    made.does(_BOOTS)
    return made


@pytest.mark.parametrize(
    ("script", "usable"),
    [
        (_BOOTS, True),
        ("echo 'KVM internal error. Suberror: 1'", False),
        (f"{_BOOTS}; exit 1", False),
        ("exit 0", False),
    ],
)
def test_only_a_kernel_that_looks_for_init_proves_kvm(
    kvm: Path, qemu: _Qemu, tmp_path: Path, script: str, usable: bool
) -> None:
    """KVM is usable when the kernel panics for want of an init, and QEMU ends in order."""
    assert kvm.exists()
    qemu.does(script)
    assert accelerator.kvm_usable(tmp_path / "vmlinux") is usable
    assert f"-kernel {tmp_path}/vmlinux" in qemu.runs[0]
    assert "-accel kvm" in qemu.runs[0]


def test_kernel_that_hangs_is_given_up(
    kvm: Path, qemu: _Qemu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial that does not end in time shows that KVM does not work."""
    assert kvm.exists()
    monkeypatch.setattr(accelerator, "_TRIAL_S", 0.2)
    qemu.does("exec tail -f /dev/null")
    assert not accelerator.kvm_usable(tmp_path / "vmlinux")


@pytest.mark.parametrize("missing", ["device", "program"])
def test_nothing_to_try(
    kvm: Path, qemu: _Qemu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """Without the device no trial is made; without QEMU it fails quietly."""
    if missing == "device":
        kvm.unlink()
    else:
        monkeypatch.setenv("PATH", str(tmp_path))
    assert not accelerator.kvm_usable(tmp_path / "vmlinux")
    assert qemu.runs == []


@pytest.mark.parametrize(("script", "found"), [(_BOOTS, "kvm"), ("exit 1", "tcg")])
def test_result_is_kept(kvm: Path, qemu: _Qemu, tmp_path: Path, script: str, found: str) -> None:
    """One trial is made, whichever way it ended; its result is private to the user."""
    assert kvm.exists()
    qemu.does(script)
    settings = tmp_path / "home" / "settings"
    assert accelerator.known(settings) is None
    assert accelerator.ensure(settings, tmp_path / "vmlinux") == found
    assert accelerator.ensure(settings, tmp_path / "vmlinux") == found
    assert accelerator.known(settings) == found
    assert len(qemu.runs) == 1
    assert stat.S_IMODE((settings / "accelerator.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("change", ["qemu", "access", "kernel"])
def test_changed_host_is_tried_anew(
    kvm: Path, qemu: _Qemu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Another QEMU, another kernel or another access to KVM makes the kept result worthless."""
    accelerator.ensure(tmp_path, tmp_path / "vmlinux")
    assert accelerator.known(tmp_path) == "kvm"
    if change == "qemu":
        qemu.does(f"{_BOOTS}  # upgraded")
    elif change == "access":
        kvm.unlink()
    else:
        monkeypatch.setattr(platform, "release", lambda: "99.0-other")
    assert accelerator.known(tmp_path) is None


@pytest.mark.parametrize("kept", ["", "{", "[]", '"kvm"', '{"accelerator": "kvm"}'])
def test_damaged_result_is_none(tmp_path: Path, kept: str) -> None:
    """A file that says nothing about this host is as good as no file."""
    (tmp_path / "accelerator.json").write_text(kept)
    assert accelerator.known(tmp_path) is None


def test_unknown_accelerator_is_none(tmp_path: Path) -> None:
    """A word that is neither kvm nor tcg never reaches QEMU's command line."""
    accelerator.ensure(tmp_path, tmp_path / "vmlinux")
    file = tmp_path / "accelerator.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "accelerator": "hax,id=x"}))
    assert accelerator.known(tmp_path) is None


def test_other_architectures_are_emulated(kvm: Path, qemu: _Qemu, tmp_path: Path) -> None:
    """KVM runs this host's processor only: nothing is tried, and nothing kept."""
    assert kvm.exists()
    assert accelerator.ensure(tmp_path, tmp_path / "vmlinux", "no such processor") == "tcg"
    assert qemu.runs == []
    assert accelerator.known(tmp_path) is None


def test_trial_is_made_with_the_architectures_own_qemu(
    kvm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On an arm64 host the kernel is arm64's, and its console another one."""
    assert kvm.exists()
    program = tmp_path / "qemu-system-aarch64"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/run\n{_BOOTS}\n')
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert accelerator.kvm_usable(tmp_path / "Image", "aarch64")
    run = (tmp_path / "run").read_text()
    assert "-machine virt,gic-version=host -accel kvm" in run
    assert "console=ttyAMA0" in run
