"""Start a machine's QEMU process: from its disks, or from where a frozen machine stopped."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lpiclab import console, proc
from lpiclab.errors import LpiclabError, ProviderError, TimedOut
from lpiclab.files import private_folder, write_private
from lpiclab.model import Machine
from lpiclab.providers.base import Progress
from lpiclab.providers.qemu import argv, identity, lan, sockets
from lpiclab.providers.qemu.guestport import GuestPort
from lpiclab.providers.qemu.place import Place
from lpiclab.wait import Deadline

if TYPE_CHECKING:
    from qemu.qmp import QMPClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """Where a machine goes on from: a device state, and the memory's file unless the state has it.

    A `bare` machine was frozen without the lab's disks and cards, which it is given once it runs.
    With `keep_memory` the memory's file is changed by the machine; else it serves any number.
    """

    state: Path
    memory: Path | None = None
    keep_memory: bool = False
    bare: bool = False


def together(
    places: Sequence[Place], action: Callable[[Place], Awaitable[None]], what: str, deadline: Deadline
) -> None:
    """Run `action` on all places at once; the first failure ends the others and is raised.

    Raises:
        TimedOut: a machine took too long; the message says what was waited for, with its console.
    """

    async def one(place: Place) -> None:
        try:
            async with asyncio.timeout(deadline.left_s()):
                await action(place)
        except TimeoutError as error:
            raise TimedOut(
                f"timed out waiting for {place.label} {what}",
                hint=f"`lpiclab console {place.instance.id} {place.machine.name}` shows what it is doing",
                details=console.tail(place.folder / "console.log"),
            ) from error
        except LpiclabError as error:
            error.details = error.details or _last_words(place)
            raise

    async def every() -> None:
        async with asyncio.TaskGroup() as group:
            for place in places:
                group.create_task(one(place))

    try:
        asyncio.run(every())
    except BaseExceptionGroup as failures:
        # Not `except*`: what is raised in one becomes a group again.
        raise _first(failures) from None


async def boot(place: Place, accelerator: str, progress: Progress) -> None:
    """Boot a machine from its disks, and return when its management answers."""
    progress(f"{place.machine.name}: boots")
    spawn(place, accelerator, argv.Memory())
    async with _talking(place, "while booting") as (port, client):
        await port.ready()
        if not place.identified.exists():
            await identify(place, port)
        await _note_port(place, client)
    progress(f"{place.machine.name}: ready")


async def resume(
    place: Place,
    accelerator: str,
    frozen: Frozen,
    *,
    dies_with_us: bool = False,
    going_on: Callable[[], object] = lambda: None,
) -> None:
    """Let a machine go on from where a frozen one stopped, as the individual that it is.

    `going_on` is called when all has been read and the machine is about to change its disks.

    Raises:
        ProviderError: the state does not fit, or QEMU ended.
    """
    bare = Place(place.instance, _without_devices(place), place.generation) if frozen.bare else place
    memory = argv.Memory(file=frozen.memory, shared=frozen.keep_memory)
    spawn(bare, accelerator, memory, incoming=True, dies_with_us=dies_with_us)
    from lpiclab.providers.qemu.monitor import go_on, read_state  # noqa: PLC0415 - 100 ms to import

    async with _talking(place, "while it was given its memory") as (port, client):
        await read_state(client, frozen.state, with_memory=frozen.memory is None)
        going_on()
        await go_on(client)
        await port.awake()
        await port.set_clock(time.time())
        if frozen.bare:
            await _plug(place, client, port)
        if not place.identified.exists():
            await identify(place, port)
        await _note_port(place, client)


async def finish(place: Place) -> None:
    """Bring a machine to where `boot` and `resume` end: whoever had started it was killed meanwhile."""
    from lpiclab.providers.qemu.monitor import go_on  # noqa: PLC0415 - 100 ms to import

    async with _talking(place, "while its start was finished") as (port, client):
        await go_on(client)
        await port.awake()
        await port.set_clock(time.time())
        await _note_port(place, client)


async def identify(place: Place, port: GuestPort) -> None:
    """Give a machine its identity once; it keeps it on its disk."""
    await port.identify(
        identity.document(
            hostname=place.machine.hostname or place.machine.name,
            identity=place.identity,
            cards=len(place.machine.nics),
            host_key_file=place.folder / "host_key",
            authorised_key=(place.instance.folder / "key.pub").read_text().strip(),
        )
    )
    write_private(place.identified, b"")


def spawn(
    place: Place,
    accelerator: str,
    memory: argv.Memory,
    *,
    incoming: bool = False,
    dies_with_us: bool = False,
) -> None:
    """Start a machine's QEMU process; connections to its sockets wait until it takes them."""
    private_folder(place.generation / lan.FOLDER)
    place.port.unlink(missing_ok=True)
    with contextlib.ExitStack() as stack:
        listening: dict[str, socket.socket] = {
            name: stack.enter_context(sockets.listen(place.socket(name)))
            for name in ("monitor", "shell", "console")
        }
        numbers = {name: each.fileno() for name, each in listening.items()}
        words = command_line(place, accelerator, memory, argv.Sockets(**numbers), incoming=incoming)
        log = place.folder / "qemu.log"
        proc.spawn(
            words,
            log=log,
            folder=place.generation,
            sockets=list(numbers.values()),
            dies_with_us=dies_with_us,
        )


