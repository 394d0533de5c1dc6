"""`lpiclab.yamlio`: strict YAML, with the place of each problem."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest

from lpiclab.errors import SpecError
from lpiclab.shapes import Integer, ListOf, MapOf, Record, Text
from lpiclab.yamlio import PlacedText, load, read_text

_THINGS: Record[dict[str, Any]] = Record(
    dict,
    required={"things": ListOf(Record(dict, required={"name": Text()}, optional={"size_mib": Integer(1)}))},
    optional={"words": MapOf(Text())},
)


def _problems(tmp_path: Path, content: str | bytes) -> list[str]:
    """Return the problems of a file with `content`, each without the folder's name."""
    file = tmp_path / "x.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SpecError) as caught:
        load(file, _THINGS)
    return [str(problem).removeprefix(f"{tmp_path}/") for problem in caught.value.problems]


def test_all_problems_come_at_once_each_with_its_place(tmp_path: Path) -> None:
    """Wrong values, unknown and missing keys of different items are all told, in the file's order."""
    content = "things:\n  - {name: a, size_mib: lots}\n  - {nam: b}\nthing: 1\n"
    assert _problems(tmp_path, content) == [
        'x.yaml:2:25: things[0].size_mib: expected a whole number of at least 1, found "lots"',
        'x.yaml:3:5: things[1]: missing "name"',
        'x.yaml:3:6: things[1]: unknown key "nam"; did you mean "name"?',
        'x.yaml:4:1: unknown key "thing"; did you mean "things"?',
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "x.yaml: the file is empty"),
        ("things:\n\t- a\n", "x.yaml:2:1: a tab; use spaces"),
        ("things: []\nthings: []\n", "x.yaml:2:1: things: given twice, first in line 1"),
        ("things: &a []\n", "x.yaml:1:9: anchors and aliases are not allowed"),
        ("things: []\n3: x\n", "x.yaml:2:1: a key must be text; put it in quotes"),
        ("things:\nwords: {}\n", "x.yaml:1:1: things: expected a list, found nothing"),
        ("things: {}\n", "x.yaml:1:9: things: expected a list, found a mapping"),
        ("[]\n", "x.yaml:1:1: expected a mapping, found a list"),
        ("things: !odd []\n", "x.yaml:1:9: things: expected a list, found the tag !odd"),
        (
            "a: 1\n--- b\n",
            "x.yaml:2:1: not valid YAML: expected a single document in the stream, but found another",
        ),
        ("[" * 100_000, "x.yaml:1:51: nested deeper than 50 levels"),
        (b"things: \xff\n", "x.yaml:1:9: not UTF-8"),
        ("things: \x01\n", "x.yaml: not valid YAML: unacceptable character #x0001"),
    ],
)
def test_what_is_not_plain_yaml_is_refused(tmp_path: Path, content: str | bytes, problem: str) -> None:
    """Each trick and each slip has a message of its own with its place."""
    assert any(found.startswith(problem) for found in _problems(tmp_path, content))


def test_aliases_are_refused_before_they_multiply(tmp_path: Path) -> None:
    """A file whose aliases would give a billion nodes ends at once with the aliases named."""
    lines = [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 30)]
    problems = _problems(tmp_path, "a0: &a0 [x]\n" + "\n".join(lines))
    assert problems[0] == "x.yaml:1:5: anchors and aliases are not allowed"


def test_a_missing_and_a_huge_file_are_told(tmp_path: Path) -> None:
    """A file that is absent or larger than 1 MiB is a problem of that file."""
    with pytest.raises(SpecError, match="can't be read: No such file"):
        read_text(tmp_path / "absent")
    (tmp_path / "huge").write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(SpecError, match="larger than 1048576 bytes"):
        read_text(tmp_path / "huge")


def test_a_sound_file_gives_its_value_and_the_place_of_each_path(tmp_path: Path) -> None:
    """A later problem can be placed by its path, or by the nearest path above it."""
    file = tmp_path / "x.yaml"
    file.write_text("things:\n  - name: a\nwords: {b: c}\n")
    document = load(file, _THINGS)
    assert document.value == {"things": ({"name": "a"},), "words": {"b": "c"}}
    at_name = document.source.problem("things[0].name", "odd")
    assert (at_name.line, at_name.column, at_name.message) == (2, 11, "things[0].name: odd")
    assert document.source.problem("words.nothing.here", "odd").line == 3


def test_placed_text_keeps_its_place_in_copies() -> None:
    """Text that knows where it was written still knows after a deep copy and a pickle."""
    placed = PlacedText.at("text", Path("lab.yaml"), 3, 7, "machines[0]")
    for copied in (copy.deepcopy(placed), pickle.loads(pickle.dumps(placed))):  # noqa: S301 - our own bytes
        assert copied == "text"
        assert (copied.file, copied.line, copied.column, copied.path) == (
            Path("lab.yaml"),
            3,
            7,
            "machines[0]",
        )
