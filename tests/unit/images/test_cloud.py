"""The way from a published disk to an image, with a machine that only notes what it is told."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest import mock
from zlib import compressobj

import pytest

from lpiclab.catalog import find_distro
from lpiclab.errors import GuestError, ImageError, MissingTool, TimedOut
from lpiclab.hardware import AARCH64
from lpiclab.images import cloud, download, kernel
from lpiclab.images.cloudrecipe import CloudRecipe, make_cloud_recipe
from lpiclab.images.firstboot import FirstBoot, Hardware
from lpiclab.images.manifest import verify
from lpiclab.model import X86_64, CloudDisk, CommandResult
from lpiclab.ssh import Session
from lpiclab.wait import Deadline

_ELF = b"\x7fELF" + bytes(300)
_TREE = {
    "/usr/lib/modules/6.12": {
        "modules.dep": b"kernel/ext4.ko: kernel/jbd2.ko\nkernel/jbd2.ko:\nkernel/other.ko:\n",
        "modules.devname": b"# nodes\nfuse fuse c10:229\n",
        "kernel/ext4.ko": b"EXT4",
        "kernel/jbd2.ko": b"JBD2",
    },
    "/boot": {"vmlinuz-6.12": b""},
}


def _bzimage() -> bytes:
    """Return a kernel as it lies in /boot; see test_kernel."""
    header = bytearray(1024)
    header[0x1F1] = 1
    header[0x202:0x206] = b"HdrS"
    pack = compressobj(wbits=31)
    payload = pack.compress(_ELF) + pack.flush() + struct.pack("<I", len(_ELF))
    struct.pack_into("<II", header, 0x248, 0, len(payload))
    return bytes(header) + payload


class _Machine:
    """A machine that has a system in it. `refuses` is a word of the command that fails."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.done: list[str] = []
        self.got: dict[str, bytes] = {}
        self.refuses = self.hangs = self.breaks = "nothing"
        self.version = "6.12"
        self.tree = {**_TREE, "/boot": {"vmlinuz-6.12": _bzimage()}}

    def run(self, command: str, *, stdin: bytes = b"", deadline: Deadline) -> CommandResult:
        """Note a command and what it reads."""
        deadline.require(command)
        self.done.append(command)
        if stdin:
            self.got[command.rpartition("/")[2]] = stdin
        said = f"{self.version}\n".encode() if "sort -V" in command else b""
        status = int(self.refuses in command)
        return CommandResult(command=command, status=status, stdout=said, stderr=b"it can't\n" * status)

    def follow(self, command: str, show: Callable[[bytes], None], *, deadline: Deadline) -> int:
        """Note a command, and say what it would."""
        deadline.require(command)
        self.done.append(command)
        if self.hangs in command:
            raise TimedOut("timed out waiting for data")
        if self.breaks in command:
            raise GuestError("the connection is lost")
        if self.refuses in command:
            show(b"it can't be had\n")
            return 1
        if command.startswith("tar "):
            words = command.split()
            show(self._tar(words[2], words[words.index("-") + 1 : words.index("2>")]))
        if "query" in command:
            show(b"bash 5.2.15-3\nNetworkManager 1.52.0-1.el10\n")
        return 0

    def _tar(self, folder: str, names: list[str]) -> bytes:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            for name in names:
                content = self.tree[folder][name]
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        return stream.getvalue()


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """Return the empty folder of a build."""
    folder = tmp_path / "part"
    folder.mkdir()
    return folder


