"""Ask mdadm and its configuration for arrays."""

from __future__ import annotations

import re
from typing import NamedTuple

from testinfra.host import Host


class ArrayLine(NamedTuple):
    """An ARRAY line of mdadm.conf(5): the device it names, and the UUID's digits ("" without one)."""

    device: str
    uuid: str


def array_names(array: str) -> set[str]:
    """Return what an array such as ``md0`` can be called in mdadm.conf(5)."""
    return {array, f"/dev/{array}", f"/dev/md/{array}", f"/dev/md/{array.removeprefix('md')}"}


def array_uuid(host: Host, array: str) -> str:
    """Return the digits of a running array's UUID."""
    detail = host.run("mdadm --detail --export %s", f"/dev/{array}").stdout
    return _hexadecimal("".join(re.findall(r"^MD_UUID=(.*)$", detail, re.MULTILINE)))


def array_lines(host: Host, path: str) -> list[ArrayLine]:
    """Return the ARRAY lines of mdadm's configuration, wherever mdadm looks for it."""
    places = dict.fromkeys((path, f"{path}.d/*.conf", "/etc/mdadm.conf"))  # the first may be the last
    text = host.run(f"cat {' '.join(places)} 2>/dev/null").stdout
    # mdadm.conf(5): a line that begins with white space goes on with the one before.
    lines = re.sub(r"\n[ \t]+", " ", re.sub(r"#.*", "", text))
    found = re.findall(r"^arr(?:a|ay)?\s+(\S+)(.*)$", lines, re.IGNORECASE | re.MULTILINE)
    return [ArrayLine(device, _hexadecimal(rest.lower().partition("uuid=")[2])) for device, rest in found]


def _hexadecimal(text: str) -> str:
    """Return the digits of the UUID that `text` begins with, however it is punctuated."""
    return re.sub(r"[^0-9a-f]", "", text.split(maxsplit=1)[0].lower()) if text.strip() else ""
