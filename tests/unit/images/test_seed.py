"""The seed, read as a kernel and cloud-init read it."""

from __future__ import annotations

import json
import struct
import subprocess
from pathlib import Path

import pytest

from lpiclab.images.seed import seed_disk, user_data

_FILES = {"meta-data": b"instance-id: one\n", "user-data": b"#cloud-config\n" * 300, "empty": b""}


def _entries(disk: bytes) -> dict[str, bytes]:
    """Return the files of a file system by their names of Rock Ridge, found from its descriptor."""
    descriptor = disk[16 * 2048 : 17 * 2048]
    assert descriptor[:6] == b"\x01CD001"
    sector, _, size = struct.unpack_from("<III", descriptor, 156 + 2)
    folder = disk[sector * 2048 : sector * 2048 + size]
    found, at = {}, 0
    while folder[at]:
        record = folder[at : at + folder[at]]
        place, big_place, length = struct.unpack_from("<I", record, 2) + struct.unpack_from(">II", record, 6)
        assert struct.unpack_from(">I", record, 14)[0] == struct.unpack_from("<I", record, 10)[0]
        assert place == big_place
        length = struct.unpack_from("<I", record, 10)[0]
        name_end = 33 + record[32] + (record[32] + 1) % 2
        extra = record[name_end:]
        while len(extra) > 4:
            if extra[:2] == b"NM":
                found[extra[5 : extra[2]].decode()] = disk[place * 2048 : place * 2048 + length]
            extra = extra[extra[2] :]
        at += folder[at]
    return found


def test_files_are_found_by_their_true_names() -> None:
    """Small letters and hyphens survive, and each file has its content."""
    assert _entries(seed_disk(_FILES)) == _FILES


def test_label_is_the_one_that_cloud_init_looks_for(tmp_path: Path) -> None:
    """What tells file systems apart on each Linux knows this one and its label."""
    file = tmp_path / "seed"
    file.write_bytes(seed_disk(_FILES))
    said = subprocess.run(
        ["/usr/sbin/blkid", "--probe", "--output", "export", file], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert {"LABEL=cidata", "TYPE=iso9660"} <= set(said)


def test_root_folder_holds_what_fits() -> None:
    """More files than the one sector has room for are an error, not a damaged file system."""
    with pytest.raises(ValueError, match="too many files"):
        seed_disk({f"file-{number:03}": b"" for number in range(40)})


def test_equal_files_give_equal_seeds() -> None:
    """The order in which files are named says nothing, and nor does the date."""
    assert seed_disk(_FILES) == seed_disk(dict(reversed(_FILES.items())))


def test_user_data_lets_us_in_and_nobody_else() -> None:
    """Our key is root's, the host key is the one that we know, and there is no password and no other user."""
    text = user_data(
        authorised_key="ssh-ed25519 AAAA us",
        host_key="-----BEGIN\nX\n",
        host_key_public="ssh-ed25519 BBBB it",
        ready_port="org.example.0",
    )
    head, _, body = text.partition(b"\n")
    config = json.loads(body)
    assert head == b"#cloud-config"
    assert config["ssh_authorized_keys"] == ["ssh-ed25519 AAAA us"]
    assert config["ssh_keys"] == {
        "ed25519_private": "-----BEGIN\nX\n",
        "ed25519_public": "ssh-ed25519 BBBB it",
    }
    assert (config["users"], config["disable_root"], config["ssh_pwauth"]) == ([], False, False)
    assert config["runcmd"] == [["sh", "-c", "echo ready > /dev/virtio-ports/org.example.0"]]
