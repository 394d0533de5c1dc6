"""Bring instances up, back to their start, through a reboot, and down."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lpiclab import labs
from lpiclab.engine import adopting
from lpiclab.engine.context import DEFAULT_DISTRO, Context, Progress, instance_of
from lpiclab.errors import LpiclabError, StateError, UsageError
from lpiclab.model import Host, Instance, Lab, Machine, MachineState, Plan
from lpiclab.providers.base import Adopts, Snapshots, Templates
from lpiclab.providers.registry import DEFAULT, PROVIDERS, load_provider
from lpiclab.provision import SET_UP_VERSION, provision
from lpiclab.state import Record, new_record
from lpiclab.wait import Deadline

if TYPE_CHECKING:
    from lpiclab.checks.host import Runner

_SETTLE_S = 120.0
_ANSWER_S = 30.0
_TIMED_OUT = 124
"""The status of timeout(1) when the time was over."""
_BEGIN_S = 120.0

GREENS_FILE = "greens.json"
"""In an instance's folder: the tasks that have passed since its start."""

_STARTING = {b"initializing", b"starting"}
"""What `systemctl is-system-running` says while a machine still starts what it starts at boot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a user asked `up` for; None is "as it is, else the default"."""

    seed: str | None = None
    provider: str | None = None
    distro: str | None = None
    inventory: Path | None = None


def up(context: Context, name: str, wish: Wish) -> Record:
    """Bring an instance up: make it, or start what does not run of it.

    Raises:
        UsageError: no such lab, provider or distribution, or the instance is up in another form.
        SpecError: the lab has mistakes.
        MachineryError: machines could not be made or set up.
    """
    folder = context.lab_folder(name)
    instance_id = instance_of(name)
    with context.store.lock(instance_id, f"up {name}", context.progress):
        try:
            record = context.store.find(instance_id)
        except StateError as error:
            context.progress(f"{error.message}: starting over")
            remove(context, instance_id)
            record = None
        hosts: Mapping[str, Host] = {}
        if record and record.phase != "ready":
            context.progress(f"an earlier `up {name}` did not finish: starting over")
            hosts = context.store.hosts(instance_id)
            if hosts and wish.provider in {None, record.provider}:
                wish = replace(wish, provider=record.provider)
            remove(context, instance_id)
            record = None
        if record:
            _require_same(context, record, wish, folder)
            start(context, record)
            return record
        return make(context, instance_id, context.lab(str(folder)), wish, hosts)


def reset(context: Context, name: str) -> Record:
    """Bring the instance's machines back to their start: from what was kept, else by making them anew."""
    with context.store.lock(name, f"reset {name}", context.progress):
        record = context.record(name)
        record = start_over(context, record, context.lab_of(record))
        (context.store.folder(name) / GREENS_FILE).unlink(missing_ok=True)
        return record


def start_over(context: Context, record: Record, lab: Lab) -> Record:
    """Bring an instance back to its start as its lab is today; the caller holds its lock."""
    hosts = adopting.hosts(context.provider(record), lab, None, context.store.hosts(record.id))
    plan = context.plan(lab, seed=record.plan.seed, distro=context.distro(record.plan.distro), hosts=hosts)
    if plan == record.plan and _begin(context, record):
        return record
    adopting.require_undo(context.provider(record), record)
    _tell_what_goes(context, record)
    wish = Wish(seed=record.plan.seed, provider=record.provider, distro=record.plan.distro)
    remove(context, record.id)
    return make(context, record.id, lab, wish, hosts)


def _tell_what_goes(context: Context, record: Record) -> None:
    provider = context.provider(record)
    kept = (
        provider.snapshots(context.instance(record, with_images=False))
        if isinstance(provider, Snapshots)
        else ()
    )
    if kept:
        names = ", ".join(each.name for each in kept)
        context.progress(f"{record.id} is made anew; its snapshots go with what it was: {names}")


def restart(context: Context, name: str, machine: str | None) -> None:
    """Reboot one machine or all of an instance, and wait until their services have started."""
    with context.store.lock(name, f"restart {name}", context.progress):
        record = context.record(name)
        names = (
            [context.machine(record, machine)] if machine else [each.name for each in record.plan.machines]
        )
        reboot(context, record, names)


def reboot(context: Context, record: Record, names: Sequence[str] = ()) -> None:
    """Reboot machines, all by default, and wait for their services; the caller holds the lock."""
    names = names or [machine.name for machine in record.plan.machines]
    context.progress(f"reboot: {', '.join(names)}")
    provider = context.provider(record)
    deadline = Deadline.after(provider.restart_limit_s)
    provider.restart(context.instance(record), names, deadline=deadline)
    _settle(context, record)


