"""Every lab's files are right for every distribution of its families."""

from __future__ import annotations

import pytest

from lpiclab import catalog, labs
from lpiclab.paths import bundled

FOLDERS = labs.lab_folders([bundled("labs")])
PAIRS = [
    (lab, distro.id)
    for lab, folder in FOLDERS.items()
    for distro in catalog.load_distros().values()
    if distro.family in labs.load(folder).families
]


@pytest.mark.parametrize(("lab", "distro"), PAIRS)
def test_lab_is_right_and_renders(lab: str, distro: str) -> None:
    """A lab's files have no problem and render for the distribution."""
    assert not labs.lint(FOLDERS[lab], catalog.find_distro(distro))
