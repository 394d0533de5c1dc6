"""A context over the example lab, with the provider that has no machines."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from lpiclab.engine.context import Context
from lpiclab.paths import Home
from lpiclab.providers.fake import FakeProvider


@pytest.fixture
def told() -> list[str]:
    """Return what the user was told of progress."""
    return []


@pytest.fixture
def context(home: Home, web_folder: Path, shared_templates: Path, told: list[str]) -> Context:
    """Return a context whose only lab is `web`."""
    return Context(
        home=home,
        lab_roots=[web_folder.parent],
        template_roots=[shared_templates],
        progress=told.append,
    )


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let machines be such as can be copied."""
    for ability in ("fork", "cut_power", "unplug"):
        monkeypatch.setattr(FakeProvider, ability, mock.Mock(), raising=False)
