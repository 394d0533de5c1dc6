"""A context over the example lab, with the provider that has no machines."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from lpiclab.engine.context import Context
from lpiclab.paths import Home
from lpiclab.providers import fake
from lpiclab.providers.base import Snapshot


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
    _able(monkeypatch, "fork", "cut_power", "unplug")


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> Snapshot:
    """Let machines be such as have snapshots; return the one there is."""
    snapshot = Snapshot(name="here", title="", created="", size_bytes=0)
    _able(monkeypatch, "save", "restore", "forget", snapshots=[snapshot])
    return snapshot


def _able(monkeypatch: pytest.MonkeyPatch, *names: str, **results: object) -> None:
    # A class of its own: Python remembers of a class which protocols it has, whatever becomes of it.
    abilities = {name: mock.Mock(return_value=results.get(name)) for name in (*names, *results)}
    monkeypatch.setattr(fake, "FakeProvider", type("Able", (fake.FakeProvider,), abilities))
