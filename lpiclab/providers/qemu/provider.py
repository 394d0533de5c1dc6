"""The `qemu` provider: one QEMU process a machine."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from lpiclab import proc
from lpiclab.errors import ImageError, LpiclabError, ProviderError, TimedOut
from lpiclab.files import private_folder, write_private
from lpiclab.model import Image, Instance, Machine, MachineState, SshEndpoint
from lpiclab.paths import Home
from lpiclab.providers.base import Finding, MachineStatus, Progress
from lpiclab.providers.qemu import accelerator, argv, console, disk, identity, lan, process, snapshot, sockets
from lpiclab.providers.qemu.guestport import GuestPort
from lpiclab.providers.qemu.identity import Identity
from lpiclab.wait import Deadline

_KILL_S = 10.0
_REBOOT_ASK_S = 10.0
_REBOOT_S = 60.0


@dataclass(frozen=True, slots=True)
class _Place:
    """One machine of an instance, and its files."""

    instance: Instance
    machine: Machine

    @property
    def folder(self) -> Path:
        return self.instance.folder / "machines" / self.machine.name

    @property
    def label(self) -> str:
        return f"{self.instance.id}/{self.machine.name}"

    @property
    def identity(self) -> Identity:
        return Identity.of(self.folder)

    @property
    def image(self) -> Image:
        image = self.instance.images.get(self.machine.distro)
        if image is None:
            raise ImageError(f"{self.label}: no image of {self.machine.distro}")
        return image

    def disks(self) -> list[tuple[str, Path]]:
        names = ["sda", *(each.name for each in self.machine.disks)]
        return [(name, self.folder / f"{name}.qcow2") for name in names]


class QemuProvider:
    """Machines as QEMU processes under the instance's folder."""

    name: ClassVar[str] = "qemu"
    images: ClassVar[bool] = True

    def __init__(self, home: Home) -> None:
        self._home = home

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

    def create(self, instance: Instance, /, *, deadline: Deadline) -> None:
        """Make overlays, empty disks and keys."""
        private_folder(instance.folder / lan.FOLDER)
        identity.make_key_pair(instance.folder / "key", "lpiclab")
        for place in _places(instance):
            if len(place.machine.nics) > argv.CARD_SLOTS:
                raise ProviderError(f"{place.label}: at most {argv.CARD_SLOTS} network cards are possible")
            private_folder(place.folder)
            identity.make_key_pair(place.folder / "host_key", place.machine.name)
            disk.ensure_overlay(place.folder / "sda.qcow2", backing=place.image.disk, deadline=deadline)
            for each in place.machine.disks:
                file = place.folder / f"{each.name}.qcow2"
                disk.ensure_empty(file, size_mib=each.size_mib, deadline=deadline)

    def start(self, instance: Instance, /, *, deadline: Deadline, progress: Progress) -> None:
        """Boot what does not run, side by side."""
        running = process.find(place.identity.uuid for place in _places(instance))
        places = [place for place in _places(instance) if place.identity.uuid not in running]
        if places:
            how = accelerator.ensure(self._home.settings, places[0].image.kernel)
            _together(places, lambda place: _boot(place, how, progress), "to boot", deadline)

    def restart(self, instance: Instance, machines: Sequence[str], /, *, deadline: Deadline) -> None:
        """Reboot from inside, by the reset button where that does not work."""
        places = [place for place in _places(instance) if place.machine.name in machines]
        _together(places, _reboot, "to reboot", deadline)

    def stop(self, instance: Instance, /, *, deadline: Deadline) -> None:
        """Ask each machine to power off; at the deadline, pull the plug."""
        places = [place for place in _places(instance) if _pid(place) is not None]
        if not deadline.expired():
            with contextlib.suppress(LpiclabError):
                _together(places, _power_off, "to stop", deadline)
        for place in places:
            if not process.wait_gone(place.identity.uuid, deadline=deadline):
                _kill(place)

    def destroy(self, instance: Instance, /) -> None:
        """End the machines' processes and remove their files."""
        for place in _places(instance):
            _kill(place)
        for folder in ("machines", lan.FOLDER):
            shutil.rmtree(instance.folder / folder, ignore_errors=True)

    def status(self, instance: Instance, /) -> Mapping[str, MachineStatus]:
        """Look at processes and files."""
        places = _places(instance)
        running = process.find(place.identity.uuid for place in places)
        return {place.machine.name: _status(place, running.get(place.identity.uuid)) for place in places}

    def endpoint(self, instance: Instance, machine: str, /) -> SshEndpoint:
        """Return the forwarded port that the machine's QEMU got when it started."""
        place = _place(instance, machine)
        if _pid(place) is None:
            raise ProviderError(
                f"{place.label} is not running", hint=f"`lpiclab up {instance.id}` starts it again"
            )
        try:
            port = int((place.folder / "port").read_text())
        except (OSError, ValueError) as error:
            raise ProviderError(f"{place.label} has not finished booting") from error
        return SshEndpoint(
            host="127.0.0.1",
            port=port,
            host_key=(place.folder / "host_key.pub").read_text().strip(),
            key_file=instance.folder / "key",
        )

    def logs(self, instance: Instance, machine: str, /) -> Sequence[Path]:
        """Return the serial console's record and QEMU's own words."""
        folder = _place(instance, machine).folder
        return [folder / "console.log", folder / "qemu.log"]

    def save(self, instance: Instance, tag: str, /, *, deadline: Deadline) -> None:
        """Keep memory and disks of all machines as internal snapshots of their qcow2 files."""
        snapshot.save(_targets(instance), tag, deadline=deadline)

    def restore(self, instance: Instance, tag: str, /, *, deadline: Deadline) -> None:
        """Load the snapshots into the running machines, and set their clocks: those stood still."""
        snapshot.restore(_targets(instance), tag, deadline=deadline)
        _together(_places(instance), _set_clock, "to answer after a restore", deadline)

    def connect_console(self, instance: Instance, machine: str, /) -> socket.socket:
        """Return a connection to a machine's serial console; QEMU serves one at a time.

        Raises:
            ProviderError: the machine is off.
        """
        place = _place(instance, machine)
        try:
            return sockets.connect(place.folder / "console.sock")
        except OSError as error:
            raise ProviderError(
                f"{place.label} is not running", hint=f"`lpiclab up {instance.id}` starts it again"
            ) from error


