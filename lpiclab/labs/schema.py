"""What `lab.yaml` looks like: one definition for the loader and for editors (JSON Schema)."""

from __future__ import annotations

import keyword
import re
from dataclasses import replace
from typing import Any

from lpiclab.model import (
    VALUE_PATTERN,
    Disk,
    Fault,
    FileSpec,
    Machine,
    Mutant,
    Nic,
    Parameter,
    Restore,
    Solution,
    Step,
    Task,
    Value,
)
from lpiclab.shapes import (
    Choice,
    Converted,
    Flag,
    Integer,
    ListOf,
    MapOf,
    Record,
    TemplateText,
    Text,
    TextOrInteger,
)

LAB_ID = r"[a-z][a-z0-9-]{0,39}"
RESERVED = frozenset(
    {"distro", "fork", "machines", "parameters", "paths", "request", "seen", "services", "users", "wanted"}
)
"""Names that checks and templates give a meaning of their own."""

_NAME = Text(r"[a-z][a-z0-9-]{0,30}", "a name of lower-case letters, digits and hyphens")
_PATH = Text(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*", "a path in the lab's folder")
_MODE = Text(r"[0-7]{4}", 'four octal digits in quotes, such as "0644",')


def _fixture(name: str) -> str:
    word = name.replace("-", "_")
    if word in RESERVED or keyword.iskeyword(word):
        raise ValueError(f'"{name}" means something else in checks and templates; take another name')
    return name


def _value(value: Value) -> Value:
    if isinstance(value, str) and not re.fullmatch(VALUE_PATTERN, value):
        raise ValueError(f'expected a value of letters, digits and . _ / : @ + = - only, found "{value}"')
    return value


def _range(numbers: tuple[int, ...]) -> tuple[int, int, int]:
    match numbers:
        case (low, high, step) if low <= high and step > 0:
            return low, high, step
    raise ValueError("expected [low, high, step] with low <= high and a step above 0")


def _pattern(pattern: str) -> str:
    if not {"#", "@"} & set(pattern):
        raise ValueError('expected a pattern with "#" (a digit) or "@" (a letter) in it')
    _value(pattern.replace("#", "0"))
    return pattern


def _parameter(**fields: Any) -> Parameter:
    kinds = [kind for kind in ("choice", "range", "pattern", "secret_bytes", "value") if kind in fields]
    if len(kinds) > 1:
        raise ValueError(f"expected one of {' and '.join(kinds)}, found both")
    if ("default" in fields) == ("value" in fields):
        raise ValueError("expected either a default, or a value that is computed")
    return Parameter(name="", **fields)


def _parameters(parameters: dict[str, Parameter]) -> tuple[Parameter, ...]:
    for name in parameters:
        _fixture(name)
    return tuple(replace(parameter, name=name) for name, parameter in parameters.items())


_VALUE = Converted(TextOrInteger(), _value)
_MACHINE_NAME = Converted(_NAME, _fixture)
_FAMILIES = ListOf(Text(r"[a-z]+", "a family of distributions"), minimum=1)
_WHY_NO_OTHER = Text(expected="why it is for no other family")
_STEPS = ListOf(
    Record(Step, required={"machine": _NAME, "script": _PATH}, optional={"families": _FAMILIES}), minimum=1
)

_DISK = Record(
    Disk,
    required={
        "name": Text(r"sd[b-z]", "a disk name from sdb on"),
        "size_mib": Integer(minimum=1),
    },
)

_NIC = Record(Nic, required={"network": _NAME}, optional={"address": TemplateText()})

_MACHINE = Record(
    Machine,
    required={"name": _MACHINE_NAME},
    optional={
        "hostname": TemplateText(),
        "distro": Text(r"[a-z][a-z0-9.-]*", "the id of a distribution"),
        "memory_mib": Integer(minimum=64),
        "processors": Integer(minimum=1, maximum=64),
        "disks": ListOf(_DISK),
        "nics": ListOf(_NIC),
    },
)

_PARAMETER = Record(
    _parameter,
    optional={
        "default": _VALUE,
        "choice": ListOf(_VALUE, minimum=1),
        "range": Converted(ListOf(Integer()), _range),
        "pattern": Converted(TemplateText(), _pattern),
        "secret_bytes": Integer(minimum=8, maximum=512),
        "value": TemplateText(),
    },
)

_FILE = Record(
    FileSpec,
    required={"machine": _NAME, "template": _PATH, "path": TemplateText()},
    optional={
        "owner": TemplateText(),
        "group": TemplateText(),
        "mode": Converted(_MODE, lambda digits: int(digits, 8)),
        "families": _FAMILIES,
    },
)

_RESTORE = Record(
    Restore,
    required={"machine": _NAME},
    optional={
        "paths": ListOf(TemplateText(), minimum=1),
        "services": ListOf(TemplateText(), minimum=1),
        "users": ListOf(TemplateText(), minimum=1),
        "families": _FAMILIES,
    },
)

_TASK = Record(
    Task,
    required={"id": _NAME, "points": Integer(minimum=1, maximum=1000)},
    optional={"needs": ListOf(_NAME)},
)

_SOLUTION = Record(
    Solution,
    required={"id": _NAME, "steps": _STEPS},
    optional={"families": _FAMILIES, "only_because": _WHY_NO_OTHER},
)

_MUTANT = Record(
    Mutant,
    required={"id": _NAME, "fails": ListOf(_NAME, minimum=1), "steps": _STEPS},
    optional={
        "start": Choice(("solution", "fresh")),
        "reboot": Flag(),
        "families": _FAMILIES,
        "only_because": _WHY_NO_OTHER,
    },
)


_FAULT = Record(
    Fault,
    required={"id": _NAME, "fails": ListOf(_NAME, minimum=1), "steps": _STEPS},
    optional={"always": Flag()},
)


def _fields(
    *,
    networks: tuple[str, ...] = (),
    parameters: tuple[Parameter, ...] = (),
    files: tuple[FileSpec, ...] = (),
    setup: tuple[Step, ...] = (),
    mutants: tuple[Mutant, ...] = (),
    restores: tuple[Restore, ...] = (),
    undo: tuple[Step, ...] = (),
    **fields: Any,
) -> dict[str, Any]:
    """Return the fields of a `Lab` that its `lab.yaml` gives."""
    del fields["schema"]
    return {
        "networks": networks,
        "parameters": parameters,
        "files": files,
        "setup": setup,
        "mutants": mutants,
        "restores": restores,
        "undo": undo,
        **fields,
    }


LAB = Record(
    _fields,
    required={
        "schema": Integer(minimum=1, maximum=1),
        "objectives": ListOf(Text(r"[0-9]{3}\.[0-9]{1,2}", 'an objective such as "204.1"'), minimum=1),
        "minutes": Integer(minimum=1, maximum=600),
        "kind": Choice(("build", "fix", "find")),
        "families": _FAMILIES,
        "machines": ListOf(_MACHINE, minimum=1),
        "tasks": ListOf(_TASK, minimum=1),
        "solutions": ListOf(_SOLUTION, minimum=1),
    },
    optional={
        "only_because": _WHY_NO_OTHER,
        "networks": ListOf(_NAME),
        "parameters": Converted(MapOf(_PARAMETER), _parameters),
        "files": ListOf(_FILE),
        "setup": ListOf(_STEPS.item),
        "restores": ListOf(_RESTORE),
        "undo": ListOf(_STEPS.item),
        "mutants": ListOf(_MUTANT),
        "faults": ListOf(_FAULT, minimum=1),
        "faults_drawn": Integer(minimum=1, maximum=3),
    },
)
"""A `lab.yaml`, as the keyword arguments of `Lab` without `id` and `folder`."""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of `lab.yaml`, made from what the loader reads."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "lpiclab lab.yaml",
        **LAB.schema(),
    }
