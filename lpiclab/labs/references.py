"""What within a lab must fit together: names, tasks, disks, addresses, files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from string import ascii_lowercase

from lpiclab.errors import SpecProblem
from lpiclab.families import idle, of_family
from lpiclab.hosts import is_hostname, is_interface
from lpiclab.model import Lab, Mutant, Solution, Step
from lpiclab.names import nearest
from lpiclab.yamlio import Source

Finding = tuple[str, str]


def reference_problems(lab: Lab, source: Source, roots: Sequence[Path]) -> list[SpecProblem]:
    """Return everything in `lab` that names something that is not there, or does not fit.

    `roots` are the folders of shared templates.
    """
    findings = chain(
        _names(lab),
        _machines(lab),
        _tasks(lab),
        _mutants(lab),
        _faults(lab),
        _steps(lab, roots),
        _files(lab, roots),
        _restores(lab),
        _families(lab),
    )
    return [source.problem(path, message) for path, message in findings]


def _names(lab: Lab) -> Iterator[Finding]:
    yield from _twice("networks[{}]", lab.networks)
    yield from _twice("machines[{}].name", [machine.name for machine in lab.machines])
    yield from _twice("tasks[{}].id", [task.id for task in lab.tasks])
    yield from _twice("solutions[{}].id", [solution.id for solution in lab.solutions])
    yield from _twice("mutants[{}].id", [mutant.id for mutant in lab.mutants])
    yield from _twice("faults[{}].id", [fault.id for fault in lab.faults])
    targets = [f"{each.machine}:{each.path}" for each in lab.files]
    yield from _twice("files[{}].path", targets)
    machines = {machine.name.replace("-", "_") for machine in lab.machines}
    for parameter in lab.parameters:
        if parameter.name in machines:
            yield f"parameters.{parameter.name}", "a machine has the same name"


def _twice(path: str, names: Iterable[str]) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield path.format(index), f'"{name}" is there twice'
        seen.add(name)


def _known(path: str, what: str, name: str, names: Iterable[str]) -> Iterator[Finding]:
    known = set(names)
    if name not in known:
        yield path, f'there is no {what} "{name}"; {nearest(name, known)}'.removesuffix("; ")


def _there(path: str, name: str, folders: Sequence[Path]) -> Iterator[Finding]:
    if any((folder / name).is_file() for folder in folders):
        return
    files = [each for folder in folders for each in folder.rglob("*") if each.is_file()]
    names = {str(each.relative_to(folder)) for folder in folders for each in files if folder in each.parents}
    yield path, f'there is no file "{name}"; {nearest(name, names)}'.removesuffix("; ")


def _machines(lab: Lab) -> Iterator[Finding]:
    for number, machine in enumerate(lab.machines):
        path = f"machines[{number}]"
        if machine.hostname and not _is_template(machine.hostname) and not is_hostname(machine.hostname):
            yield f"{path}.hostname", f'"{machine.hostname}" is no host name'
        for index, (disk, letter) in enumerate(zip(machine.disks, ascii_lowercase[1:], strict=False)):
            if disk.name != f"sd{letter}":
                yield f"{path}.disks[{index}].name", f'expected "sd{letter}": disks are named in order'
        for index, nic in enumerate(machine.nics):
            yield from _known(f"{path}.nics[{index}].network", "network", nic.network, lab.networks)
            if nic.address and not _is_template(nic.address) and not is_interface(nic.address):
                message = (
                    f'"{nic.address}" is no IPv4 address of a host with its prefix, such as 192.0.2.1/24'
                )
                yield f"{path}.nics[{index}].address", message


def _is_template(text: str) -> bool:
    return "{{" in text or "{%" in text


def _tasks(lab: Lab) -> Iterator[Finding]:
    ids = [task.id for task in lab.tasks]
    needs = {task.id: task.needs for task in lab.tasks}
    for number, task in enumerate(lab.tasks):
        for index, need in enumerate(task.needs):
            yield from _known(f"tasks[{number}].needs[{index}]", "task", need, ids)
        yield from _twice(f"tasks[{number}].needs[{{}}]", task.needs)
        if task.id in _needed(task.needs, needs):
            yield f"tasks[{number}].needs", f'"{task.id}" needs itself, directly or through others'


def _needed(first: Iterable[str], needs: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Return the tasks in `first` with all that they need in their turn."""
    found: set[str] = set()
    waiting = list(first)
    while waiting:
        task = waiting.pop()
        if task not in found:
            found.add(task)
            waiting.extend(needs.get(task, ()))
    return found