def _settle(context: Context, record: Record) -> None:
    """Wait until every machine has started all that it starts at boot, for at most two minutes."""
    with context.sessions(record, deadline=Deadline.after(_SETTLE_S)) as sessions:
        deadline = Deadline.after(_SETTLE_S)
        for name, session in sessions.items():
            settle(session, f"{record.id}/{name}", deadline=deadline, progress=context.progress)


def settle(session: Runner, machine: str, *, deadline: Deadline, progress: Progress) -> None:
    """Wait until a machine has started what it starts at boot, for at most two minutes.

    A unit that never comes up is the learner's to find, so this says what it waits for and goes on.

    Raises:
        MachineryError: the machine does not answer.
    """
    state = "systemctl is-system-running"
    if session.run(state, deadline=deadline.sooner(_ANSWER_S)).stdout.strip() not in _STARTING:
        return
    progress(f"waiting for {machine} to finish starting")
    limit_s = max(1, int(deadline.sooner(_SETTLE_S).left_s()))
    # It ends by itself: a command that we gave up would take the connection with it.
    waited = session.run(f"timeout {limit_s} {state} --wait", deadline=Deadline.after(limit_s + _ANSWER_S))
    if waited.status == _TIMED_OUT:
        progress(
            f"waiting no longer: {machine} is still starting something, `systemctl list-jobs` on it says what"
        )


def down(context: Context, name: str) -> None:
    """Remove an instance and everything of it, whatever state it is in.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in context.store.ids():
        raise UsageError(f"{name} is not up", hint=_up_names(context))
    with context.store.lock(name, f"down {name}", context.progress):
        remove(context, name)


def make(
    context: Context,
    instance_id: str,
    lab: Lab,
    wish: Wish,
    hosts: Mapping[str, Host] | None = None,
    *,
    once: bool = False,
) -> Record:
    """Make an instance from nothing; the caller holds its lock, and there is none of that id.

    `hosts` are the machines of an inventory that it was made of before, if it was. Set-up of one that is
    needed `once` is not kept for others like it.
    """
    provider_name = wish.provider or DEFAULT
    provider = load_provider(provider_name, context.home)
    distro = context.distro(wish.distro or DEFAULT_DISTRO)
    hosts = adopting.hosts(provider, lab, wish.inventory, hosts)
    plan = context.plan(lab, seed=wish.seed or "", distro=distro, hosts=hosts)
    _require_words(context, lab, plan)
    images = _ensure_images(context, plan) if provider.images else {}
    record = new_record(instance_id, provider_name, lab.folder, images, plan)
    adopting.look(context, provider, record, hosts)
    context.store.save(record)
    if hosts:
        context.store.save_hosts(instance_id, hosts)
    instance = context.instance(record)
    deadline = Deadline.after(provider.up_limit_s)
    try:
        if not _begin(context, record):
            _set_up(context, record, deadline)
            if not once and not _keep(context, record, lab):
                provider.destroy(instance)
                _set_up(context, record, deadline)
    except BaseException as error:
        if isinstance(provider, Adopts):
            context.progress(f"its machines stay as they are: `lpiclab down {instance_id}` gives them back")
        elif isinstance(error, KeyboardInterrupt):
            context.progress(f"interrupted: stopping its machines; `lpiclab up {instance_id}` starts over")
        # Nothing of a half-made instance may go on running; its files stay as evidence until the next `up`.
        with contextlib.suppress(LpiclabError):
            provider.stop(instance, deadline=Deadline.after(0))
        raise
    return context.store.ready(record)


def _require_words(context: Context, lab: Lab, plan: Plan) -> None:
    """Refuse a mistake in the lab's words before there are machines."""
    for language in labs.load_texts(lab):
        context.text(lab, plan, language)


def _set_up(context: Context, record: Record, deadline: Deadline) -> None:
    provider, instance = context.provider(record), context.instance(record)
    context.progress("disks and keys")
    provider.create(instance, deadline=deadline, progress=context.progress)
    provider.start(instance, deadline=deadline, progress=context.progress)
    _provision(context, record, deadline)


def _begin(context: Context, record: Record) -> bool:
    """Let an instance begin where another one's set-up ended, if there was one just like it."""
    provider = context.provider(record)
    return isinstance(provider, Templates) and provider.begin(
        context.instance(record),
        _set_up_key(record.plan),
        deadline=Deadline.after(_BEGIN_S),
        progress=context.progress,
    )