@pytest.fixture
def machine(part: Path, monkeypatch: pytest.MonkeyPatch) -> _Machine:
    """Return the machine that boots instead of a real one, from a disk that need not be downloaded."""
    made = _Machine(part)
    boots = mock.create_autospec(FirstBoot, instance=True)
    boots.name, boots.folder = "almalinux-10", part
    boots.ssh_port.return_value = 40123
    boots.failure = ImageError

    @contextmanager
    def first_boot(name: str, folder: Path, hardware: Hardware) -> Iterator[mock.Mock]:
        assert (name, folder) == ("almalinux-10", part)
        assert all((folder / each).is_file() for each in (hardware.system, hardware.target, hardware.seed))
        yield boots
        made.done.append("off" if boots.wait_off.called else "left")

    def fetch(_disk: CloudDisk, folder: Path, _progress: object) -> Path:
        folder.mkdir(exist_ok=True)
        base = folder / "base.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", base, "1G"], check=True)
        return base

    session = mock.create_autospec(Session, instance=True)
    session.__enter__.return_value = session
    session.run.side_effect, session.follow.side_effect = made.run, made.follow
    monkeypatch.setattr(cloud, "first_boot", first_boot)
    monkeypatch.setattr(download, "fetch", fetch)
    monkeypatch.setattr(Session, "connect", lambda *_, **__: session)
    monkeypatch.setattr(cloud, "_busybox", lambda: Path(shutil.which("sh") or "/bin/sh"))
    monkeypatch.setattr(cloud, "proxies", dict)
    return made


@pytest.fixture
def recipe() -> CloudRecipe:
    """Return the recipe of an image of the wider processor level."""
    return make_cloud_recipe(find_distro("almalinux-10"), architecture=X86_64)


def _build(recipe: CloudRecipe, part: Path, said: list[str] | None = None) -> Path:
    return cloud.build_cloud_folder(
        recipe,
        part,
        part.parent / "downloads",
        accelerator="tcg",
        progress=(said if said is not None else []).append,
        deadline=Deadline.after(60.0),
    )


def test_image_is_of_the_same_kind_as_any(machine: _Machine, recipe: CloudRecipe, part: Path) -> None:
    """Disk, kernel, initrd and manifest are there, and say what the machine has to be."""
    folder = _build(recipe, part)
    manifest = verify(folder)
    assert (manifest.distro, manifest.digest) == ("almalinux-10", recipe.digest)
    assert manifest.kernel_version == "6.12"
    assert manifest.packages == {"bash": "5.2.15-3", "NetworkManager": "1.52.0-1.el10"}
    image = manifest.image(folder)
    assert (image.architecture, image.processor) == ("x86_64", "x86-64-v3")
    assert b"EXT4" in image.initrd.read_bytes()
    assert b"JBD2" in image.initrd.read_bytes()
    assert image.kernel.read_bytes() == _bzimage(), "without an entry for PVH it stays as it is"
    assert machine.done[-1] == "off"


def test_disks_are_large_enough(machine: _Machine, recipe: CloudRecipe, part: Path) -> None:
    """The published disk has room for packages, over a file that nobody writes to; the image has its size."""
    folder = _build(recipe, part)
    sizes = {}
    for name, file in (("system", part / "system.qcow2"), ("image", folder / "disk.qcow2")):
        told = subprocess.run(
            ["qemu-img", "info", "--output", "json", file], capture_output=True, text=True, check=True
        )
        sizes[name] = told.stdout
    assert f'"virtual-size": {7 << 30}' in sizes["system"]
    assert '"backing-filename-format": "qcow2"' in sizes["system"]
    assert f'"virtual-size": {8 << 30}' in sizes["image"]
    assert "backing" not in sizes["image"]
    assert machine.done


def test_machine_is_furnished_before_it_is_copied(machine: _Machine, recipe: CloudRecipe, part: Path) -> None:
    """Our files go in, repositories are switched on, packages come, then the copy is made, then it ends."""
    _build(recipe, part)
    assert machine.got == {"overlay": recipe.overlay, "copy": recipe.copy, "customize": recipe.customize}
    wanted = ["set-enabled crb", "epel-release", " mdadm ", "sh /run/lpiclab/copy", "rpm --query", "poweroff"]
    places = [next(n for n, each in enumerate(machine.done) if word in each) for word in wanted]
    assert places == sorted(places)
    assert not any("debconf" in each for each in machine.done)


def test_seed_is_private_to_the_build(machine: _Machine, recipe: CloudRecipe, part: Path) -> None:
    """It holds the host key's private half."""
    _build(recipe, part)
    seed = part / "seed.iso"
    assert seed.stat().st_mode & 0o077 == 0
    assert b"OPENSSH PRIVATE KEY" in seed.read_bytes()
    assert machine.done


