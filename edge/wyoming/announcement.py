"""Tells the local network that there is something that speaks Wyoming, as Home Assistant looks for it (mDNS).

What listens on this machine alone is told to this machine alone.
"""

import asyncio
import logging
import re
from typing import TYPE_CHECKING

from common.addresses import Address

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncServiceInfo

logger = logging.getLogger(__name__)

MDNS_TYPE = "_wyoming._tcp.local."

LOOK_S = 60.0
"""How often the machine's addresses are looked at, and what failed is tried again."""


async def announce(name: str, address: Address, look_s: float = LOOK_S) -> None:
    """Announces until it is cancelled, and again whenever the machine's addresses are other ones. That it cannot be is
    told in the log, once a fault, and costs nothing else."""
    try:
        from zeroconf import Error
    except ImportError as error:
        logger.warning("not announced on the local network: %s", error)
        return
    ailing = ""
    while True:
        try:
            await _announced(name, address, look_s)
            ailing = ""
        # RuntimeError: an address went away between two looks at it.
        except (Error, OSError, RuntimeError) as error:
            if ailing != str(error):
                logger.warning("not announced on the local network: %s", error)
            ailing = str(error)
            await asyncio.sleep(look_s)


async def _announced(name: str, address: Address, look_s: float) -> None:
    """Announces as long as it is so."""
    from zeroconf import InterfaceChoice
    from zeroconf.asyncio import AsyncZeroconf

    told = _addresses(address)
    network = AsyncZeroconf(interfaces=told if address.is_loopback else InterfaceChoice.All)
    try:
        # Asks first whether the name is taken, which takes a second, and sends in the end.
        await (await network.async_register_service(_info(name, told, address.port), allow_name_change=True))
        while _addresses(address) == told:
            await asyncio.sleep(look_s)
    finally:
        await network.async_close()


def _info(name: str, told: list[str], port: int) -> "AsyncServiceInfo":
    from zeroconf.asyncio import AsyncServiceInfo

    # No dots, and 63 bytes at most.
    label = re.sub("[^A-Za-z0-9-]", "-", name)[:63]
    return AsyncServiceInfo(
        MDNS_TYPE, f"{label}.{MDNS_TYPE}", port=port, parsed_addresses=told, server=f"{label}.local."
    )


def _addresses(address: Address) -> list[str]:
    """The address that is listened on, or all that this machine has."""
    if address.host.lower() == "localhost":
        return ["127.0.0.1"]
    if address.host not in ("0.0.0.0", "[::]"):
        return [address.host.strip("[]")]
    import ifaddr

    ips = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    return [ip for ip in ips if isinstance(ip, str) and not ip.startswith("127.")]
