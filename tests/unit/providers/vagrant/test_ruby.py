"""Tests of writing values as Ruby."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from lpiclab.providers.vagrant.ruby import literal, require_literal

_NASTY = "a'b\"c\\d#{`false`}#$e\n\0\t\u3042\U0001f600 end\r"


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (None, "nil"),
        (True, "true"),
        (False, "false"),
        (512, "512"),
        ("plain text", '"plain text"'),
        (Path("/a b"), '"/a b"'),
        ('"#{x}"', '"\\"\\#{x}\\""'),
        ("\\", '"\\\\"'),
        ("\n\u3042", '"\\u{a}\\u{3042}"'),
        ([1, ("a",)], '[1, ["a"]]'),
        ({"a": None}, '{"a" => nil}'),
    ],
)
def test_values_are_literals(value: object, source: str) -> None:
    """Each kind of value has its own way to be written, and text can't leave its quotes."""
    assert literal(value) == source


def test_ruby_reads_what_was_written() -> None:
    """Text that would run, break a line or end the quotes comes out of Ruby as it went in."""
    ruby = shutil.which("ruby")
    if ruby is None:  # the forms above are what it would read
        assert literal(_NASTY).isascii()
        return
    program = f"$stdout.binmode; print {literal(_NASTY)}"
    done = subprocess.run([ruby, "-e", program], capture_output=True, check=True)
    assert done.stdout.decode() == _NASTY


def test_other_values_are_refused() -> None:
    """What has no literal is no text either."""
    with pytest.raises(TypeError, match="no Ruby literal for float"):
        literal(1.5)


def test_only_literals_pass() -> None:
    """Text that nobody has quoted can't be printed, even if it looks like a literal."""
    assert require_literal(literal("x")) == '"x"'
    with pytest.raises(TypeError, match="without the filter `ruby`"):
        require_literal('"x"')
