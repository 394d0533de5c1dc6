"""Snapshots of an instance, the learner's own and those that `check` makes; suspending and resuming."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec

from lpiclab.engine import lifecycle
from lpiclab.engine.context import Context
from lpiclab.errors import ProviderError, UsageError
from lpiclab.files import write_private
from lpiclab.model import Outcome, Report
from lpiclab.providers.base import Snapshot, Snapshots, Suspends
from lpiclab.state import Record
from lpiclab.wait import Deadline

GREEN = "green-"
"""How the names of snapshots begin that `check` made when a task turned green."""

_KEPT_GREENS = 5
_SNAPSHOT_S = 120.0


def save_as(context: Context, instance: str, name: str) -> float:
    """Keep an instance under a name; returns how many seconds its machines stood still.

    Raises:
        UsageError: no such instance, the name is taken, or is none.
        ProviderError: it could not be kept; its machines go on.
    """
    if name.startswith(GREEN):
        raise UsageError(f'"{name}" cannot name a snapshot', hint=f"names with {GREEN} are those of `check`")
    with context.store.lock(instance, f"snapshot save {instance}", context.progress):
        record = context.record(instance)
        return _provider(context, record).save(
            context.instance(record), name, title="", deadline=Deadline.after(_SNAPSHOT_S)
        )


def go_back(context: Context, instance: str, name: str) -> None:
    """Make an instance what it was when a snapshot was saved.

    Raises:
        UsageError: no such instance or snapshot.
        MachineryError: it can't go back; it is as it was.
    """
    with context.store.lock(instance, f"snapshot restore {instance}", context.progress):
        record = context.record(instance)
        _provider(context, record).restore(
            context.instance(record),
            name,
            deadline=Deadline.after(_SNAPSHOT_S),
            progress=context.progress,
        )


def rewind(context: Context, instance: str) -> Snapshot:
    """Go back to the last snapshot that `check` made, and return it.

    Raises:
        UsageError: there is none.
    """
    made = greens(context, instance)
    if not made:
        raise UsageError(
            f"{instance} has nothing to go back to",
            hint="`check` keeps a state when a task turns green for the first time",
        )
    go_back(context, instance, made[-1].name)
    return made[-1]


def listing(context: Context, instance: str) -> Sequence[Snapshot]:
    """Return all snapshots of an instance, the oldest first."""
    record = context.record(instance)
    return _provider(context, record).snapshots(context.instance(record, with_images=False))


def greens(context: Context, instance: str) -> Sequence[Snapshot]:
    """Return the snapshots that `check` made, the oldest first."""
    return [each for each in listing(context, instance) if each.name.startswith(GREEN)]


def forget(context: Context, instance: str, name: str) -> None:
    """Remove a snapshot."""
    with context.store.lock(instance, f"snapshot rm {instance}", context.progress):
        record = context.record(instance)
        _provider(context, record).forget(context.instance(record, with_images=False), name)


def suspend(context: Context, instance: str) -> None:
    """Stop an instance's machines so that they can go on later, also after a reboot of the host."""
    with context.store.lock(instance, f"suspend {instance}", context.progress):
        record = context.record(instance)
        provider = context.provider(record)
        if not isinstance(provider, Suspends):
            raise ProviderError(f"the provider {record.provider} can't suspend machines")
        provider.suspend(context.instance(record), deadline=Deadline.after(_SNAPSHOT_S))


def resume(context: Context, instance: str) -> Record:
    """Let an instance's machines go on."""
    with context.store.lock(instance, f"resume {instance}", context.progress):
        record = context.record(instance)
        lifecycle.start(context, record)
        return record


def save(context: Context, record: Record, name: str, *, title: str) -> bool:
    """Keep an instance whose lock the caller holds; False where its provider can't."""
    provider = context.provider(record)
    if not isinstance(provider, Snapshots):
        return False
    provider.save(context.instance(record), name, title=title, deadline=Deadline.after(_SNAPSHOT_S))
    return True


def restore(context: Context, record: Record, name: str) -> bool:
    """Let an instance whose lock the caller holds go back; False where its provider can't."""
    provider = context.provider(record)
    if not isinstance(provider, Snapshots):
        return False
    deadline = Deadline.after(_SNAPSHOT_S)
    provider.restore(context.instance(record), name, deadline=deadline, progress=context.progress)
    return True


def keep_green(context: Context, record: Record, report: Report) -> str:
    """Keep an instance's state if a task passed that never did before; return its name, or nothing.

    Only the newest few are kept. The caller holds the instance's lock.

    Raises:
        ProviderError: it could not be kept; its machines go on.
    """
    file = context.store.folder(record.id) / lifecycle.GREENS_FILE
    before = _passed_before(file)
    passed = [task for task in report.tasks if task.outcome is Outcome.PASS]
    new = [task.title for task in passed if task.id not in before]
    provider = context.provider(record)
    if not new or not isinstance(provider, Snapshots):
        return ""
    instance = context.instance(record)
    kept = [each.name for each in provider.snapshots(instance) if each.name.startswith(GREEN)]
    number = max((int(name.removeprefix(GREEN)) for name in kept), default=0) + 1
    name = f"{GREEN}{number:03}"
    provider.save(instance, name, title="; ".join(new), deadline=Deadline.after(_SNAPSHOT_S))
    write_private(file, json.dumps(sorted(before | {task.id for task in passed})).encode())
    for old in kept[: -(_KEPT_GREENS - 1)]:
        provider.forget(instance, old)
    return name


def _passed_before(file: Path) -> set[str]:
    try:
        return set(msgspec.json.decode(file.read_bytes(), type=list[str]))
    except (OSError, msgspec.MsgspecError):
        return set()


def _provider(context: Context, record: Record) -> Snapshots:
    provider = context.provider(record)
    if not isinstance(provider, Snapshots):
        raise ProviderError(f"the provider {record.provider} can't keep snapshots")
    return provider
