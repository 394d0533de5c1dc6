"""Every lab keeps its contract on real machines."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from lpiclab import labs
from lpiclab.engine.context import DEFAULT_DISTRO
from lpiclab.paths import Home, bundled

LABS = sorted(labs.lab_folders([bundled("labs")]))
ALSO = [("raid1", "debian-12")]


@pytest.mark.vm
@pytest.mark.parametrize(("lab", "distro"), [*((lab, DEFAULT_DISTRO) for lab in LABS), *ALSO])
def test_lab_keeps_its_contract(lab: str, distro: str, vm_home: Home) -> None:
    """Nothing passes fresh, all passes solved and rebooted, each wrong solution fails its tasks."""
    done = subprocess.run(
        [sys.executable, "-m", "lpiclab", "test", lab, "--distro", distro],
        env={**os.environ, "LPICLAB_HOME": str(vm_home.images.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
