"""Which services there are on the local network, as they announce themselves (mDNS). Only for commands: the daemon does
not listen for them. What is found is not to be believed before a code has proved it."""

import time
from collections.abc import Callable
from typing import NamedTuple

from common.addresses import PORT_MAX, Address
from common.errors import SettingsError
from protos.enrolment_code import MDNS_TYPE

LOOK_S = 3.0
ASK_MS = 1000
"""How long one that announces itself is asked where it is; others wait meanwhile."""


class Found(NamedTuple):
    """A service that announces itself."""

    name: str
    address: Address
    enrol_address: Address
    version: str


def services(look_s: float = LOOK_S, *, enough: Callable[[list[Found]], bool] = lambda found: False) -> list[Found]:
    """Those that answer within the time, or until there are enough. SettingsError if nobody can be asked here."""
    try:
        from zeroconf import ServiceBrowser, ServiceListener, Zeroconf
    except ImportError as error:
        raise SettingsError(
            "Services cannot be looked for without zeroconf: pip install zeroconf, or name the HOST."
        ) from error

    found: dict[str, Found] = {}

    class Listener(ServiceListener):
        def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
            info = zc.get_service_info(type_, name, timeout=ASK_MS)
            if info is not None and info.port and info.parsed_addresses():
                found[name] = _found(name, info.parsed_addresses()[0], info.port, info.properties)

        def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
            self.add_service(zc, type_, name)

        def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
            found.pop(name, None)

    try:
        network = Zeroconf()
    except OSError as error:
        raise SettingsError(f"The local network cannot be asked for services: {error.strerror}.") from error
    try:
        browser = ServiceBrowser(network, MDNS_TYPE, listener=Listener())
        until_s = time.monotonic() + look_s
        while time.monotonic() < until_s and not enough(list(found.values())):
            time.sleep(0.05)
        browser.cancel()
    finally:
        network.close()
    return sorted(found.values())


def _found(name: str, host: str, port: int, properties: dict[bytes, bytes | None]) -> Found:
    def text(key: bytes) -> str:
        return (properties.get(key) or b"").decode("ascii", errors="replace")

    host = f"[{host}]" if ":" in host else host
    told = text(b"enrol")
    enrol_port = int(told) if told.isdecimal() and 0 < int(told) <= PORT_MAX else port + 1
    return Found(name.removesuffix(f".{MDNS_TYPE}"), Address(host, port), Address(host, enrol_port), text(b"version"))
