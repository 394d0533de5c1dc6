"""Build an image folder: bootstrap a root folder with mmdebstrap, and make disk, kernel and initrd of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from lpiclab import proc
from lpiclab.images import kernel, sandbox
from lpiclab.images.archive import Archive, find_keyring, host_archive, host_proxies
from lpiclab.images.manifest import Manifest, seal
from lpiclab.images.recipe import DISK_MIB, Recipe
from lpiclab.model import Bootstrap
from lpiclab.wait import Deadline

PRESEED_HOOK = 'chroot "$1" debconf-set-selections < "$LPICLAB_PRESEED"'
_HOOKS = {
    "essential": PRESEED_HOOK,
    "customize": 'tar -C "$1" -xf "$LPICLAB_OVERLAY" && chroot "$1" sh -s < "$LPICLAB_CUSTOMIZE"',
}
_EXCLUDED = ("/usr/share/locale/*", "/usr/share/doc/*", "/usr/share/info/*", "/usr/share/man/??/*")
_INCLUDED = ("/usr/share/doc/*/copyright", "/usr/share/doc/*/examples/*")


def build_folder(recipe: Recipe, part: Path, *, progress: Callable[[str], None], deadline: Deadline) -> Path:
    """Build an image in the empty folder `part` and return its folder in there, complete and durable.

    Raises:
        MissingTool: a keyring or program is not installed.
        ImageError: this host's apt knows no archive, or the kernel is of an unknown kind.
        ToolFailed: a program ended with an error.
        TimedOut: it took too long.
        OSError: a file could not be written.
    """
    root, folder = part / "root", part / "image"
    folder.mkdir(mode=0o700)
    progress(f"installing {len(recipe.bootstrap.packages)} packages and what they need (two minutes)")
    _bootstrap(recipe, root, part, deadline)
    progress("writing the disk")
    _write_disk(root, part / "disk.raw", folder / "disk.qcow2", deadline)
    version = kernel.kernel_version(root)
    bzimage = (root / "boot" / f"vmlinuz-{version}").read_bytes()
    (folder / "vmlinux").write_bytes(kernel.extract_vmlinux(bzimage, deadline=deadline))
    (folder / "initrd").write_bytes(kernel.build_initrd(root, version, recipe.init))
    progress("taking checksums")
    seal(
        folder,
        Manifest.begin(
            distro=recipe.distro,
            digest=recipe.digest,
            command_line=recipe.command_line,
            kernel_version=version,
            packages=installed_packages(root),
        ),
    )
    return folder


def bootstrap_argv(
    bootstrap: Bootstrap, root: Path, archive: Archive, keyring: Path, hooks: Mapping[str, str] = _HOOKS
) -> list[str]:
    """Return mmdebstrap's command line; `hooks` are shell commands by the step that they follow."""
    lines = [f"deb {archive.main} {suite} main" for suite in bootstrap.suites]
    if archive.security:
        lines += [f"deb {archive.security} {suite} main" for suite in bootstrap.security_suites]
    return [
        *("mmdebstrap", "--mode=root", "--format=directory", "--variant=minbase"),
        *(f"--keyring={keyring}", f"--include={','.join(bootstrap.packages)}"),
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in _EXCLUDED),
        *(f"--dpkgopt=path-include={pattern}" for pattern in _INCLUDED),
        *(f"--{name}-hook={command}" for name, command in hooks.items()),
        # It would empty machine-id: systemd would then take each boot for the first.
        "--skip=cleanup/reproducible",
        *(bootstrap.suites[0], str(root)),
        *lines,
    ]


def installed_packages(root: Path) -> Mapping[str, str]:
    """Return the installed packages and versions of the system in `root`."""
    packages = {}
    for stanza in (root / "var/lib/dpkg/status").read_text().split("\n\n"):
        fields = dict(re.findall(r"^(Package|Version|Status): (.*)$", stanza, re.MULTILINE))
        if fields.get("Status", "").endswith(" installed"):
            packages[fields["Package"]] = fields["Version"]
    return packages


def _bootstrap(recipe: Recipe, root: Path, part: Path, deadline: Deadline) -> None:
    # The kernel's scripts then make no initrd: the machine has its own.
    environment = {"INITRD": "No", **host_proxies(deadline=deadline)}
    for name in ("preseed", "overlay", "customize"):
        file = part / name
        file.write_bytes(getattr(recipe, name))
        environment[f"LPICLAB_{name.upper()}"] = str(file)
    keyring = find_keyring(recipe.bootstrap.keyring)
    argv = bootstrap_argv(recipe.bootstrap, root, host_archive(), keyring)
    sandbox.run(argv, environment=environment, log=part / "log", deadline=deadline)


def _write_disk(root: Path, raw: Path, disk: Path, deadline: Deadline) -> None:
    """Write a file system without a partition table: the kernel is loaded from outside."""
    options = ["-q", "-t", "ext4", "-L", "lpiclab", "-m", "1", "-E", "lazy_itable_init=1,lazy_journal_init=1"]
    sandbox.run(["mke2fs", *options, "-d", root, raw, f"{DISK_MIB}M"], deadline=deadline)
    proc.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, disk], deadline=deadline)
