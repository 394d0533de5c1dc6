"""Measure lpiclab on this machine and write `RESULTS.md`.

Whole processes, seen from outside; medians. Compare figures of one run only: another machine, or
the same one at another hour, gives others.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from lpiclab.paths import Home

HERE = Path(__file__).resolve().parent
LPICLAB = Path(sys.executable).with_name("lpiclab")
COLD_RUNS = 3
SHORT_S = 10


def main() -> None:
    """Measure what was asked for and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs of each short command")
    parser.add_argument("--build", action="store_true", help="build the default image anew, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lpiclab-bench-") as folder:
        rows = measure(_home(Path(folder)), options.runs, build=options.build)
    (HERE / "RESULTS.md").write_text(_page(rows), encoding="utf-8")
    sys.stdout.write((HERE / "RESULTS.md").read_text(encoding="utf-8"))


def measure(environment: dict[str, str], runs: int, *, build: bool) -> list[tuple[str, str, str]]:
    """Return rows: what was measured, the figure, how often."""

    def call(*words: str) -> float:
        return _seconds([str(LPICLAB), *words], environment)

    rows = []
    if build:
        rows.append(("`image build debian-13`", f"{call('image', 'build', '--anew'):.0f} s", "1 run"))
    else:
        call("image", "build")
    rows.append(("size of the image debian-13", _image_size(environment), ""))
    rows.append(_row("`--help`", runs, lambda: call("--help")))
    rows.append(_row("`list`", runs, lambda: call("list")))
    nothing = [sys.executable, "-c", ""]
    rows.append(_row("python starting, doing nothing", runs, lambda: _seconds(nothing, {})))
    for lab in ("raid1", "dns-tsig"):
        cold = [call("up", lab)]
        for _ in range(COLD_RUNS - 1):
            call("down", lab)
            cold.append(call("up", lab))
        rows.append((f"`up {lab}`, cold boot, image there", _median(cold), f"{len(cold)} runs"))
        rows.append(_row(f"`ssh {lab} -- true`", runs, lambda lab=lab: call("ssh", lab, "--", "true")))
        rows.append((f"memory of the idle machines of {lab}, private", _memory(lab, environment), ""))
        call("solve", lab)
        rows.append(_row(f"`check {lab}`, solved", runs, lambda lab=lab: call("check", lab)))
        rows.append(_row(f"`reset {lab}`, to its end", runs, lambda lab=lab: call("reset", lab)))
        rows.append((f"`restart {lab}`, all its machines", f"{call('restart', lab):.1f} s", "1 run"))
        rows.append((f"`down {lab}`", f"{call('down', lab):.2f} s", "1 run"))
    return rows


def _home(folder: Path) -> dict[str, str]:
    """Return variables of a home of its own that shares the images of the user's."""
    images = Home.from_environment().images
    images.mkdir(parents=True, exist_ok=True)
    (folder / "images").symlink_to(images)
    return {"LPICLAB_HOME": str(folder)}


def _seconds(argv: Sequence[str], environment: dict[str, str]) -> float:
    began_s = time.monotonic()
    done = subprocess.run(argv, env={**os.environ, **environment}, capture_output=True, check=False)
    if done.returncode not in {0, 1}:
        sys.exit(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stderr.decode()}")
    return time.monotonic() - began_s


def _row(what: str, runs: int, run: Callable[[], float]) -> tuple[str, str, str]:
    run()
    return what, _median([run() for _ in range(runs)]), f"{runs} runs after one"


def _median(seconds: Sequence[float]) -> str:
    digits = 2 if statistics.median(seconds) < SHORT_S else 1
    return (
        f"{statistics.median(seconds):.{digits}f} s ({min(seconds):.{digits}f} to {max(seconds):.{digits}f})"
    )


def _json(words: Sequence[str], environment: dict[str, str]) -> dict[str, list[dict[str, object]]]:
    output = subprocess.run(
        [str(LPICLAB), *words, "--json"], env={**os.environ, **environment}, capture_output=True, check=True
    )
    answer: dict[str, list[dict[str, object]]] = json.loads(output.stdout)
    return answer


def _image_size(environment: dict[str, str]) -> str:
    images = _json(["image", "list"], environment)["images"]
    size = next(int(str(each["size_bytes"])) for each in images if each["distro"] == "debian-13")
    return f"{size >> 20} MiB"


def _memory(lab: str, environment: dict[str, str]) -> str:
    instances = _json(["status"], environment)["instances"]
    machines = next(each["machines"] for each in instances if each["id"] == lab)
    return ", ".join(
        f"{each['memory_bytes'] >> 20} MiB" for each in cast("dict[str, Any]", machines).values()
    )


def _page(rows: Sequence[tuple[str, str, str]]) -> str:
    table = "\n".join(f"| {what} | {figure} | {note} |" for what, figure, note in rows)
    return (
        "# Measurements\n\n"
        f"{_machine()}\n\n"
        "Whole processes from start to end, medians (smallest to largest). "
        "`make bench` measures again; figures of different runs don't compare.\n\n"
        f"| what | figure | measured |\n|---|---|---|\n{table}\n"
    )


def _machine() -> str:
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    qemu = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True, check=True)
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} processors"
        f" ({cpu[1].strip() if cpu else 'unknown'}), {int(memory[1]) >> 20 if memory else 0} GiB memory,"
        f" Linux {platform.release().split('-')[0]}, {qemu.stdout.splitlines()[0]}, no KVM (TCG)."
    )


if __name__ == "__main__":
    main()
