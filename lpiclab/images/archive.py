"""Find the Debian archive that this host's apt is set up with.

Both formats of sources.list(5) are read: one-line lists and deb822 ``.sources`` files.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lpiclab import proc
from lpiclab.errors import ImageError, MissingTool
from lpiclab.wait import Deadline

APT = Path("/etc/apt")
_KEYRING_FOLDERS = (Path("/usr/share/keyrings"), APT / "trusted.gpg.d")
_RELEASES = r"bullseye|bookworm|trixie|forky|duke|sid|(old){0,2}stable|testing|unstable"
_MAIN_SUITE = re.compile(rf"({_RELEASES})(-updates|-backports)?")
_SECURITY_SUITE = re.compile(rf"({_RELEASES})(-security|/updates)")
_SCHEMES = re.compile(r"(mirror\+)?(https?|file|copy):")
_ONE_LINE = re.compile(
    r"deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)(?P<components>.*)"
)


@dataclass(frozen=True, slots=True)
class Archive:
    """The URIs of a Debian archive and of its security archive; the latter may be absent."""

    main: str
    security: str


@dataclass(frozen=True, slots=True)
class _Source:
    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str


def host_archive(apt: Path = APT) -> Archive:
    """Return the archive of the apt configuration in `apt`.

    Other archives may have Debian's suite names, too: those signed by Debian's own keyring come
    first, then those whose path ends as Debian's does.

    Raises:
        ImageError: apt has no Debian archive.
    """
    sources = list(_sources(apt))
    main = _best(sources, _MAIN_SUITE, "/debian")
    if not main:
        raise ImageError(
            f"no Debian archive in {apt / 'sources.list'} and {apt / 'sources.list.d'}",
            hint="add a source such as `deb URI trixie main`, see sources.list(5)",
        )
    return Archive(main, _best(sources, _SECURITY_SUITE, "/debian-security"))


def host_proxies(*, deadline: Deadline) -> Mapping[str, str]:
    """Return the variables that make apt elsewhere use the proxies of this host's apt.

    `apt-config shell` prints an assignment for each name that is configured, see apt-config(8).
    """
    names = ["http_proxy", "Acquire::http::Proxy", "https_proxy", "Acquire::https::Proxy"]
    lines = shlex.split(proc.run(["apt-config", "shell", *names], deadline=deadline).decode())
    return {name: value for name, _, value in (line.partition("=") for line in lines) if value != "DIRECT"}


def find_keyring(name: str, folders: Iterable[Path] = _KEYRING_FOLDERS) -> Path:
    """Return the keyring file `name` of this host.

    Raises:
        MissingTool: it is not installed.
    """
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise MissingTool(f"the keyring {name} is not installed", hint="apt-get install debian-archive-keyring")


def _best(sources: Iterable[_Source], suite: re.Pattern[str], path_end: str) -> str:
    fitting = [
        source
        for source in sources
        if suite.fullmatch(source.suite) and "main" in source.components and _SCHEMES.match(source.uri)
    ]
    fitting.sort(
        key=lambda source: ("debian-archive" not in source.signed_by, not source.uri.endswith(path_end))
    )
    return fitting[0].uri if fitting else ""


def _sources(apt: Path) -> Iterator[_Source]:
    folder = apt / "sources.list.d"
    for file in [apt / "sources.list", *sorted(folder.glob("*.list")), *sorted(folder.glob("*.sources"))]:
        if file.is_file():
            text = file.read_text(errors="replace")
            yield from _deb822(text) if file.suffix == ".sources" else _one_line(text)


def _one_line(text: str) -> Iterator[_Source]:
    for line in text.splitlines():
        if match := _ONE_LINE.match(line.partition("#")[0].strip()):
            yield _Source(
                match["uri"].rstrip("/"),
                match["suite"],
                tuple(match["components"].split()),
                match["options"] or "",
            )


def _deb822(text: str) -> Iterator[_Source]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for stanza in re.split(r"\n[ \t]*\n", "\n".join(lines)):
        fields = {
            match["name"].lower(): match["value"]
            for match in re.finditer(
                r"^(?P<name>[A-Za-z-]+):(?P<value>.*(?:\n[ \t].*)*)", stanza, re.MULTILINE
            )
        }
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "").strip() == "no":
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                components = tuple(fields.get("components", "").split())
                yield _Source(uri.rstrip("/"), suite, components, fields.get("signed-by", ""))
