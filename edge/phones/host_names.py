"""The names and addresses by which a browser may know this board: what stands in its certificate, and in `Host`."""

import re
import socket
from collections.abc import Collection, Iterable
from ipaddress import ip_address

from common.errors import SettingsError

NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_-]{1,63})*", re.ASCII)
CHARACTERS_MAX = 253
ADDRESSES_MAX = 16

# Host or [IPv6], and a port or none.
_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,254})(?::([0-9]{1,5}))?", re.ASCII)


def given_names(names: Iterable[str]) -> list[str]:
    """What an owner gave as page.names, as a browser writes it. SettingsError if one is no name."""
    return [_given(name) for name in names]


def own_names() -> list[str]:
    """This machine's own name, that name on the local network, and localhost."""
    host = socket.gethostname().lower().rstrip(".")
    names = [host, f"{host.split('.')[0]}.local", "localhost"]
    return list(dict.fromkeys(name for name in names if NAME.fullmatch(name) and len(name) <= CHARACTERS_MAX))


def own_addresses() -> list[str]:
    """Addresses of this machine, those that others reach first."""
    import ifaddr

    found = [ip_address(str(ip.ip if ip.is_IPv4 else ip.ip[0])) for each in ifaddr.get_adapters() for ip in each.ips]
    usable = [each for each in found if not each.is_link_local]
    return [str(each) for each in sorted(usable, key=lambda each: (each.is_loopback, each.version))][:ADDRESSES_MAX]


def is_ours(host: str, *, names: Collection[str], address: str, port: int, default_port: int) -> bool:
    """Whether `Host` names this board: one of its names, or the very address that the connection came to; and the port.

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


def _given(name: str) -> str:
    try:
        plain = ip_address(name)
        return f"[{plain}]" if plain.version == 6 else str(plain)
    except ValueError:
        pass
    try:
        known = name.lower().removesuffix(".").encode("idna").decode("ascii")
    except UnicodeError:
        known = ""
    if len(known) > CHARACTERS_MAX or not NAME.fullmatch(known):
        raise SettingsError(
            f"page.names has {name!r}, but must have names and addresses, such as kitchen.example or 192.0.2.1."
        )
    return known
