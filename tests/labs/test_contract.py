"""Every lab keeps its contract on real machines."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from lpiclab import catalog, images, labs
from lpiclab.engine.context import DEFAULT_DISTRO
from lpiclab.families import of_family
from lpiclab.paths import Home, bundled

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


PAIRS = _pairs()
Proof = Callable[[str, str], "subprocess.CompletedProcess[str]"]


def _how(lab: str, distro: str) -> list[str]:
    """Return how much of a lab is proved: with LPICLAB_PROVE_ALL in the environment, all of it."""
    if os.environ.get("LPICLAB_PROVE_ALL"):
        return []
    if lab in WHOLE:
        return ["--quick"]
    family = catalog.find_distro(distro).family
    reference = of_family(labs.load(FOLDERS[lab]), family).solutions[0].id
    return ["--quick", "--only", "fresh", "--only", reference]


@pytest.fixture(scope="session")
def proof(vm_home: Home, request: pytest.FixtureRequest) -> Iterator[Proof]:
    """Return what gives a lab's proof; those of all tests to come are made side by side."""

    def prove(lab: str, distro: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "lpiclab", "test", lab, "--distro", distro, *_how(lab, distro)],
            env={**os.environ, "LPICLAB_HOME": str(vm_home.images.parent)},
            capture_output=True,
            text=True,
            check=False,
        )

    wanted = [
        (str(item.callspec.params["lab"]), str(item.callspec.params["distro"]))
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname == test_lab_keeps_its_contract.__name__
    ]
    for distro in {distro for _, distro in wanted}:
        images.ensure(catalog.find_distro(distro), vm_home, print)
    # The longest first: no processor idles while the last one is proved.
    wanted.sort(key=lambda pair: pair[0] not in WHOLE)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        made: dict[tuple[str, str], Future[subprocess.CompletedProcess[str]]] = {
            pair: pool.submit(prove, *pair) for pair in wanted
        }
        yield lambda lab, distro: made[lab, distro].result()


@pytest.mark.vm
@pytest.mark.parametrize(("lab", "distro"), PAIRS)
def test_lab_keeps_its_contract(
    lab: str, distro: str, proof: Proof, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing passes fresh, all passes solved and rebooted; each wrong solution fails its tasks."""
    done = proof(lab, distro)
    with capsys.disabled():
        # How many steps, and how long they took: a run of these tests is where that is measured.
        print(f"\n{lab}, {distro}: {done.stderr.strip().rpartition(chr(10))[2]}")  # noqa: T201 - said above
    assert done.returncode == 0, done.stdout + done.stderr