def _places(instance: Instance) -> list[_Place]:
    return [_Place(instance, machine) for machine in instance.plan.machines]


def _place(instance: Instance, machine: str) -> _Place:
    return next(place for place in _places(instance) if place.machine.name == machine)


def _targets(instance: Instance) -> list[snapshot.Target]:
    places = _places(instance)
    running = process.find(place.identity.uuid for place in places)
    for place in places:
        if place.identity.uuid not in running:
            raise ProviderError(f"{place.label} is not running")
    return [
        snapshot.Target(
            label=place.label,
            monitor=place.folder / "monitor.sock",
            disks=tuple(name for name, _ in place.disks()),
        )
        for place in places
    ]


def _pid(place: _Place) -> int | None:
    return process.find([place.identity.uuid]).get(place.identity.uuid)


def _kill(place: _Place) -> None:
    if not process.kill(place.identity.uuid, deadline=Deadline.after(_KILL_S)):
        raise ProviderError(f"{place.label}: QEMU (process {_pid(place)}) does not end")


def _status(place: _Place, pid: int | None) -> MachineStatus:
    files = [file for _, file in place.disks() if file.exists()]
    disk_bytes = sum(file.stat().st_blocks * 512 for file in files)
    if pid is not None:
        return MachineStatus(
            state=MachineState.RUNNING, memory_bytes=process.memory_bytes(pid), disk_bytes=disk_bytes
        )
    if not files:
        return MachineStatus(state=MachineState.ABSENT)
    whole = len(files) == len(place.disks())
    return MachineStatus(state=MachineState.STOPPED if whole else MachineState.BROKEN, disk_bytes=disk_bytes)


