"""The names and addresses by which a browser may know this board: what stands in its certificate."""

import re
import socket
from collections.abc import Iterable
from ipaddress import ip_address

from common.errors import SettingsError

NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_-]{1,63})*", re.ASCII)
CHARACTERS_MAX = 253
ADDRESSES_MAX = 16


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
