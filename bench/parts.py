"""What the time and the memory of one machine that goes on from a template are made of."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest import mock

from lpiclab.engine import lifecycle
from lpiclab.engine.context import Context
from lpiclab.engine.lifecycle import Wish
from lpiclab.providers.qemu import launch, monitor, process
from lpiclab.providers.qemu.guestport import GuestPort
from lpiclab.providers.qemu.place import places

PARTS = {
    (launch, "spawn"): "QEMU's process started",
    (monitor, "read_state"): "QEMU ready, and the frozen state read",
    (GuestPort, "awake"): "the machine's first answer",
    (GuestPort, "set_clock"): "its clock set",
    (GuestPort, "identify"): "its identity given",
}
_MAPPING = re.compile(r"[0-9a-f]+-[0-9a-f]+ (\S+) \S+ \S+ \d+\s*(.*)")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def of_up(lab: str, runs: int) -> dict[str, Sequence[float]]:
    """Bring a lab of one machine up and down, and return what each part of `up` took, in seconds."""
    context = Context.from_environment()
    seconds: dict[str, list[float]] = {}
    for number in range(runs + 1):
        with _watched() as taken:
            began_s = time.monotonic()
            lifecycle.up(context, lab, Wish())
            whole_s = time.monotonic() - began_s
        lifecycle.down(context, lab)
        taken["all else: files, disks, records"] = whole_s - sum(taken.values())
        for what, part_s in taken.items() if number else ():  # the first run imports
            seconds.setdefault(what, []).append(part_s)
    return dict(seconds)


def of_processor(lab: str) -> float:
    """Return the processor time that QEMU has used since its machine went on, in seconds."""
    text = Path(f"/proc/{_pid(lab)}/stat").read_text()
    user, system = text.rpartition(")")[2].split()[11:13]  # proc_pid_stat(5): utime, stime
    return (int(user) + int(system)) / _TICKS_PER_S


def of_memory(lab: str) -> Mapping[str, int]:
    """Return how many bytes of what kind only the lab's machine uses (proc_pid_smaps(5))."""
    pid = _pid(lab)
    sizes = {"pages that the machine has changed": 0, "translated code": 0, "QEMU itself": 0}
    read = 0
    kind = ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if found := _MAPPING.fullmatch(line):
            memory, code = found[2].endswith("/memory"), found[1] == "rwxp" and not found[2]
            names = list(sizes)
            kind = names[0] if memory else names[1] if code else names[2]
        elif line.startswith("Private_Dirty:"):
            sizes[kind] += int(line.split()[1]) << 10
        elif line.startswith("Private_Clean:"):
            read += int(line.split()[1]) << 10
    return {**sizes, "read from files, nobody else at the moment": read}


def _pid(lab: str) -> int:
    context = Context.from_environment()
    uuid = places(context.instance(context.record(lab)))[0].identity.uuid
    return process.find([uuid])[uuid]


@contextmanager
def _watched() -> Iterator[dict[str, float]]:
    """Note how long each of `PARTS` takes."""
    taken: dict[str, float] = dict.fromkeys(PARTS.values(), 0.0)
    with ExitStack() as stack:
        for (owner, name), what in PARTS.items():
            watch = _sync if name == "spawn" else _async
            stack.enter_context(mock.patch.object(owner, name, watch(getattr(owner, name), what, taken)))
        yield taken


def _sync(call: Callable[..., object], what: str, taken: dict[str, float]) -> Callable[..., object]:
    def run(*arguments: object, **named: object) -> object:
        began_s = time.monotonic()
        try:
            return call(*arguments, **named)
        finally:
            taken[what] += time.monotonic() - began_s

    return run


def _async(
    call: Callable[..., Awaitable[object]], what: str, taken: dict[str, float]
) -> Callable[..., Awaitable[object]]:
    async def run(*arguments: object, **named: object) -> object:
        began_s = time.monotonic()
        try:
            return await call(*arguments, **named)
        finally:
            taken[what] += time.monotonic() - began_s

    return run
