"""Measure what proving each lab's contract takes on this machine, and write `PROOFS.md`.

One `lpiclab test` a lab, seen from outside: fresh machines, each solution, reboots, each wrong
solution. The page is written anew after each lab: a run that is interrupted keeps what it has.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common import HERE, LPICLAB, own_home, run, this_machine

from lpiclab import labs
from lpiclab.labs.proved import counts
from lpiclab.model import Lab
from lpiclab.paths import bundled


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What proving one lab took, and how many of its steps held."""

    lab: Lab
    held: int
    broken: int
    took_s: float


def main() -> None:
    """Measure all labs, or those named, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labs", nargs="*", metavar="LAB", help="default: all")
    parser.add_argument("--jobs", type=int, default=2, help="parts side by side")
    parser.add_argument("--whole", action="store_true", help="all reboots, forks and pairs of faults")
    options = parser.parse_args()
    folders = labs.lab_folders([bundled("labs")])
    if unknown := set(options.labs) - set(folders):
        parser.error(f"no lab is called {', '.join(sorted(unknown))}")
    how = [f"--jobs={options.jobs}", *([] if options.whole else ["--quick"])]
    proofs: list[Proof] = []
    with tempfile.TemporaryDirectory(prefix="lpiclab-bench-") as folder:
        environment = own_home(Path(folder))
        for name in options.labs or sorted(folders):
            proofs.append(_proof(labs.load(folders[name]), how, environment))
            (HERE / "PROOFS.md").write_text(_page(proofs, how), encoding="utf-8")
            sys.stdout.write(f"{_row(name, proofs[-1:])}\n")
            sys.stdout.flush()


def _proof(lab: Lab, how: list[str], environment: dict[str, str]) -> Proof:
    """Prove one lab, and show what did not hold."""
    took_s, printed = run([str(LPICLAB), "test", lab.id, *how], environment)
    held, broken = (len(re.findall(f"^{word}  ", printed, re.MULTILINE)) for word in ("proved", "NOT SO"))
    if broken:
        sys.stderr.write(printed)
    return Proof(lab=lab, held=held, broken=broken, took_s=took_s)


def _row(name: str, proofs: Sequence[Proof]) -> str:
    """Return the row of some proofs together."""
    numbers = [
        *counts([proof.lab for proof in proofs]),
        sum(proof.held + proof.broken for proof in proofs),
        sum(proof.held for proof in proofs),
    ]
    return f"| {name} | {' | '.join(map(str, numbers))} | {sum(proof.took_s for proof in proofs):.0f} s |"


def _page(proofs: Sequence[Proof], how: list[str]) -> str:
    table = "\n".join([*(_row(proof.lab.id, [proof]) for proof in proofs), _row("together", proofs)])
    return (
        "# What proving each lab takes\n\n"
        f"{this_machine()}\n\n"
        f"`lpiclab test LAB {' '.join(how)}`, one lab after the other, each once, from start to end. "
        "A step is one grading after a set-up, solution, reboot, fault or wrong solution, "
        "that came out as it should (held) or did not. "
        "The first lab's time holds the template of all. `make bench-proofs` measures again.\n\n"
        "| lab | solutions | mistakes | lies | steps | held | time |\n"
        f"|---|---|---|---|---|---|---|\n{table}\n"
    )


if __name__ == "__main__":
    main()
