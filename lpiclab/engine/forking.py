"""Reach an instance's machines for grading, and copies of them for proofs that would hurt."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from lpiclab.checks.fork import Copies, Forker
from lpiclab.checks.reach import Connection, Connector
from lpiclab.engine.context import Progress, silent
from lpiclab.engine.lifecycle import settle
from lpiclab.model import Instance
from lpiclab.providers.base import Forks, Provider
from lpiclab.wait import Deadline


def connectors(
    provider: Provider, instance: Instance, progress: Progress = silent
) -> Mapping[str, Connector]:
    """Return how to reach each machine of an instance, once it has started what it starts at boot."""
    names = [machine.name for machine in instance.plan.machines]
    return {name: partial(_connect, provider, instance, name, progress) for name in names}


def forker(provider: Provider, instance: Instance) -> Forker | None:
    """Return what makes copies of an instance; None where its provider can't."""
    return partial(_forked, provider, instance) if isinstance(provider, Forks) else None


@contextlib.contextmanager
def _forked(provider: Provider, instance: Instance, deadline: Deadline) -> Iterator[Copies]:
    assert isinstance(provider, Forks)  # noqa: S101 - `forker` has seen to it
    made = provider.fork(instance, deadline=deadline)
    try:
        yield _Forked(provider, made, connectors(provider, made))
    finally:
        provider.destroy(made)
        shutil.rmtree(made.folder, ignore_errors=True)


@dataclass(frozen=True)
class _Forked:
    provider: Provider
    instance: Instance
    connectors: Mapping[str, Connector]

    def restart(self, machines: Sequence[str], *, deadline: Deadline) -> None:
        self.provider.restart(self.instance, machines, deadline=deadline)

    def cut_power(self, machine: str) -> None:
        assert isinstance(self.provider, Forks)  # noqa: S101 - it made this fork
        self.provider.cut_power(self.instance, machine)

    def unplug(self, machine: str, disk: str) -> None:
        assert isinstance(self.provider, Forks)  # noqa: S101 - it made this fork
        self.provider.unplug(self.instance, machine, disk)


def _connect(
    provider: Provider, instance: Instance, machine: str, progress: Progress, deadline: Deadline
) -> Connection:
    from lpiclab.ssh import Session  # noqa: PLC0415 - paramiko costs 100 ms

    endpoint = provider.endpoint(instance, machine)
    label = f"{instance.id}/{machine}"
    session = Session.connect(endpoint, machine=label, deadline=deadline)
    # What is still starting is no wrong answer: a machine may have been rebooted just now.
    settle(session, label, deadline=deadline, progress=progress)
    return session
