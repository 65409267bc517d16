"""HOST:PORT, as both sides take it."""

import re
from ipaddress import ip_address
from typing import NamedTuple

from common.errors import SettingsError

PORT_MAX = 65_535

# A name, an IPv4 address, or an IPv6 address in brackets.
_ADDRESS = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.%]+\]):([0-9]{1,5})", re.ASCII)


class Address(NamedTuple):
    """Where a service is."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether what goes there never leaves this machine. A name is believed only if it is localhost."""
        try:
            return ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"


def parse_address(text: str, *, called: str, port_min: int) -> Address:
    """SettingsError, a sentence that begins with what it is `called`, if the text is no HOST:PORT."""
    found = _ADDRESS.fullmatch(text)
    if found is None or not port_min <= int(found[2]) <= PORT_MAX:
        example = f"127.0.0.1:7407; the port from {port_min} to {PORT_MAX}"
        raise SettingsError(f"{called} is {text!r}, but must be HOST:PORT, such as {example}.")
    return Address(found[1], int(found[2]))
