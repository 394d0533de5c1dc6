"""The kernel and the initrd of an image: taken out of its root folder, ready for QEMU's `-kernel`.

An uncompressed kernel is entered directly (PVH), which saves a second of emulated unpacking.
"""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from lpiclab import proc
from lpiclab.errors import ImageError
from lpiclab.images.cpio import Archive
from lpiclab.wait import Deadline

_MODULES = (
    *("virtio_pci", "crc32c_generic", "virtio_scsi", "sd_mod", "ext4"),
    *("virtio_net", "virtio_console", "virtio_rng", "autofs4"),
)
_NODES = ("btrfs-control", "cuse", "fuse", "loop-control", "mapper/control", "net/tun", "ppp", "uinput")
_OPTIONS = {"scsi_mod": "scan=manual"}
_ELF = b"\x7fELF"


def kernel_version(root: Path) -> str:
    """Return the version of the one kernel in the root folder `root`.

    Raises:
        ImageError: there is none, or more than one.
    """
    versions = sorted(folder.name for folder in (root / "usr/lib/modules").glob("*"))
    if len(versions) != 1:
        raise ImageError(f"expected one kernel in {root}, found {', '.join(versions) or 'none'}")
    return versions[0]


def extract_vmlinux(bzimage: bytes, *, deadline: Deadline) -> bytes:
    """Return the ELF kernel in a bzImage.

    The place of the compressed payload is in the header, see the kernel's
    Documentation/arch/x86/boot.rst; its last 4 bytes are the unpacked size.

    Raises:
        ImageError: it is no bzImage, or packed in a way that is not known here.
    """
    if bzimage[0x202:0x206] != b"HdrS":
        raise ImageError("the kernel is not a bzImage")
    setup_sectors = bzimage[0x1F1] or 4
    offset, length = struct.unpack_from("<II", bzimage, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    packed = bzimage[start : start + length - 4]
    if packed.startswith(b"\x28\xb5\x2f\xfd"):
        kernel = proc.run(["zstd", "-dc"], stdin=packed, deadline=deadline)
    elif packed.startswith(b"\xfd7zXZ"):
        kernel = lzma.LZMADecompressor().decompress(packed)
    elif packed.startswith(b"\x1f\x8b"):
        kernel = zlib.decompressobj(wbits=31).decompress(packed)
    else:
        raise ImageError(f"the kernel is packed in an unknown way ({packed[:6].hex()})")
    if not kernel.startswith(_ELF):
        raise ImageError("the unpacked kernel is not an ELF file")
    return kernel


def build_initrd(root: Path, version: str, init: bytes) -> bytes:
    """Return an initrd that loads what the root disk and the cards need and runs `init`."""
    archive = Archive()
    for folder in ("bin", "dev", "modules", "proc", "root", "run", "sys"):
        archive.folder(folder)
    archive.file("bin/busybox", (root / "usr/bin/busybox").read_bytes(), 0o755)
    archive.file("init", init, 0o755)
    order = []
    for module in module_files(root / "usr/lib/modules" / version, _MODULES):
        name = module.name.partition(".")[0]
        archive.file(f"modules/{name}.ko", _unpacked(module))
        order.append(f"{name}.ko {_OPTIONS.get(name, '')}".rstrip())
    archive.file("modules/order", ("\n".join(order) + "\n").encode())
    archive.file("modules/nodes", "".join(_node_lines(root / "usr/lib/modules" / version)).encode())
    return archive.finish()


def module_files(folder: Path, names: Iterable[str]) -> list[Path]:
    """Return the files of kernel modules and of all that they need, in the order to load them.

    Modules that the kernel has built in, or does not have, are left out: the lists of modules are
    of several kernels. `modules.dep` has the needs of each module, the last needed first.
    """
    needs: dict[str, list[str]] = {}
    for line in (folder / "modules.dep").read_text().splitlines():
        file, _, rest = line.partition(":")
        needs[Path(file).name.partition(".")[0].replace("-", "_")] = [*reversed(rest.split()), file]
    files: dict[str, None] = {}
    for name in names:
        files.update(dict.fromkeys(needs.get(name, ())))
    return [folder / file for file in files]


def _node_lines(folder: Path) -> Iterator[str]:
    """Yield ``NAME MAJOR MINOR`` of modules.devname's ``MODULE NAME cMAJOR:MINOR``, see depmod(8)."""
    for line in (folder / "modules.devname").read_text().splitlines():
        words = line.split()
        if words[1] in _NODES:
            yield f"{words[1]} {words[2].removeprefix('c').replace(':', ' ')}\n"


def _unpacked(module: Path) -> bytes:
    content = module.read_bytes()
    return lzma.decompress(content) if module.suffix == ".xz" else content
