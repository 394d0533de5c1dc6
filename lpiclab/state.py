"""Instance records and locks.

A record is written before the first machine is made and says how far set-up came, so that the next
command knows what an interrupted one left. The lock is the kernel's (`flock(2)`): it ends with its
process, whatever killed it.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from lpiclab.errors import StateError, UsageError
from lpiclab.files import file_lock, private_folder, write_private
from lpiclab.guest import UNDO
from lpiclab.model import Host, Plan
from lpiclab.paths import Home

_HOSTS_FILE = "hosts.json"
_SCHEMA = 1
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}(@[A-Za-z0-9][A-Za-z0-9_-]{0,31})?")
Phase = Literal["creating", "ready"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is kept of an instance; `lab_folder` is where its checks and solutions are read from."""

    id: str
    provider: str
    phase: Phase
    created: datetime
    lab_folder: str
    images: dict[str, str]
    plan: Plan
    schema: int = _SCHEMA

    @property
    def lab_id(self) -> str:
        """Return the lab's id: the instance's without ``@NAME``."""
        return self.plan.lab_id


def new_record(
    instance_id: str, provider: str, lab_folder: Path, images: dict[str, str], plan: Plan
) -> Record:
    """Return a record of an instance that is about to be made."""
    return Record(
        id=instance_id,
        provider=provider,
        phase="creating",
        created=datetime.now(UTC),
        lab_folder=str(lab_folder),
        images=images,
        plan=plan,
    )


class Store:
    """The records under one home."""

    def __init__(self, home: Home) -> None:
        self._root = home.instances

    def folder(self, instance_id: str) -> Path:
        """Return the instance's folder, which may not exist.

        Raises:
            UsageError: the id is not ``LAB`` or ``LAB@NAME`` in safe characters.
        """
        if not _NAME.fullmatch(instance_id):
            raise UsageError(
                f'"{instance_id}" cannot name an instance',
                hint="use LAB or LAB@NAME, where NAME has letters, digits, - and _ (at most 32)",
            )
        return self._root / instance_id

    def find(self, instance_id: str) -> Record | None:
        """Return the record, or None when there is no such instance.

        Raises:
            StateError: the record is damaged.
        """
        file = self.folder(instance_id) / "record.json"
        try:
            return msgspec.json.decode(file.read_bytes(), type=Record)
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError as error:
            raise StateError(
                f"the record of {instance_id} is damaged: {error}",
                hint=f"`lpiclab down {instance_id}` removes the instance",
                details=str(file),
            ) from error

    def load(self, instance_id: str) -> Record:
        """Return the record.

        Raises:
            UsageError: there is no such instance.
        """
        record = self.find(instance_id)
        if record is None:
            raise UsageError(f"{instance_id} is not up", hint=f"`lpiclab up {instance_id}` starts it")
        return record

    def save(self, record: Record) -> None:
        """Write the record so that a crash leaves the old one or the new one."""
        folder = private_folder(self.folder(record.id))
        write_private(folder / "record.json", msgspec.json.encode(record))

    def save_hosts(self, instance_id: str, hosts: Mapping[str, Host]) -> None:
        """Keep the machines of an inventory that an instance is made of.

        Apart from the record: they can be given back when that is damaged.
        """
        write_private(private_folder(self.folder(instance_id)) / _HOSTS_FILE, msgspec.json.encode(hosts))

    def hosts(self, instance_id: str) -> Mapping[str, Host]:
        """Return the machines of an inventory that an instance is made of; empty where it has others.

        Raises:
            StateError: the file is damaged.
        """
        file = self.folder(instance_id) / _HOSTS_FILE
        try:
            return msgspec.json.decode(file.read_bytes(), type=dict[str, Host])
        except FileNotFoundError:
            return {}
        except msgspec.MsgspecError as error:
            raise StateError(
                f"{file} is damaged: {error}",
                hint=f"as root on its machines, `bash {UNDO}` gives them back",
            ) from error

    def ready(self, record: Record) -> Record:
        """Note that set-up is complete, and return the new record."""
        done = replace(record, phase="ready")
        self.save(done)
        return done

    def ids(self) -> list[str]:
        """Return the ids of all instances, also of those left half made."""
        if not self._root.is_dir():
            return []
        return sorted(entry.name for entry in self._root.iterdir() if _NAME.fullmatch(entry.name))

    def remove(self, instance_id: str) -> None:
        """Remove the instance's folder; its record goes first."""
        folder = self.folder(instance_id)
        (folder / "record.json").unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            raise StateError(f"could not remove {folder}", hint="look at its owner and permissions")

    @contextlib.contextmanager
    def lock(self, instance_id: str, command: str, waiting: Callable[[str], None]) -> Iterator[None]:
        """Hold the instance against other processes.

        `waiting` is called once with a sentence when another process has it. The wait has no end
        of its own: the other command has, and Ctrl-C works.
        """
        self.folder(instance_id)
        folder = private_folder(self._root / ".locks")
        with file_lock(folder / f"{instance_id}.lock", command, waiting):
            yield