def _mutants(lab: Lab) -> Iterator[Finding]:
    for number, mutant in enumerate(lab.mutants):
        yield from _fails(lab, f"mutants[{number}].fails", mutant.fails)


def _faults(lab: Lab) -> Iterator[Finding]:
    for number, fault in enumerate(lab.faults):
        yield from _fails(lab, f"faults[{number}].fails", fault.fails)
    if lab.faults and lab.kind != "fix":
        yield "faults", f'a lab of kind "{lab.kind}" has no faults, one of kind "fix" may'
    others = sum(not fault.always for fault in lab.faults)
    if lab.faults_drawn > others:
        message = f"expected {others} at most, the faults that are not always there; found {lab.faults_drawn}"
        yield "faults_drawn", message
    elif others and not lab.faults_drawn:
        yield "faults", 'missing "faults_drawn": how many of those that are not always there a seed draws'


def _fails(lab: Lab, path: str, fails: tuple[str, ...]) -> Iterator[Finding]:
    ids = [task.id for task in lab.tasks]
    needs = {task.id: task.needs for task in lab.tasks}
    for index, task in enumerate(fails):
        yield from _known(f"{path}[{index}]", "task", task, ids)
        needed = _needed(needs.get(task, ()), needs) & set(fails) - {task}
        if needed:
            yield f"{path}[{index}]", f'"{task}" is skipped, not failed: it needs "{min(needed)}"'
    yield from _twice(f"{path}[{{}}]", fails)


def _steps(lab: Lab, roots: Sequence[Path]) -> Iterator[Finding]:
    machines = [machine.name for machine in lab.machines]
    for path, steps in _step_lists(lab):
        for index, step in enumerate(steps):
            yield from _known(f"{path}[{index}].machine", "machine", step.machine, machines)
            yield from _there(f"{path}[{index}].script", step.script, (lab.folder, *roots))


def _step_lists(lab: Lab) -> list[tuple[str, tuple[Step, ...]]]:
    lists = [("setup", lab.setup), ("undo", lab.undo)]
    lists += [(f"solutions[{number}].steps", each.steps) for number, each in enumerate(lab.solutions)]
    lists += [(f"mutants[{number}].steps", each.steps) for number, each in enumerate(lab.mutants)]
    lists += [(f"faults[{number}].steps", each.steps) for number, each in enumerate(lab.faults)]
    return lists


def _files(lab: Lab, roots: Sequence[Path]) -> Iterator[Finding]:
    machines = [machine.name for machine in lab.machines]
    for index, each in enumerate(lab.files):
        yield from _known(f"files[{index}].machine", "machine", each.machine, machines)
        yield from _there(f"files[{index}].template", each.template, (lab.folder / "files", *roots))
        if not _is_template(each.path) and not each.path.startswith("/"):
            yield f"files[{index}].path", f'expected an absolute path, found "{each.path}"'


def _restores(lab: Lab) -> Iterator[Finding]:
    machines = [machine.name for machine in lab.machines]
    for number, each in enumerate(lab.restores):
        yield from _known(f"restores[{number}].machine", "machine", each.machine, machines)


def _families(lab: Lab) -> Iterator[Finding]:
    """Yield what is wrong with entries that are for some of the lab's families only."""
    ways: list[tuple[str, Solution | Mutant]]
    ways = [(f"solutions[{number}]", each) for number, each in enumerate(lab.solutions)]
    ways += [(f"mutants[{number}]", each) for number, each in enumerate(lab.mutants)]
    limited = [(f"files[{number}]", each.families) for number, each in enumerate(lab.files)]
    limited += [(f"restores[{number}]", each.families) for number, each in enumerate(lab.restores)]
    limited += [(path, way.families) for path, way in ways]
    for path, steps in _step_lists(lab):
        limited += [(f"{path}[{number}]", step.families) for number, step in enumerate(steps)]
    for path, families in limited:
        for number, family in enumerate(families):
            yield from _known(f"{path}.families[{number}]", "family of the lab's", family, lab.families)
    for path, way in ways:
        if bool(way.families) != bool(way.only_because):
            missing = "only_because: why no other has it" if way.families else "families: which ones have it"
            yield path, f"missing {missing}"
    for family in lab.families:
        has = of_family(lab, family)
        for path, way in ways:
            if way.id in idle(has):
                yield f"{path}.steps", f'none of them is for the family "{family}"'
        if not has.solutions:
            yield "solutions", f'none of them is for the family "{family}"'
