"""Keep a running instance as it is at one moment: snapshots, forks, suspended machines.

Everything is copied: the instance's own files are only ever read, so a copy that fails, is killed or
fills the disk takes nothing from the learner.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lpiclab.errors import ImageError, MachineryError, ProviderError, UsageError
from lpiclab.files import private_folder
from lpiclab.integrity import copy_sparse
from lpiclab.model import Instance
from lpiclab.names import nearest
from lpiclab.providers.base import Progress, Snapshot
from lpiclab.providers.qemu import frozen, generation, launch, making, process
from lpiclab.providers.qemu.place import Place, places
from lpiclab.wait import Deadline

_FOLDER = "snapshots"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_FORKS = "forks"
_INDIVIDUAL = ("individual", "identified", "host_key", "host_key.pub", "origin")
"""What makes a machine the one that it is, beside its disks and its state."""


def save(instance: Instance, name: str, title: str, accelerator: str, *, deadline: Deadline) -> float:
    """Keep an instance under a name; returns how many seconds its machines stood still.

    Raises:
        UsageError: the name is taken.
        ProviderError: a machine could not be kept, or there is no space. The instance goes on.
    """
    folder = _folder(instance, name)
    if folder.exists():
        raise UsageError(f'{instance.id} has a snapshot "{name}" already', hint="choose another name")
    part = folder.parent / f".{name}.part"
    shutil.rmtree(part, ignore_errors=True)
    try:
        private_folder(part)
        seconds = frozen.capture(*_running_and_off(instance), part, deadline=deadline)
        frozen.seal(part, title=title, shape=frozen.shape(instance, accelerator), instance=instance)
        part.rename(folder)
    except OSError as error:
        raise ProviderError(
            f"{instance.id} could not be kept: {error.strerror or error}; its machines go on",
            hint="`lpiclab snapshot rm` makes space",
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return seconds


def restore(
    instance: Instance, name: str, accelerator: str, *, deadline: Deadline, progress: Progress
) -> None:
    """Let new processes go on from a snapshot's copies; only when all do, end the old ones.

    Memory is of use only to the QEMU that wrote it. With another one the machines boot from the
    snapshot's disks, which are as a power cut at that moment would have left them.

    Raises:
        UsageError: there is no such snapshot.
        ImageError: it is damaged. In any case the instance goes on.
    """
    folder = _existing(instance, name)
    try:
        manifest = frozen.verify(folder)
    except ImageError as error:
        error.hint = f"`lpiclab snapshot rm {instance.id} {name}` removes it"
        raise
    made = generation.path_of_new(instance.folder)
    every = places(instance, made)
    try:
        private_folder(made)
        for place in every:
            _copy_individual(place, generation.current(instance.folder) / place.machine.name)
            for _, file in place.disks():
                copy_sparse(folder / place.machine.name / file.name, file)
        if manifest.shape == frozen.shape(instance, accelerator):
            _resume(every, folder, accelerator, deadline)
        else:
            progress(f"{name} was kept by another QEMU: the machines boot, from their disks of that moment")
            _boot(every, folder, accelerator, deadline, progress)
        generation.adopt(instance.folder, made)
    except BaseException as error:
        making.discard(every, made)
        if isinstance(error, OSError):
            message = f"{instance.id} could not go back to {name}: {error.strerror or error}"
            raise ProviderError(f"{message}; it is as it was") from error
        raise
    making.clear_other_generations(instance)


def fork(instance: Instance, accelerator: str, *, deadline: Deadline) -> Instance:
    """Copy an instance, and let the copy run on networks of its own.

    Raises:
        ProviderError: a machine could not be copied; the instance goes on.
    """
    _clear_forks(instance)
    folder = generation.path_of_new(instance.folder / _FORKS)
    made = replace(instance, folder=folder)
    working = generation.path_of_new(folder)
    every = places(made, working)
    try:
        private_folder(working)
        for name in ("key", "key.pub"):
            copy_sparse(instance.folder / name, folder / name)
        frozen.capture(*_running_and_off(instance), working, deadline=deadline)
        for place, source in zip(every, places(instance), strict=True):
            _copy_individual(place, source.folder)
        _resume(every, working, accelerator, deadline, dies_with_us=True)
        for place in every:
            place.state.unlink(missing_ok=True)
        generation.adopt(folder, working)
    except BaseException as error:
        making.discard(every, folder)
        if isinstance(error, OSError):
            raise ProviderError(f"{instance.id} could not be forked: {error.strerror or error}") from error
        raise
    return made


def suspend(instance: Instance, accelerator: str, *, deadline: Deadline) -> None:
    """Write what the running machines have in mind beside their disks, and end them.

    Raises:
        ProviderError: a machine could not be kept, or there is no space. All go on then.
    """
    running, _ = _running_and_off(instance)
    try:
        frozen.write_states(running, frozen.shape(instance, accelerator), deadline=deadline)
    except OSError as error:
        raise ProviderError(
            f"{instance.id} could not be suspended: {error.strerror or error}; its machines go on"
        ) from error


def listing(instance: Instance) -> list[Snapshot]:
    """Return an instance's snapshots, the oldest first."""
    root = instance.folder / _FOLDER
    folders = [each for each in root.glob("[!.]*") if each.is_dir()] if root.is_dir() else []
    return sorted((_described(folder) for folder in folders), key=lambda each: (each.created, each.name))


