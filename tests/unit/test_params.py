"""`lpiclab.params`: drawing from a seed."""

from __future__ import annotations

import base64
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from lpiclab.errors import SpecError
from lpiclab.model import VALUE_PATTERN, Fault, Lab, Parameter
from lpiclab.params import draw, draw_faults

_SEEDS = [f"seed {number}" for number in range(200)]


def _lab(*parameters: Parameter, lab_id: str = "lab") -> Lab:
    return Lab(
        id=lab_id,
        folder=Path("/labs/lab"),
        objectives=(),
        minutes=1,
        kind="build",
        families=(),
        networks=(),
        machines=(),
        parameters=parameters,
        files=(),
        setup=(),
        tasks=(),
        solutions=(),
        mutants=(),
    )


_ALL = (
    Parameter(name="zone", default="example.net"),
    Parameter(name="host", default="centos", choice=("alpha", "beta")),
    Parameter(name="size", default=200, range=(160, 280, 8)),
    Parameter(name="net", default="192.168.130", pattern="10.2#.3#"),
    Parameter(name="key", default="k", pattern="key-@@@@"),
    Parameter(name="secret", default="bGFi", secret_bytes=48),
    Parameter(name="master", value="{{ net }}.1"),
)


_TOKYO = {
    "zone": "example.net",
    "host": "alpha",
    "size": 184,
    "net": "10.22.31",
    "key": "key-anyx",
    "secret": "xm+k0K2sNk/nE9n9/yWJ02H6KWPmDifDE0/cAywFZ2KSrmS92pLLTsOjgEuOb39D",
    "master": "10.22.31.1",
}


def test_without_a_seed_values_are_the_slides() -> None:
    """An empty seed gives the defaults, and computed values from them."""
    assert draw(_lab(*_ALL), "") == {
        "zone": "example.net",
        "host": "centos",
        "size": 200,
        "net": "192.168.130",
        "key": "k",
        "secret": "bGFi",
        "master": "192.168.130.1",
    }


def test_a_seed_always_draws_the_same() -> None:
    """What a seed gives is fixed for ever: learners' instances and instructors' notes rely on it."""
    assert draw(_lab(*_ALL), "tokyo") == _TOKYO


def test_values_differ_by_seed_and_by_lab() -> None:
    """Another seed or another lab draws another key."""
    keys = [draw(_lab(*_ALL), seed)["key"] for seed in _SEEDS]
    assert len(set(keys)) > len(_SEEDS) * 0.95
    assert draw(_lab(*_ALL, lab_id="other"), "tokyo")["key"] != _TOKYO["key"]


def test_a_new_parameter_leaves_the_others_alone() -> None:
    """Each value depends on its own name, not on its place in the lab."""
    more = (Parameter(name="first", default="x", pattern="@@@@@@"), *_ALL)
    assert draw(_lab(*more), "tokyo").items() >= _TOKYO.items()


@pytest.mark.parametrize("seed", _SEEDS[:50])
def test_each_kind_keeps_to_its_bounds(seed: str) -> None:
    """Choices, ranges with their step, patterns and secrets come out as declared."""
    values = draw(_lab(*_ALL), seed)
    assert values["host"] in {"alpha", "beta"}
    assert values["size"] in range(160, 281, 8)
    assert re.fullmatch(r"10\.2[0-9]\.3[0-9]", str(values["net"]))
    assert re.fullmatch(r"key-[a-z]{4}", str(values["key"]))
    assert len(base64.b64decode(str(values["secret"]))) == 48
    assert values["master"] == f"{values['net']}.1"
    assert all(re.fullmatch(VALUE_PATTERN, str(value)) for value in values.values())


def test_both_ends_of_a_range_and_all_choices_are_drawn() -> None:
    """Over many seeds every possible value comes up."""
    lab = _lab(
        Parameter(name="size", default=1, range=(1, 3, 1)),
        Parameter(name="host", default="a", choice=("b", "c")),
    )
    drawn = [draw(lab, seed) for seed in _SEEDS]
    assert Counter(values["size"] for values in drawn).keys() == {1, 2, 3}
    assert Counter(values["host"] for values in drawn).keys() == {"b", "c"}


