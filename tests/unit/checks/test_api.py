"""Tests of lpiclab.checks.api."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lpiclab.checks import CheckFailed, expect, task


def test_equal_values_meet_an_expectation() -> None:
    """Nothing happens when what is seen is what is wanted."""
    expect([1, "a"], [1, "a"], why="never")


def test_a_difference_fails_with_all_that_a_reason_needs() -> None:
    """The failure carries seen, wanted, the reason's id and the other values."""
    with pytest.raises(CheckFailed) as caught:
        expect("0o644", "0o640", why="open", file="/etc/key")
    failure = caught.value
    assert (failure.seen, failure.wanted, failure.why) == ("0o644", "0o640", "open")
    assert failure.values == {"file": "/etc/key"}


@pytest.mark.parametrize("ok", [True, 1, "x"])
def test_ok_overrules_a_difference(ok: object) -> None:
    """With a true `ok` the values need not be equal."""
    expect(300, 200, ok=ok, why="small")


@pytest.mark.parametrize("ok", [False, 0, ""])
def test_false_ok_overrules_equality(ok: object) -> None:
    """With a false `ok` equal values fail; only None means that it was not given."""
    with pytest.raises(CheckFailed, match="small"):
        expect(200, 200, ok=ok, why="small")


def test_task_marks_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decorator is pytest's own marker and leaves the function callable."""
    monkeypatch.setattr(pytest.mark, "_config", None)  # these tests' own run does not know the marker

    @task("key")
    def check() -> int:
        return 3

    assert check() == 3
    (mark,) = check.pytestmark  # type: ignore[attr-defined]  # put there by pytest
    assert (mark.name, mark.args) == ("task", ("key",))


def test_importing_the_words_does_not_import_pytest() -> None:
    """What only names this package stays quick."""
    script = "import sys, lpiclab.checks, lpiclab.checks.runner; print('pytest' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout == b"False\n"