def _together(
    places: Sequence[_Place], action: Callable[[_Place], Awaitable[None]], what: str, deadline: Deadline
) -> None:
    """Run `action` on all places at once; the first failure ends the others and is raised."""

    async def one(place: _Place) -> None:
        try:
            async with asyncio.timeout(deadline.left_s()):
                await action(place)
        except TimeoutError as error:
            raise TimedOut(
                f"timed out waiting for {place.label} {what}",
                hint=f"`lpiclab console {place.instance.id} {place.machine.name}` shows what it is doing",
                details=console.tail(place.folder / "console.log"),
            ) from error

    async def every() -> None:
        async with asyncio.TaskGroup() as group:
            for place in places:
                group.create_task(one(place))

    try:
        asyncio.run(every())
    except BaseExceptionGroup as failures:
        # Not `except*`: what is raised in one becomes a group again.
        raise _first(failures) from None


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


async def _boot(place: _Place, how: str, progress: Progress) -> None:
    progress(f"{place.machine.name}: boots")
    (place.folder / "port").unlink(missing_ok=True)
    _spawn(place, how)
    from lpiclab.providers.qemu.monitor import management_port, monitor  # noqa: PLC0415 - 100 ms to import

    try:
        async with await GuestPort.connect(place.folder / "shell.sock", place.label) as port:
            async with monitor(place.folder / "monitor.sock", place.label) as client:
                number = await management_port(client)
            await port.ready()
            await _identify(place, port)
    except (LpiclabError, OSError) as error:
        raise ProviderError(
            f"{place.label}: QEMU ended or the machine went off while booting",
            details="\n".join(
                filter(
                    None,
                    [
                        str(error),
                        *(console.tail(place.folder / name) for name in ("qemu.log", "console.log")),
                    ],
                )
            ),
        ) from error
    write_private(place.folder / "port", str(number).encode())
    progress(f"{place.machine.name}: ready")


async def _identify(place: _Place, port: GuestPort) -> None:
    """Give a machine its identity once; it keeps it on its disk."""
    done = place.folder / "identified"
    if not done.exists():
        await port.identify(
            identity.document(
                hostname=place.machine.hostname or place.machine.name,
                identity=place.identity,
                host_key_file=place.folder / "host_key",
                authorised_key=(place.instance.folder / "key.pub").read_text().strip(),
            )
        )
        write_private(done, b"")


def _spawn(place: _Place, how: str) -> None:
    with contextlib.ExitStack() as stack:
        listening: dict[str, socket.socket] = {
            name: stack.enter_context(sockets.listen(place.folder / f"{name}.sock"))
            for name in ("monitor", "shell", "console")
        }
        numbers = {name: each.fileno() for name, each in listening.items()}
        words = argv.machine_argv(
            name=f"lpiclab-{place.instance.id}-{place.machine.name}",
            machine=place.machine,
            identity=place.identity,
            accelerator=how,
            boot=argv.Boot(
                kernel=place.image.kernel,
                initrd=place.image.initrd,
                command_line=place.image.command_line,
            ),
            disks=place.disks(),
            netdevs=lan.netdevs(place.machine.name, place.instance.plan.machines),
            sockets=argv.Sockets(**numbers),
            console_log=f"machines/{place.machine.name}/console.log",
        )
        log = place.folder / "qemu.log"
        proc.spawn(words, log=log, folder=place.instance.folder, sockets=list(numbers.values()))


async def _reboot(place: _Place) -> None:
    if _pid(place) is None:
        raise ProviderError(
            f"{place.label} is not running", hint=f"`lpiclab up {place.instance.id}` starts it"
        )
    boot_id = ""
    async with await GuestPort.connect(place.folder / "shell.sock", place.label) as port:
        try:
            async with asyncio.timeout(_REBOOT_ASK_S):
                boot_id = await port.ready()
                await port.reboot()
            async with asyncio.timeout(_REBOOT_S):
                await port.rebooted(boot_id)
        except TimeoutError:
            from lpiclab.providers.qemu.monitor import monitor  # noqa: PLC0415 - 100 ms to import

            async with monitor(place.folder / "monitor.sock", place.label) as client:
                await client.execute("system_reset")
            await port.rebooted(boot_id)


async def _set_clock(place: _Place) -> None:
    async with await GuestPort.connect(place.folder / "shell.sock", place.label) as port:
        await port.ready()
        await port.set_clock(time.time())


async def _power_off(place: _Place) -> None:
    async with await GuestPort.connect(place.folder / "shell.sock", place.label) as port:
        await port.ready()
        await port.power_off()


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
