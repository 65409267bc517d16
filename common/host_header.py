"""Whether `Host` names this machine: what keeps a page of somebody else's out whose name was turned to our address."""

import re
from collections.abc import Collection
from ipaddress import ip_address

# Host or [IPv6], and a port or none.
_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,254})(?::([0-9]{1,5}))?", re.ASCII)


def is_ours(host: str, *, names: Collection[str], address: str, port: int, default_port: int) -> bool:
    """Whether `Host` names this machine and port: one of its names, or the very address that the connection came to.

    A page of somebody else's, whose name was turned to our address (DNS rebinding), still says its own name here."""
    found = _HOST.fullmatch(host.lower())
    if found is None or int(found[2] or default_port) != port:
        return False
    try:
        return ip_address(found[1].strip("[]")) == _unmapped(address) or found[1] in names
    except ValueError:
        return found[1].removesuffix(".") in names


def _unmapped(address: str) -> object:
    """As an IPv4 address where it is one that IPv6 carries; without the network that it is of."""
    plain = ip_address(address.partition("%")[0])
    return getattr(plain, "ipv4_mapped", None) or plain
