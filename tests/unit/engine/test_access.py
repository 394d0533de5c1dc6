"""Tests of a learner's ways onto a machine."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

import pytest

from lpiclab.engine import access, lifecycle
from lpiclab.engine.context import Context
from lpiclab.model import SshEndpoint
from lpiclab.providers.fake import FakeProvider
from lpiclab.ssh import Session


@pytest.mark.usefixtures("commands")
@pytest.mark.parametrize(
    ("learner", "asked", "user"),
    [("student", None, "student"), ("hanako", None, "hanako"), ("hanako", "root", "root")],
)
def test_learner_comes_in_as_the_machine_says(
    context: Context, monkeypatch: pytest.MonkeyPatch, learner: str, asked: str | None, user: str
) -> None:
    """Our machines have a student; machines of an inventory have whom that names."""
    lifecycle.up(context, "web", lifecycle.Wish(provider="fake"))
    endpoint = FakeProvider.endpoint

    def of_learner(*words: object) -> SshEndpoint:
        return replace(endpoint(*words), learner=learner)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(FakeProvider, "endpoint", of_learner)
    connect = mock.MagicMock(side_effect=ConnectionAbortedError)
    monkeypatch.setattr(Session, "connect", connect)
    with pytest.raises(ConnectionAbortedError):
        access.shell(context, "web", None, asked, ["true"])
    assert connect.call_args.kwargs["user"] == user
