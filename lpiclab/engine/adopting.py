"""Machines that exist already: from an inventory to an instance's, and what can't be undone on them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lpiclab import inventory
from lpiclab.engine.context import Context
from lpiclab.errors import UsageError
from lpiclab.model import Host, Instance, Lab, Plan
from lpiclab.providers.base import Adopts, Provider
from lpiclab.state import Record
from lpiclab.wait import Deadline

_LOOK_S = 120.0


def hosts(
    provider: Provider, lab: Lab, file: Path | None, kept: Mapping[str, Host] | None = None
) -> Mapping[str, Host]:
    """Return the machines that an instance of `lab` is to be made of; none where they are made.

    Args:
        provider: Who has the machines.
        lab: Says what is needed of them.
        file: The inventory that the user named, if any.
        kept: What an earlier `up` read of one.

    Raises:
        UsageError: the provider needs an inventory and has none, or the other way round.
        SpecError: the inventory is wrong, or lacks something that the lab needs.
    """
    if not isinstance(provider, Adopts):
        if file is not None:
            raise UsageError(
                f"the provider {provider.name} makes its machines, it needs no inventory",
                hint="`--provider ssh` takes machines that exist already",
            )
        return {}
    if file is not None:
        return inventory.load(file, lab)
    if not kept:
        raise UsageError(
            f"the provider {provider.name} needs an inventory: it makes no machines",
            hint=f"`lpiclab up {lab.id} --provider {provider.name} --inventory FILE`",
        )
    if not _fits(lab, kept):
        raise UsageError(
            f"{lab.id} needs other machines, disks or network cards than when its inventory was read",
            hint="`lpiclab down` gives back those that it has; then `up` with an inventory",
        )
    return kept


def _fits(lab: Lab, kept: Mapping[str, Host]) -> bool:
    """Tell whether machines that were once chosen for a lab have what it needs now."""
    for machine in lab.machines:
        host = kept.get(machine.name)
        if host is None or len(host.interfaces) != len(machine.nics):
            return False
        if not {disk.name for disk in machine.disks} <= {disk.name for disk in host.disks}:
            return False
    return True


def look(context: Context, provider: Provider, record: Record, hosts: Mapping[str, Host]) -> None:
    """Let machines that exist already be looked at before anything is changed, and say what will stay.

    Raises:
        ProviderError: they can't be used as they are.
    """
    if not isinstance(provider, Adopts):
        return
    folder = context.store.folder(record.id)
    instance = Instance(id=record.id, folder=folder, plan=record.plan, hosts=hosts)
    provider.look(instance, deadline=Deadline.after(_LOOK_S), progress=context.progress)
    if left := lasting(record.plan):
        context.progress(f"`down` can't undo what {left} will change: the lab doesn't say how")


def lasting(plan: Plan) -> str:
    """Return, in words, what set-up runs that nothing undoes; empty where all can be undone.

    Faults are not named: which ones there are is the learner's to find.
    """
    if plan.undo or plan.restores:
        return ""
    words = list(dict.fromkeys(step.source for step in plan.setup))
    return ", ".join([*words, *(["its faults"] if plan.faults else [])])


def require_undo(provider: Provider, record: Record) -> None:
    """Refuse a reset that would set up machines on which the last set-up has left something.

    Raises:
        UsageError: the lab has scripts and no way to undo them.
    """
    if isinstance(provider, Adopts) and (left := lasting(record.plan)):
        raise UsageError(
            f"{record.id} can't be reset: nothing undoes what {left} changed, and its machines outlast it",
            hint=f"bring the machines back yourself (from a snapshot of theirs, say), then `lpiclab down"
            f" {record.id}` and `up` again; or give the lab `restores` or `undo` steps",
        )