@pytest.mark.parametrize("seed", _SEEDS[:50])
def test_names_and_addresses_never_collide(seed: str) -> None:
    """Parameters of the same pattern or choices, and constants, get distinct texts."""
    lab = _lab(
        Parameter(name="first", default="a", pattern="h#"),
        Parameter(name="second", default="b", pattern="h#"),
        Parameter(name="third", default="c", choice=("x", "y", "h7")),
        Parameter(name="fourth", default="d", choice=("x", "y", "h7")),
        Parameter(name="fixed", default="h7"),
    )
    values = draw(lab, seed)
    assert len(set(values.values())) == len(values)


def test_numbers_may_be_equal() -> None:
    """Two sizes of the same range are drawn independently: equal sizes are no collision."""
    lab = _lab(*(Parameter(name=name, default=1, range=(1, 2, 1)) for name in ("one", "other")))
    assert any(len(set(draw(lab, seed).values())) == 1 for seed in _SEEDS)


def test_a_choice_that_is_used_up_repeats() -> None:
    """Where a choice leaves nothing distinct, the value is taken again rather than refused."""
    lab = _lab(*(Parameter(name=name, default="d", choice=("ext4",)) for name in ("one", "other")))
    assert draw(lab, "tokyo") == {"one": "ext4", "other": "ext4"}


def test_a_pattern_that_is_used_up_is_the_authors_mistake() -> None:
    """More parameters than a pattern has values can't be drawn."""
    lab = _lab(*(Parameter(name=f"p{number}", default="d", pattern="h#") for number in range(11)))
    with pytest.raises(SpecError, match=r"parameters\.p10: \"h#\" gives too few distinct values"):
        draw(lab, "tokyo")


@pytest.mark.parametrize(
    ("value", "message"),
    [("{{ nett }}.1", "'nett' is undefined"), ("{{ net }} 1", "characters that a value must not have")],
)
def test_a_wrong_computed_value_is_told(value: str, message: str) -> None:
    """A computed value may only use parameters before it, and only characters safe in a shell."""
    lab = _lab(Parameter(name="net", default="10.0.0"), Parameter(name="master", value=value))
    with pytest.raises(SpecError, match=message):
        draw(lab, "")


def test_a_seed_may_be_any_text() -> None:
    """Japanese and bytes that are not UTF-8 make seeds as well."""
    assert draw(_lab(*_ALL), "学生一") != draw(_lab(*_ALL), "bad \udcff")


def _faulty(*ids: str, drawn: int = 2) -> Lab:
    faults = tuple(Fault(id=name, fails=(), steps=(), always=name == "always") for name in ids)
    return replace(_lab(), faults=faults, faults_drawn=drawn)


def _drawn(lab: Lab, seed: str) -> list[str]:
    return [fault.id for fault in draw_faults(lab, seed)]


def test_without_a_seed_the_first_faults_are_there() -> None:
    """An empty seed gives the first faults of the lab, and those that are always there."""
    assert _drawn(_faulty("one", "two", "three", "always"), "") == ["one", "two", "always"]
    assert _drawn(_lab(), "") == _drawn(_lab(), "tokyo") == []


def test_a_seed_always_draws_the_same_faults() -> None:
    """What a seed gives is fixed for ever, whatever order the lab has its faults in."""
    ids = ("one", "two", "three", "four", "always")
    assert _drawn(_faulty(*ids), "osaka") == ["one", "four", "always"]
    assert _drawn(_faulty(*ids[::-1]), "osaka") == ["always", "four", "one"]


def test_every_set_of_faults_comes_up() -> None:
    """Over many seeds each pair is drawn about as often as the others."""
    lab = _faulty("one", "two", "three", "four")
    pairs = Counter(tuple(_drawn(lab, seed)) for seed in _SEEDS)
    assert len(pairs) == 6
    assert min(pairs.values()) > len(_SEEDS) / 12


def test_a_new_fault_replaces_one_at_most() -> None:
    """A fault added to a lab leaves each seed the faults that it had, but for one."""
    before, after = _faulty("one", "two", "three", "four"), _faulty("one", "new", "two", "three", "four")
    assert all(len(set(_drawn(before, seed)) - set(_drawn(after, seed))) <= 1 for seed in _SEEDS)