def _keep(context: Context, record: Record, lab: Lab) -> bool:
    """Keep a finished set-up for the next time; False when the instance was lost over it."""
    provider = context.provider(record)
    if not isinstance(provider, Templates):
        return True
    return provider.keep(
        context.instance(record),
        _set_up_key(record.plan),
        title=f"set-up of {lab.id}" + (f", seed {record.plan.seed}" if record.plan.seed else ""),
        deadline=Deadline.after(_BEGIN_S),
        progress=context.progress,
    )


def _set_up_key(plan: Plan) -> str:
    """Return a digest of all that set-up puts and runs on the machines, and of how it does."""
    facts = {"set_up": SET_UP_VERSION, "plan": replace(plan, restores=(), undo=())}  # not for made machines
    return hashlib.sha256(msgspec.json.encode(facts, order="sorted")).hexdigest()


def _ensure_images(context: Context, plan: Plan) -> dict[str, str]:
    from lpiclab import images  # noqa: PLC0415 - only where machines are made

    distros = dict.fromkeys(machine.distro for machine in plan.machines)
    return {
        name: images.ensure(
            context.distro(name), context.home, context.progress, accelerator=context.accelerator()
        ).digest
        for name in distros
    }


def _provision(context: Context, record: Record, deadline: Deadline) -> None:
    families = {machine.name: context.distro(machine.distro).family for machine in record.plan.machines}
    with context.sessions(record, deadline=deadline) as sessions:
        provision(record.plan, families, sessions, deadline=deadline, progress=context.progress)


def start(context: Context, record: Record) -> None:
    """Start what does not run of an instance; the caller holds its lock."""
    provider, instance = context.provider(record), context.instance(record)
    deadline = Deadline.after(provider.up_limit_s)
    off = any(each.state is not MachineState.RUNNING for each in provider.status(instance).values())
    # Also when all run: an interrupted command may have left others beside them.
    provider.start(instance, deadline=deadline, progress=context.progress)
    if off:
        _settle(context, record)


def _require_same(context: Context, record: Record, wish: Wish, folder: Path) -> None:
    """Refuse to answer `up` with an instance of another lab, seed, distribution or provider."""
    if Path(record.lab_folder).resolve() != folder.resolve():
        raise UsageError(
            f"{record.id} is up, but made from the lab in {record.lab_folder}",
            hint=f"`lpiclab down {record.id}` first",
        )
    is_now = {"seed": record.plan.seed, "distro": record.plan.distro, "provider": record.provider}
    for option, value in is_now.items():
        wanted = getattr(wish, option)
        if wanted is not None and wanted != value:
            raise UsageError(
                f'{record.id} is up with {option} "{value}", not "{wanted}"',
                hint=f"`lpiclab down {record.id}` first, or give this one a name of its own: "
                f"`lpiclab up {record.lab_id}@NAME`",
            )
    if wish.inventory is not None:
        found = adopting.hosts(context.provider(record), context.lab_of(record), wish.inventory)
        if found != context.store.hosts(record.id):
            raise UsageError(
                f"{record.id} is up on other machines than {wish.inventory} says",
                hint=f"`lpiclab down {record.id}` first, which gives those back",
            )


def remove(context: Context, instance_id: str) -> None:
    """Remove an instance, whatever is left of it; the caller holds its lock."""
    try:
        record = context.store.find(instance_id)
    except StateError:
        record = None
    if record:
        context.provider(record).destroy(context.instance(record, with_images=False))
    else:
        salvaged = _salvage(context, instance_id)
        for name in PROVIDERS:
            load_provider(name, context.home).destroy(salvaged)
    context.store.remove(instance_id)


def _salvage(context: Context, instance_id: str) -> Instance:
    """Return an instance without a readable record: its machines are known by their folders."""
    folder = context.store.folder(instance_id)
    machines = folder / "machines"
    names = sorted(each.name for each in machines.iterdir()) if machines.is_dir() else []
    hosts = context.store.hosts(instance_id)
    plan = Plan(
        lab_id=instance_id.partition("@")[0],
        seed="",
        distro="",
        parameters={},
        networks=(),
        machines=tuple(Machine(name=name) for name in names),
        files=(),
        setup=(),
    )
    return Instance(id=instance_id, folder=folder, plan=plan, hosts=hosts)


def _up_names(context: Context) -> str:
    names = context.store.ids()
    return f"up are: {', '.join(names)}" if names else "nothing is up"
