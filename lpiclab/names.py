"""Suggest the name that a misspelt one was meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(wrong: str, names: Iterable[str]) -> str:
    """Return ``did you mean "…"?``, or the list of names when none is near."""
    known = sorted(names)
    by_lower_case = {name.lower(): name for name in known}
    close = difflib.get_close_matches(wrong.lower(), by_lower_case, n=1, cutoff=0.5)
    if close:
        return f'did you mean "{by_lower_case[close[0]]}"?'
    return f"known: {', '.join(known)}" if known else ""
