"""The catalogue of distributions: one YAML file each in `lpiclab/distros`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lpiclab import yamlio
from lpiclab.errors import SpecError, SpecProblem, UsageError
from lpiclab.hardware import ARCHITECTURES, PROCESSORS
from lpiclab.model import Bootstrap, Cloud, CloudDisk, Distro, PublicBox
from lpiclab.names import nearest
from lpiclab.paths import Home
from lpiclab.shapes import Choice, Converted, Integer, ListOf, MapOf, Record, Text

DISTROS = Path(__file__).resolve().parent / "distros"
FAMILIES = ("debian", "el")

_PACKAGE = Text(r"[a-zA-Z0-9][a-zA-Z0-9+._-]+", "the name of a package")
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

_DIGITS = {"sha256": 64, "sha512": 128}


def _url(url: str) -> str:
    if "latest" in url or "current" in url:
        raise ValueError("expected the URL of one release: what `latest` is changes, and its digest with it")
    return url


def _digest(digest: str) -> str:
    name, _, digits = digest.partition(":")
    if not re.fullmatch(r"[0-9a-f]*", digits) or len(digits) != _DIGITS.get(name):
        raise ValueError('expected a digest: "sha256:" and 64 hexadecimal digits, or "sha512:" and 128')
    return digest


_DISK = Record(
    CloudDisk,
    required={
        "url": Converted(Text(r"https?://[^\s/]+/\S+[^/\s]", "an http or https URL of a file"), _url),
        "digest": Converted(Text(), _digest),
    },
    optional={"format": Choice(("qcow2", "raw")), "size_bytes": Integer(minimum=1)},
)
_CLOUD = Record(
    Cloud,
    required={
        "disks": MapOf(_DISK, key="|".join(ARCHITECTURES)),
        "packages": ListOf(_PACKAGE, minimum=1),
    },
    optional={"repositories": ListOf(Text(r"[a-z][a-z0-9-]*", "the name of a repository"))},
)


def load_distros(folder: Path | None = None) -> Mapping[str, Distro]:
    """Return the distributions by id, in the order of their ids: those of `folder`, if one is given.

    Without it they are the bundled ones and the user's own, which come first where both have an id.

    Raises:
        SpecError: a file is wrong; holds the problems of all files.
    """
    distros: dict[str, Distro] = {}
    problems: list[SpecProblem] = []
    for name, file in sorted(_files(folder).items()):
        try:
            distros[name] = yamlio.load(file, _shape(name)).value
        except SpecError as error:
            problems.extend(error.problems)
    if problems:
        raise SpecError(problems)
    return distros


def find_distro(name: str, folder: Path | None = None) -> Distro:
    """Return the distribution called `name`.

    Raises:
        UsageError: there is none; the hint is the nearest name.
        SpecError: its file is wrong.
    """
    files = _files(folder)
    if name not in files:
        raise UsageError(f'no distribution is called "{name}"', hint=nearest(name, files))
    return yamlio.load(files[name], _shape(name)).value


def _files(folder: Path | None) -> Mapping[str, Path]:
    folders = [folder] if folder else [DISTROS, Home.from_environment().distros]
    return {file.stem: file for each in folders for file in each.glob("*.yaml")}


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
            "services": MapOf(Text(r"[a-zA-Z][a-zA-Z0-9@._-]*", "the name of a service")),
            "paths": MapOf(Text(r"/[A-Za-z0-9._/-]+", "an absolute path")),
        },
        optional={
            "bootstrap": _BOOTSTRAP,
            "box": _BOX,
            "cloud": _CLOUD,
            "processor": Choice(PROCESSORS),
            "absent": MapOf(Text()),
            "users": MapOf(Text(r"[a-z_][a-z0-9_-]*", "the name of a user")),
        },
    )


def _distro(*, schema: int, **values: Any) -> Distro:
    del schema
    both = sorted(values["services"].keys() & values.get("absent", {}).keys())
    if both:
        raise ValueError(f"{', '.join(both)} can't be in services and absent")
    return Distro(**values)
