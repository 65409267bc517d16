"""What goes on beside the service's calls: begun again when it dies, ended when the service ends."""

import asyncio

import pytest

from cloud.beside import beside


def test_what_dies_is_told_and_begins_again(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> int:
        begun, again = 0, asyncio.Event()

        async def part() -> None:
            nonlocal begun
            begun += 1
            if begun < 3:
                raise OSError("the card has gone")
            again.set()
            await asyncio.Event().wait()

        async with beside(part, pause_s=0.0), asyncio.timeout(5):
            await again.wait()
        return begun

    assert asyncio.run(run()) == 3
    assert [record.message for record in caplog.records] == ["a fault of the service; that part of it begins again"] * 2


def test_what_ends_is_not_begun_again_and_the_rest_ends_with_the_service() -> None:
    async def run() -> list[str]:
        said: list[str] = []
        begun = asyncio.Event()

        async def short() -> None:
            said.append("short")

        async def endless() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                said.append("ended")

        async with beside(short, endless, pause_s=0.0), asyncio.timeout(5):
            await begun.wait()
        return said

    assert asyncio.run(run()) == ["short", "ended"]
