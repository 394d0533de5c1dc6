"""Apply a seed and a distribution to a lab: from templates to a `Plan`, scripts and words.

Pure but for reading templates. Templates see each parameter by its name, `machines`, `distro`,
`services`, `paths` and `users`; a machine's own host name and addresses see all but `machines`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined

from lpiclab import params
from lpiclab.errors import SpecProblem
from lpiclab.families import of_family
from lpiclab.hosts import is_hostname, is_interface
from lpiclab.model import (
    Distro,
    FileSpec,
    Lab,
    LabText,
    Machine,
    Nic,
    Plan,
    RenderedFile,
    RenderedStep,
    Restore,
    Step,
    TaskText,
    Value,
)
from lpiclab.paths import bundled
from lpiclab.templating import Renderer

_SYSTEM = "bin|boot|dev|etc|home|lib|lib64|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var"
"""Folders of the system that are nobody's as a whole (hier(7))."""


def plan(lab: Lab, *, seed: str, distro: Distro, template_roots: Sequence[Path]) -> Plan:
    """Return the lab with its seed and distribution applied; no template is left in it.

    Each machine gets its host name (its own name where the lab gives none) and its distribution.

    Raises:
        SpecError: templates have mistakes, or what they give is no host name, address or path;
            holds every problem.
    """
    lab = of_family(lab, distro.family)
    parameters = params.draw(lab, seed)
    scope = _scope(parameters, distro)
    renderer = Renderer(scope)
    machines = tuple(_machine(machine, renderer, distro) for machine in lab.machines)
    _refuse_equal_addresses(lab, machines, renderer)
    renderer.finish()
    scope["machines"] = _machines_scope(machines)
    files = Renderer(scope, [lab.folder / "files", *template_roots])
    steps = Renderer(scope, [lab.folder, *template_roots])
    rendered_files = tuple(_file(spec, files, lab) for spec in lab.files)
    rendered_steps = tuple(_step(step, steps, lab) for step in lab.setup)
    faults = params.draw_faults(lab, seed)
    rendered_faults = tuple(_step(step, steps, lab) for fault in faults for step in fault.steps)
    rendered_undo = tuple(_step(step, steps, lab) for step in lab.undo)
    restores = tuple(_restore(each, files) for each in lab.restores)
    files.problems += steps.problems
    files.finish()
    return Plan(
        lab_id=lab.id,
        seed=seed,
        distro=distro.id,
        parameters=parameters,
        networks=lab.networks,
        machines=machines,
        files=rendered_files,
        setup=rendered_steps,
        faults=rendered_faults,
        restores=restores,
        undo=rendered_undo,
    )


def render_steps(
    lab: Lab,
    steps: Iterable[Step],
    plan: Plan,
    distro: Distro,
    *,
    template_roots: Sequence[Path] | None = None,
) -> tuple[RenderedStep, ...]:
    """Return scripts of a solution or a mutant, ready to run.

    `template_roots` are the folders of shared templates, the bundled one when it is None.

    Raises:
        SpecError: templates have mistakes; holds every problem.
    """
    roots = [bundled("templates")] if template_roots is None else template_roots
    renderer = Renderer(variables(plan, distro), [lab.folder, *roots])
    rendered = tuple(_step(step, renderer, lab) for step in steps)
    renderer.finish()
    return rendered


def render_text(text: LabText, lab: Lab, plan: Plan, distro: Distro) -> LabText:
    """Return a lab's words with the plan's values in place; reasons stay templates.

    Raises:
        SpecError: templates have mistakes; holds every problem.
    """
    renderer = Renderer(variables(plan, distro), [lab.folder])
    rendered = replace(
        text,
        title=renderer.text(text.title),
        story=renderer.text(text.story),
        then_and_now=renderer.text(text.then_and_now),
        tasks={id_: _task_text(task, renderer) for id_, task in text.tasks.items()},
    )
    renderer.finish()
    return rendered


def render_reason(
    template: str, seen: object, wanted: object, values: Mapping[str, Any], *, plan: Plan, distro: Distro
) -> str:
    """Return why a check failed, in words; `values` are the ones that the check gave.

    Raises:
        SpecError: the template has a mistake.
    """
    scope = {**variables(plan, distro), **values, "seen": seen, "wanted": wanted}
    renderer = Renderer(scope)
    words = renderer.text(template)
    renderer.finish()
    return words


def variables(plan: Plan, distro: Distro) -> dict[str, Any]:
    """Return what templates of a planned lab see."""
    return {**_scope(plan.parameters, distro), "machines": _machines_scope(plan.machines)}


def _scope(parameters: Mapping[str, Value], distro: Distro) -> dict[str, Any]:
    return {
        **parameters,
        "distro": {"id": distro.id, "family": distro.family, "version": distro.version},
        "services": _Services(distro),
        "paths": dict(distro.paths),
        "users": dict(distro.users),
    }


