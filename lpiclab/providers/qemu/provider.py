"""The `qemu` provider: one QEMU process a machine."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from lpiclab.errors import GuestError, LpiclabError, ProviderError
from lpiclab.model import Instance, MachineState, SshEndpoint
from lpiclab.paths import Home
from lpiclab.providers.base import Finding, Kept, MachineStatus, Progress, Snapshot
from lpiclab.providers.qemu import (
    accelerator,
    argv,
    frozen,
    launch,
    making,
    process,
    snapshots,
    sockets,
)
from lpiclab.providers.qemu.guestport import GuestPort
from lpiclab.providers.qemu.place import Place, place, places
from lpiclab.providers.qemu.templates import Templates
from lpiclab.wait import Deadline

_CRASH_S = 5.0
_REBOOT_ASK_S = 10.0
_REBOOT_S = 60.0


class QemuProvider:
    """Machines as QEMU processes under the instance's folder."""

    name: ClassVar[str] = "qemu"
    images: ClassVar[bool] = True
    up_limit_s: ClassVar[float] = 600.0
    restart_limit_s: ClassVar[float] = 300.0

    def __init__(self, home: Home) -> None:
        self._home = home
        self._templates = Templates(home.templates, home.instances)

    def probe(self) -> Sequence[Finding]:
        """Look for QEMU and for an accelerator."""
        findings = [_program_finding(program) for program in (argv.PROGRAM, "qemu-img")]
        found = accelerator.known(self._home.settings)
        if found == "tcg":
            findings.append(
                Finding(
                    name="KVM",
                    state="slower",
                    meaning="a trial showed that KVM does not work here: machines boot slower",
                )
            )
        elif found == "kvm":
            findings.append(Finding(name="KVM", state="ok", meaning="a trial showed that KVM works here"))
        else:
            findings.append(Finding(name="KVM", state="ok", meaning="the first `up` will try it"))
        return findings

    def create(self, instance: Instance, /, *, deadline: Deadline, progress: Progress) -> None:
        """Make overlays on templates, empty disks and keys."""
        for each in places(instance):
            if len(each.machine.nics) > argv.CARD_SLOTS:
                raise ProviderError(f"{each.label}: at most {argv.CARD_SLOTS} network cards are possible")
        how = self._accelerator(instance)
        making.create(instance, self._templates, how, deadline=deadline, progress=progress)

    def start(self, instance: Instance, /, *, deadline: Deadline, progress: Progress) -> None:
        """Start what does not run, side by side: new machines from their template, others from disk."""
        snapshots.clear_leftovers(instance)
        frozen.wake(places(instance))
        running = process.find(each.identity.uuid for each in places(instance))
        waiting = [
            each for each in places(instance) if each.identity.uuid not in running or not each.port.exists()
        ]
        if waiting:
            how = self._accelerator(instance)

            async def one(each: Place) -> None:
                await making.start(each, how, progress)

            launch.together(waiting, one, "to start", deadline)

    def restart(self, instance: Instance, machines: Sequence[str], /, *, deadline: Deadline) -> None:
        """Reboot from inside, by the reset button where that does not work; boot what ends meanwhile."""
        frozen.wake(places(instance))
        chosen = [each for each in places(instance) if each.machine.name in machines]
        how = self._accelerator(instance)

        async def one(each: Place) -> None:
            try:
                await _reboot(each)
            except GuestError:
                # QEMU can crash while it resets an emulated machine (seen with 7.2 and two processors: one of
                # them writes to a device that is gone). What has shut down in order boots from its disks.
                uuid = each.identity.uuid
                if not await asyncio.to_thread(process.wait_gone, uuid, deadline=Deadline.after(_CRASH_S)):
                    raise
                await launch.boot(each, how, lambda _: None)

        launch.together(chosen, one, "to reboot", deadline)

    def stop(self, instance: Instance, /, *, deadline: Deadline) -> None:
        """Ask each machine to power off; at the deadline, pull the plug."""
        running = [each for each in places(instance) if process.runs(each.identity.uuid)]
        if not deadline.expired():
            with contextlib.suppress(LpiclabError):
                launch.together(running, _power_off, "to stop", deadline)
        for each in running:
            if not process.wait_gone(each.identity.uuid, deadline=deadline):
                making.kill(each)

    def destroy(self, instance: Instance, /) -> None:
        """End the machines' processes, in every generation and fork, and remove their files."""
        snapshots.clear(instance)

    def status(self, instance: Instance, /) -> Mapping[str, MachineStatus]:
        """Look at processes and files."""
        every = places(instance)
        running = process.find(each.identity.uuid for each in every)
        return {each.machine.name: _status(each, running.get(each.identity.uuid)) for each in every}

    def endpoint(self, instance: Instance, machine: str, /) -> SshEndpoint:
        """Return the forwarded port that the machine's QEMU got when it started."""
        chosen = place(instance, machine)
        frozen.wake(places(instance))
        if not process.runs(chosen.identity.uuid):
            raise _not_running(chosen)
        try:
            port = int(chosen.port.read_text())
        except (OSError, ValueError) as error:
            raise making.not_started(chosen) from error
        return SshEndpoint(
            host="127.0.0.1",
            port=port,
            host_key=(chosen.folder / "host_key.pub").read_text().strip(),
            key_file=instance.folder / "key",
        )

    def logs(self, instance: Instance, machine: str, /) -> Sequence[Path]:
        """Return the serial console's record and QEMU's own words."""
        folder = place(instance, machine).folder
        return [folder / "console.log", folder / "qemu.log"]

    def save(self, instance: Instance, name: str, /, *, title: str, deadline: Deadline) -> float:
        """Copy disks, device states and memory while all machines stand still."""
        how = self._accelerator(instance)
        seconds = snapshots.save(instance, name, title, how, deadline=deadline)
        _set_clocks(instance, deadline)
        return seconds

    def restore(self, instance: Instance, name: str, /, *, deadline: Deadline, progress: Progress) -> None:
        """Let new processes go on from copies, then end the old ones."""
        how = self._accelerator(instance)
        snapshots.restore(instance, name, how, deadline=deadline, progress=progress)

    def snapshots(self, instance: Instance, /) -> Sequence[Snapshot]:
        """Return the snapshots in the instance's folder."""
        return snapshots.listing(instance)

    def forget(self, instance: Instance, name: str, /) -> None:
        """Remove a snapshot's folder."""
        snapshots.forget(instance, name)

    def keep(
        self, instance: Instance, key: str, /, *, title: str, deadline: Deadline, progress: Progress
    ) -> bool:
        """Freeze the instance, and let it begin anew from what was frozen."""
        how = self._accelerator(instance)
        return making.keep(instance, key, title, self._templates, how, deadline=deadline, progress=progress)

    def begin(self, instance: Instance, key: str, /, *, deadline: Deadline, progress: Progress) -> bool:
        """Let new processes go on from a frozen set-up."""
        how = self._accelerator(instance)
        return making.begin(instance, key, self._templates, how, deadline=deadline, progress=progress)

    def templates(self, *, thorough: bool = False) -> Sequence[Kept]:
        """Return bare templates and set-ups."""
        return self._templates.listing(thorough=thorough)

    def remove_template(self, name: str, /, *, progress: Progress) -> None:
        """Remove a template's folder."""
        self._templates.remove(name, progress)

    def fork(self, instance: Instance, /, *, deadline: Deadline) -> Instance:
        """Capture the instance, and let processes of their own go on from the copies."""
        made = snapshots.fork(instance, self._accelerator(instance), deadline=deadline)
        _set_clocks(instance, deadline)
        return made

    def cut_power(self, instance: Instance, machine: str, /) -> None:
        """End the machine's process."""
        making.kill(place(instance, machine))

    def unplug(self, instance: Instance, machine: str, disk: str, /) -> None:
        """Remove a disk's device, as if it were pulled out."""
        asyncio.run(_unplug(place(instance, machine), disk))

    def suspend(self, instance: Instance, /, *, deadline: Deadline) -> None:
        """Write memory and device state of all running machines beside their disks, and end them."""
        snapshots.suspend(instance, self._accelerator(instance), deadline=deadline)

    def connect_shell(self, instance: Instance, machine: str, /) -> socket.socket:
        """Return a connection to the shell on a machine's port; QEMU serves one at a time.

        Raises:
            ProviderError: the machine is off, or has not finished starting.
        """
        chosen = place(instance, machine)
        frozen.wake(places(instance))
        if not process.runs(chosen.identity.uuid):
            raise _not_running(chosen)
        if not chosen.port.exists():
            raise making.not_started(chosen)
        try:
            return sockets.connect(chosen.socket("shell"))
        except OSError as error:
            raise _not_running(chosen) from error

    def connect_console(self, instance: Instance, machine: str, /) -> socket.socket:
        """Return a connection to a machine's serial console; QEMU serves one at a time.

        Raises:
            ProviderError: the machine is off.
        """
        chosen = place(instance, machine)
        try:
            return sockets.connect(chosen.socket("console"))
        except OSError as error:
            raise _not_running(chosen) from error

    def _accelerator(self, instance: Instance) -> str:
        image = places(instance)[0].image
        return accelerator.ensure(self._home.settings, image.kernel, image.architecture)


