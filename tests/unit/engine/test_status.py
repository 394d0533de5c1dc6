"""What is up, and how it is."""

from __future__ import annotations

import pytest

from lpiclab.engine import lifecycle
from lpiclab.engine.context import Context
from lpiclab.engine.lifecycle import Wish
from lpiclab.engine.status import look
from lpiclab.model import MachineState


@pytest.mark.usefixtures("commands")
def test_every_instance_is_told_of(context: Context) -> None:
    """Whole instances with their machines, broken ones with what mends them."""
    assert look(context) == []
    lifecycle.up(context, "web", Wish(provider="fake", seed="anna"))
    context.store.folder("web@odd").mkdir()
    odd = context.store.folder("web@worse")
    odd.mkdir()
    (odd / "record.json").write_text("[]")
    whole, absent, damaged = look(context)
    assert (whole.id, whole.lab, whole.seed, whole.phase) == ("web", "web", "anna", "ready")
    assert {each.state for each in whole.machines.values()} == {MachineState.RUNNING}
    assert 0 <= whole.up_seconds < 600
    assert "record is missing; `lpiclab down web@odd` removes it" in absent.problem
    assert "damaged" in damaged.problem
