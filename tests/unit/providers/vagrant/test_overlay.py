"""Tests of our files for public boxes."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from lpiclab import catalog
from lpiclab.paths import bundled
from lpiclab.providers.vagrant import overlay


def test_overlay_has_all_that_an_image_has_more(tmp_path: Path) -> None:
    """The image's own files come with those for cards and addresses; scripts can be run."""
    file = tmp_path / "overlay.tar"
    overlay.write(catalog.find_distro("debian-13"), file)
    with tarfile.open(fileobj=io.BytesIO(file.read_bytes())) as archive:
        modes = {entry.name: entry.mode for entry in archive}
        unit = archive.extractfile("usr/lib/systemd/system/lpiclab-dhcp.service")
        assert unit
        text = unit.read().decode()
    for name in ("identify", "customize", "cards", "dhcp"):
        assert modes[f"usr/lib/lpiclab/{name}"] == 0o755
    assert modes["usr/lib/lpiclab/preseed"] == 0o644
    assert "usr/lib/systemd/system/lpiclab-cards.service" in modes
    assert "etc/lpiclab/sshd_config" in modes
    assert "etc/fstab" not in modes
    assert "-s /usr/lib/lpiclab/dhcp" in text
    assert "WantedBy=sysinit.target" in text


def test_a_box_keeps_its_own_kernel() -> None:
    """It starts by itself: what starts lpiclab's image must not come on top."""
    names = overlay.packages(catalog.find_distro("debian-13"))
    assert "mdadm" in names
    assert not {"grub-pc", "linux-image-amd64", "initramfs-tools"}.intersection(names)


@pytest.mark.parametrize("script", ["prepare.sh", "guest/usr/lib/lpiclab/cards"])
def test_scripts_are_shell(script: str) -> None:
    """What runs on machines has no mistake of grammar."""
    subprocess.run(["sh", "-n", str(bundled("vagrant") / script)], check=True)