def command_line(
    place: Place, accelerator: str, memory: argv.Memory, descriptors: argv.Sockets, *, incoming: bool
) -> list[str]:
    """Return the command line of a machine's QEMU process."""
    return argv.machine_argv(
        name=f"lpiclab-{place.instance.id}-{place.machine.name}",
        machine=place.machine,
        identity=place.identity,
        accelerator=accelerator,
        boot=argv.Boot(
            kernel=place.image.kernel,
            initrd=place.image.initrd,
            command_line=place.image.command_line,
            architecture=place.image.architecture,
            processor=place.image.processor,
        ),
        memory=memory,
        disks=place.disks(),
        netdevs=lan.netdevs(place.machine.name, place.instance.plan.machines) if place.machine.nics else [],
        sockets=descriptors,
        console_log=f"{place.machine.name}/console.log",
        incoming=incoming,
    )


@contextlib.asynccontextmanager
async def _talking(place: Place, when: str) -> AsyncIterator[tuple[GuestPort, QMPClient]]:
    """Hold connections to a machine just started; its failure comes with what it and QEMU said."""
    from lpiclab.providers.qemu.monitor import monitor  # noqa: PLC0415 - 100 ms to import

    try:
        # The port first: the guest must find it connected when it goes on.
        async with (
            await GuestPort.connect(place.socket("shell"), place.label) as port,
            monitor(place.socket("monitor"), place.label) as client,
        ):
            yield port, client
    except (LpiclabError, OSError) as error:
        raise ProviderError(
            f"{place.label}: QEMU ended or the machine went off {when}",
            details=f"{error}\n{_last_words(place)}".strip(),
        ) from error


def _last_words(place: Place) -> str:
    said = (console.tail(place.folder / name) for name in ("qemu.log", "console.log"))
    return "\n".join(filter(None, said))


async def _plug(place: Place, client: QMPClient, port: GuestPort) -> None:
    """Give a running machine its lab's disks and cards, one after the other: so their names are sure."""
    for target, (name, file) in enumerate(place.disks()):
        if target:
            await client.execute("blockdev-add", dict(argv.disk_backend(name, file)))
            await client.execute("device_add", dict(argv.disk_device(name, target)))
            await port.appeared(f"/dev/{name}")
    for index, values in enumerate(lan.netdevs(place.machine.name, place.instance.plan.machines)):
        for value in values:
            await client.execute("netdev_add", dict(value))
        await client.execute("device_add", dict(argv.card_device(index, place.identity)))
        await port.appeared(f"/sys/class/net/eth{index}")


def _without_devices(place: Place) -> Machine:
    return replace(place.machine, disks=(), nics=())


async def _note_port(place: Place, client: QMPClient) -> None:
    from lpiclab.providers.qemu.monitor import management_port  # noqa: PLC0415 - 100 ms to import

    write_private(place.port, str(await management_port(client)).encode())


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
