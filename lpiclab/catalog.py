"""The catalogue of distributions: one YAML file each in `lpiclab/distros`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lpiclab import yamlio
from lpiclab.errors import SpecError, SpecProblem, UsageError
from lpiclab.model import Bootstrap, Distro, PublicBox
from lpiclab.names import nearest
from lpiclab.shapes import Choice, Integer, ListOf, MapOf, Record, Text

DISTROS = Path(__file__).resolve().parent / "distros"
FAMILIES = ("debian", "el")

_PACKAGE = Text(r"[a-z0-9][a-z0-9+.-]+", "the name of a package")
_SUITE = Text(r"[a-z][a-z0-9./-]*", "the name of an archive suite")
_BOOTSTRAP = Record(
    Bootstrap,
    required={
        "suites": ListOf(_SUITE, minimum=1),
        "security_suites": ListOf(_SUITE),
        "keyring": Text(r"[a-z0-9][a-z0-9.-]+\.(gpg|pgp)", "the file name of a keyring"),
        "packages": ListOf(_PACKAGE, minimum=1),
    },
)
_BOX = Record(
    PublicBox,
    required={"name": Text(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+", "the name of a box, OWNER/NAME")},
    optional={"version": Text(r"[0-9][0-9.]*", "a version")},
)


def load_distros(folder: Path | None = None) -> Mapping[str, Distro]:
    """Return the distributions of `folder` (the bundled ones) by id, in the order of their ids.

    Raises:
        SpecError: a file is wrong; holds the problems of all files.
    """
    distros: dict[str, Distro] = {}
    problems: list[SpecProblem] = []
    for file in sorted((folder or DISTROS).glob("*.yaml")):
        try:
            distros[file.stem] = yamlio.load(file, _shape(file.stem)).value
        except SpecError as error:
            problems.extend(error.problems)
    if problems:
        raise SpecError(problems)
    return distros


def find_distro(name: str, folder: Path | None = None) -> Distro:
    """Return the distribution called `name`.

    Raises:
        UsageError: there is none; the hint is the nearest name.
        SpecError: a file of the catalogue is wrong.
    """
    distros = load_distros(folder)
    try:
        return distros[name]
    except KeyError:
        raise UsageError(f'no distribution is called "{name}"', hint=nearest(name, distros)) from None


def _shape(identifier: str) -> Record[Distro]:
    """Return the shape of a file: its `id` has to be its name, so that one is found by the other."""
    return Record(
        _distro,
        required={
            "schema": Integer(minimum=1, maximum=1),
            "id": Choice((identifier,)),
            "title": Text(),
            "family": Choice(FAMILIES),
            "version": Text(r"[0-9]+(\.[0-9]+)*", "a version"),
            "support_end": Text(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "a date such as 2028-08-09"),
            "services": MapOf(Text(r"[a-z][a-z0-9@._-]*", "the name of a service")),
            "paths": MapOf(Text(r"/[A-Za-z0-9._/-]+", "an absolute path")),
        },
        optional={"bootstrap": _BOOTSTRAP, "box": _BOX},
    )


def _distro(*, schema: int, **values: object) -> Distro:
    del schema
    return Distro(**values)  # type: ignore[arg-type] # the shape has checked them
