"""A machine that is none: it answers the commands it knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from unittest import mock

import pytest

from lpiclab.model import CommandResult, Host


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """Return a machine of an inventory at which nobody answers."""
    key = tmp_path / "id"
    key.touch()
    return Host(address="127.0.0.1", port=9, key=str(key), host_key="ssh-ed25519 AAAA")


@pytest.fixture
def answering() -> Callable[[Mapping[str, str | None]], mock.Mock]:
    """Return a maker of machines that answer by the longest beginning of a command that they know.

    None refuses a command, and so does nothing that is known; 3 is a status.
    """

    def make(known: Mapping[str, str | int | None]) -> mock.Mock:
        def run(command: str, **_: object) -> CommandResult:
            begin = max((each for each in known if command.startswith(each)), key=len, default="")
            said = known.get(begin)
            status = said if isinstance(said, int) else int(said is None)
            stdout = said.encode() if isinstance(said, str) else b""
            return CommandResult(
                command=command, status=status, stdout=stdout, stderr=b"" if stdout else b"it said no"
            )

        return mock.Mock(run=mock.Mock(side_effect=run))

    return make