@pytest.mark.parametrize("word", ["epel-release", "sh /run/lpiclab/copy", "rpm --query"])
def test_command_that_fails_is_told_with_what_it_said(
    machine: _Machine, recipe: CloudRecipe, part: Path, word: str
) -> None:
    """Nothing of a machine that is half furnished is used."""
    machine.refuses = word
    with pytest.raises(
        ImageError, match=r"almalinux-10: in its first boot, this failed \(status 1\)"
    ) as caught:
        _build(recipe, part)
    assert word in caught.value.message
    assert caught.value.details == "it can't be had\n"
    assert not (part / "image/manifest.json").exists()


def test_command_that_hangs_is_told(machine: _Machine, recipe: CloudRecipe, part: Path) -> None:
    """A package manager that waits for its servers for ever is named."""
    machine.hangs = "epel-release"
    with pytest.raises(ImageError, match=r"this failed \(it took too long\): .*epel-release"):
        _build(recipe, part)


def test_machine_that_is_lost_is_told(machine: _Machine, recipe: CloudRecipe, part: Path) -> None:
    """What became of it is in its console's last lines, which come with the error."""
    machine.breaks = "run/lpiclab/copy"
    with pytest.raises(ImageError, match="it was lost in its first boot: the connection is lost"):
        _build(recipe, part)


def test_file_that_could_not_be_put_is_told(machine: _Machine, recipe: CloudRecipe, part: Path) -> None:
    """A script that is half there must not run."""
    machine.refuses = "cat > /run/lpiclab/customize"
    with pytest.raises(ImageError, match=r"\(status 1\): cat > /run/lpiclab/customize"):
        _build(recipe, part)
    assert not any("dnf" in each for each in machine.done)


def test_machine_without_a_kernel_is_told(machine: _Machine, recipe: CloudRecipe, part: Path) -> None:
    """A container's root file system is no machine's."""
    machine.version = ""
    with pytest.raises(ImageError, match="there is no kernel in it"):
        _build(recipe, part)


def test_file_that_the_machine_lacks_is_named(machine: _Machine, recipe: CloudRecipe, part: Path) -> None:
    """The initrd can't do without it."""
    machine.refuses = "vmlinuz"
    with pytest.raises(ImageError, match=r"lacks vmlinuz-6\.12 in /boot"):
        _build(recipe, part)


def test_debian_is_asked_no_questions(machine: _Machine, recipe: CloudRecipe, part: Path) -> None:
    """The answers are there before the packages that would ask."""
    _build(replace(recipe, family="debian", repositories=(), preseed=b"a b c d\n"), part)
    assert machine.got["preseed"] == b"a b c d\n"
    answered = machine.done.index("debconf-set-selections < /run/lpiclab/preseed")
    assert any("apt-get" in each for each in machine.done[answered:])


def test_proxies_are_those_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy on this host's loopback has QEMU's name for this host in the machine."""
    monkeypatch.setattr(
        "urllib.request.getproxies",
        lambda: {"http": "http://127.0.0.1:3128", "https": "http://proxy.example.org:8080", "no": "x"},
    )
    assert cloud.proxies() == {
        "http_proxy": "http://10.0.2.2:3128",
        "https_proxy": "http://proxy.example.org:8080",
    }


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is missing is said at once, as apt wants it."""
    monkeypatch.setattr(shutil, "which", lambda _tool: None)
    with pytest.raises(MissingTool) as caught:
        cloud.require(AARCH64)
    assert caught.value.hint.split()[:2] == ["apt-get", "install"]
    assert {"busybox-static", "qemu-system-arm", "qemu-utils", "zstd"} <= set(caught.value.hint.split())


def test_busybox_has_to_be_static(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The initrd has no libraries for it."""
    program = shutil.which("ls")
    assert program
    monkeypatch.setattr(shutil, "which", lambda _tool: program)
    assert not kernel.is_static(Path(program).read_bytes())
    assert cloud._busybox() is None
    (tmp_path / "script").write_text("#!/bin/sh\n")
    monkeypatch.setattr(shutil, "which", lambda _tool: str(tmp_path / "script"))
    assert cloud._busybox() is None
