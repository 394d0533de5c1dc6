"""Measure what proving each lab's contract takes on this machine, and write `PROOFS.md`.

One `lpiclab test` a lab, seen from outside: fresh machines, each solution, reboots, each wrong
solution. The page is written anew after each lab: a run that is interrupted keeps what it has.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from common import HERE, LPICLAB, own_home, this_machine

from lpiclab import labs
from lpiclab.labs.proved import LIE
from lpiclab.model import Lab
from lpiclab.paths import bundled

HELD, BROKEN = "proved  ", "NOT SO  "


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What proving one lab took, and how many of its steps held."""

    lab: Lab
    held: int
    broken: int
    took_s: float

    @property
    def counts(self) -> tuple[int, ...]:
        """Return how many solutions, mistakes, lies, steps and held steps there are."""
        lies = sum(mutant.id.startswith(LIE) for mutant in self.lab.mutants)
        mistakes = len(self.lab.mutants) - lies
        return len(self.lab.solutions), mistakes, lies, self.held + self.broken, self.held


def main() -> None:
    """Measure all labs, or those named, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labs", nargs="*", metavar="LAB", help="default: all")
    parser.add_argument("--jobs", type=int, default=2, help="parts side by side")
    parser.add_argument("--whole", action="store_true", help="all reboots, forks and pairs of faults")
    options = parser.parse_args()
    how = [f"--jobs={options.jobs}", *([] if options.whole else ["--quick"])]
    proofs: list[Proof] = []
    with tempfile.TemporaryDirectory(prefix="lpiclab-bench-") as folder:
        environment = {**os.environ, **own_home(Path(folder))}
        for lab in labs.list_labs([bundled("labs")]):
            if not options.labs or lab.id in options.labs:
                proofs.append(_proof(lab, how, environment))
                (HERE / "PROOFS.md").write_text(_page(proofs, how), encoding="utf-8")
                sys.stdout.write(f"{_row(lab.id, proofs[-1].counts, proofs[-1].took_s)}\n")
                sys.stdout.flush()


def _proof(lab: Lab, how: list[str], environment: dict[str, str]) -> Proof:
    """Prove one lab; an end of the command that is neither `holds` nor `broken` ends us."""
    began_s = time.monotonic()
    argv = [str(LPICLAB), "test", lab.id, *how]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    took_s = time.monotonic() - began_s
    if done.returncode not in {0, 1}:
        sys.exit(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stderr}")
    lines = done.stdout.splitlines()
    if done.returncode:
        sys.stderr.write(done.stdout)  # why steps did not hold
    return Proof(
        lab=lab,
        held=sum(line.startswith(HELD) for line in lines),
        broken=sum(line.startswith(BROKEN) for line in lines),
        took_s=took_s,
    )


def _row(name: str, counts: tuple[int, ...], took_s: float) -> str:
    return f"| {name} | {' | '.join(map(str, counts))} | {took_s:.0f} s |"


def _page(proofs: list[Proof], how: list[str]) -> str:
    rows = [_row(proof.lab.id, proof.counts, proof.took_s) for proof in proofs]
    sums = tuple(sum(column) for column in zip(*(proof.counts for proof in proofs), strict=True))
    rows.append(_row("together", sums, sum(proof.took_s for proof in proofs)))
    table = "\n".join(rows)
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
