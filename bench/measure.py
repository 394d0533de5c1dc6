"""Measure lpiclab on this machine and write `RESULTS.md`.

Whole processes, seen from outside; medians. Compare figures of one run only: another machine, or
the same one at another hour, gives others.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import unittest.mock
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import parts
from common import HERE, LPICLAB, median, own_home, run_s, this_machine

from lpiclab.engine import grading
from lpiclab.engine.context import Context
from lpiclab.engine.portshell import PortShell
from lpiclab.model import CommandResult
from lpiclab.providers.base import Forks, Snapshots
from lpiclab.ssh import Session
from lpiclab.wait import Deadline

SLOW_RUNS = 3
SEATS = 30


def main() -> None:
    """Measure what was asked for and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs of each short command")
    parser.add_argument(
        "--build", action="store_true", help="build the default image, too, in a folder of its own"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lpiclab-bench-") as folder:
        rows = _build(Path(folder) / "build") if options.build else []
        environment = own_home(Path(folder))
        try:
            rows += measure(environment, options.runs)
        finally:
            run_s([str(LPICLAB), "down", "--all"], environment)
    (HERE / "RESULTS.md").write_text(_page(rows), encoding="utf-8")
    sys.stdout.write((HERE / "RESULTS.md").read_text(encoding="utf-8"))


def measure(environment: dict[str, str], runs: int) -> list[tuple[str, str, str]]:
    """Return rows: what was measured, the figure, how often."""

    def call(*words: str) -> float:
        return run_s([str(LPICLAB), *words], environment)

    call("image", "build")
    rows = [("size of the image debian-13", _image_size(environment), "")]
    rows.append(_row("`--help`", runs, lambda: call("--help")))
    rows.append(_row("`list`", runs, lambda: call("list")))
    nothing = [sys.executable, "-c", ""]
    rows.append(_row("python starting, doing nothing", runs, lambda: run_s(nothing, {})))
    for lab in ("raid1", "dns-tsig"):
        rows += _lab(lab, environment, call, runs)
    rows += _parts("raid1", environment, runs)
    rows += _classroom(environment, call)
    return rows


def _build(folder: Path) -> list[tuple[str, str, str]]:
    """Return what building the default image takes, and remove it."""
    seconds = run_s([str(LPICLAB), "image", "build"], {"LPICLAB_HOME": str(folder)})
    shutil.rmtree(folder)
    return [("`image build debian-13`", f"{seconds:.0f} s", "1 run")]


def _lab(
    lab: str, environment: dict[str, str], call: Callable[..., float], runs: int
) -> list[tuple[str, str, str]]:
    """Return the rows of one lab, with the ratio of a boot to going on from frozen machines."""
    rows = [(f"`up {lab}`, nothing but the image there", f"{call('up', lab):.1f} s", "1 run")]
    again, boots, new = [], [], []
    for number in range(runs):
        call("down", lab)
        again.append(call("up", lab))
        # In between, so that both meet the same moods of the machine.
        _power_off(lab, environment)
        boots.append(call("up", lab))
        new.append(call("up", f"{lab}@new", "--seed", f"bench{number}"))
        call("down", f"{lab}@new")
    rows.append((f"`up {lab}`, set up before", median(again), f"{runs} runs"))
    rows.append((f"`up {lab}` with machines that are off: a cold boot", median(boots), f"{runs} runs"))
    ratios = [boot / resume for boot, resume in zip(boots, again, strict=True)]
    low, high = min(ratios), max(ratios)
    rows.append(
        (
            f"cold boot / set up before, {lab}",
            f"{statistics.median(ratios):.1f} ({low:.1f} to {high:.1f})",
            "pairs",
        )
    )
    rows.append((f"`up {lab}`, never set up, bare template there", median(new), f"{runs} runs"))
    rows.append(_row(f"`ssh {lab} -- true`", runs, lambda: call("ssh", lab, "--", "true")))
    rows.append((f"memory of the idle machines of {lab}, private", _memory(lab, environment), ""))
    call("solve", lab)
    rows += _quick_check(lab, environment, call, runs)
    rows.append(_row(f"`check {lab}`, solved, with proofs on forks", SLOW_RUNS, lambda: call("check", lab)))
    rows += _copies(lab, environment, runs)
    rows.append(_row(f"`reset {lab}`", runs, lambda: call("reset", lab)))
    rows.append((f"`restart {lab}`, all its machines", f"{call('restart', lab):.1f} s", "1 run"))
    rows.append((f"`down {lab}`", f"{call('down', lab):.2f} s", "1 run"))
    return rows


def _parts(lab: str, environment: dict[str, str], runs: int) -> list[tuple[str, str, str]]:
    """Return what `up` and one machine's memory are made of."""
    os.environ.update(environment)
    rows = [
        (f"`up {lab}`, of that: {what}", median(seconds), f"{runs} runs after one")
        for what, seconds in parts.of_up(lab, runs).items()
    ]
    call_up = [str(LPICLAB), "up", lab]
    run_s(call_up, environment)
    rows.append((f"processor time of QEMU for it, {lab}", f"{parts.of_processor(lab):.2f} s", "1 run"))
    rows += [
        (f"memory of {lab}, of that: {what}", f"{size >> 20} MiB", "1 machine")
        for what, size in parts.of_memory(lab).items()
    ]
    run_s([str(LPICLAB), "down", lab], environment)
    return rows


def _quick_check(
    lab: str, environment: dict[str, str], call: Callable[..., float], runs: int
) -> list[tuple[str, str, str]]:
    """Return what a quick check takes, and the same commands as one script over one SSH connection."""
    scripts = _commands(lab, environment)
    checks, plain = [], []
    for number in range(runs + 1):
        taken = call("check", "--quick", lab)
        script = sum(call("ssh", lab, name, "--user", "root", "--", text) for name, text in scripts.items())
        if number:  # the first ones warm up
            checks.append(taken)
            plain.append(script)
    ratios = [check / script for check, script in zip(checks, plain, strict=True)]
    ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    number_of_commands = sum(text.count("\n) >") for text in scripts.values())
    return [
        (f"`check --quick {lab}`, solved", median(checks), f"{runs} runs after one"),
        (
            f"its {number_of_commands} commands as one script a machine, by `ssh {lab}`",
            median(plain),
            f"{runs} runs after one",
        ),
        (f"check / script, {lab}", ratio, "pairs"),
    ]


def _commands(lab: str, environment: dict[str, str]) -> dict[str, str]:
    """Return what a quick check runs on each machine, as a script."""
    os.environ.update(environment)
    context = Context.from_environment()
    record = context.record(lab)
    told: dict[str, list[str]] = {}
    run = PortShell.run

    def note(self: PortShell, command: str, *, stdin: bytes = b"", deadline: Deadline) -> CommandResult:
        told.setdefault(self.machine, []).append(command)
        return run(self, command, stdin=stdin, deadline=deadline)

    with unittest.mock.patch.object(PortShell, "run", note):
        grading.grade(context, record, context.lab_of(record), "en", quick=True)
    return {
        name: "".join(f"( {command}\n) > /dev/null 2>&1 < /dev/null\n" for command in commands) + "true"
        for name, commands in told.items()
    }


def _copies(lab: str, environment: dict[str, str], runs: int) -> list[tuple[str, str, str]]:
    """Return what a snapshot and a fork of a solved lab cost."""
    os.environ.update(environment)
    context = Context.from_environment()
    record = context.record(lab)
    provider, instance = context.provider(record), context.instance(record)
    assert isinstance(provider, Forks)  # noqa: S101 - the default provider
    assert isinstance(provider, Snapshots)  # noqa: S101 - the same
    pauses, answers = [], []
    for _ in range(runs):
        pauses.append(provider.save(instance, "bench", title="", deadline=Deadline.after(60)))
        provider.forget(instance, "bench")
        began_s = time.monotonic()
        fork = provider.fork(instance, deadline=Deadline.after(60))
        first = instance.plan.machines[0].name
        endpoint = provider.endpoint(fork, first)
        with Session.connect(endpoint, machine=first, deadline=Deadline.after(60)) as session:
            session.run("true", deadline=Deadline.after(60))
        answers.append(time.monotonic() - began_s)
        provider.destroy(fork)
    return [
        (f"pause of {lab} while it is kept or forked", median(pauses), f"{runs} runs"),
        (f"fork of {lab}, to its first answer over SSH", median(answers), f"{runs} runs"),
    ]


def _classroom(environment: dict[str, str], call: Callable[..., float]) -> list[tuple[str, str, str]]:
    """Return what thirty seats cost."""
    names = [f"raid1@seat{number}" for number in range(SEATS)]
    call("up", names[0])
    call("down", names[0])
    began_s = time.monotonic()
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        list(pool.map(lambda name: call("up", name), names))
    seconds = time.monotonic() - began_s
    machines = [
        machine
        for each in _json(["status"], environment)["instances"]
        for machine in cast("dict[str, Any]", each["machines"]).values()
    ]
    used = sorted(machine["memory_bytes"] >> 20 for machine in machines)
    call("down", "--all")
    return [
        (f"{SEATS} instances of raid1, up at once", f"{seconds:.1f} s", "1 run"),
        (
            "memory of each, private",
            f"{used[len(used) // 2]} MiB ({used[0]} to {used[-1]})",
            f"{len(used)} machines",
        ),
    ]


def _power_off(lab: str, environment: dict[str, str]) -> None:
    """Switch all machines of a lab off as a power cut does."""
    os.environ.update(environment)
    context = Context.from_environment()
    record = context.record(lab)
    context.provider(record).stop(context.instance(record), deadline=Deadline.after(0))


def _row(what: str, runs: int, run: Callable[[], float]) -> tuple[str, str, str]:
    run()
    return what, median([run() for _ in range(runs)]), f"{runs} runs after one"


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
        f"{this_machine()}\n\n"
        "Whole processes from start to end, medians (smallest to largest). "
        "`make bench` measures again; figures of different runs don't compare.\n\n"
        f"| what | figure | measured |\n|---|---|---|\n{table}\n\n"
        f"{(HERE / 'LIMITS.md').read_text(encoding='utf-8')}"
    )


if __name__ == "__main__":
    main()