class _Services(dict[str, str]):
    """A distribution's services; one that it has not is undefined, and says what became of it."""

    def __init__(self, distro: Distro) -> None:
        super().__init__(distro.services)
        self._distro = distro

    def __missing__(self, name: str) -> StrictUndefined:
        if name in self._distro.absent:
            reason = self._distro.absent[name]
            return StrictUndefined(f"{self._distro.id} has no services.{name}: {reason}")
        return StrictUndefined(obj={}, name=name)  # said as of any other mapping


def _machines_scope(machines: Iterable[Machine]) -> dict[str, Any]:
    return {machine.name.replace("-", "_"): _machine_scope(machine) for machine in machines}


def _machine_scope(machine: Machine) -> dict[str, Any]:
    """Return a machine's variables; those of its first card only where it has an address."""
    scope: dict[str, Any] = {"name": machine.name, "hostname": machine.hostname}
    if machine.nics:
        scope["interface"] = machine.nics[0].interface or "eth0"
    if machine.nics and machine.nics[0].address:
        interface = ipaddress.IPv4Interface(machine.nics[0].address)
        scope["address"] = str(interface.ip)
        scope["prefix"] = interface.network.prefixlen
        scope["network"] = str(interface.network)
    return scope


def _machine(machine: Machine, renderer: Renderer, distro: Distro) -> Machine:
    hostname = renderer.text(machine.hostname) if machine.hostname else machine.name
    if hostname and not is_hostname(hostname):
        renderer.refuse(machine.hostname, f'"{hostname}" is no host name')
    nics = tuple(_nic(nic, renderer) for nic in machine.nics)
    return replace(machine, hostname=hostname, nics=nics, distro=machine.distro or distro.id)


def _nic(nic: Nic, renderer: Renderer) -> Nic:
    if not nic.address:
        return nic
    address = renderer.text(nic.address)
    if address and not is_interface(address):
        renderer.refuse(nic.address, f'"{address}" is no IPv4 address of a host with its prefix')
    return replace(nic, address=address)


def _refuse_equal_addresses(lab: Lab, machines: Iterable[Machine], renderer: Renderer) -> None:
    taken: set[tuple[str, str]] = set()
    for written, machine in zip(lab.machines, machines, strict=True):
        for template, nic in zip(written.nics, machine.nics, strict=True):
            place = (nic.network, nic.address.partition("/")[0])
            if nic.address and place in taken:
                renderer.refuse(template.address, f"another card of {nic.network} has {place[1]}")
            taken.add(place)


def _file(spec: FileSpec, renderer: Renderer, lab: Lab) -> RenderedFile:
    path = renderer.text(spec.path)
    if path and not path.startswith("/"):
        renderer.refuse(spec.path, f'"{path}" is no absolute path')
    return RenderedFile(
        machine=spec.machine,
        path=path,
        content=renderer.file(spec.template, _absent(lab, f'file "{spec.template}"')),
        owner=renderer.text(spec.owner),
        group=renderer.text(spec.group),
        mode=spec.mode,
    )


def _step(step: Step, renderer: Renderer, lab: Lab) -> RenderedStep:
    content = renderer.file(step.script, _absent(lab, f'script "{step.script}"'))
    return RenderedStep(machine=step.machine, source=step.script, content=content)


def _restore(restore: Restore, renderer: Renderer) -> Restore:
    def rendered(templates: tuple[str, ...], shape: str, expected: str) -> tuple[str, ...]:
        texts = tuple(renderer.text(template) for template in templates)
        for template, text in zip(templates, texts, strict=True):
            if text and not re.fullmatch(shape, text):
                renderer.refuse(template, f'"{text}" is no {expected}')
        return texts

    # Whatever is at a path is removed before what was there comes back.
    path = rf"(?!/({_SYSTEM})$)(/(?!\.\.?(/|$))[A-Za-z0-9._-]+)+"
    return replace(
        restore,
        paths=rendered(restore.paths, path, "path of a file or folder that is a lab's to replace"),
        services=rendered(restore.services, r"[A-Za-z0-9@._-]+", "unit of systemd"),
        users=rendered(restore.users, r"[a-z_][a-z0-9_-]*", "user"),
    )


def _absent(lab: Lab, what: str) -> SpecProblem:
    return SpecProblem(lab.folder / "lab.yaml", 0, 0, f"there is no {what}")


def _task_text(task: TaskText, renderer: Renderer) -> TaskText:
    return replace(
        task,
        title=renderer.text(task.title),
        body=renderer.text(task.body),
        hints=tuple(renderer.text(hint) for hint in task.hints),
    )
