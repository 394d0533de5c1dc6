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
from lpiclab.model import X86_64
from lpiclab.wait import Deadline

_MODULES = (
    *("virtio_pci", "crc32c_generic", "virtio_scsi", "sd_mod", "ext4"),
    *("virtio_net", "virtio_console", "virtio_rng", "autofs4"),
)
_NODES = ("btrfs-control", "cuse", "fuse", "loop-control", "mapper/control", "net/tun", "ppp", "uinput")
_OPTIONS = {"scsi_mod": "scan=manual"}
_ELF = b"\x7fELF"
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_PT_INTERP, _PT_NOTE = 3, 4
_PVH_NOTE = 18
_UNPACK_S = 60.0


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
    if packed.startswith(_ZSTD):
        kernel = proc.run(["zstd", "-dc"], stdin=packed, deadline=deadline)
    elif packed.startswith(b"\xfd7zXZ"):
        kernel = lzma.LZMADecompressor().decompress(packed)
    elif packed.startswith(_GZIP):
        kernel = zlib.decompressobj(wbits=31).decompress(packed)
    else:
        raise ImageError(f"the kernel is packed in an unknown way ({packed[:6].hex()})")
    if not kernel.startswith(_ELF):
        raise ImageError("the unpacked kernel is not an ELF file")
    return kernel


def bootable(vmlinuz: bytes, architecture: str, *, deadline: Deadline) -> bytes:
    """Return what QEMU's `-kernel` boots quickest of a kernel as it lies in `/boot`.

    Raises:
        ImageError: as `extract_vmlinux`.
    """
    if architecture != X86_64:
        packed = vmlinuz.startswith(_GZIP)
        return zlib.decompressobj(wbits=31).decompress(vmlinuz) if packed else vmlinuz
    unpacked = extract_vmlinux(vmlinuz, deadline=deadline)
    # Without the entry that PVH wants, QEMU takes the kernel as a boot loader does.
    return unpacked if has_pvh_entry(unpacked) else vmlinuz


def has_pvh_entry(elf: bytes) -> bool:
    """Tell whether a kernel can be entered by PVH: it says where in a note of Xen's.

    See the kernel's include/xen/interface/elfnote.h, XEN_ELFNOTE_PHYS32_ENTRY.
    """
    for kind, offset, size in _segments(elf):
        at, end = offset, offset + size
        while kind == _PT_NOTE and at + 12 <= end:
            name_bytes, content_bytes, number = struct.unpack_from("<III", elf, at)
            if number == _PVH_NOTE and elf[at + 12 : at + 12 + name_bytes] == b"Xen\0":
                return True
            at += 12 + (name_bytes + 3) // 4 * 4 + (content_bytes + 3) // 4 * 4
    return False


def is_static(elf: bytes) -> bool:
    """Tell whether a program is an ELF file that needs no dynamic loader."""
    return elf.startswith(_ELF) and all(kind != _PT_INTERP for kind, _, _ in _segments(elf))


def _segments(elf: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield kind, offset and size of each segment of a 64-bit ELF file, see elf(5)."""
    (table,) = struct.unpack_from("<Q", elf, 0x20)
    entry_bytes, entries = struct.unpack_from("<HH", elf, 0x36)
    for number in range(entries):
        at = table + number * entry_bytes
        (kind,) = struct.unpack_from("<I", elf, at)
        (offset,) = struct.unpack_from("<Q", elf, at + 8)
        (size,) = struct.unpack_from("<Q", elf, at + 32)
        yield kind, offset, size


def needed_modules(folder: Path) -> list[Path]:
    """Return the modules that the initrd has, of those in a kernel's folder, in the order to load them."""
    return module_files(folder, _MODULES)


def build_initrd(root: Path, version: str, init: bytes) -> bytes:
    """Return an initrd that loads what the root disk and the cards need and runs `init`."""
    archive = Archive()
    for folder in ("bin", "dev", "modules", "proc", "root", "run", "sys"):
        archive.folder(folder)
    archive.file("bin/busybox", (root / "usr/bin/busybox").read_bytes(), 0o755)
    archive.file("init", init, 0o755)
    order = []
    for module in needed_modules(root / "usr/lib/modules" / version):
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
    if module.suffix == ".xz":
        return lzma.decompress(content)
    if module.suffix == ".zst":
        return proc.run(["zstd", "-dc"], stdin=content, deadline=Deadline.after(_UNPACK_S))
    return content
