"""Make machines: as templates have them, or by booting; and make templates of machines set up."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from lpiclab.errors import MachineryError, ProviderError
from lpiclab.files import private_folder, write_private
from lpiclab.integrity import copy_sparse
from lpiclab.keys import make_key_pair
from lpiclab.model import Instance
from lpiclab.providers.base import Progress
from lpiclab.providers.qemu import disk, frozen, generation, launch, process
from lpiclab.providers.qemu.identity import Identity
from lpiclab.providers.qemu.launch import Frozen
from lpiclab.providers.qemu.place import Place, places
from lpiclab.providers.qemu.templates import Templates, origins_of
from lpiclab.wait import Deadline

_KILL_S = 10.0
_DIGITS = 12
_FULL_BYTES = 64 << 20
"""With less than this left, the disk is at fault when machines can't begin, not their template."""


def create(
    instance: Instance, templates: Templates, accelerator: str, *, deadline: Deadline, progress: Progress
) -> None:
    """Make each machine's files unless they are there; what its template is, is noted beside them."""
    make_key_pair(instance.folder / "key", "lpiclab")
    if not generation.current(instance.folder).exists():
        generation.adopt(instance.folder, generation.new(instance.folder))
    for place in places(instance):
        new = not place.folder.exists()
        individual(place)
        if new:
            name = templates.bare(
                place.machine, place.image, accelerator, deadline=deadline, progress=progress
            )
            note_origin(place, name)
            place.template.symlink_to(templates.folder(name))
        system = place.folder / "sda.qcow2"
        if not system.exists():
            template = place.template / "machine" / "sda.qcow2"
            backing = template if template.exists() else place.image.disk
            disk.ensure_overlay(system, backing=backing.resolve(), deadline=deadline)
        for each in place.machine.disks:
            file = place.folder / f"{each.name}.qcow2"
            disk.ensure_empty(file, size_mib=each.size_mib, deadline=deadline)


def individual(place: Place) -> None:
    """Make the folder and keys of an individual machine; those of an earlier generation stay its own."""
    private_folder(place.folder)
    earlier = generation.current(place.instance.folder) / place.machine.name
    if earlier.is_dir() and earlier.resolve() != place.folder.resolve():
        for name in ("host_key", "host_key.pub"):
            write_private(place.folder / name, (earlier / name).read_bytes())
    Identity.give(place.folder, instance_folder=place.instance.folder)
    make_key_pair(place.folder / "host_key", place.machine.name)


async def start(place: Place, accelerator: str, progress: Progress) -> None:
    """Start a machine: from where it was suspended, from its template if it never ran, or by a boot.

    One that an interrupted command had begun to start is brought to the end of that.
    """
    if process.runs(place.identity.uuid):
        if place.identified.exists() and not place.state.exists():
            await launch.finish(place)
            return
        # It has not run since it was suspended, or is nobody yet: nothing of the learner's is in it.
        kill(place)
    if place.state.exists() and not frozen.fits(place, accelerator):
        name = place.machine.name
        progress(f"{name}: was suspended with another QEMU: it boots, from its disks of that moment")
        # Once it has run on its disks, what it had in mind fits them no more.
        place.state.unlink()
    if place.state.exists():
        await _go_on(place, accelerator)
    elif place.template.is_dir():
        origin = place.template.resolve() / "machine"
        place.memory.unlink(missing_ok=True)
        try:
            copy_sparse(origin / "memory", place.memory)
        except OSError as error:
            message = f"{place.label} could not be given its memory: {error.strerror or error}"
            raise ProviderError(message) from error
        # From now on the disk moves away from the template's memory: another try has to boot it.
        place.template.unlink()
        whole = Frozen(state=origin / "state", memory=place.memory, keep_memory=True, bare=True)
        await launch.resume(place, accelerator, whole)
        progress(f"{place.machine.name}: ready")
    else:
        place.template.unlink(missing_ok=True)
        await launch.boot(place, accelerator, progress)


def not_started(place: Place) -> ProviderError:
    """Return what is said of a machine whose process is there, but has not come to its end of starting."""
    return ProviderError(
        f"{place.label} has not finished starting", hint=f"`lpiclab up {place.instance.id}` finishes it"
    )


async def _go_on(place: Place, accelerator: str) -> None:
    """Let a suspended machine go on; its state is of no use once it has, and stays until then."""
    try:
        await launch.resume(place, accelerator, Frozen(state=place.state), going_on=place.state.unlink)
    except BaseException as error:
        if place.state.exists():
            kill(place)
            if isinstance(error, MachineryError):
                again = f"`lpiclab resume {place.instance.id}` tries again"
                error.hint = (
                    error.hint or f"{again}; `lpiclab reset {place.instance.id}` goes back to the start"
                )
        raise


