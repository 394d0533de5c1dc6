"""Measure what grading each lab takes on this machine, and write `LABS.md`.

Whole processes, seen from outside: each lab is brought up, solved by its reference solution, and
graded. Compare figures of one run only.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from common import HERE, LPICLAB, median, own_home, run_s, this_machine

from lpiclab import labs
from lpiclab.paths import bundled


def main() -> None:
    """Measure all labs, or those named, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labs", nargs="*", metavar="LAB", help="default: all")
    parser.add_argument("--runs", type=int, default=3, help="runs of each quick check")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lpiclab-bench-") as folder:
        environment = own_home(Path(folder))
        wanted = options.labs or sorted(labs.lab_folders([bundled("labs")]))
        try:
            rows = [_row(lab, environment, options.runs) for lab in wanted]
        finally:
            run_s([str(LPICLAB), "down", "--all"], environment)
    (HERE / "LABS.md").write_text(_page(rows, options.runs), encoding="utf-8")
    sys.stdout.write((HERE / "LABS.md").read_text(encoding="utf-8"))


def _row(lab: str, environment: dict[str, str], runs: int) -> str:
    """Return the row of one lab, which is gone afterwards."""

    def call(*words: str) -> float:
        return run_s([str(LPICLAB), *words], environment)

    first_s, solve_s = call("up", lab), call("solve", lab)
    call("check", "--quick", lab)  # the first one keeps what turned green, and warms up
    quick = median([call("check", "--quick", lab) for _ in range(runs)])
    whole_s = call("check", lab)
    call("down", lab)
    again_s = call("up", lab)
    call("down", lab)
    return f"| {lab} | {first_s:.1f} s | {again_s:.1f} s | {solve_s:.1f} s | {quick} | {whole_s:.1f} s |"


def _page(rows: list[str], runs: int) -> str:
    table = "\n".join(rows)
    quick = (
        f"quick checks are medians (smallest to largest) of {runs}, all else 1 run"
        if runs > 1
        else "1 run of each"
    )
    return (
        "# What grading each lab takes\n\n"
        f"{this_machine()}\n\n"
        f"Whole processes from start to end; {quick}. "
        "The first lab's first `up` makes the template of all. `make bench-labs` measures again.\n\n"
        "| lab | first `up` | `up` again | `solve` | `check --quick`, solved | `check`, with forks |\n"
        f"|---|---|---|---|---|---|\n{table}\n"
    )


if __name__ == "__main__":
    main()
