"""The templates of this host: frozen machines that any number of others begin as.

A *bare* template is one booted machine of a distribution, with some size of memory and number of
processors. A *set-up* is all machines of a lab when its set-up was done. Both are named by content:
whatever would make a machine that begins there wrong gives another name. See
docs/architecture.md, "Instant machines".
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from lpiclab.errors import ImageError, MachineryError, ProviderError, UsageError
from lpiclab.files import file_lock, free_lock, private_folder
from lpiclab.model import Image, Instance, Machine, Plan
from lpiclab.providers.base import Kept, Progress
from lpiclab.providers.qemu import argv, disk, frozen, generation, launch, process
from lpiclab.providers.qemu.guestport import GuestPort
from lpiclab.providers.qemu.place import Place
from lpiclab.wait import Deadline

_DIGITS = 12
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_NAME = "machine"
_KILL_S = 10.0


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates under the folder `root`, which the instances under `instances` stand on."""

    root: Path
    instances: Path

    def folder(self, name: str) -> Path:
        """Return the folder of a template, which may be absent.

        Raises:
            UsageError: the name could lead out of the folder of templates, where things are removed.
        """
        if not _SAFE.fullmatch(name):
            raise UsageError(f'"{name}" cannot name a template')
        return self.root / name

    def sound(self, name: str, shape: str, progress: Progress) -> bool:
        """Tell whether a template and those that it stands on can be used; say so when it is spoilt.

        Raises:
            ImageError: it is spoilt, and instances stand on it, so that it can't be replaced.
        """
        if not self.folder(name).is_dir():
            return False
        try:
            manifest = frozen.verify(self.folder(name), shape)
            for origin in manifest.origins:
                frozen.verify(self.folder(origin))
                frozen.note_use(self.folder(origin))
            frozen.note_use(self.folder(name))
        except ImageError as error:
            if users := self.users().get(name):
                error.hint = f"{' and '.join(users)} stand on it: `lpiclab down {users[0]}` first"
                raise
            progress(f"{error.message}; making it anew")
            return False
        return True

    def users(self) -> Mapping[str, Sequence[str]]:
        """Return which instances stand on each template, also by way of another one."""
        found: dict[str, list[str]] = {}
        for folder in sorted(self.instances.iterdir()) if self.instances.is_dir() else []:
            direct = origins_of(generation.machine_folders(folder))
            for name in sorted(direct | {origin for each in direct for origin in self._origins(each)}):
                found.setdefault(name, []).append(folder.name)
        return found

    def bare(
        self, machine: Machine, image: Image, accelerator: str, *, deadline: Deadline, progress: Progress
    ) -> str:
        """Return the name of the bare template that a machine can begin as; it is made when absent.

        Raises:
            MachineryError: it could not be made.
        """
        instance = _bare_instance(self.root, machine, image)
        shape = frozen.shape(instance, accelerator)
        name = f"{machine.distro}-{machine.memory_mib}m-{machine.processors}p-{shape[:_DIGITS]}"
        if self.sound(name, shape, lambda _: None):
            return name
        with self.making(name, progress) as part:
            if not self.sound(name, shape, progress):
                progress(f"a template of {machine.distro} with {machine.memory_mib} MiB is made, once")
                _make_bare(instance, part, accelerator, deadline)
                title = f"{machine.distro}, {machine.memory_mib} MiB, {machine.processors} processors"
                frozen.seal(part / "frozen", title=title, shape=shape, instance=instance)
                self.publish(part / "frozen", name)
        return name

    @contextmanager
    def making(self, name: str, progress: Progress) -> Iterator[Path]:
        """Hold an empty folder to make a template in, against other makers of the same one."""
        with file_lock(private_folder(self.root) / f".{name}.lock", f"up ({name})", progress):
            self._sweep()
            part = self.root / f".{name}.part"
            shutil.rmtree(part, ignore_errors=True)
            private_folder(part)
            try:
                yield part
            finally:
                shutil.rmtree(part, ignore_errors=True)

    def publish(self, made: Path, name: str) -> None:
        """Give a complete folder its name; a spoilt one of that name goes away."""
        self._discard(name)
        made.rename(self.folder(name))

    def listing(self, *, thorough: bool = False) -> list[Kept]:
        """Return all templates."""
        users = self.users()
        folders = sorted(self.root.glob("[!.]*")) if self.root.is_dir() else []
        return [
            _kept(folder, users.get(folder.name, ()), thorough=thorough)
            for folder in folders
            if folder.is_dir()
        ]

    def remove(self, name: str, progress: Progress) -> None:
        """Remove a template.

        Raises:
            UsageError: instances stand on it.
        """
        self.folder(name)  # refuses a name that leads elsewhere before a lock is made of it
        with file_lock(private_folder(self.root) / f".{name}.lock", f"image rm {name}", progress):
            self._discard(name, unless_used=True)
            self._sweep()

    def remove_unused(self, name: str, progress: Progress) -> None:
        """Remove a template that is of no use, unless instances stand on its disks."""
        with suppress(UsageError):
            self.remove(name, progress)

    def _origins(self, name: str) -> Sequence[str]:
        try:
            return frozen.read(self.folder(name)).origins
        except ImageError:
            return ()

    def _sweep(self) -> None:
        """Remove what killed commands left, whose names may never be used again; give back what is in use."""
        for rubbish in self.root.glob(".*.old"):
            name = rubbish.stem.removeprefix(".")
            if name in self.users() and not self.folder(name).exists():
                rubbish.rename(self.folder(name))
            else:
                shutil.rmtree(rubbish, ignore_errors=True)
        for part in self.root.glob(".*.part"):
            with free_lock(part.with_suffix(".lock")) as nobody_makes_it:
                if nobody_makes_it:
                    shutil.rmtree(part, ignore_errors=True)

    def _discard(self, name: str, *, unless_used: bool = False) -> None:
        """Remove a template's name first: what is half removed must not look like one.

        Who begins as a template notes so, and then looks whether it is there. As the name goes before
        users are looked for, one of the two always sees the other.
        """
        if self.folder(name).is_dir():
            rubbish = self.root / f".{name}.old"
            shutil.rmtree(rubbish, ignore_errors=True)
            self.folder(name).rename(rubbish)
            if unless_used and (users := self.users().get(name)):
                rubbish.rename(self.folder(name))
                raise UsageError(
                    f"{name} is in use by {' and '.join(users)}", hint=f"`lpiclab down {users[0]}` first"
                )
            shutil.rmtree(rubbish, ignore_errors=True)


