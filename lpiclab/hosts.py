"""What the name and the address of a host look like."""

from __future__ import annotations

import ipaddress
import re

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOSTNAME = re.compile(rf"(?=.{{1,64}}\Z){_LABEL}(\.{_LABEL})*")
_INTERFACE = re.compile(r"[0-9.]+/[0-9]{1,2}")
_NO_ENDS_BITS = 31  # RFC 3021: from here on a network has no broadcast address


def is_hostname(text: str) -> bool:
    """Tell whether Linux takes `text` for a host's name, see hostname(7); upper case is refused."""
    return bool(_HOSTNAME.fullmatch(text))


def is_interface(text: str) -> bool:
    """Tell whether `text` is an IPv4 address of a host with its prefix, such as ``192.0.2.1/24``."""
    if not _INTERFACE.fullmatch(text):
        return False
    try:
        interface = ipaddress.IPv4Interface(text)
    except ValueError:
        return False
    network = interface.network
    ends = {network.network_address, network.broadcast_address}
    return network.prefixlen >= _NO_ENDS_BITS or interface.ip not in ends
