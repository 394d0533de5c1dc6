"""Folders of frozen machines: each machine's device state, disks, and memory where that is a file.

A folder's manifest says what its files have to be and what can go on from them: the same QEMU with
the same command line on the same image. It is written last, so a folder without one is not complete.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from lpiclab.errors import ImageError, ProviderError, TimedOut
from lpiclab.files import file_lock, free_lock, private_folder, write_private
from lpiclab.integrity import FileFacts, copy_sparse
from lpiclab.model import Instance
from lpiclab.providers.qemu import accelerator, argv, process
from lpiclab.providers.qemu.launch import Frozen, command_line
from lpiclab.providers.qemu.place import Place, labels
from lpiclab.wait import Deadline

if TYPE_CHECKING:
    from qemu.qmp import QMPClient

T = TypeVar("T")
_MANIFEST = "manifest.json"
_NOWHERE = Path("/nowhere")
_STANDING_STILL = "standing-still"
_SUSPENDED_WITH = "suspended-with"
"""In a generation's folder: the shape of its machines when they were suspended."""
_QUIT_S = 10.0


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a folder of frozen machines is.

    `shape` is what has to be the same to go on from it, `images` the folders of the images and
    `origins` the templates that its disks stand on; `files` are relative to the folder.
    """

    schema: Literal[1] = 1
    title: str
    shape: str
    created: str
    images: Sequence[str]
    origins: Sequence[str] = ()
    files: Mapping[str, FileFacts]


def shape(instance: Instance, how: str) -> str:
    """Return a digest of all that must not change between a frozen machine and one that goes on from it."""
    nowhere = replace(instance, id="frozen", folder=_NOWHERE)
    lines = [
        command_line(
            Place(nowhere, machine, _NOWHERE / "machines"),
            how,
            argv.Memory(file=_NOWHERE / "memory"),
            argv.Sockets(monitor=0, shell=0, console=0),
            incoming=True,
        )
        for machine in instance.plan.machines
    ]
    digests = {distro: image.digest for distro, image in instance.images.items()}
    facts = json.dumps([accelerator.qemu_fingerprint(), digests, lines], sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()


def seal(
    folder: Path, *, title: str, shape: str, instance: Instance, origins: Sequence[str] = ()
) -> Manifest:
    """Write the manifest of a folder that is complete."""
    files = {
        str(file.relative_to(folder)): FileFacts.of(file)
        for machine in instance.plan.machines
        for file in sorted((folder / machine.name).iterdir())
    }
    manifest = Manifest(
        title=title,
        shape=shape,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        images=sorted({image.folder.name for image in instance.images.values()}),
        origins=sorted(set(origins)),
        files=files,
    )
    _write(folder, manifest)
    return manifest


def read(folder: Path) -> Manifest:
    """Return the manifest of a folder.

    Raises:
        ImageError: it is absent or damaged.
    """
    try:
        return msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise ImageError(f"{folder / _MANIFEST} is damaged: {error}") from error


def verify(folder: Path, wanted_shape: str | None = None, *, thorough: bool = False) -> Manifest:
    """Make sure that machines can go on from a folder, and return its manifest.

    Raises:
        ImageError: a file is absent, cut short or changed (the message names it), or QEMU or the
            image are not those that it was made with.
    """
    manifest = read(folder)
    if wanted_shape is not None and manifest.shape != wanted_shape:
        raise ImageError(f"{folder.name} was made with another QEMU, image or kind of machine")
    facts = {}
    for name, wanted in manifest.files.items():
        try:
            facts[name] = wanted.require(folder / name, thorough=thorough)
        except ValueError as error:
            raise ImageError(f"{folder / name} is damaged: {error}") from error
        except OSError as error:
            raise ImageError(f"{folder / name} is damaged: {error.strerror or error}") from error
    if facts != dict(manifest.files):
        manifest = msgspec.structs.replace(manifest, files=facts)
        _write(folder, manifest)
    return manifest


def note_use(folder: Path) -> None:
    """Note that a folder was of use just now."""
    os.utime(folder / _MANIFEST)


def used_at(folder: Path) -> float:
    """Return when a folder was last of use, in seconds since 1970; 0 when nothing tells."""
    try:
        return (folder / _MANIFEST).stat().st_mtime
    except OSError:
        return 0.0


def machine(folder: Path, name: str) -> Frozen | None:
    """Return what a machine in a folder goes on from; None when it was off."""
    state, memory = folder / name / "state", folder / name / "memory"
    if not state.exists():
        return None
    return Frozen(state=state, memory=memory if memory.exists() else None)


def freeze(places: Sequence[Place], target: Path, *, deadline: Deadline) -> None:
    """Stop machines whose memory is a file of their own, at one moment, and move what they are to `target`.

    Their processes end. On failure the machines are lost.

    Raises:
        ProviderError: QEMU refused.
        OSError: a file could not be moved or written.
    """
    for place in places:
        private_folder(target / place.machine.name)

    async def every() -> None:
        async with _stopped(places, go_on=False) as clients:
            for place, client in zip(places, clients, strict=True):
                await _write_state(client, target / place.machine.name / "state", with_memory=False)

    _within(every(), places, deadline)
    for place in places:
        if not process.kill(place.identity.uuid, deadline=Deadline.after(_QUIT_S)):
            raise ProviderError(f"{place.label}: QEMU does not end")
        for file in (place.memory, *(file for _, file in place.disks())):
            file.rename(target / place.machine.name / file.name)


def write_states(places: Sequence[Place], shape: str, *, deadline: Deadline) -> None:
    """Write machines' states and memory beside their disks, all of one moment, and end their processes.

    `shape` is what they are, for `fits` to compare with when they go on.

    Raises:
        ProviderError: QEMU refused.
        OSError: a file could not be written. In either case the machines go on.
    """

    async def every() -> None:
        async with _stopped(places, go_on=False) as clients:
            jobs = [
                _write_state(client, _partial(place), with_memory=True)
                for place, client in zip(places, clients, strict=True)
            ]
            try:
                await _all(jobs)
                # Only what is complete gets the name, and before the machine that it is of ends.
                for place in places:
                    _partial(place).rename(place.state)
            except BaseException:
                _forget_states(places)
                raise
            for place in places:
                process.kill(place.identity.uuid, deadline=Deadline.after(_QUIT_S))

    for place in places:
        _partial(place).unlink(missing_ok=True)
    write_private(places[0].generation / _SUSPENDED_WITH, shape.encode())
    _within(every(), places, deadline)


def fits(place: Place, how: str) -> bool:
    """Tell whether a suspended machine can go on: with the QEMU, image and accelerator that it had."""
    note = place.generation / _SUSPENDED_WITH
    return not note.exists() or note.read_text() == shape(place.instance, how)


def capture(running: Sequence[Place], off: Sequence[Place], target: Path, *, deadline: Deadline) -> float:
    """Copy machines to `target`, all at one moment, while they stand still for it; they go on afterwards.

    Of machines that are off, only the disks are copied. Returns how long the machines stood still.

    Raises:
        ProviderError: QEMU refused.
        OSError: a file could not be written. In either case the machines go on.
    """
    for place in (*running, *off):
        private_folder(target / place.machine.name)

    async def copy(place: Place) -> None:
        for _, file in place.disks():
            await asyncio.to_thread(copy_sparse, file, target / place.machine.name / file.name)

    async def one(place: Place, client: QMPClient) -> None:
        await _write_state(client, target / place.machine.name / "state", with_memory=True)
        # QEMU writes what it still has in mind to the disks before it calls the state complete.
        await copy(place)

    async def every() -> float:
        async with _stopped(running, go_on=True) as clients:
            began_s = asyncio.get_running_loop().time()
            jobs = [one(place, client) for place, client in zip(running, clients, strict=True)]
            await _all([*jobs, *(copy(place) for place in off)])
            return asyncio.get_running_loop().time() - began_s

    return _within(every(), [*running, *off], deadline)


def wake(places: Sequence[Place]) -> None:
    """Let machines go on that a command which was killed left standing still."""
    note = places[0].generation / _STANDING_STILL
    if not note.exists():
        return

    async def go_on() -> None:
        from lpiclab.providers.qemu import monitor  # noqa: PLC0415 - 100 ms to import

        for place in places:
            _partial(place).unlink(missing_ok=True)
            # Of a machine that has ended, the state is what it goes on from: it is suspended.
            if process.runs(place.identity.uuid) and place.port.exists():
                _forget_states([place])
                async with monitor.monitor(place.socket("monitor"), place.label) as client:
                    await monitor.go_on(client)

    with free_lock(note) as nobody_is_at_it:
        if nobody_is_at_it:
            asyncio.run(go_on())
            note.unlink(missing_ok=True)


@contextlib.asynccontextmanager
async def _stopped(places: Sequence[Place], *, go_on: bool) -> AsyncIterator[list[QMPClient]]:
    """Hold monitors of machines that all stand still; afterwards they go on."""
    from lpiclab.providers.qemu import monitor  # noqa: PLC0415 - 100 ms to import

    async with contextlib.AsyncExitStack() as stack:
        # Should we be killed meanwhile, the next command finds the note and lets the machines go on.
        note = places[0].generation / _STANDING_STILL
        stack.callback(note.unlink, missing_ok=True)
        stack.enter_context(file_lock(note, "standing still", lambda _: None))
        clients = [
            await stack.enter_async_context(monitor.monitor(place.socket("monitor"), place.label))
            for place in places
        ]
        try:
            for client in clients:
                await client.execute("stop")
            yield clients
        except BaseException:
            go_on = True
            raise
        finally:
            for client in clients if go_on else ():
                await monitor.go_on(client)


async def _write_state(client: QMPClient, file: Path, *, with_memory: bool) -> None:
    from lpiclab.providers.qemu.monitor import write_state  # noqa: PLC0415 - 100 ms to import

    await write_state(client, file, with_memory=with_memory)


def _within(work: Coroutine[object, object, T], places: Sequence[Place], deadline: Deadline) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(deadline.left_s()):
            return await work

    try:
        return asyncio.run(bounded())
    except TimeoutError as error:
        raise TimedOut(f"timed out waiting for {labels(places)} to be kept") from error


async def _all(jobs: Sequence[Coroutine[object, object, None]]) -> None:
    """Wait for all jobs, also when one fails: machines may go on only when none is at work any more."""
    for result in await asyncio.gather(*jobs, return_exceptions=True):
        if result is not None:
            raise result


def _forget_states(places: Sequence[Place]) -> None:
    """Remove states of machines that go on: once they have, the states do not fit their disks."""
    for place in places:
        _partial(place).unlink(missing_ok=True)
        place.state.unlink(missing_ok=True)


def _partial(place: Place) -> Path:
    return place.state.with_name("state.part")


def _write(folder: Path, manifest: Manifest) -> None:
    write_private(folder / _MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
