"""Find labs and load them; no lab code is run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lpiclab.errors import SpecError, SpecProblem, UsageError
from lpiclab.labs.agreement import text_file, text_problems
from lpiclab.labs.references import reference_problems
from lpiclab.labs.schema import LAB, LAB_ID
from lpiclab.labs.texts import read_lab_text
from lpiclab.model import LANGUAGES, Lab, LabText, Language
from lpiclab.names import nearest
from lpiclab.paths import bundled
from lpiclab.yamlio import Document
from lpiclab.yamlio import load as load_yaml


def load(folder: Path, *, template_roots: Sequence[Path] | None = None) -> Lab:
    """Return the lab in `folder`; its id is the folder's name.

    Args:
        folder: Where `lab.yaml` is.
        template_roots: Folders of shared templates, the bundled one when it is None.

    Raises:
        SpecError: `lab.yaml` is wrong; holds every problem.
    """
    return load_document(folder, template_roots=template_roots).value


def load_document(folder: Path, *, template_roots: Sequence[Path] | None = None) -> Document[Lab]:
    """Return the lab in `folder` with the places of everything in its `lab.yaml`.

    Raises:
        SpecError: as `load`.
    """
    folder = folder.absolute()
    roots = [bundled("templates")] if template_roots is None else template_roots
    fields = load_yaml(folder / "lab.yaml", LAB)
    lab = Lab(id=folder.name, folder=folder, **fields.value)
    problems = reference_problems(lab, fields.source, roots)
    if not re.fullmatch(LAB_ID, lab.id):
        problems.append(
            SpecProblem(folder, 0, 0, "a lab's folder is named in lower-case letters, digits and hyphens")
        )
    if problems:
        raise SpecError(problems)
    return Document(lab, fields.source)


def load_texts(lab: Lab) -> Mapping[Language, LabText]:
    """Return the lab's words in each language, as templates.

    Raises:
        SpecError: a text is missing, wrong, or does not agree with the lab or the other language.
    """
    texts: dict[Language, LabText] = {}
    problems: list[SpecProblem] = []
    for language in LANGUAGES:
        try:
            texts[language] = read_lab_text(text_file(lab.folder, language), language)
        except SpecError as error:
            problems += error.problems
    problems += text_problems(lab, texts)
    if problems:
        raise SpecError(problems)
    return texts


def lab_folders(roots: Iterable[Path]) -> Mapping[str, Path]:
    """Return the folder of each lab by its id, sorted; an earlier root hides a later one's labs."""
    folders: dict[str, Path] = {}
    for root in roots:
        for file in root.glob("*/lab.yaml"):
            folders.setdefault(file.parent.name, file.parent)
    return dict(sorted(folders.items()))


def list_labs(roots: Iterable[Path]) -> tuple[Lab, ...]:
    """Return every lab in `roots`, sorted by id.

    Raises:
        SpecError: labs are wrong; holds every problem of all of them. `lab_folders` and `load`
            show the sound ones.
    """
    labs: list[Lab] = []
    problems: list[SpecProblem] = []
    for folder in lab_folders(roots).values():
        try:
            labs.append(load(folder))
        except SpecError as error:
            problems += error.problems
    if problems:
        raise SpecError(problems)
    return tuple(labs)


def find_lab(name: str, roots: Iterable[Path]) -> Path:
    """Return the folder of the lab with id `name`.

    Raises:
        UsageError: there is none; the hint has the nearest id.
    """
    folders = lab_folders(roots)
    if name not in folders:
        raise UsageError(f'there is no lab "{name}"', hint=nearest(name, folders))
    return folders[name]
