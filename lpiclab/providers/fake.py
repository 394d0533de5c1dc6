"""A provider without machines: its states are files. For tests of everything above providers."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from lpiclab.errors import ProviderError
from lpiclab.files import private_folder
from lpiclab.model import Instance, MachineState, SshEndpoint
from lpiclab.paths import Home
from lpiclab.providers.base import Finding, MachineStatus, Progress
from lpiclab.wait import Deadline


class FakeProvider:
    """Keep the contract with one folder a machine and a file ``running`` in it."""

    name: ClassVar[str] = "fake"
    images: ClassVar[bool] = False
    up_limit_s: ClassVar[float] = 600.0
    restart_limit_s: ClassVar[float] = 300.0

    def __init__(self, home: Home) -> None:
        self._home = home

    def probe(self) -> Sequence[Finding]:
        """Need nothing."""
        return [Finding(name="fake", state="ok", meaning="needs nothing")]

    def create(self, instance: Instance, /, *, deadline: Deadline, progress: Progress) -> None:
        """Make a folder a machine."""
        del progress
        for machine in instance.plan.machines:
            deadline.require(f"disks of {machine.name}")
            private_folder(self._folder(instance, machine.name))

    def start(self, instance: Instance, /, *, deadline: Deadline, progress: Progress) -> None:
        """Mark every machine as running."""
        for machine in instance.plan.machines:
            deadline.require(f"{machine.name} to boot")
            progress(f"{machine.name} boots")
            if not self._folder(instance, machine.name).is_dir():
                raise ProviderError(f"{instance.id}: {machine.name} has not been created")
            self._running(instance, machine.name).touch()

    def restart(self, instance: Instance, machines: Sequence[str], /, *, deadline: Deadline) -> None:
        """Note a reboot on each machine's console."""
        for machine in machines:
            deadline.require(f"{machine} to reboot")
            if not self._running(instance, machine).exists():
                raise ProviderError(f"{instance.id}: {machine} is not running")
            with self.logs(instance, machine)[0].open("a") as console:
                console.write("reboot\n")

    def stop(self, instance: Instance, /, *, deadline: Deadline) -> None:
        """Mark every machine as stopped, which takes no time."""
        del deadline
        for machine in instance.plan.machines:
            self._running(instance, machine.name).unlink(missing_ok=True)

    def destroy(self, instance: Instance, /) -> None:
        """Remove the machines' folders."""
        shutil.rmtree(instance.folder / "machines", ignore_errors=True)

    def status(self, instance: Instance, /) -> Mapping[str, MachineStatus]:
        """Tell each machine's state from its files."""
        return {
            machine.name: MachineStatus(state=self._state(instance, machine.name))
            for machine in instance.plan.machines
        }

    def endpoint(self, instance: Instance, machine: str, /) -> SshEndpoint:
        """Return an endpoint at which nothing listens."""
        if self._state(instance, machine) is not MachineState.RUNNING:
            raise ProviderError(f"{instance.id}: {machine} is not running")
        return SshEndpoint(host="127.0.0.1", port=9, host_key="", key_file=instance.folder / "key")

    def logs(self, instance: Instance, machine: str, /) -> Sequence[Path]:
        """Return the console file."""
        return [self._folder(instance, machine) / "console.log"]

    def _folder(self, instance: Instance, machine: str) -> Path:
        return instance.folder / "machines" / machine

    def _running(self, instance: Instance, machine: str) -> Path:
        return self._folder(instance, machine) / "running"

    def _state(self, instance: Instance, machine: str) -> MachineState:
        if self._running(instance, machine).exists():
            return MachineState.RUNNING
        return MachineState.STOPPED if self._folder(instance, machine).is_dir() else MachineState.ABSENT
