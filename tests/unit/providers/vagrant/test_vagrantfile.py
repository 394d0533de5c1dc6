"""Tests of the Vagrantfile that is written."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import jinja2
import pytest

from lpiclab.errors import ProviderError
from lpiclab.files import private_folder
from lpiclab.model import Disk
from lpiclab.providers.vagrant import vagrantfile
from lpiclab.providers.vagrant.boxes import BoxChoice
from lpiclab.providers.vagrant.choice import BACKENDS
from lpiclab.providers.vagrant.command import environment_of
from lpiclab.providers.vagrant.site import Site

_KEY = "ssh-ed25519 AAAAC3Nz lpiclab"


def _render(site: Site, backend: str, *, own: bool = False, driver: str = "kvm") -> str:
    private_folder(site.root)
    site.backend_file.write_text(backend)
    box = BoxChoice(name="lpiclab/debian-13", own=True) if own else BoxChoice(name="a/b", version="1.2")
    setting = vagrantfile.Setting(
        backend=backend,
        driver=driver,
        boxes=dict.fromkeys(site.names, box),
        public_key=_KEY,
        overlays=dict.fromkeys(site.names, site.root / "it's.tar"),
        packages=dict.fromkeys(site.names, ("mdadm", "lvm2")),
    )
    return vagrantfile.render(site, setting)


@pytest.mark.parametrize("backend", BACKENDS)
def test_machines_are_as_the_lab_wants_them(site: Site, backend: str) -> None:
    """Box, memory, processors, disks and cards are there, folders of the host and updates are not."""
    text = _render(site, backend)
    assert re.findall(r'vm\.define "(\w+)"', text) == ["server", "client"]
    assert text.count('box = "a/b"') == text.count('box_version = "1.2"') == 2
    assert re.findall(r"(?:memory|memsize\"\]) = \"?(\d+)", text) == ["512", "512"]
    assert re.findall(r"(?:cpus|numvcpus\"\]) = \"?(\d+)", text) == ["2", "2"]
    assert '"sdb"' in text
    assert 'synced_folder ".", "/vagrant", disabled: true' in text
    assert "box_check_update = false" in text
    for name, card in (("server", 0), ("server", 1), ("client", 0)):
        mac = site.mac(name, card)
        assert mac in text
    assert f"provider :{backend} do" in text
    assert not any(f":{other} do" in text for other in BACKENDS if other != backend)


def test_networks_are_isolated(site: Site) -> None:
    """The lab's own, by the instance's name; the host has no address there and gives none."""
    text = _render(site, "libvirt")
    names = re.findall(r'libvirt__network_name: "([^"]+)"', text)
    assert names == [f"{site.tag}-lan", f"{site.tag}-outside", f"{site.tag}-lan"]
    assert text.count('forward_mode: "veryisolated", libvirt__dhcp_enabled: false') == len(names)
    assert re.findall(r'intnet: "([^"]+)"', _render(site, "virtualbox")) == names
    segments = re.findall(r'pvnID"\] = "([^"]+)"', _render(site, "vmware_desktop"))
    assert segments[0] == segments[2] != segments[1]


def test_disks_of_libvirt_are_on_the_system_disks_bus(site: Site) -> None:
    """So that the system disk is sda, and the lab's are sdb and so on."""
    text = _render(site, "libvirt")
    assert text.count('disk_bus = "scsi"') == text.count('disk_device = "sda"') == 2
    assert 'device: "sdb", bus: "scsi", type: "qcow2", size: "64M", serial: "sdb"' in text


def test_own_box_needs_no_packages(site: Site) -> None:
    """It is told its key and its names; a public box gets our files and packages, and is rebooted."""
    own, public = _render(site, "libvirt", own=True), _render(site, "libvirt")
    assert "lpiclab.key=AAAAC3Nz" in own
    assert f'private_key_path = "{site.key}"' in own
    assert "mdadm" not in own
    assert "reboot" not in own
    assert f'"server.example.net", "{site.machine_id("server")}", "{_KEY}"' in own
    assert '"mdadm lvm2"], reboot: true' in public
    assert "it's.tar" in public
    assert "lpiclab.key" not in public


@pytest.mark.parametrize(("driver", "models", "boot_limit_s"), [("kvm", 0, 300), ("qemu", 2, 1200)])
def test_emulated_processors_are_named(site: Site, driver: str, models: int, boot_limit_s: int) -> None:
    """The default of libvirt is the host's own processor, which can't be emulated; such machines are slow."""
    text = _render(site, "libvirt", driver=driver)
    assert text.count("cpu_model") == models
    assert f"boot_timeout = {boot_limit_s}\n" in text


def test_disks_of_other_names_are_refused(site: Site) -> None:
    """Vagrant gives names in order; a lab that wants others is told so."""
    server, client = site.instance.plan.machines
    odd = replace(server, disks=(Disk(name="sdc", size_mib=64),))
    plan = replace(site.instance.plan, machines=(odd, client))
    with pytest.raises(ProviderError, match=r"squid-acl@two/server: .*the lab wants sdc") as raised:
        _render(Site(replace(site.instance, plan=plan)), "libvirt")
    assert "--provider qemu" in raised.value.hint


def test_values_stay_values(site: Site) -> None:
    """A name that is Ruby does not become Ruby."""
    server, client = site.instance.plan.machines
    nasty = replace(server, hostname='#{`touch x`}"')
    plan = replace(site.instance.plan, machines=(nasty, client))
    text = _render(Site(replace(site.instance, plan=plan)), "libvirt")
    assert '"\\#{`touch x`}\\""' in text


def test_plain_text_is_refused(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A template that forgets the filter, or names what is not there, is no Vagrantfile."""
    monkeypatch.setattr(vagrantfile, "bundled", lambda _: tmp_path)
    (tmp_path / vagrantfile.TEMPLATE).write_text("{{ backend }}")
    with pytest.raises(TypeError, match="without the filter"):
        _render(site, "libvirt")
    (tmp_path / vagrantfile.TEMPLATE).write_text("{{ nothing | ruby }}")
    with pytest.raises((jinja2.UndefinedError, TypeError)):
        _render(site, "libvirt")


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("backend", BACKENDS)
def test_vagrant_accepts_it(site: Site, tmp_path: Path, backend: str, own: bool) -> None:
    """Where there is a Vagrant it finds nothing wrong; a provider that it lacks it can't look at."""
    text = _render(site, backend, own=own)
    assert text.count(" do |") == len(re.findall(r"^ *end$", text, re.MULTILINE))
    program = shutil.which("vagrant")
    if program is None:
        return
    for name in site.names:
        private_folder(site.folder(name))
    (site.root / "it's.tar").touch()
    site.key.touch(mode=0o600)
    site.vagrantfile.write_text(text)
    done = subprocess.run(
        [program, "validate", "--ignore-provider"],
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            **environment_of(site.root, site.data, "virtualbox"),
        },
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
