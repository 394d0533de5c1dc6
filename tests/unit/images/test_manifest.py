"""An image is what its manifest says, or it is not used."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lpiclab.errors import ImageError
from lpiclab.images.manifest import FILES, Manifest, read_manifest, seal, verify
from lpiclab.integrity import FileFacts


@pytest.fixture
def folder(tmp_path: Path, fill_folder: Callable[[Path, str], Path]) -> Path:
    """Return the folder of a sound image."""
    return fill_folder(tmp_path / "debian-13-0123", "0123")


def _spoil_quietly(file: Path) -> None:
    """Change a file's content, but not its size and date."""
    status = file.stat()
    file.write_bytes(file.read_bytes().swapcase())
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_sound_image_is_described(folder: Path) -> None:
    """What a sound image's manifest says becomes the image that providers get."""
    image = verify(folder).image(folder)
    assert (image.distro, image.digest, image.command_line) == ("debian-13", "0123", "root=/dev/sda")
    assert image.disk.read_text() == "the disk.qcow2\n"


def test_truncated_file_is_named_with_the_command_that_mends_it(folder: Path) -> None:
    """A disk that was cut short is found by its size."""
    (folder / "disk.qcow2").write_text("the di")
    with pytest.raises(ImageError, match=r"disk\.qcow2 is damaged: it has 6 bytes, not 15") as caught:
        verify(folder)
    assert caught.value.hint == "`lpiclab image build debian-13` builds it again"


def test_changed_file_is_found_by_its_date(folder: Path) -> None:
    """A file of the right size with another date is read, and refused when it is another."""
    file = folder / "vmlinux"
    file.write_text("THE VMLINUX\n")
    os.utime(file, ns=(1, 1))
    with pytest.raises(ImageError, match="vmlinux is damaged: its content has changed"):
        verify(folder)


def test_only_a_thorough_look_reads_files_with_the_recorded_date(folder: Path) -> None:
    """Looking is cheap at each use; a listing finds what it can't see."""
    _spoil_quietly(folder / "initrd")
    verify(folder)
    with pytest.raises(ImageError, match="initrd is damaged"):
        verify(folder, thorough=True)


def test_new_date_of_a_right_file_is_noted(folder: Path) -> None:
    """A copied image is read as a whole once, and not at each use."""
    os.utime(folder / "disk.qcow2", ns=(1, 1))
    verify(folder)
    assert read_manifest(folder).files["disk.qcow2"].mtime_ns == 1


@pytest.mark.parametrize("name", ["disk.qcow2", "vmlinux", "initrd", "manifest.json"])
def test_missing_file_is_named(folder: Path, name: str) -> None:
    """No file of an image can be spared."""
    (folder / name).unlink()
    with pytest.raises(ImageError, match=name):
        verify(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": 2}', '{"schema": 1, "distro": 3}'])
def test_damaged_manifest_is_refused(folder: Path, content: str) -> None:
    """A manifest that is no manifest makes the image damaged, not the program."""
    (folder / "manifest.json").write_text(content)
    with pytest.raises(ImageError, match=r"manifest\.json is damaged"):
        verify(folder)


def test_manifest_has_to_list_the_files_of_an_image(folder: Path) -> None:
    """A manifest can't say that an image has other files: none would be checked then."""
    file = folder / "manifest.json"
    file.write_text(file.read_text().replace('"initrd"', '"../initrd"'))
    with pytest.raises(ImageError, match="does not list the image's files"):
        verify(folder)


def _begin(**more: str) -> Manifest:
    return Manifest.begin(
        distro="el-10",
        digest="0123",
        command_line="root=/dev/sda",
        kernel_version="6.12",
        packages={"bash": "5.2"},
        **more,
    )


def test_sealed_files_are_read_only_and_described(tmp_path: Path) -> None:
    """What is sealed is what is verified later."""
    for name in FILES:
        (tmp_path / name).write_text(name)
    seal(tmp_path, _begin())
    manifest = verify(tmp_path)
    assert manifest.files == {name: FileFacts.of(tmp_path / name) for name in FILES}
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in FILES} == {0o400}
    assert manifest.created.endswith("+00:00")


def test_what_every_image_was_is_not_written(tmp_path: Path) -> None:
    """Manifests of x86-64 images are as they always were: older lpiclabs read them, and this one theirs."""
    for name in FILES:
        (tmp_path / name).touch()
    seal(tmp_path, _begin(architecture="x86_64", processor="x86-64-v2"))
    assert "x86" not in (tmp_path / "manifest.json").read_text()
    image = read_manifest(tmp_path).image(tmp_path)
    assert (image.architecture, image.processor) == ("x86_64", "x86-64-v2")


def test_other_machines_images_say_so(tmp_path: Path) -> None:
    """A provider learns from the manifest what a machine has to be."""
    for name in FILES:
        (tmp_path / name).touch()
    seal(tmp_path, _begin(architecture="aarch64", processor="x86-64-v3"))
    image = read_manifest(tmp_path).image(tmp_path)
    assert (image.architecture, image.processor) == ("aarch64", "x86-64-v3")