def origins_of(folders: Sequence[Path]) -> set[str]:
    """Return the templates that machines' folders say they stand on."""
    files = [folder / "origin" for folder in folders]
    return {file.read_text() for file in files if file.exists()} - {""}


def _kept(folder: Path, users: Sequence[str], *, thorough: bool) -> Kept:
    title, created, problem = folder.name, "", ""
    images: Sequence[str] = ()
    origins: Sequence[str] = ()
    try:
        manifest = frozen.read(folder)
        title, created = manifest.title, manifest.created
        images, origins = manifest.images, manifest.origins
        frozen.verify(folder, thorough=thorough)
    except MachineryError as error:
        problem = error.message
    files = [file for file in folder.rglob("*") if file.is_file()]
    return Kept(
        name=folder.name,
        title=title,
        created=created,
        size_bytes=sum(file.stat().st_blocks * 512 for file in files),
        used_at=frozen.used_at(folder),
        images=tuple(images),
        origins=tuple(origins),
        users=tuple(users),
        problem=problem,
    )


def _bare_instance(root: Path, machine: Machine, image: Image) -> Instance:
    bare = Machine(
        name=_NAME, distro=machine.distro, memory_mib=machine.memory_mib, processors=machine.processors
    )
    plan = Plan(
        lab_id="template",
        seed="",
        distro=machine.distro,
        parameters={},
        networks=(),
        machines=(bare,),
        files=(),
        setup=(),
    )
    return Instance(id="template", folder=root, plan=plan, images={machine.distro: image})


def _make_bare(instance: Instance, part: Path, accelerator: str, deadline: Deadline) -> None:
    """Boot one machine and freeze it when it has settled."""
    place = Place(instance, instance.plan.machines[0], part / "machines")
    private_folder(place.folder)
    place.memory.touch(mode=0o600)
    disk.ensure_overlay(place.folder / "sda.qcow2", backing=place.image.disk, deadline=deadline)
    try:
        launch.spawn(place, accelerator, argv.Memory(file=place.memory, shared=True), dies_with_us=True)
        launch.together([place], _settle, "to boot and settle", deadline)
        frozen.freeze([place], part / "frozen", deadline=deadline)
    finally:
        if not process.kill(place.identity.uuid, deadline=Deadline.after(_KILL_S)):
            raise ProviderError(f"{place.label}: QEMU does not end")


async def _settle(place: Place) -> None:
    async with await GuestPort.connect(place.socket("shell"), place.label) as port:
        await port.ready()
        await port.settle()
