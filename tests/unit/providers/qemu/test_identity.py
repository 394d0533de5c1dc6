"""Tests of what makes machines individuals."""

from __future__ import annotations

import re
from pathlib import Path

from lpiclab.files import private_folder
from lpiclab.keys import make_key_pair
from lpiclab.providers.qemu.identity import Identity, document


def test_identity_follows_from_the_folder(tmp_path: Path) -> None:
    """The same folder gives the same identity, whatever way its path is written."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    assert Identity.of(tmp_path / "ns1") == Identity.of(link / "ns1")


def test_identities_differ(tmp_path: Path) -> None:
    """Machines and their cards have no name or address in common."""
    one, two = Identity.of(tmp_path / "ns1"), Identity.of(tmp_path / "ns2")
    assert one.uuid != two.uuid
    assert one.machine_id != two.machine_id
    assert len({each.mac(card) for each in (one, two) for card in (-1, 0, 1)}) == 6


def test_a_fork_is_the_same_individual(tmp_path: Path) -> None:
    """With the file that tells who it is, a machine in another folder is the same one, as another process."""
    one, two = private_folder(tmp_path / "a" / "ns1"), private_folder(tmp_path / "b" / "ns1")
    Identity.give(one, instance_folder=tmp_path / "instance")
    (two / "individual").write_bytes((one / "individual").read_bytes())
    assert Identity.of(one).machine_id == Identity.of(two).machine_id
    assert Identity.of(one).mac(0) == Identity.of(two).mac(0)
    assert Identity.of(one).uuid != Identity.of(two).uuid


def test_names_are_well_formed(tmp_path: Path) -> None:
    """A machine id is 32 hexadecimal digits, a card's address is a unicast one with QEMU's prefix."""
    identity = Identity.of(tmp_path)
    assert re.fullmatch("[0-9a-f]{32}", identity.machine_id)
    assert re.fullmatch("52:54:00(:[0-9a-f]{2}){3}", identity.mac(0))


def test_document_is_what_the_image_reads(tmp_path: Path) -> None:
    """Each fact is one line; the host key, of several, survives."""
    make_key_pair(tmp_path / "host_key", "ns1")
    identity = Identity.of(tmp_path)
    text = document(
        hostname="ns1.example.net",
        identity=identity,
        cards=1,
        host_key_file=tmp_path / "host_key",
        authorised_key="ssh-ed25519 AAAA lpiclab",
    )
    *lines, management, card = text.splitlines()
    assert (management, card) == (f"card mgmt {identity.mac(-1)}", f"card eth0 {identity.mac(0)}")
    host_key = [line.removeprefix("host-key ") for line in lines if line.startswith("host-key ")]
    assert "".join(f"{line}\n" for line in host_key) == (tmp_path / "host_key").read_text()
    facts = dict(line.split(" ", 1) for line in lines)
    assert list(facts) == ["hostname", "machine-id", "host-key", "authorized-key"]
    assert facts["hostname"] == "ns1.example.net"
    assert facts["machine-id"] == identity.machine_id
    assert facts["authorized-key"] == "ssh-ed25519 AAAA lpiclab"
