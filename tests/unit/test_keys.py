"""Tests of key pairs."""

from __future__ import annotations

import stat
from pathlib import Path

import paramiko

from lpiclab.keys import make_key_pair


def test_key_pair_is_private_and_kept(tmp_path: Path) -> None:
    """A second call changes nothing; the private half is the user's own and fits the public one."""
    line = make_key_pair(tmp_path / "key", "somebody")
    private = (tmp_path / "key").read_bytes()
    assert make_key_pair(tmp_path / "key", "somebody") == line
    assert (tmp_path / "key").read_bytes() == private
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    key = paramiko.Ed25519Key.from_private_key_file(str(tmp_path / "key"))
    assert line == f"ssh-ed25519 {key.get_base64()} somebody"


def test_half_a_key_pair_is_made_anew(tmp_path: Path) -> None:
    """A pair whose public half is missing is replaced as a whole."""
    first = make_key_pair(tmp_path / "key", "c")
    (tmp_path / "key.pub").unlink()
    assert make_key_pair(tmp_path / "key", "c") != first
