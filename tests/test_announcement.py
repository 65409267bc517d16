"""What a service announces on the local network is what a board looks for there."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import zeroconf
import zeroconf.asyncio

from cloud.keys.closed import Closed
from cloud.keys.pki_folder import create
from cloud.settings import CloudSettings, Server, Storage
from common.addresses import Address
from common.announcement import _addresses, announce
from edge.keys.discovery import services
from protos.enrolment_code import MDNS_TYPE
from tests.closed_service import WAIT_S

EVERYWHERE = Address("0.0.0.0", 7407)


class Air:
    """A network that carries no further than this process."""

    def __init__(self) -> None:
        self.announced: dict[str, Any] = {}
        self.opened = 0

    # As zeroconf.asyncio.AsyncZeroconf.

    async def async_register_service(self, info: Any, allow_name_change: bool) -> Any:
        self.announced[info.name] = info
        self.opened += 1
        return asyncio.sleep(0)

    async def async_close(self) -> None:
        self.announced.clear()
        self.opened -= 1

    # As zeroconf.Zeroconf and its browser.

    def get_service_info(self, type_: str, name: str, timeout: int) -> Any:
        assert type_ == MDNS_TYPE
        # One at a time is asked: several that do not answer leave time for one that does.
        assert timeout <= 1000
        return self.announced[name]

    def browse(self, network: Any, type_: str, listener: Any) -> "Air":
        for name in list(self.announced):
            listener.add_service(self, type_, name)
        return self

    def cancel(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def air(monkeypatch: pytest.MonkeyPatch) -> Air:
    made = Air()
    monkeypatch.setattr(zeroconf.asyncio, "AsyncZeroconf", lambda interfaces: made)
    monkeypatch.setattr(zeroconf, "Zeroconf", lambda: made)
    monkeypatch.setattr(zeroconf, "ServiceBrowser", made.browse)
    return made


def test_a_board_finds_what_a_service_announces_until_that_ends(air: Air) -> None:
    async def announced() -> None:
        announcing = asyncio.create_task(
            announce(MDNS_TYPE, "desk", Address("192.0.2.7", 7407), lambda: {"enrol": "7500"})
        )
        while not air.announced:
            await asyncio.sleep(0)
        (found,) = await asyncio.to_thread(services, enough=bool)
        assert (str(found.address), str(found.enrol_address)) == ("192.0.2.7:7407", "192.0.2.7:7500")
        announcing.cancel()
        await asyncio.gather(announcing, return_exceptions=True)

    asyncio.run(announced())
    assert air.opened == 0


def test_what_is_announced_follows_the_machine(air: Air, monkeypatch: pytest.MonkeyPatch) -> None:
    machine: dict[str, Any] = {"addresses": (), "told": {}}
    monkeypatch.setattr("common.announcement._own_addresses", lambda: machine["addresses"])

    def told() -> list[tuple[list[str], bytes | None]]:
        return [(info.parsed_addresses(), info.properties.get(b"enrol")) for info in air.announced.values()]

    async def becomes(addresses: list[str], enrol: bytes | None) -> None:
        async with asyncio.timeout(WAIT_S):
            while told() != [(addresses, enrol)]:
                await asyncio.sleep(0)
        assert air.opened == 1

    async def followed() -> None:
        announcing = asyncio.create_task(announce(MDNS_TYPE, "desk", EVERYWHERE, lambda: machine["told"], look_s=0.001))
        await becomes([], None)
        machine["addresses"] = ("192.0.2.7",)
        await becomes(["192.0.2.7"], None)
        machine["told"] = {"enrol": "7500"}
        await becomes(["192.0.2.7"], b"7500")
        machine["addresses"] = ("192.0.2.8", "198.51.100.1")
        await becomes(["192.0.2.8", "198.51.100.1"], b"7500")
        announcing.cancel()
        await asyncio.gather(announcing, return_exceptions=True)

    asyncio.run(followed())
    assert air.opened == 0


def test_the_enrolment_port_that_was_picked_is_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = CloudSettings(Server("0.0.0.0:0"), storage=Storage(tmp_path))
    create(settings.storage.pki_dir, []).open_code(60_000_000)
    asked: list[Callable[[], Mapping[str, str]]] = []

    async def announced(kind: str, name: str, address: Address, told: Callable[[], Mapping[str, str]]) -> None:
        assert (kind, address) == (MDNS_TYPE, EVERYWHERE)
        asked.append(told)

    async def picked() -> None:
        async with Closed(settings, Address("0.0.0.0", 0)).running(7407), asyncio.timeout(WAIT_S):
            while not asked or "enrol" not in asked[0]():
                await asyncio.sleep(0.01)

    monkeypatch.setattr("cloud.keys.closed.announce", announced)
    asyncio.run(picked())


def test_a_machine_that_cannot_announce_says_so_once_and_tries_on(
    air: Air, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    networks = iter(["No such device", "No such device", "Network is unreachable", air])

    def opened(interfaces: Any) -> Any:
        network = next(networks)
        if isinstance(network, str):
            raise OSError(network)
        return network

    async def announced() -> None:
        announcing = asyncio.create_task(announce(MDNS_TYPE, "desk", EVERYWHERE, look_s=0.0))
        async with asyncio.timeout(WAIT_S):
            while not air.announced:
                await asyncio.sleep(0)
        announcing.cancel()
        await asyncio.gather(announcing, return_exceptions=True)

    monkeypatch.setattr(zeroconf.asyncio, "AsyncZeroconf", opened)
    with caplog.at_level(logging.WARNING):
        asyncio.run(announced())
    assert [record.message for record in caplog.records] == [
        "not announced on the local network: No such device",
        "not announced on the local network: Network is unreachable",
    ]


def test_what_is_announced_is_where_it_is() -> None:
    assert _addresses(Address("localhost", 1)) == ("127.0.0.1",)
    assert _addresses(Address("[::1]", 1)) == ("::1",)
    assert not any(address.startswith("127.") for address in _addresses(EVERYWHERE))
