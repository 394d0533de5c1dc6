"""A machine's serial console: its record on disk."""

from __future__ import annotations

import re
from pathlib import Path

_LINES = 12
_TAIL_BYTES = 6000
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])|[^\n\t\x20-\x7e\xa0-\U0010ffff]"
)
"""Control sequences, operating system commands and other escapes (ECMA-48), then lone controls."""


def tail(log: Path) -> str:
    """Return the last lines of a log without terminal control sequences; empty when there is none."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            text = stream.read().decode(errors="replace")
    except OSError:
        return ""
    lines = [line for line in _ESCAPES.sub("", text).splitlines() if line.strip()]
    return "\n".join(lines[-_LINES:])
