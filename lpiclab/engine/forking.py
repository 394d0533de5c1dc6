"""Reach an instance's machines for grading, and copies of them for proofs that would hurt."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from lpiclab.checks.fork import Copies, Forker
from lpiclab.checks.reach import Connection, Connector
from lpiclab.engine.lifecycle import SETTLED
from lpiclab.model import Instance
from lpiclab.providers.base import Forks, Provider
from lpiclab.wait import Deadline

_SETTLE_S = 120.0


def connectors(provider: Provider, instance: Instance) -> Mapping[str, Connector]:
    """Return how to reach each machine of an instance."""
    names = [machine.name for machine in instance.plan.machines]
    return {name: partial(_connect, provider, instance, name) for name in names}


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


def _connect(provider: Provider, instance: Instance, machine: str, deadline: Deadline) -> Connection:
    from lpiclab.ssh import Session  # noqa: PLC0415 - paramiko costs 100 ms

    endpoint = provider.endpoint(instance, machine)
    session = Session.connect(endpoint, machine=f"{instance.id}/{machine}", deadline=deadline)
    # What is still starting is no wrong answer: a machine may have been rebooted just now.
    session.run(SETTLED, deadline=deadline.sooner(_SETTLE_S))
    return session
