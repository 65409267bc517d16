"""Tells the local network that there is a service, so that nobody types its address (mDNS, RFC 6762 and 6763).

Whoever hears it knows no more than whoever scans the ports: which machine, which ports. What listens on this machine
alone is told to this machine alone.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from common.addresses import Address

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncServiceInfo

logger = logging.getLogger(__name__)

LOOK_S = 60.0
"""How often the machine's addresses are looked at, and what failed is tried again."""
PROPERTIES_LOOK_S = 1.0
"""How often the properties are, which cost nothing."""


class _Told(NamedTuple):
    """What is announced."""

    addresses: tuple[str, ...]
    properties: Mapping[str, str]


async def announce(
    kind: str,
    name: str,
    address: Address,
    properties: Callable[[], Mapping[str, str]] = dict,
    look_s: float = LOOK_S,
) -> None:
    """Announces until it is cancelled, and again whenever the machine's addresses or the properties are other ones.
    `kind`: the service's type, such as "_wyoming._tcp.local.". That it cannot be is told in the log, once a fault, and
    costs nothing else."""
    try:
        from zeroconf import Error
    except ImportError as error:
        logger.warning("not announced on the local network: %s", error)
        return
    ailing = ""
    while True:
        try:
            await _announced(kind, name, address, properties, look_s)
            ailing = ""
        # RuntimeError: an address went away between two looks at it.
        except (Error, OSError, RuntimeError) as error:
            if ailing != str(error):
                logger.warning("not announced on the local network: %s", error)
            ailing = str(error)
            await asyncio.sleep(look_s)


async def _announced(
    kind: str, name: str, address: Address, properties: Callable[[], Mapping[str, str]], look_s: float
) -> None:
    """Announces as long as it is so."""
    from zeroconf import InterfaceChoice
    from zeroconf.asyncio import AsyncZeroconf

    told = _Told(_addresses(address), properties())
    # Of its own each time: it sends from the addresses that there were when it was made.
    network = AsyncZeroconf(interfaces=list(told.addresses) if address.is_loopback else InterfaceChoice.All)
    try:
        # Asks first whether the name is taken, which takes a second, and sends in the end.
        await (await network.async_register_service(_info(kind, name, address.port, told), allow_name_change=True))
        while _addresses(address) == told.addresses and properties() == told.properties:
            until_s = time.monotonic() + look_s
            while properties() == told.properties and time.monotonic() < until_s:
                await asyncio.sleep(min(PROPERTIES_LOOK_S, look_s))
    finally:
        await network.async_close()


def _info(kind: str, name: str, port: int, told: _Told) -> "AsyncServiceInfo":
    from zeroconf.asyncio import AsyncServiceInfo

    # No dots, and 63 bytes at most.
    label = re.sub("[^A-Za-z0-9-]", "-", name)[:63]
    return AsyncServiceInfo(
        kind,
        f"{label}.{kind}",
        port=port,
        parsed_addresses=list(told.addresses),
        properties=dict(told.properties),
        server=f"{label}.local.",
    )


def _addresses(address: Address) -> tuple[str, ...]:
    """The address that is listened on, or all that this machine has."""
    if address.host.lower() == "localhost":
        return ("127.0.0.1",)
    return _own_addresses() if address.host in ("0.0.0.0", "[::]") else (address.host.strip("[]"),)


def _own_addresses() -> tuple[str, ...]:
    """IPv4 addresses under which others reach this machine."""
    import ifaddr

    ips = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    return tuple(ip for ip in ips if isinstance(ip, str) and not ip.startswith("127."))
