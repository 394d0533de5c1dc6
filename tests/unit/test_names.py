"""Tests of suggestions."""

from __future__ import annotations

import pytest

from lpiclab.names import nearest


@pytest.mark.parametrize(
    ("wrong", "names", "hint"),
    [
        ("riad1", ["lvm", "raid1"], 'did you mean "raid1"?'),
        ("RAID1", ["lvm", "raid1"], 'did you mean "raid1"?'),
        ("xyz", ["raid1", "lvm"], "known: lvm, raid1"),
        ("xyz", [], ""),
    ],
)
def test_nearest_name_is_suggested(wrong: str, names: list[str], hint: str) -> None:
    """A near name is suggested; where none is near all are listed."""
    assert nearest(wrong, names) == hint
