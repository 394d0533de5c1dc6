"""What makes each machine an individual: addresses of its cards, machine id.

And the UUID of its QEMU process, which follows from the machine's folder: so the process can be
found, and ended, even when every record of the machine is lost.
"""

from __future__ import annotations

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


def document(
    *, hostname: str, identity: Identity, cards: int, host_key_file: Path, authorised_key: str
) -> str:
    """Return what `/usr/lib/lpiclab/identify` in the image reads (docs/architecture.md)."""
    host_key = "".join(f"host-key {line}\n" for line in host_key_file.read_text().splitlines())
    names = {-1: "mgmt", **{card: f"eth{card}" for card in range(cards)}}
    addresses = "".join(f"card {name} {identity.mac(card)}\n" for card, name in names.items())
    return (
        f"hostname {hostname}\n"
        f"machine-id {identity.machine_id}\n"
        f"{host_key}"
        f"authorized-key {authorised_key}\n"
        f"{addresses}"
    )
