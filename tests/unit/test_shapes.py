"""`lpiclab.shapes`: what each shape accepts, refuses and tells editors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from lpiclab.errors import SpecError
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
from lpiclab.yamlio import PlacedText, Shape, load


def _load(tmp_path: Path, shape: Shape[Any], content: str) -> Any:
    file = tmp_path / "x.yaml"
    file.write_text(f"key: {content}\n")
    record: Record[dict[str, Any]] = Record(dict, required={"key": shape})
    return load(file, record).value["key"]


@pytest.mark.parametrize(
    ("shape", "content", "value"),
    [
        (Text(), '"12"', "12"),
        (Text(r"[a-z]+"), "abc", "abc"),
        (Integer(), "-3", -3),
        (Integer(1, 3), "3", 3),
        (Flag(), "true", True),
        (TextOrInteger(), "3", 3),
        (TextOrInteger(), '"3"', "3"),
        (Choice(("build", "fix")), "fix", "fix"),
        (ListOf(Integer()), "[1, 2]", (1, 2)),
        (MapOf(Integer()), "{b: 1, a: 2}", {"b": 1, "a": 2}),
        (Converted(Text(), str.upper), "abc", "ABC"),
    ],
)
def test_a_fitting_value_is_read(tmp_path: Path, shape: Shape[Any], content: str, value: object) -> None:
    """Each shape gives the value that it promises, of the right type, and its schema agrees."""
    read = _load(tmp_path, shape, content)
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize(
    ("shape", "content", "message"),
    [
        (Text(), "12", "expected text, found 12; put it in quotes"),
        (Text(), "no", "expected text, found no; put it in quotes"),
        (Text(), '""', 'expected text, found ""'),
        (Text(), "", "expected text, found nothing"),
        (Text(r"[a-z]+", "small letters"), "aB", 'expected small letters, found "aB"'),
        (Text(r"[a-z]+"), '"a\\n"', "expected text, found"),
        (Text(r"[a-z]"), "x" * 99, f'found "{"x" * 39}…"'),
        (Integer(), "0644", "expected a whole number, found 0644"),
        (Integer(), "1_000", "expected a whole number, found 1_000"),
        (Integer(), "12:30", "expected a whole number, found 12:30"),
        (Integer(), "1.5", "expected a whole number, found 1.5"),
        (Integer(maximum=3), "4", "expected a whole number of at most 3, found 4"),
        (Integer(1, 3), "0", "expected a whole number from 1 to 3, found 0"),
        (Integer(1, 1), "2", "expected 1, found 2"),
        (Flag(), "on", "expected true or false, found on"),
        (TextOrInteger(), "1.5", "expected text or a whole number, found 1.5"),
        (Choice(("build", "fix")), "buld", 'expected a known word, found "buld"; did you mean "build"?'),
        (Choice(("build", "fix")), "[]", "expected a known word, found a list; known: build, fix"),
        (ListOf(Text(), minimum=1), "[]", "expected at least 1 in the list, found 0"),
        (MapOf(Text()), "{A: b}", "key.A: a key must match"),
        (Converted(Text(), int), "abc", "invalid literal"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(
    tmp_path: Path, shape: Shape[Any], content: str, message: str
) -> None:
    """Each message says what was expected and what was found."""
    with pytest.raises(SpecError) as caught:
        _load(tmp_path, shape, content)
    assert message in caught.value.problems[0].message


def test_a_template_knows_its_place(tmp_path: Path) -> None:
    """Template text keeps file, line, column and path for mistakes that rendering finds."""
    text = _load(tmp_path, TemplateText(), '"{{ x }}"')
    assert isinstance(text, PlacedText)
    assert (text.file.name, text.line, text.column, text.path) == ("x.yaml", 1, 6, "key")


def test_a_record_leaves_absent_keys_to_its_maker(tmp_path: Path) -> None:
    """Defaults live in the dataclass: keys that the file lacks are not passed on."""
    assert _load(tmp_path, Record(dict, optional={"a": Text(), "b": Text()}), "{a: x}") == {"a": "x"}


def test_a_maker_can_refuse(tmp_path: Path) -> None:
    """A ValueError of a record's maker is a problem at the record."""

    def make(**fields: str) -> None:
        raise ValueError(f"a and b exclude each other: {fields}")

    with pytest.raises(SpecError, match=r"x.yaml:1:6: key: a and b exclude each other"):
        _load(tmp_path, Record(make, optional={"a": Text()}), "{a: x}")


_EVERYTHING: Record[dict[str, Any]] = Record(
    dict,
    required={"name": Text(r"[a-z]+"), "kind": Choice(("build", "fix"))},
    optional={
        "size": Integer(1, 9),
        "on": Flag(),
        "list": ListOf(TextOrInteger(), minimum=1),
        "map": MapOf(TemplateText()),
    },
)


@pytest.mark.parametrize(
    ("value", "is_right"),
    [
        ({"name": "a", "kind": "fix", "size": 3, "on": True, "list": ["x", 1], "map": {"a": "b"}}, True),
        ({"name": "A", "kind": "fix"}, False),
        ({"name": "a", "kind": "other"}, False),
        ({"name": "a"}, False),
        ({"name": "a", "kind": "fix", "size": 10}, False),
        ({"name": "a", "kind": "fix", "list": []}, False),
        ({"name": "a", "kind": "fix", "map": {"A": "b"}}, False),
        ({"name": "a", "kind": "fix", "map": {"a": ""}}, False),
        ({"name": "a", "kind": "fix", "more": 1}, False),
    ],
)
def test_the_schema_judges_as_the_reader_does(tmp_path: Path, value: dict[str, Any], is_right: bool) -> None:
    """A JSON Schema validator and the reader accept and refuse the same files."""
    file = tmp_path / "x.yaml"
    file.write_text(yaml.safe_dump(value))
    validator = jsonschema.Draft202012Validator(_EVERYTHING.schema())
    assert validator.is_valid(value) == is_right
    try:
        load(file, _EVERYTHING)
    except SpecError:
        assert not is_right
    else:
        assert is_right
