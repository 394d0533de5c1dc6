"""Tests of what all kinds of boxes share."""

from __future__ import annotations

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
