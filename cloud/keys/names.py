"""The names and addresses that stand in the service's certificate. Boards do not look at them; other clients do."""

import re
import socket
from collections.abc import Sequence
from ipaddress import ip_address

from common.errors import SettingsError

_DNS_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*", re.ASCII)
_WILDCARD = "*."
_CHARACTERS_MAX = 253


def given_names(names: Sequence[str]) -> list[str]:
    """What an owner gave as server.names, as a certificate tells it again. SettingsError if one is no name."""
    return [_given_name(name) for name in names]


def _given_name(name: str) -> str:
    try:
        # Which network an address is of, after a %, is this machine's own affair.
        return str(ip_address(ip_address(name).packed))
    except ValueError:
        pass
    try:
        known = name.removesuffix(".").encode("idna").decode("ascii")
    except UnicodeError:
        known = ""
    if len(known) > _CHARACTERS_MAX or not _DNS_NAME.fullmatch(known.removeprefix(_WILDCARD)):
        raise SettingsError(
            f"server.names has {name!r}, but must have names and addresses, such as speech.example or 192.0.2.1."
        )
    return known


def own_names() -> list[str]:
    """Names and addresses by which others may know this machine."""
    host = socket.gethostname()
    names = [name for name in (host, f"{host.split('.')[0]}.local", "localhost") if _DNS_NAME.fullmatch(name)]
    address = own_address()
    return [*names, *([address] if address else []), "127.0.0.1", "::1"]


def own_address() -> str | None:
    """The address by which others most likely reach this machine; None without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Sends nothing: only asks which address would be used.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address: str = probe.getsockname()[0]
    return address
