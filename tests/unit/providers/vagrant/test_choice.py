"""Tests of choosing a Vagrant provider."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpiclab.errors import MissingTool, ProviderError, UsageError
from lpiclab.providers.qemu import accelerator
from lpiclab.providers.vagrant import choice


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder on the PATH; nothing is asked for."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("VAGRANT_DEFAULT_PROVIDER", "LIBVIRT_DEFAULT_URI", choice.DRIVER_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def _install(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("installed", "plugins", "chosen"),
    [
        (["VBoxManage"], [], "virtualbox"),
        (["VBoxManage", "qemu-system-x86_64"], ["vagrant-libvirt"], "libvirt"),
        (["VBoxManage"], ["vagrant-libvirt"], "virtualbox"),
        (["vmrun"], ["vagrant-vmware-desktop"], "vmware_desktop"),
    ],
)
def test_the_first_that_is_whole_is_taken(
    programs: Path, installed: list[str], plugins: list[str], chosen: str
) -> None:
    """A provider needs its plugin and its program."""
    _install(programs, *installed)
    assert choice.backend(lambda: plugins) == chosen
    found = choice.findings(plugins)
    assert [each.state for each in found] == ["ok"]
    assert chosen in found[0].name


def test_nothing_there_is_told() -> None:
    """Without any of them the error says what to install, and so does the doctor."""
    with pytest.raises(MissingTool, match="no provider that lpiclab can use") as raised:
        choice.backend(list)
    assert "apt-get install vagrant-libvirt" in raised.value.hint
    (found,) = choice.findings([])
    assert found.state == "missing"
    assert "the plugin vagrant-libvirt" in found.meaning
    assert found.mend


def test_the_users_choice_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """What VAGRANT_DEFAULT_PROVIDER names is taken without asking Vagrant."""
    monkeypatch.setenv("VAGRANT_DEFAULT_PROVIDER", "virtualbox")
    assert choice.backend(pytest.fail) == "virtualbox"
    (found,) = choice.findings([])
    assert "VBoxManage is missing" in found.meaning


def test_an_unknown_choice_is_a_users_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest name is suggested; the doctor does not raise."""
    monkeypatch.setenv("VAGRANT_DEFAULT_PROVIDER", "virtualbocks")
    with pytest.raises(UsageError, match="virtualbocks") as raised:
        choice.backend(list)
    assert 'did you mean "virtualbox"?' in raised.value.hint
    (found,) = choice.findings([])
    assert found.state == "missing"
    assert found.mend


@pytest.mark.parametrize("uri", ["qemu:///session?socket=/x", "qemu+ssh://me@there/system", "xen:///system"])
def test_another_libvirt_is_refused(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    """In session mode there are no networks, and elsewhere machines can't be reached."""
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", uri)
    choice.require_system("virtualbox")
    with pytest.raises(ProviderError, match="this host's system libvirt") as raised:
        choice.require_system("libvirt")
    assert raised.value.hint == "LIBVIRT_DEFAULT_URI=qemu:///system"


@pytest.mark.parametrize("uri", ["", "qemu:///system", "qemu:///system?socket=/x"])
def test_this_hosts_libvirt_is_taken(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    """With nothing said it is the system's."""
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", uri)
    choice.require_system("libvirt")


@pytest.mark.parametrize(("known", "driver"), [("kvm", "kvm"), ("tcg", "qemu")])
def test_driver_is_what_a_trial_showed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: str, driver: str
) -> None:
    """What the provider qemu has found out on this host is not tried again."""
    monkeypatch.setattr(accelerator, "known", lambda _: known)
    assert choice.driver(tmp_path, None) == driver


@pytest.mark.parametrize(("shown", "driver"), [("kvm", "kvm"), ("tcg", "qemu")])
def test_driver_is_tried_where_a_kernel_is_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: str, driver: str
) -> None:
    """Whoever may use KVM learns by a trial whether it works."""
    (tmp_path / "kvm").touch(mode=0o600)
    monkeypatch.setattr(choice, "_KVM", tmp_path / "kvm")
    monkeypatch.setattr(accelerator, "ensure", lambda _settings, _kernel: shown)
    assert choice.driver(tmp_path, tmp_path / "vmlinux") == driver
    assert choice.driver(tmp_path, None) == "kvm"


@pytest.mark.parametrize("there", [True, False])
def test_driver_without_a_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    """Then it hangs on whether the host has KVM at all."""
    kvm = tmp_path / "kvm"
    if there:
        kvm.touch(mode=0)
    monkeypatch.setattr(choice, "_KVM", kvm)
    assert choice.driver(tmp_path, None) == ("kvm" if there else "qemu")


def test_driver_can_be_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable decides over what is known, and may not be nonsense."""
    monkeypatch.setattr(accelerator, "known", lambda _: "kvm")
    monkeypatch.setenv(choice.DRIVER_VARIABLE, "qemu")
    assert choice.driver(tmp_path, None) == "qemu"
    monkeypatch.setenv(choice.DRIVER_VARIABLE, "tcg")
    with pytest.raises(UsageError, match='LPICLAB_VAGRANT_DRIVER is "tcg"') as raised:
        choice.driver(tmp_path, None)
    assert raised.value.hint == "say kvm or qemu"
