"""Where an instance's Vagrant files are, and what makes its machines individuals."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path

from lpiclab.model import Instance

_VMWARE = "vmware_desktop"


@dataclass(frozen=True, slots=True)
class Site:
    """The files of one instance; each has a Vagrantfile and a data folder of its own."""

    instance: Instance

    @property
    def root(self) -> Path:
        """Return the folder that Vagrant works in."""
        return self.instance.folder / "vagrant"

    @property
    def vagrantfile(self) -> Path:
        """Return the file that `create` writes last: without it nothing has been made."""
        return self.root / "Vagrantfile"

    @property
    def data(self) -> Path:
        """Return what Vagrant calls its local data folder."""
        return self.root / ".vagrant"

    @property
    def backend_file(self) -> Path:
        """Return the file with the name of the Vagrant provider that has the machines."""
        return self.root / "backend"

    @property
    def log(self) -> Path:
        """Return the record of every command of Vagrant, with all that it said."""
        return self.root / "vagrant.log"

    @property
    def snapshots(self) -> Path:
        """Return the folder of what is known of snapshots."""
        return self.root / "snapshots"

    @property
    def key(self) -> Path:
        """Return the management key of machines made from lpiclab's own box."""
        return self.instance.folder / "key"

    @property
    def names(self) -> list[str]:
        """Return the machines' names."""
        return [machine.name for machine in self.instance.plan.machines]

    @property
    def label(self) -> str:
        """Return what messages call the machines together."""
        return f"{self.instance.id}/{'+'.join(self.names)}"

    @property
    def backend(self) -> str:
        """Return the Vagrant provider that has the machines, or nothing while they are not made."""
        try:
            return self.backend_file.read_text().strip()
        except OSError:
            return ""

    @property
    def tag(self) -> str:
        """Return a name for this instance among all users' machines and networks of this host."""
        digest = hashlib.sha256(bytes(self.instance.folder.resolve())).hexdigest()
        return f"lpiclab-{self.instance.id.replace('@', '.')}-{digest[:8]}"

    def folder(self, machine: str) -> Path:
        """Return a machine's folder."""
        return self.instance.folder / "machines" / machine

    def console(self, machine: str) -> Path:
        """Return the record of a machine's serial console."""
        return self.folder(machine) / "console.log"

    def host_key(self, machine: str) -> Path:
        """Return the file of the host key that a machine showed when it first ran."""
        return self.folder(machine) / "host_key.pub"

    def has_made(self, machine: str) -> bool:
        """Tell whether Vagrant notes that it has made a machine, which may be gone since."""
        return any(self.data.glob(f"machines/{machine}/*/id"))

    def machine_id(self, machine: str) -> str:
        """Return the 32 hexadecimal digits of `machine-id(5)`."""
        return uuid.uuid5(uuid.NAMESPACE_URL, self.folder(machine).as_uri()).hex

    def mac(self, machine: str, card: int) -> str:
        """Return the address of a machine's lab card.

        VMware takes no other than ``00:50:56:00:00:00`` to ``00:50:56:3f:ff:ff``; ``52:54:00`` is what
        QEMU's machines have by custom.
        """
        digest = hashlib.sha256(f"{self.folder(machine).as_uri()}/{card}".encode()).digest()
        if self.backend == _VMWARE:
            return f"00:50:56:{digest[0] & 0x3F:02x}:{digest[1]:02x}:{digest[2]:02x}"
        return f"52:54:00:{digest[0]:02x}:{digest[1]:02x}:{digest[2]:02x}"
