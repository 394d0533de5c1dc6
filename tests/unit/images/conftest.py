"""A small image that is sound, and what it was made from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lpiclab.images.cloudrecipe import CloudRecipe
from lpiclab.images.manifest import FILES, Manifest, write_manifest
from lpiclab.images.recipe import Recipe
from lpiclab.integrity import FileFacts

FillFolder = Callable[[Path, str], Path]


@pytest.fixture
def fill_folder() -> FillFolder:
    """Return a function that makes a folder a sound image with a digest."""

    def fill(folder: Path, digest: str) -> Path:
        folder.mkdir(parents=True)
        for name in FILES:
            (folder / name).write_text(f"the {name}\n")
        manifest = Manifest(
            distro="debian-13",
            digest=digest,
            created="2026-01-02T03:04:05+00:00",
            command_line="root=/dev/sda",
            kernel_version="6.12",
            files={name: FileFacts.of(folder / name) for name in FILES},
            packages={"bash": "5.2"},
        )
        write_manifest(folder, manifest)
        return folder

    return fill


@pytest.fixture
def build_small(fill_folder: FillFolder) -> Callable[..., Path]:
    """Return what stands for `builder.build_folder`: it makes a small image at once."""

    def build(recipe: Recipe | CloudRecipe, part: Path, **_words: object) -> Path:
        return fill_folder(part / "image", recipe.digest)

    return build
