"""Grade a lab's machines: run its `checks.py`, and make a report of what came out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from lpiclab.checks.fork import Forker
from lpiclab.checks.reach import Connector, Machine
from lpiclab.checks.verdicts import Reason, Verdicts
from lpiclab.model import Distro, Lab, LabText, Plan, Report
from lpiclab.wait import Deadline

CHECK_LIMIT_S = 60.0
"""How long one check may take with all its commands."""


def grade(
    lab: Lab,
    plan: Plan,
    distro: Distro,
    *,
    text: LabText,
    reason: Reason,
    connectors: Mapping[str, Connector],
    deadline: Deadline,
    only: Sequence[str] = (),
    check_limit_s: float = CHECK_LIMIT_S,
    forker: Forker | None = None,
) -> Report:
    """Measure a lab's tasks and return the report, in the language of `text`.

    A task whose needs have not passed is skipped. A machine that can't be reached, or a command that
    does not end in time, makes the task an `error`, and then there is no score.

    Args:
        lab: The lab; its folder holds ``checks.py``.
        plan: The seed and the parameters' values.
        distro: What the checks' `distro` is.
        text: The lab's words, rendered but for the reasons.
        reason: Renders a reason's template.
        connectors: How to reach each machine; all are connected to at once, and closed at the end.
        deadline: When everything has to be measured.
        only: Tasks to report on; empty is all of them. What they need is measured too.
        check_limit_s: How long one check may take.
        forker: Makes copies of the machines for the checks that want one; None leaves those out.

    Raises:
        SpecError: a check is wrong, or raised something else than `CheckFailed`.
    """
    started_s = time.monotonic()
    verdicts = Verdicts(lab, text, reason, only)
    machines = [Machine(name, connect, deadline) for name, connect in connectors.items()]
    try:
        # pytest takes a tenth of a second to import; the connections are being made meanwhile.
        from lpiclab.checks.plugin import run_checks  # noqa: PLC0415

        run_checks(
            lab.folder / "checks.py",
            verdicts,
            machines,
            values={"parameters": plan.parameters, "distro": distro},
            deadline=deadline,
            check_limit_s=check_limit_s,
            forker=forker,
        )
    finally:
        for machine in machines:
            machine.close()
    return verdicts.report(seed=plan.seed, seconds=time.monotonic() - started_s)
