"""Tests of an instance's Vagrant files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lpiclab.files import private_folder
from lpiclab.providers.vagrant.site import Site


def test_individuals_differ(site: Site) -> None:
    """Machines, cards and instances have addresses and ids of their own, which stay the same."""
    other = Site(replace(site.instance, folder=site.instance.folder.with_name("squid-acl@one")))
    macs = [each.mac(name, card) for each in (site, other) for name in site.names for card in (0, 1)]
    assert len(set(macs)) == len(macs)
    assert all(mac.startswith("52:54:00:") for mac in macs)
    assert site.mac("server", 0) == site.mac("server", 0)
    assert site.machine_id("server") != site.machine_id("client")
    assert len(bytes.fromhex(site.machine_id("server"))) == 16
    assert site.tag != other.tag
    assert site.tag.startswith("lpiclab-squid-acl.two-")


def test_vmware_has_addresses_of_its_own(site: Site) -> None:
    """VMware refuses others than those between 00:50:56:00:00:00 and 00:50:56:3f:ff:ff."""
    private_folder(site.root)
    site.backend_file.write_text("vmware_desktop\n")
    for card in range(20):
        mac = site.mac("server", card)
        assert mac.startswith("00:50:56:")
        assert int(mac.split(":")[3], 16) <= 0x3F


def test_what_vagrant_made_is_seen(site: Site) -> None:
    """Its notes are in its data folder, whatever the provider is called."""
    assert site.backend == ""
    assert not site.has_made("server")
    note = private_folder(site.data / "machines" / "server" / "virtualbox") / "id"
    note.touch()
    assert site.has_made("server")
    assert not site.has_made("client")
    assert site.label == "squid-acl@two/server+client"
    assert site.console("server") == Path(site.instance.folder, "machines", "server", "console.log")
