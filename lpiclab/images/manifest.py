"""The manifest of an image folder: what its files have to be."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from lpiclab.errors import ImageError
from lpiclab.files import write_private
from lpiclab.integrity import FileFacts
from lpiclab.model import X86_64, X86_64_V2, Image

FILES = ("disk.qcow2", "vmlinux", "initrd")
_NAME = "manifest.json"


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An image's own description; `packages` maps names to versions, `created` is in UTC.

    `architecture` and `processor` are written only where they are not those of `Image` anyway.
    """

    schema: Literal[1] = 1
    distro: str
    digest: str
    created: str
    command_line: str
    kernel_version: str
    files: Mapping[str, FileFacts]
    packages: Mapping[str, str]
    architecture: str | msgspec.UnsetType = msgspec.UNSET
    processor: str | msgspec.UnsetType = msgspec.UNSET

    @classmethod
    def begin(
        cls,
        *,
        distro: str,
        digest: str,
        command_line: str,
        kernel_version: str,
        packages: Mapping[str, str],
        architecture: str = X86_64,
        processor: str = X86_64_V2,
    ) -> Manifest:
        """Return the manifest of an image made just now; `seal` adds the files."""
        return cls(
            distro=distro,
            digest=digest,
            created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            command_line=command_line,
            kernel_version=kernel_version,
            files={},
            packages=packages,
            architecture=msgspec.UNSET if architecture == X86_64 else architecture,
            processor=msgspec.UNSET if processor == X86_64_V2 else processor,
        )

    def image(self, folder: Path) -> Image:
        """Return the image that this manifest describes in `folder`."""
        return Image(
            distro=self.distro,
            digest=self.digest,
            folder=folder,
            command_line=self.command_line,
            architecture=self.architecture or X86_64,
            processor=self.processor or X86_64_V2,
        )


def seal(folder: Path, manifest: Manifest) -> None:
    """Make an image's files read-only and durable, and write its manifest with what they are."""
    for name in FILES:
        file = folder / name
        file.chmod(0o400)
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
    files = {name: FileFacts.of(folder / name) for name in FILES}
    write_manifest(folder, msgspec.structs.replace(manifest, files=files))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of `folder`, durably."""
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    write_private(folder / _NAME, content + b"\n")


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of `folder`.

    Raises:
        ImageError: it is absent or damaged.
    """
    file = folder / _NAME
    try:
        manifest = msgspec.json.decode(file.read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise _damaged(file, str(error), folder.name) from error
    if set(manifest.files) != set(FILES):
        raise _damaged(file, "it does not list the image's files", manifest.distro)
    return manifest


def verify(folder: Path, *, thorough: bool = False) -> Manifest:
    """Check an image's files against its manifest, and return that.

    A file whose size and date are as recorded is believed; a file with another date is read as a
    whole (2 GB take some seconds), and its date noted when it proves right. `thorough` reads all.

    Raises:
        ImageError: a file is absent, cut short or changed; the message names it.
    """
    manifest = read_manifest(folder)
    facts = {name: _check(folder / name, manifest, thorough=thorough) for name in FILES}
    if facts != dict(manifest.files):
        manifest = msgspec.structs.replace(manifest, files=facts)
        write_manifest(folder, manifest)
    return manifest


def _check(file: Path, manifest: Manifest, *, thorough: bool) -> FileFacts:
    try:
        return manifest.files[file.name].require(file, thorough=thorough)
    except ValueError as error:
        raise _damaged(file, str(error), manifest.distro) from error
    except OSError as error:
        raise _damaged(file, error.strerror or str(error), manifest.distro) from error


def _damaged(file: Path, reason: str, distro: str) -> ImageError:
    return ImageError(
        f"the image file {file} is damaged: {reason}", hint=f"`lpiclab image build {distro}` builds it again"
    )
