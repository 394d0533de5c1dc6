"""`lpiclab.hosts`: names and addresses of hosts."""

from __future__ import annotations

import pytest

from lpiclab.hosts import is_hostname, is_interface


@pytest.mark.parametrize("name", ["a", "ns1.example.net", "a-b", "0", "a" * 63, "9.example"])
def test_host_names(name: str) -> None:
    """Letters, digits and inner hyphens in labels of up to 63 are a host name."""
    assert is_hostname(name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "a..b", "a_b", "A", "a ", "a.", "a" * 64, "é", "a\n"])
def test_no_host_names(name: str) -> None:
    """What hostname(7) or our lower-case rule excludes is no host name."""
    assert not is_hostname(name)


@pytest.mark.parametrize("address", ["192.0.2.1/24", "10.0.0.0/31", "10.0.0.1/32", "10.1.255.255/8"])
def test_interfaces(address: str) -> None:
    """An address that a host can have, with its prefix, is an interface address."""
    assert is_interface(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "192.0.2.1",
        "192.0.2.1/",
        "192.0.2.0/24",
        "192.0.2.255/24",
        "192.0.2.256/24",
        "192.0.2.01/24",
        "192.0.2.1/33",
        "192.0.2.1/255.255.255.0",
        "2001:db8::1/64",
    ],
)
def test_no_interfaces(address: str) -> None:
    """Networks, broadcasts, netmasks, IPv6 and slips are no interface address."""
    assert not is_interface(address)
