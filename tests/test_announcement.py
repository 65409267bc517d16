"""What a service announces on the local network is what a board looks for there."""

import asyncio
import logging
from typing import Any

import pytest
import zeroconf
import zeroconf.asyncio

from cloud.keys.announcement import announce
from edge.keys.discovery import services
from protos.enrolment_code import MDNS_TYPE


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
    monkeypatch.setattr(zeroconf.asyncio, "AsyncZeroconf", lambda: made)
    monkeypatch.setattr(zeroconf, "Zeroconf", lambda: made)
    monkeypatch.setattr(zeroconf, "ServiceBrowser", made.browse)
    return made


def test_a_board_finds_what_a_service_announces_until_that_ends(air: Air) -> None:
    async def announced() -> None:
        announcing = asyncio.create_task(announce("192.0.2.7", 7407, 7500))
        while not air.announced:
            await asyncio.sleep(0)
        (found,) = await asyncio.to_thread(services, 1.0, enough=bool)
        assert (str(found.address), str(found.enrol_address)) == ("192.0.2.7:7407", "192.0.2.7:7500")
        announcing.cancel()
        await asyncio.gather(announcing, return_exceptions=True)

    asyncio.run(announced())
    assert air.opened == 0


def test_a_machine_that_cannot_announce_serves_on_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def nowhere() -> None:
        raise OSError("No such device")

    monkeypatch.setattr(zeroconf.asyncio, "AsyncZeroconf", nowhere)
    with caplog.at_level(logging.WARNING):
        asyncio.run(announce("0.0.0.0", 7407, 7408))
    assert "not announced on the local network: No such device" in caplog.text
