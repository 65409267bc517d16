"""Tells the local network that there is a service, so that nobody types its address (mDNS, RFC 6762 and 6763).

Whoever hears it knows no more than whoever scans the ports: which machine, which ports. A board believes none of it
before the code has proved the enrolment port.
"""

import asyncio
import logging
import socket
from typing import TYPE_CHECKING

from common import VERSION
from protos.enrolment_code import MDNS_TYPE

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncServiceInfo

logger = logging.getLogger(__name__)


async def announce(host: str, port: int, enrol_port: int) -> None:
    """Announces until it is cancelled. That it cannot be is told in the log, and costs nothing else."""
    try:
        from zeroconf import Error
        from zeroconf.asyncio import AsyncZeroconf
    except ImportError as error:
        logger.warning("not announced on the local network: %s", error)
        return
    try:
        network = AsyncZeroconf()
        try:
            # Asks first whether the name is taken, which takes a second, and sends in the end.
            await (await network.async_register_service(_info(host, port, enrol_port), allow_name_change=True))
            await asyncio.Event().wait()
        finally:
            await network.async_close()
    except (Error, OSError) as error:
        logger.warning("not announced on the local network: %s", error)


def _info(host: str, port: int, enrol_port: int) -> "AsyncServiceInfo":
    """What is told: the address that is listened on, or all that this machine has."""
    from zeroconf.asyncio import AsyncServiceInfo

    name = socket.gethostname().split(".")[0] or "service"
    return AsyncServiceInfo(
        MDNS_TYPE,
        f"{name}.{MDNS_TYPE}",
        port=port,
        parsed_addresses=_own_addresses() if host in ("0.0.0.0", "[::]") else [host.strip("[]")],
        properties={"enrol": str(enrol_port), "version": VERSION},
        server=f"{name}.local.",
    )


def _own_addresses() -> list[str]:
    """IPv4 addresses under which others reach this machine."""
    import ifaddr

    ips = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    return [ip for ip in ips if isinstance(ip, str) and not ip.startswith("127.")]
