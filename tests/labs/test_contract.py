"""Every lab keeps its contract on real machines."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from lpiclab import catalog, labs
from lpiclab.engine.context import DEFAULT_DISTRO
from lpiclab.paths import Home, bundled

FOLDERS = labs.lab_folders([bundled("labs")])
WHOLE = ("dns-tsig", "raid1", "lvm")
"""Labs whose wrong solutions are proved each time. All of every lab takes hours: `make test-labs`."""

ALSO = [("openldap", "debian-12"), ("raid1", "debian-12")]
"""Solved on another distribution too: a lab whose server is set up otherwise there, and a small one."""


def _pairs() -> list[tuple[str, str]]:
    """Return each lab with the default distribution and a few others, or with ``LPICLAB_DISTRO`` only.

    Those that take longest come first: no processor idles while the last one is proved. Two that need an
    image which is not there yet are not side by side: one of them would wait.
    """
    distro = catalog.find_distro(os.environ.get("LPICLAB_DISTRO") or DEFAULT_DISTRO)
    covering = [
        (lab, distro.id)
        for lab in sorted(FOLDERS, key=lambda lab: (lab not in WHOLE, lab))
        if distro.family in labs.load(FOLDERS[lab]).families
    ]
    if not covering:
        raise pytest.UsageError(
            f"no lab covers the family {distro.family} of {distro.id}: nothing was proved"
        )
    return covering if "LPICLAB_DISTRO" in os.environ else [ALSO[0], *covering, *ALSO[1:]]


def _how(lab: str, distro: str) -> list[str]:
    """Return how much of a lab is proved: with LPICLAB_PROVE_ALL in the environment, all of it."""
    if os.environ.get("LPICLAB_PROVE_ALL"):
        return []
    whole = lab in WHOLE and (lab, distro) not in ALSO
    return ["--quick"] if whole else ["--quick", "--only", "brief"]


@pytest.mark.vm
@pytest.mark.parametrize(("lab", "distro"), _pairs())
def test_lab_keeps_its_contract(
    lab: str, distro: str, imageless_home: Home, record_property: Callable[[str, object], None]
) -> None:
    """Nothing passes fresh, all passes solved; of some, all that the contract asks is proved each time."""
    done = subprocess.run(
        [sys.executable, "-m", "lpiclab", "test", lab, "--distro", distro, *_how(lab, distro)],
        env={**os.environ, "LPICLAB_HOME": str(imageless_home.images.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # How many steps, and how long they took: a run of these tests is where that is measured.
    record_property("proof", f"{lab}, {distro}: {done.stderr.strip().rpartition(chr(10))[2]}")
