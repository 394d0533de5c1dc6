"""Build an image folder of a published cloud disk: furnish it in a first boot, and copy what is in it.

The copy is of the same kind as what `builder` makes: one file system without a partition table, our files
in it, kernel and initrd beside it. So nothing after it has to know where an image came from.
"""

from __future__ import annotations

import io
import shlex
import shutil
import tarfile
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lpiclab import guest, proc
from lpiclab.errors import GuestError, ImageError, MissingTool, TimedOut
from lpiclab.files import write_private
from lpiclab.hardware import ARCHITECTURES
from lpiclab.images import download, kernel
from lpiclab.images.cloudrecipe import CloudRecipe
from lpiclab.images.firstboot import HOST_ADDRESS, READY_PORT, FirstBoot, Hardware, first_boot
from lpiclab.images.manifest import Manifest, seal
from lpiclab.images.recipe import DISK_MIB
from lpiclab.images.seed import seed_disk, user_data
from lpiclab.keys import make_key_pair
from lpiclab.model import SshEndpoint
from lpiclab.ssh import Session
from lpiclab.wait import Deadline

_ROOM_MIB = 6144
"""What the published disk is made larger by, for the packages; cloud-init makes its file system grow."""
_FIRST_BOOT_S = 1200.0
_COMMAND_S = 300.0
_OFF_S = 180.0
_TAIL_BYTES = 3000
_SHOWN_CHARACTERS = 200
_WORK = "/run/lpiclab"
_MODULES = "/usr/lib/modules"

Progress = Callable[[str], None]


def require(architecture: str) -> None:
    """Make sure that images can be made of published disks here.

    Raises:
        MissingTool: programs or the firmware are missing.
    """
    kind = ARCHITECTURES[architecture]
    tools = {"qemu-img": "qemu-utils", kind.program: kind.package, "zstd": "zstd"}
    missing = {package for tool, package in tools.items() if not shutil.which(tool)}
    if kind.firmware and kind.firmware_file() is None:
        missing.add("qemu-efi-aarch64")
    if _busybox() is None:
        missing.add("busybox-static")
    if missing:
        raise MissingTool(
            f"to build an image of a cloud disk, {' and '.join(sorted(missing))} must be installed",
            hint=f"apt-get install {' '.join(sorted(missing))}",
        )


def build_cloud_folder(
    recipe: CloudRecipe,
    part: Path,
    downloads: Path,
    *,
    accelerator: str,
    progress: Progress,
    deadline: Deadline,
) -> Path:
    """Build an image in the empty folder `part` and return its folder in there, complete and durable.

    Raises:
        ImageError: the disk could not be downloaded, or its first boot failed.
        ToolFailed: a program ended with an error.
        TimedOut: it took too long.
        OSError: a file could not be written.
    """
    root, folder = part / "root", part / "image"
    folder.mkdir(mode=0o700)
    progress(f"downloading {recipe.disk.url}")
    base = download.fetch(recipe.disk, downloads, progress)
    _make_disks(base, recipe, part, deadline)
    _make_seed(recipe, part)
    hardware = Hardware(
        architecture=recipe.architecture,
        processor=recipe.processor,
        accelerator=accelerator,
        system="system.qcow2",
        target="image/disk.qcow2",
        seed="seed.iso",
    )
    progress("its first boot")
    with first_boot(recipe.distro, part, hardware) as machine:
        machine.wait_ready(deadline.sooner(_FIRST_BOOT_S))
        try:
            with _connect(machine, deadline) as session:
                packages = _furnish(session, recipe, progress, deadline)
                version = _fetch_kernel(session, recipe, machine, root, deadline)
                _tell(session, recipe, "systemctl --no-block poweroff", deadline)
        except GuestError as error:
            raise machine.failure(f"it was lost in its first boot: {error.message}") from error
        machine.wait_off(deadline.sooner(_OFF_S))
    _write_kernel(recipe, root, version, folder, deadline)
    progress("taking checksums")
    seal(
        folder,
        Manifest.begin(
            distro=recipe.distro,
            digest=recipe.digest,
            command_line=recipe.command_line,
            kernel_version=version,
            packages=packages,
            architecture=recipe.architecture,
            processor=recipe.processor,
        ),
    )
    return folder


def proxies() -> Mapping[str, str]:
    """Return the variables that make the machine use the proxies that this process uses, if any.

    A proxy on this host's loopback has another address there.
    """
    found = {}
    for scheme, url in urllib.request.getproxies().items():
        if scheme in {"http", "https"}:
            parts = urllib.parse.urlsplit(url)
            local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
            where = f"{HOST_ADDRESS}:{parts.port}" if local else parts.netloc
            found[f"{scheme}_proxy"] = urllib.parse.urlunsplit(parts._replace(netloc=where))
    return found


def _busybox() -> Path | None:
    """Return a busybox of this host that needs no libraries, for the initrd; None where there is none."""
    found = shutil.which("busybox")
    return Path(found) if found and kernel.is_static(Path(found).read_bytes()) else None


def _make_disks(base: Path, recipe: CloudRecipe, part: Path, deadline: Deadline) -> None:
    system, target = part / "system.qcow2", part / "image/disk.qcow2"
    create = ["qemu-img", "create", "-q", "-f", "qcow2"]
    proc.run([*create, "-b", base.absolute(), "-F", recipe.disk.format, system], deadline=deadline)
    proc.run(["qemu-img", "resize", "-q", system, f"+{_ROOM_MIB}M"], deadline=deadline)
    proc.run([*create, target, f"{DISK_MIB}M"], deadline=deadline)


