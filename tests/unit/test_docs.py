"""The documents say what is so: their commands, their example lab, their list of labs, their links."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from lpiclab import labs
from lpiclab.cli.app import app
from lpiclab.labs.proved import proof_page
from lpiclab.paths import bundled

_ROOT = Path(__file__).parents[2]
_DOCUMENTS = [_ROOT / "README.md", _ROOT / "README.ja.md", *sorted((_ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"`(lpiclab [a-z][^`\n]*)`")


def _commands() -> list[tuple[str, str]]:
    found = []
    for document in _DOCUMENTS:
        text = document.read_text()
        typed = [
            line[2:]
            for kind, block in _BLOCK.findall(text)
            if kind == "console"
            for line in block.splitlines()
            if line.startswith("$ lpiclab ")
        ]
        named = _COMMAND.findall(_BLOCK.sub("", text))
        found += [(document.name, line) for line in [*typed, *named] if "…" not in line]
    return found


@pytest.mark.parametrize(("document", "line"), sorted(set(_commands())))
def test_command_exists(document: str, line: str) -> None:
    """Every command that is shown is understood, with its options."""
    assert document
    command = typer.main.get_command(app)
    words = shlex.split(line.partition(" > ")[0])
    name = words.pop(0)
    while words and (inner := getattr(command, "commands", {}).get(words[0])):
        command, name = inner, words.pop(0)
    if not words or words == ["COMMAND", "--help"]:
        return  # only its name was given, as in a sentence
    assert not hasattr(command, "commands"), f"no command {words[0]}"
    command.make_context(name, words)


@pytest.mark.parametrize("document", _DOCUMENTS, ids=lambda document: document.name)
def test_links_lead_somewhere(document: Path) -> None:
    """Every link into the repository has its target."""
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)[^)]*\)", document.read_text()):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", _DOCUMENTS[:2], ids=lambda document: document.name)
def test_every_lab_is_listed(document: Path) -> None:
    """The table of labs has each bundled lab."""
    listed = re.findall(r"^\| `([a-z0-9-]+)` \| \d{3}", document.read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(labs.lab_folders([bundled("labs")]))


def test_example_lab_is_the_one_that_lab_new_makes() -> None:
    """The authors' guide shows each file of the lab that authors begin with, as it is."""
    text = (_ROOT / "docs" / "author.md").read_text().partition("## From the first line")[0]
    shown = {block for kind, block in _BLOCK.findall(text) if kind != "console"}
    files = [file for file in (bundled("templates") / "lab").rglob("*") if file.is_file()]
    assert shown == {file.read_text() for file in files}
    assert len(shown) == len(files)


def test_proofs_are_those_of_the_labs() -> None:
    """The page of proofs is what `make docs` writes."""
    page = proof_page(labs.list_labs([bundled("labs")]))
    assert (_ROOT / "docs" / "proof.md").read_text() == page
