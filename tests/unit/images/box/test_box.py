"""Tests of what all kinds of boxes share."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpiclab.errors import UsageError
from lpiclab.images import box


def test_kinds_are_vagrants_providers() -> None:
    """Another name is a mistake; the nearest one is suggested."""
    for kind in box.KINDS:
        box.require_kind(kind)
    with pytest.raises(UsageError, match='for "libvrit"') as raised:
        box.require_kind("libvrit")
    assert raised.value.hint == 'did you mean "libvirt"?'


def test_place_is_looked_at_first(tmp_path: Path) -> None:
    """A folder that is not there, or is where the file should be, is told before anything is built."""
    box.require_place(tmp_path / "debian.box")
    with pytest.raises(UsageError, match="there is no folder") as raised:
        box.require_place(tmp_path / "a b" / "debian.box")
    assert raised.value.hint == f"mkdir -p '{tmp_path}/a b'"
    with pytest.raises(UsageError, match="is a folder"):
        box.require_place(tmp_path)
