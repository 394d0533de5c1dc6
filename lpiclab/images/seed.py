"""Make the disk that tells cloud-init what a machine is to be: its data source NoCloud.

That is an ISO 9660 file system with the label ``cidata`` and two files in its root folder. ECMA-119 says
what such a file system is; it has capital letters and eight-dot-three names only, so each file has its
true name beside, in the way of Rock Ridge (IEEE P1282), which Linux reads.
"""

from __future__ import annotations

import json
import stat
import struct
from collections.abc import Mapping

_SECTOR_BYTES = 2048
_SYSTEM_SECTORS = 16
_PATH_TABLE, _PATH_TABLE_BIG, _ROOT, _FIRST_FILE = 18, 19, 20, 21
"""Sectors: after the descriptor and its end come the two tables of folders, the root folder, the files."""
_LABEL = "cidata"
_NO_DATE = bytes(7)
_NEVER = b"0" * 16 + b"\0"


def user_data(*, authorised_key: str, host_key: str, host_key_public: str, ready_port: str) -> bytes:
    """Return what cloud-init is to do: let us in as root, and say on a virtio-serial port that it is done.

    JSON is YAML, too. See cloud-init's module reference: users-groups, ssh, runcmd.
    """
    config = {
        "users": [],
        "disable_root": False,
        "ssh_pwauth": False,
        "ssh_authorized_keys": [authorised_key],
        "ssh_keys": {"ed25519_private": host_key, "ed25519_public": host_key_public},
        "package_update": False,
        "runcmd": [["sh", "-c", f"echo ready > /dev/virtio-ports/{ready_port}"]],
    }
    return b"#cloud-config\n" + json.dumps(config, indent=1).encode() + b"\n"


def seed_disk(files: Mapping[str, bytes], label: str = _LABEL) -> bytes:
    """Return a file system with `files`, whose names have no folder in them."""
    places: dict[str, tuple[int, int]] = {}
    sector = _FIRST_FILE
    for name, content in sorted(files.items()):
        places[name] = (sector, len(content))
        sector += -(-len(content) // _SECTOR_BYTES) or 1
    root = _root_folder(places)
    parts = {
        _SYSTEM_SECTORS: _descriptor(label, sector),
        _SYSTEM_SECTORS + 1: b"\xffCD001\x01",
        _PATH_TABLE: _path_table("<"),
        _PATH_TABLE_BIG: _path_table(">"),
        _ROOT: root,
        **{places[name][0]: content for name, content in files.items()},
    }
    disk = bytearray(sector * _SECTOR_BYTES)
    for number, part in parts.items():
        disk[number * _SECTOR_BYTES : number * _SECTOR_BYTES + len(part)] = part
    return bytes(disk)


def _both(number: int, size: int) -> bytes:
    """Return a number in both orders of bytes, as ECMA-119 has most of them."""
    letter = {2: "H", 4: "I"}[size]
    return struct.pack(f"<{letter}", number) + struct.pack(f">{letter}", number)


def _record(name: bytes, sector: int, size: int, *, folder: bool, extra: bytes = b"") -> bytes:
    """Return a directory record (9.1), its system use area holding `extra`."""
    identifier = name + (b"" if len(name) % 2 else b"\0")
    length = 33 + len(identifier) + len(extra)
    length += length % 2
    fixed = bytes([length, 0]) + _both(sector, 4) + _both(size, 4) + _NO_DATE
    fixed += bytes([2 if folder else 0, 0, 0]) + _both(1, 2) + bytes([len(name)])
    return (fixed + identifier + extra).ljust(length, b"\0")


def _root_folder(places: Mapping[str, tuple[int, int]]) -> bytes:
    folder = _rock_ridge(b"PX", _mode(stat.S_IFDIR | 0o755, links=2))
    # SP says that Rock Ridge is to be expected; it belongs to the first record.
    first = _rock_ridge(b"SP", b"\xbe\xef\x00") + folder
    records = _record(b"\0", _ROOT, _SECTOR_BYTES, folder=True, extra=first)
    records += _record(b"\1", _ROOT, _SECTOR_BYTES, folder=True, extra=folder)
    for number, (name, (sector, size)) in enumerate(places.items()):
        extra = _rock_ridge(b"PX", _mode(stat.S_IFREG | 0o444, links=1))
        extra += _rock_ridge(b"NM", b"\0" + name.encode())
        records += _record(b"FILE%d.;1" % number, sector, size, folder=False, extra=extra)
    if len(records) > _SECTOR_BYTES:
        raise ValueError("too many files for one folder's sector")
    return records


def _rock_ridge(kind: bytes, content: bytes) -> bytes:
    return kind + bytes([4 + len(content), 1]) + content


def _mode(mode: int, *, links: int) -> bytes:
    return b"".join(_both(number, 4) for number in (mode, links, 0, 0))


def _path_table(order: str) -> bytes:
    return struct.pack(f"{order}BBIHBB", 1, 0, _ROOT, 1, 0, 0)


def _descriptor(label: str, sectors: int) -> bytes:
    """Return the primary volume descriptor (8.4)."""
    table_bytes = len(_path_table("<"))
    fields = [
        b"\x01CD001\x01\0",
        b" " * 32,
        label.encode().ljust(32),
        bytes(8),
        _both(sectors, 4),
        bytes(32),
        _both(1, 2),
        _both(1, 2),
        _both(_SECTOR_BYTES, 2),
        _both(table_bytes, 4),
        struct.pack("<II", _PATH_TABLE, 0),
        struct.pack(">II", _PATH_TABLE_BIG, 0),
        _record(b"\0", _ROOT, _SECTOR_BYTES, folder=True),
        b" " * (128 * 4 + 37 * 3),
        _NEVER * 4,
        b"\x01\0",
    ]
    return b"".join(fields)
