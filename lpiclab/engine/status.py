"""What is up, and how it is: looks, and changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lpiclab.engine.context import Context
from lpiclab.errors import StateError
from lpiclab.providers.base import MachineStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceStatus:
    """One instance as it is now."""

    id: str
    lab: str
    seed: str
    distro: str
    provider: str
    phase: str
    up_seconds: float
    machines: dict[str, MachineStatus]
    problem: str = ""


def look(context: Context) -> Sequence[InstanceStatus]:
    """Look at every instance, without waiting for any."""
    return [_look_at(context, instance_id) for instance_id in context.store.ids()]


def _look_at(context: Context, instance_id: str) -> InstanceStatus:
    try:
        record = context.store.find(instance_id)
        instance = context.instance(record, with_images=False) if record else None
    except StateError as error:
        return _broken(instance_id, error.message)
    if record is None or instance is None:
        return _broken(instance_id, "its record is missing")
    machines = context.provider(record).status(instance)
    return InstanceStatus(
        id=record.id,
        lab=record.lab_id,
        seed=record.plan.seed,
        distro=record.plan.distro,
        provider=record.provider,
        phase=record.phase,
        up_seconds=(datetime.now(UTC) - record.created).total_seconds(),
        machines=dict(machines),
    )


def _broken(instance_id: str, problem: str) -> InstanceStatus:
    lab = instance_id.partition("@")[0]
    return InstanceStatus(
        id=instance_id,
        lab=lab,
        seed="",
        distro="",
        provider="",
        phase="broken",
        up_seconds=0.0,
        machines={},
        problem=f"{problem}; `lpiclab down {instance_id}` removes it",
    )
