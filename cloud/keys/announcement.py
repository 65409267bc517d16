"""Tells the local network that there is a service, so that nobody types its address (mDNS, RFC 6762 and 6763).

Whoever hears it knows no more than whoever scans the ports: which machine, which ports. A board believes none of it
before the code has proved the enrolment port.
"""

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from common import VERSION
from protos.enrolment_code import MDNS_TYPE

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncServiceInfo

logger = logging.getLogger(__name__)

LOOK_S = 60.0
"""How often the machine's addresses are looked at, and what failed is tried again."""
PORT_LOOK_S = 1.0
"""How often the enrolment port is, which is picked when the first code opens it."""


class _Told(NamedTuple):
    """What is announced."""

    addresses: tuple[str, ...]
    port: int
    enrol_port: int


async def announce(host: str, port: int, enrol_port: Callable[[], int], look_s: float = LOOK_S) -> None:
    """Announces until it is cancelled, and again whenever the machine's addresses or the enrolment port (0: not known
    yet) are other ones. That it cannot be is told in the log, once a fault, and costs nothing else."""
    try:
        from zeroconf import Error
    except ImportError as error:
        logger.warning("not announced on the local network: %s", error)
        return
    ailing = ""
    while True:
        try:
            await _announced(lambda: _Told(_addresses(host), port, enrol_port()), enrol_port, look_s)
            ailing = ""
        # RuntimeError: an address went away between two looks at it.
        except (Error, OSError, RuntimeError) as error:
            if ailing != str(error):
                logger.warning("not announced on the local network: %s", error)
            ailing = str(error)
            await asyncio.sleep(look_s)


async def _announced(tell: Callable[[], _Told], enrol_port: Callable[[], int], look_s: float) -> None:
    """Announces as long as it is so."""
    from zeroconf.asyncio import AsyncZeroconf

    told = tell()
    # Of its own each time: it sends from the addresses that there were when it was made.
    network = AsyncZeroconf()
    try:
        # Asks first whether the name is taken, which takes a second, and sends in the end.
        await (await network.async_register_service(_info(told), allow_name_change=True))
        while tell() == told:
            until_s = time.monotonic() + look_s
            while enrol_port() == told.enrol_port and time.monotonic() < until_s:
                await asyncio.sleep(min(PORT_LOOK_S, look_s))
    finally:
        await network.async_close()


def _info(told: _Told) -> "AsyncServiceInfo":
    from zeroconf.asyncio import AsyncServiceInfo

    name = socket.gethostname().split(".")[0] or "service"
    # Until it is known which port it is, boards take the next one.
    enrol = {"enrol": str(told.enrol_port)} if told.enrol_port else {}
    return AsyncServiceInfo(
        MDNS_TYPE,
        f"{name}.{MDNS_TYPE}",
        port=told.port,
        parsed_addresses=list(told.addresses),
        properties={**enrol, "version": VERSION},
        server=f"{name}.local.",
    )


def _addresses(host: str) -> tuple[str, ...]:
    """The address that is listened on, or all that this machine has."""
    return _own_addresses() if host in ("0.0.0.0", "[::]") else (host.strip("[]"),)


def _own_addresses() -> tuple[str, ...]:
    """IPv4 addresses under which others reach this machine."""
    import ifaddr

    ips = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    return tuple(ip for ip in ips if isinstance(ip, str) and not ip.startswith("127."))