def forget(instance: Instance, name: str) -> None:
    """Remove a snapshot; its name goes first.

    Raises:
        UsageError: there is no such snapshot.
    """
    folder = _existing(instance, name)
    rubbish = folder.with_name(f".{name}.part")
    shutil.rmtree(rubbish, ignore_errors=True)
    folder.rename(rubbish)
    shutil.rmtree(rubbish, ignore_errors=True)


def clear_leftovers(instance: Instance) -> None:
    """End and remove what an interrupted command left beside the machines in use."""
    making.clear_other_generations(instance)
    _clear_forks(instance)


def clear(instance: Instance) -> None:
    """End and remove all machines of an instance, with its snapshots."""
    for folder in generation.machine_folders(instance.folder):
        making.kill_in(folder, instance.id)
    _clear_forks(instance)
    generation.remove(instance.folder)
    shutil.rmtree(instance.folder / _FOLDER, ignore_errors=True)


def _clear_forks(instance: Instance) -> None:
    for folder in generation.all_of(instance.folder / _FORKS):
        for machine in generation.machine_folders(folder):
            making.kill_in(machine, instance.id)
        shutil.rmtree(folder, ignore_errors=True)


def _resume(
    every: Sequence[Place], folder: Path, accelerator: str, deadline: Deadline, *, dies_with_us: bool = False
) -> None:
    frozen_ones = {place.machine.name: frozen.machine(folder, place.machine.name) for place in every}

    async def one(place: Place) -> None:
        if whole := frozen_ones[place.machine.name]:
            await launch.resume(place, accelerator, whole, dies_with_us=dies_with_us)

    launch.together(every, one, "to go on", deadline)


def _boot(
    every: Sequence[Place], folder: Path, accelerator: str, deadline: Deadline, progress: Progress
) -> None:
    ran = [place for place in every if frozen.machine(folder, place.machine.name)]

    async def one(place: Place) -> None:
        await launch.boot(place, accelerator, progress)

    launch.together(ran, one, "to boot", deadline)


def _running_and_off(instance: Instance) -> tuple[list[Place], list[Place]]:
    every = places(instance)
    frozen.wake(every)
    found = process.find(place.identity.uuid for place in every)
    running = [place for place in every if place.identity.uuid in found]
    if not running:
        raise ProviderError(
            f"no machine of {instance.id} is running", hint=f"`lpiclab up {instance.id}` starts them again"
        )
    for place in running:
        if not place.port.exists():
            raise making.not_started(place)
    return running, [place for place in every if place not in running]


def _copy_individual(place: Place, source: Path) -> None:
    private_folder(place.folder)
    for name in _INDIVIDUAL:
        if (source / name).exists():
            copy_sparse(source / name, place.folder / name)


def _described(folder: Path) -> Snapshot:
    title = created = problem = ""
    try:
        manifest = frozen.read(folder)
        title, created = manifest.title, manifest.created
        frozen.verify(folder)
    except MachineryError as error:
        problem = error.message
    size = sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())
    return Snapshot(name=folder.name, title=title, created=created, size_bytes=size, problem=problem)


def _folder(instance: Instance, name: str) -> Path:
    """Return a snapshot's folder.

    Raises:
        UsageError: the name could lead out of the folder of snapshots, where `forget` would remove things.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f'"{name}" cannot name a snapshot', hint="use letters, digits, - and _ (at most 40)")
    return instance.folder / _FOLDER / name


def _existing(instance: Instance, name: str) -> Path:
    folder = _folder(instance, name)
    if not folder.is_dir():
        known = [each.name for each in listing(instance)]
        raise UsageError(f'{instance.id} has no snapshot "{name}"', hint=nearest(name, known))
    return folder