def keep(
    instance: Instance,
    key: str,
    title: str,
    templates: Templates,
    accelerator: str,
    *,
    deadline: Deadline,
    progress: Progress,
) -> bool:
    """Freeze an instance just set up as a template, and begin anew from that."""
    every = places(instance)
    if not all(place.memory.exists() and process.runs(place.identity.uuid) for place in every):
        return True
    origins = origins_of([place.folder for place in every])
    shape = frozen.shape(instance, accelerator)
    name = _name(instance, key, shape)
    try:
        with templates.making(name, progress) as part:
            # Another instance of the lab may have been quicker, and stands on what it made.
            if not templates.sound(name, shape, progress):
                frozen.freeze(every, part / "frozen", deadline=deadline)
                frozen.seal(
                    part / "frozen", title=title, shape=shape, instance=instance, origins=sorted(origins)
                )
                templates.publish(part / "frozen", name)
    except (MachineryError, OSError) as error:
        progress(f"the set-up could not be kept: {error}")
        return False
    return begin(instance, key, templates, accelerator, deadline=deadline, progress=progress)


def begin(
    instance: Instance,
    key: str,
    templates: Templates,
    accelerator: str,
    *,
    deadline: Deadline,
    progress: Progress,
) -> bool:
    """Let an instance's machines begin as a template that `keep` made."""
    shape = frozen.shape(instance, accelerator)
    name = _name(instance, key, shape)
    if not templates.sound(name, shape, progress):
        return False
    folder = templates.folder(name)
    make_key_pair(instance.folder / "key", "lpiclab")
    made = generation.path_of_new(instance.folder)
    every = places(instance, made)

    async def one(place: Place) -> None:
        whole = frozen.machine(folder, place.machine.name)
        if whole is None:
            raise ProviderError(f"{name} lacks {place.machine.name}")
        await launch.resume(place, accelerator, whole)

    try:
        _stand_on(folder, every, deadline)
        launch.together(every, one, "to begin", deadline)
        generation.adopt(instance.folder, made)
    except ProviderError as error:
        full = shutil.disk_usage(instance.folder).free < _FULL_BYTES
        discard(every, made)
        if full:
            error.hint = error.hint or f"the disk with {instance.folder} is full"
            raise
        templates.remove_unused(name, progress)
        progress(f"{name} can't be used ({error.message}); making it anew")
        return False
    except BaseException as error:
        discard(every, made)
        if isinstance(error, OSError):
            raise ProviderError(f"{instance.id} could not begin: {error.strerror or error}") from error
        raise
    clear_other_generations(instance)
    return True


def _stand_on(template: Path, every: Sequence[Place], deadline: Deadline) -> None:
    """Give machines disks that begin as the template's.

    Raises:
        ProviderError: somebody removed the template meanwhile (`Templates.remove`).
    """
    for place in every:
        individual(place)
        note_origin(place, template.name)
    if not template.is_dir():
        raise ProviderError("it was removed just now")
    for place in every:
        for disk_name, file in place.disks():
            backing = template / place.machine.name / f"{disk_name}.qcow2"
            disk.ensure_overlay(file, backing=backing, deadline=deadline)


def clear_other_generations(instance: Instance) -> None:
    """End and remove what is not in use."""
    for other in generation.others(instance.folder):
        for folder in sorted(each for each in other.iterdir() if each.is_dir()):
            kill_in(folder, instance.id)
        shutil.rmtree(other, ignore_errors=True)


def discard(every: Sequence[Place], made: Path) -> None:
    """End and remove machines that came to nothing."""
    for place in every:
        kill(place)
    shutil.rmtree(made, ignore_errors=True)


def kill(place: Place) -> None:
    """End a machine's process at once."""
    kill_in(place.folder, place.instance.id)


def kill_in(folder: Path, instance_id: str) -> None:
    """End the process of the machine in a folder at once.

    Raises:
        ProviderError: it does not end.
    """
    if not process.kill(Identity.of(folder).uuid, deadline=Deadline.after(_KILL_S)):
        raise ProviderError(f"{instance_id}/{folder.name}: QEMU does not end")


def note_origin(place: Place, template: str) -> None:
    """Note the template that a machine's disks stand on."""
    write_private(place.folder / "origin", template.encode())


def _name(instance: Instance, key: str, shape: str) -> str:
    return f"{instance.plan.lab_id}-{key[:_DIGITS]}-{shape[:_DIGITS]}"