def _make_seed(recipe: CloudRecipe, part: Path) -> None:
    key = make_key_pair(part / "key", "lpiclab")
    host_key = make_key_pair(part / "host_key", recipe.distro)
    wishes = user_data(
        authorised_key=key,
        host_key=(part / "host_key").read_text(),
        host_key_public=host_key,
        ready_port=READY_PORT,
    )
    files = {"meta-data": b"instance-id: lpiclab\nlocal-hostname: lpiclab\n", "user-data": wishes}
    write_private(part / "seed.iso", seed_disk(files))


def _connect(machine: FirstBoot, deadline: Deadline) -> Session:
    endpoint = SshEndpoint(
        host="127.0.0.1",
        port=machine.ssh_port(deadline),
        host_key=(machine.folder / "host_key.pub").read_text(),
        key_file=machine.folder / "key",
    )
    return Session.connect(endpoint, machine=machine.name, deadline=deadline)


def _furnish(
    session: Session, recipe: CloudRecipe, progress: Progress, deadline: Deadline
) -> Mapping[str, str]:
    """Install the packages, copy the system to the other disk, and return what is installed."""
    _tell(session, recipe, f"mkdir -p {_WORK}", deadline)
    for name in ("overlay", "copy", "customize", "preseed"):
        _tell(session, recipe, f"cat > {_WORK}/{name}", deadline, stdin=getattr(recipe, name))
    progress(f"installing {len(recipe.packages)} packages and what they need")
    export = "".join(f"export {name}={shlex.quote(value)}; " for name, value in proxies().items())
    if recipe.preseed:
        _do(session, recipe, f"debconf-set-selections < {_WORK}/preseed", deadline)
    for command in guest.package_commands(recipe.family, recipe.packages, recipe.repositories):
        _do(session, recipe, export + command, deadline)
    progress("writing the disk")
    _do(session, recipe, f"sh {_WORK}/copy", deadline)
    listed = _do(session, recipe, guest.package_list_command(recipe.family), deadline).decode()
    return dict(line.split(" ", 1) for line in listed.splitlines() if " " in line)


def _tell(
    session: Session, recipe: CloudRecipe, command: str, deadline: Deadline, *, stdin: bytes = b""
) -> bytes:
    """Run a command that is done at once, and return what it said.

    Raises:
        ImageError: it failed.
    """
    result = session.run(command, stdin=stdin, deadline=deadline.sooner(_COMMAND_S))
    if result.status != 0:
        raise _failed(recipe, command, f"status {result.status}", result.stdout + result.stderr)
    return result.stdout


def _do(session: Session, recipe: CloudRecipe, command: str, deadline: Deadline) -> bytes:
    """Run a command that may take long and say much, and return what it said.

    Raises:
        ImageError: it failed, or did not come to its end.
    """
    said: list[bytes] = []
    try:
        status = session.follow(command, said.append, deadline=deadline)
    except TimedOut as error:
        raise _failed(recipe, command, "it took too long", b"".join(said)) from error
    if status != 0:
        raise _failed(recipe, command, f"status {status}", b"".join(said))
    return b"".join(said)


def _failed(recipe: CloudRecipe, command: str, how: str, output: bytes) -> ImageError:
    return ImageError(
        f"{recipe.distro}: in its first boot, this failed ({how}): {command[:_SHOWN_CHARACTERS]}",
        hint="can the machine reach its distribution's servers, as this host can?",
        details=output[-_TAIL_BYTES:].decode(errors="replace"),
    )


def _fetch_kernel(
    session: Session, recipe: CloudRecipe, machine: FirstBoot, root: Path, deadline: Deadline
) -> str:
    """Bring the newest kernel, and what the initrd needs of its modules, into `root`; return its version."""
    newest = f"cd {_MODULES} && ls -d */modules.dep | cut -d/ -f1 | sort -V | tail -n 1"
    version = _tell(session, recipe, newest, deadline).decode().strip()
    if not version:
        raise machine.failure("there is no kernel in it")
    folder = root / _MODULES.lstrip("/") / version
    _fetch(session, f"{_MODULES}/{version}", ["modules.dep", "modules.devname"], folder, deadline)
    wanted = [str(file.relative_to(folder)) for file in kernel.needed_modules(folder)]
    _fetch(session, f"{_MODULES}/{version}", wanted, folder, deadline)
    _fetch(session, "/boot", [f"vmlinuz-{version}"], root / "boot", deadline)
    return version


def _fetch(session: Session, there: str, names: Sequence[str], here: Path, deadline: Deadline) -> None:
    """Copy files from the machine's folder `there` to `here`.

    Raises:
        ImageError: one is not there.
    """
    said: list[bytes] = []
    words = shlex.join(["tar", "-C", there, "--dereference", "-cf", "-", *names])
    status = session.follow(f"{words} 2> /dev/null", said.append, deadline=deadline)
    if status != 0:
        raise ImageError(f"the machine lacks {' or '.join(names)} in {there}")
    with tarfile.open(fileobj=io.BytesIO(b"".join(said))) as archive:
        for name in names:
            file = here / name
            file.parent.mkdir(parents=True, exist_ok=True)
            content = archive.extractfile(name)
            file.write_bytes(content.read() if content else b"")


def _write_kernel(recipe: CloudRecipe, root: Path, version: str, folder: Path, deadline: Deadline) -> None:
    vmlinuz = (root / "boot" / f"vmlinuz-{version}").read_bytes()
    bootable = kernel.bootable(vmlinuz, recipe.architecture, deadline=deadline)
    (folder / "vmlinux").write_bytes(bootable)
    busybox = _busybox()
    if busybox is None:
        raise MissingTool("busybox-static is gone", hint="apt-get install busybox-static")
    (root / "usr/bin").mkdir(parents=True, exist_ok=True)
    shutil.copy(busybox, root / "usr/bin/busybox")
    (folder / "initrd").write_bytes(kernel.build_initrd(root, version, recipe.init))
