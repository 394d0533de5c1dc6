"""Which archive this host's apt is set up with."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpiclab import proc
from lpiclab.errors import ImageError, MissingTool
from lpiclab.images.archive import Archive, find_keyring, host_archive, host_proxies
from lpiclab.wait import Deadline

_DEB822 = """\
# made by an installer
Types: deb deb-src
URIs: http://mirror.example.test/debian/
Suites: trixie trixie-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example.test/debian-security
Suites: trixie-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


@pytest.fixture
def apt(tmp_path: Path) -> Path:
    """Return an apt configuration without any source."""
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_deb822_sources(apt: Path) -> None:
    """Stanzas of .sources files are read; comments are not, nor the final slash."""
    (apt / "sources.list.d/debian.sources").write_text(_DEB822)
    assert host_archive(apt) == Archive(
        "http://mirror.example.test/debian", "http://mirror.example.test/debian-security"
    )


def test_one_line_sources(apt: Path) -> None:
    """Lines of sources.list are read, with options or without."""
    (apt / "sources.list").write_text(
        "# deb http://old.example.test/debian bookworm main\n"
        "deb-src http://source.example.test/debian bookworm main\n"
        "deb [arch=amd64 trusted=no] https://mirror.example.test/debian bookworm main non-free # note\n"
        "deb\thttps://mirror.example.test/debian-security bookworm-security main\n"
    )
    assert host_archive(apt) == Archive(
        "https://mirror.example.test/debian", "https://mirror.example.test/debian-security"
    )


def test_other_vendors_archives_are_passed_over(apt: Path) -> None:
    """An archive with Debian's suite names is not taken for Debian's when that is there, too."""
    (apt / "sources.list.d/a-vendor.list").write_text(
        "deb [signed-by=/usr/share/keyrings/vendor.gpg] https://vendor.example.test/apt trixie main\n"
        "deb https://tools.example.test/apt trixie stable\n"
    )
    (apt / "sources.list.d/debian.sources").write_text(_DEB822)
    assert host_archive(apt).main == "http://mirror.example.test/debian"


def test_disabled_and_foreign_stanzas_are_passed_over(apt: Path) -> None:
    """Neither a stanza that is switched off nor a CD-ROM is an archive to build from."""
    (apt / "sources.list.d/debian.sources").write_text("Enabled: no\n" + _DEB822)
    (apt / "sources.list").write_text("deb cdrom:[Debian]/ trixie main\n")
    with pytest.raises(ImageError, match="no Debian archive"):
        host_archive(apt)


def test_security_archive_may_be_absent(apt: Path) -> None:
    """A mirror of the main archive alone is enough."""
    (apt / "sources.list").write_text("deb http://mirror.example.test/debian trixie main\n")
    assert host_archive(apt) == Archive("http://mirror.example.test/debian", "")


def test_keyring_is_looked_for_in_each_folder(tmp_path: Path) -> None:
    """The first folder that has the keyring gives it; without any, the package to install is named."""
    second = tmp_path / "second"
    second.mkdir()
    with pytest.raises(MissingTool) as caught:
        find_keyring("ring.gpg", [tmp_path, second])
    assert caught.value.hint == "apt-get install debian-archive-keyring"
    (second / "ring.gpg").touch()
    assert find_keyring("ring.gpg", [tmp_path, second]) == second / "ring.gpg"


def test_proxies_of_apt_become_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """What apt-config prints is taken over; DIRECT, which means none, is not."""
    answer = b"http_proxy='http://proxy.example.test:3142'\nhttps_proxy='DIRECT'\n"
    monkeypatch.setattr(proc, "run", lambda *_args, **_options: answer)
    assert host_proxies(deadline=Deadline.after(1)) == {"http_proxy": "http://proxy.example.test:3142"}
