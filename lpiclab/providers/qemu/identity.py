"""What makes each machine an individual: addresses of its cards, machine id, keys.

And the UUID of its QEMU process, which follows from the machine's folder: so the process can be
found, and ended, even when every record of the machine is lost.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path

from lpiclab.files import write_private

_FILE = "individual"


@dataclass(frozen=True, slots=True)
class Identity:
    """The names of one machine that must differ from every other's.

    `uuid` is that of its process; `individual` that of the machine, which a fork of it shares.
    """

    uuid: str
    individual: str

    @classmethod
    def of(cls, machine_folder: Path) -> Identity:
        """Return the identity of the machine in a folder; without a file that tells, that of the folder."""
        process = str(uuid.uuid5(uuid.NAMESPACE_URL, machine_folder.resolve().as_uri()))
        try:
            individual = str(uuid.UUID((machine_folder / _FILE).read_text().strip()))
        except (OSError, ValueError):
            individual = process
        return cls(process, individual)

    @classmethod
    def give(cls, machine_folder: Path, *, instance_folder: Path) -> None:
        """Make the machine in a folder the individual that belongs to its instance and name."""
        name = (instance_folder.resolve() / machine_folder.name).as_uri()
        individual = uuid.uuid5(uuid.NAMESPACE_URL, name)
        write_private(machine_folder / _FILE, f"{individual}\n".encode())

    @property
    def machine_id(self) -> str:
        """Return the 32 hexadecimal digits of `machine-id(5)`."""
        return self.individual.replace("-", "")

    def mac(self, card: int) -> str:
        """Return the address of card number `card`; -1 is the management card.

        ``52:54:00`` is the prefix that QEMU's machines use by custom.
        """
        digest = hashlib.sha256(f"{self.individual}/{card}".encode()).digest()
        return "52:54:00:" + ":".join(f"{byte:02x}" for byte in digest[:3])


def make_key_pair(private_file: Path, comment: str) -> str:
    """Make an ed25519 key pair in OpenSSH format unless `private_file` exists; return the public line."""
    public_file = private_file.with_name(private_file.name + ".pub")
    if private_file.exists() and public_file.exists():
        return public_file.read_text().strip()
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - costs 50 ms
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    line = f"{public.decode()} {comment}"
    write_private(private_file, private)
    write_private(public_file, f"{line}\n".encode())
    return line


def document(
    *, hostname: str, identity: Identity, cards: int, host_key_file: Path, authorised_key: str
) -> str:
    """Return what `/usr/lib/lpiclab/identify` in the image reads (docs/architecture.md)."""
    host_key = base64.b64encode(host_key_file.read_bytes()).decode()
    names = {-1: "mgmt", **{card: f"eth{card}" for card in range(cards)}}
    addresses = "".join(f"card {name} {identity.mac(card)}\n" for card, name in names.items())
    return (
        f"hostname {hostname}\n"
        f"machine-id {identity.machine_id}\n"
        f"host-key {host_key}\n"
        f"authorized-key {authorised_key}\n"
        f"{addresses}"
    )
