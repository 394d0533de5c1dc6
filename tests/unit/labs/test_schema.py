"""`lpiclab.labs.schema`: what editors are told of lab.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from lpiclab.labs.schema import LAB, json_schema
from lpiclab.yamlio import load


@pytest.fixture
def lab(web_folder: Path) -> dict[str, Any]:
    """Return the plain data of the lab `web`."""
    data: dict[str, Any] = yaml.safe_load((web_folder / "lab.yaml").read_text())
    return data


def test_the_schema_is_valid_and_accepts_the_example(lab: dict[str, Any]) -> None:
    """The schema keeps to draft 2020-12, and a lab that loads fits it."""
    jsonschema.Draft202012Validator.check_schema(json_schema())
    jsonschema.validate(lab, json_schema())


def test_the_example_in_the_documentation_is_right(tmp_path: Path) -> None:
    """An author who copies the documented lab.yaml gets one that the loader and the schema accept."""
    page = (Path(__file__).parents[3] / "docs" / "architecture.md").read_text()
    example = page.partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "lab.yaml").write_text(example)
    jsonschema.validate(yaml.safe_load(example), json_schema())
    assert load(tmp_path / "lab.yaml", LAB).value["minutes"] == 45


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("minutes",), "long"),
        (("machines", 0, "memory_mib"), 32),
        (("machines", 0, "memori_mib"), 512),
        (("files", 0, "mode"), 0o640),
        (("tasks", 0, "id"), "No Id"),
        (("mutants", 0, "start"), "solved"),
        (("parameters", "zone", "patern"), "#"),
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(
    lab: dict[str, Any], path: tuple[str | int, ...], value: object
) -> None:
    """Wrong types, bounds, words and keys are marked in the editor already."""
    target: Any = lab
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    assert not jsonschema.Draft202012Validator(json_schema()).is_valid(lab)
