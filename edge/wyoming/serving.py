"""What `parrotlet-edge wyoming` does: listens for Wyoming clients until it is told to stop."""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

import sdnotify

from common.addresses import Address, parse_address
from common.announcement import announce
from common.errors import DaemonError
from common.settings import Loaded
from common.supervision import Supervision
from edge.asking.chain import Chain
from edge.asking.services import whole_chain_of
from edge.board.log_lines import start_logging
from edge.console import Console
from edge.device_id import device_id
from edge.settings import EdgeSettings
from edge.wyoming.connections import Connection, Connections
from edge.wyoming.speech_service import SpeechService

logger = logging.getLogger(__name__)

MDNS_TYPE = "_wyoming._tcp.local."
"""As Home Assistant looks for it."""

SPEECH_ADDRESS = "127.0.0.1:10300"
"""The port is that of others who do the same."""

LOOK_S = 0.5
"""How often it is looked whether all lives."""


def serve_speech(loaded: Loaded[EdgeSettings]) -> None:
    """Speech to text, until SIGTERM or SIGINT. SettingsError if it cannot start; DaemonError if a part of it died."""
    start_logging(loaded.settings.log.level, Console(sys.stdout))
    address = address_of(loaded, SPEECH_ADDRESS)
    with whole_chain_of(loaded) as chain:
        service = SpeechService(loaded, chain)
        asked = ", ".join(one.address for one in chain.services()) or "none"
        logger.info("speech to text for Wyoming clients; service: %s", asked)
        asyncio.run(served(loaded, address, service.serve, lambda: _check(chain)))


def address_of(loaded: Loaded[EdgeSettings], usual: str) -> Address:
    """Where to listen. SettingsError if that is no address."""
    address = parse_address(loaded.settings.wyoming.listen or usual, called="wyoming.listen", port_min=0)
    if not address.is_loopback:
        logger.warning(
            "%s is not this machine alone: Wyoming has no encryption and asks nobody who they are, so whoever reaches "
            "this port may use it, and whoever is on the way hears what is said",
            address,
        )
    return address


async def served(
    loaded: Loaded[EdgeSettings],
    address: Address,
    serve: Callable[[Connection], Awaitable[None]],
    check: Callable[[], None],
) -> None:
    """Listens until it is told to stop; `check` is called often and raises when it cannot go on."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    supervision = Supervision(sdnotify.SystemdNotifier())
    async with Connections(address, serve) as connections:
        name = device_id(loaded.settings.device.id)
        announcing = asyncio.ensure_future(announce(MDNS_TYPE, name, connections.address))
        logger.info("ready on %s", connections.address)
        supervision.ready()
        try:
            while not stop.is_set():
                check()
                supervision.status(f"{len(connections)} clients")
                supervision.feed()
                await _wait(stop)
        finally:
            supervision.stopping()
            announcing.cancel()
            await asyncio.wait((announcing,))


async def _wait(stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_S):
            await stop.wait()


def _check(chain: Chain) -> None:
    if not chain.alive:
        raise DaemonError("The network's thread or the local model's died; nothing can go on without it.")
