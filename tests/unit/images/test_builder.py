"""How an image is bootstrapped."""

from __future__ import annotations

from pathlib import Path

from lpiclab.images.archive import Archive
from lpiclab.images.builder import bootstrap_argv, installed_packages
from lpiclab.model import Bootstrap

_BOOTSTRAP = Bootstrap(
    suites=("trixie", "trixie-updates"),
    security_suites=("trixie-security",),
    keyring="ring.gpg",
    packages=("systemd", "udev"),
)


def _argv(archive: Archive) -> list[str]:
    return bootstrap_argv(_BOOTSTRAP, Path("/home/a b/root"), archive, Path("/ring.gpg"))


def test_each_suite_is_a_line_of_its_archive() -> None:
    """Suites come from the recipe and archives from the host; the host's keyring verifies them."""
    argv = _argv(Archive("http://example.test/debian", "http://example.test/security"))
    assert argv[-5:] == [
        "trixie",
        "/home/a b/root",
        "deb http://example.test/debian trixie main",
        "deb http://example.test/debian trixie-updates main",
        "deb http://example.test/security trixie-security main",
    ]
    assert {"--keyring=/ring.gpg", "--include=systemd,udev"} <= set(argv)


def test_without_a_security_archive_its_suites_are_left_out() -> None:
    """A host that only has the main archive still builds."""
    assert _argv(Archive("http://example.test/debian", ""))[-1].endswith("trixie-updates main")


def test_hooks_hold_no_paths() -> None:
    """Shell text of the hooks is constant: a folder's name can't become shell."""
    hooks = [word for word in _argv(Archive("http://example.test/debian", "")) if "-hook=" in word]
    assert len(hooks) == 2
    assert not any("a b" in hook for hook in hooks)


def test_manual_pages_stay() -> None:
    """What is left out to save space are translations and documents, not the English manual pages."""
    words = [word for word in _argv(Archive("http://example.test/debian", "")) if "path-exclude=" in word]
    assert "--dpkgopt=path-exclude=/usr/share/man/??/*" in words
    assert not any(word.endswith("/usr/share/man/*") for word in words)


def test_installed_packages_are_read_with_their_versions(tmp_path: Path) -> None:
    """Packages that were removed again are not listed."""
    status = tmp_path / "var/lib/dpkg/status"
    status.parent.mkdir(parents=True)
    status.write_text(
        "Package: bash\nStatus: install ok installed\nVersion: 5.2-1\nDescription: shell\n Version: none\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n"
    )
    assert installed_packages(tmp_path) == {"bash": "5.2-1"}
