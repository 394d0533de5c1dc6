"""Every lab keeps its contract on real machines."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from lpiclab import catalog, labs
from lpiclab.engine.context import DEFAULT_DISTRO
from lpiclab.families import of_family
from lpiclab.paths import bundled

if TYPE_CHECKING:
    from tests.labs.conftest import Proofs

FOLDERS = labs.lab_folders([bundled("labs")])
WHOLE = ("dns-tsig", "lvm", "raid1")
"""Labs whose wrong solutions are proved each time. All of every lab takes hours: `make test-labs`."""

ALSO = [("raid1", "debian-12")]


def _pairs() -> list[tuple[str, str]]:
    """Return each lab with the default distribution and a few others, or with ``LPICLAB_DISTRO`` only."""
    distro = catalog.find_distro(os.environ.get("LPICLAB_DISTRO") or DEFAULT_DISTRO)
    covering = [
        (lab, distro.id) for lab in sorted(FOLDERS) if distro.family in labs.load(FOLDERS[lab]).families
    ]
    if not covering:
        raise pytest.UsageError(
            f"no lab covers the family {distro.family} of {distro.id}: nothing was proved"
        )
    return covering if "LPICLAB_DISTRO" in os.environ else [*covering, *ALSO]


def _words(lab: str, distro: str) -> tuple[str, ...]:
    """Return how much of a lab is proved: with LPICLAB_PROVE_ALL in the environment, all of it."""
    words = (lab, "--distro", distro)
    if os.environ.get("LPICLAB_PROVE_ALL"):
        return words
    if lab in WHOLE:
        return (*words, "--quick")
    family = catalog.find_distro(distro).family
    reference = of_family(labs.load(FOLDERS[lab]), family).solutions[0].id
    return (*words, "--quick", "--only", "fresh", "--only", reference)


# The longest first: no processor idles while the last one is proved.
PROOFS = [_words(*pair) for pair in sorted(_pairs(), key=lambda pair: pair[0] not in WHOLE)]


@pytest.mark.vm
@pytest.mark.parametrize("words", PROOFS, ids=lambda words: f"{words[0]}-{words[2]}")
def test_lab_keeps_its_contract(
    words: tuple[str, ...], proofs: Proofs, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing passes fresh, all passes solved and rebooted; each wrong solution fails its tasks."""
    done = proofs.done(*words)
    with capsys.disabled():
        # How many steps, and how long they took: a run of these tests is where that is measured.
        verdict = done.stderr.strip().rpartition("\n")[2]
        print(f"\n{words[0]}, {words[2]}: {verdict}")  # noqa: T201 - said above
    assert done.returncode == 0, done.stdout + done.stderr
