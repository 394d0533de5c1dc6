"""Find and end QEMU processes by the UUID on their command line.

No pid file: it could be stale, half written, or name a process that is somebody else's by now.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Iterable
from pathlib import Path

from lpiclab.hardware import ARCHITECTURES
from lpiclab.wait import Deadline

_PROGRAMS = tuple(each.program.encode() for each in ARCHITECTURES.values())


def find(uuids: Iterable[str]) -> dict[str, int]:
    """Return the process id of each machine that runs, in one walk over `/proc`."""
    wanted = set(uuids)
    found: dict[str, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (uuid := _uuid(int(entry.name))) in wanted:
            found[uuid] = int(entry.name)
    return found


def runs(uuid: str) -> bool:
    """Tell whether a machine's process is there."""
    return bool(find([uuid]))


def kill(uuid: str, *, deadline: Deadline) -> bool:
    """End a machine's process at once and wait until it is gone; False when it is not at the deadline."""
    return _with_process(uuid, signal.SIGKILL, deadline)


def wait_gone(uuid: str, *, deadline: Deadline) -> bool:
    """Wait until a machine's process has ended by itself."""
    return _with_process(uuid, None, deadline)


def memory_bytes(pid: int) -> int:
    """Return the memory that only this process uses, 0 when it is gone (proc_pid_smaps(5))."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    private = (line.split() for line in lines if line.startswith("Private_"))
    return sum(int(words[1]) for words in private) * 1024


def _uuid(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    if b"-uuid" not in words or not words[0].endswith(_PROGRAMS):
        return ""
    return words[words.index(b"-uuid") + 1].decode(errors="replace")


def _with_process(uuid: str, number: signal.Signals | None, deadline: Deadline) -> bool:
    pid = find([uuid]).get(uuid)
    if pid is None:
        return True
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        # Between the walk and pidfd_open the number could have gone to another process.
        if _uuid(pid) != uuid:
            return True
        if number is not None:
            signal.pidfd_send_signal(descriptor, number)
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        ended = poll.poll(deadline.left_s() * 1000)
    except ProcessLookupError:
        return True
    else:
        if ended:
            _reap(descriptor)
        return bool(ended)
    finally:
        os.close(descriptor)


def _reap(descriptor: int) -> None:
    """Take the process that has ended off the kernel's list if we started it: a proof starts hundreds."""
    with contextlib.suppress(ChildProcessError):
        os.waitid(os.P_PIDFD, descriptor, os.WEXITED | os.WNOHANG)