def _not_running(chosen: Place) -> ProviderError:
    return ProviderError(
        f"{chosen.label} is not running", hint=f"`lpiclab up {chosen.instance.id}` starts it again"
    )


def _status(chosen: Place, pid: int | None) -> MachineStatus:
    files = [file for _, file in chosen.disks() if file.exists()]
    disk_bytes = sum(file.stat().st_blocks * 512 for file in files)
    if pid is not None:
        state = MachineState.RUNNING if chosen.port.exists() else MachineState.STARTING
        return MachineStatus(state=state, memory_bytes=process.memory_bytes(pid), disk_bytes=disk_bytes)
    state = MachineState.SUSPENDED if chosen.state.exists() else MachineState.STOPPED
    if not files:
        return MachineStatus(state=MachineState.ABSENT)
    if len(files) < len(chosen.disks()):
        return MachineStatus(state=MachineState.BROKEN, disk_bytes=disk_bytes)
    return MachineStatus(state=state, disk_bytes=disk_bytes)


async def _reboot(chosen: Place) -> None:
    if not process.runs(chosen.identity.uuid):
        raise _not_running(chosen)
    if not chosen.port.exists():
        raise making.not_started(chosen)
    boot_id = ""
    async with await GuestPort.connect(chosen.socket("shell"), chosen.label) as port:
        try:
            async with asyncio.timeout(_REBOOT_ASK_S):
                boot_id = await port.awake()
                await port.reboot()
            async with asyncio.timeout(_REBOOT_S):
                await port.rebooted(boot_id)
        except TimeoutError:
            from lpiclab.providers.qemu.monitor import monitor  # noqa: PLC0415 - 100 ms to import

            async with monitor(chosen.socket("monitor"), chosen.label) as client:
                await client.execute("system_reset")
            await port.rebooted(boot_id)


def _set_clocks(instance: Instance, deadline: Deadline) -> None:
    running = [each for each in places(instance) if process.runs(each.identity.uuid)]
    launch.together(running, _set_clock, "to have its clock set", deadline)


async def _set_clock(chosen: Place) -> None:
    async with await GuestPort.connect(chosen.socket("shell"), chosen.label) as port:
        await port.awake()
        await port.set_clock(time.time())


async def _power_off(chosen: Place) -> None:
    async with await GuestPort.connect(chosen.socket("shell"), chosen.label) as port:
        await port.awake()
        await port.power_off()


async def _unplug(chosen: Place, disk: str) -> None:
    from lpiclab.providers.qemu.monitor import monitor  # noqa: PLC0415 - 100 ms to import

    async with monitor(chosen.socket("monitor"), chosen.label) as client:
        with client.listener("DEVICE_DELETED") as events:
            await client.execute("device_del", {"id": f"disk-{disk}"})
            await events.get()


def _program_finding(program: str) -> Finding:
    path = shutil.which(program)
    if path:
        return Finding(name=program, state="ok", meaning=f"found: {path}")
    return Finding(
        name=program,
        state="missing",
        meaning="machines cannot be run without it",
        mend="apt install qemu-system-x86 qemu-utils",
    )
