"""What systemd is told: ready, how it is, and that it lives; by the board and by the service."""

import asyncio
import time

import pytest

from cloud.watchdog import watched
from common.supervision import Supervision


class Notes:
    """What systemd would be told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def notify(self, state: str) -> None:
        self.told.append(state)


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Workers:
    """A pool, as the watchdog sees it."""

    def __init__(self) -> None:
        self.missing = 0
        self.wrong: str | None = None

    def ailment(self) -> str | None:
        return self.wrong


def test_the_watchdog_is_fed_three_times_in_its_period_and_only_for_its_process() -> None:
    clock, notes = Clock(), Notes()
    supervision = Supervision(notes, {"WATCHDOG_USEC": "9000000"}, clock)
    for _ in range(90):
        supervision.feed()
        clock.now_s += 0.1
    assert notes.told == ["WATCHDOG=1"] * 3
    for environment in ({}, {"WATCHDOG_USEC": "9000000", "WATCHDOG_PID": "1"}):
        Supervision(notes, environment, clock).feed()
    assert len(notes.told) == 3


def test_the_status_line_is_told_when_it_changes() -> None:
    notes = Notes()
    supervision = Supervision(notes, {})
    for text in ("listening", "listening", "muted", "listening"):
        supervision.status(text)
    assert notes.told == ["STATUS=listening", "STATUS=muted", "STATUS=listening"]


def test_the_service_feeds_while_its_workers_are_looked_after_and_not_while_its_loop_stands_still(
    caplog: pytest.LogCaptureFixture,
) -> None:
    workers, notes = Workers(), Notes()
    # Fed at every look.
    supervision = Supervision(notes, {"WATCHDOG_USEC": "1"})

    async def until(told: str) -> None:
        """Somebody is told it, after all that was told so far."""
        del notes.told[:]
        async with asyncio.timeout(5):
            while told not in notes.told:
                await asyncio.sleep(0)

    async def service() -> None:
        async with watched([workers], supervision, look_s=0.0):
            await until("WATCHDOG=1")
            workers.missing = 2
            await until("STATUS=serving; 2 workers are being replaced")
            await until("WATCHDOG=1")
            del notes.told[:]
            time.sleep(0.01)
            assert notes.told == []
            workers.wrong = "Nobody replaces the workers of whisper any more."
            await until(f"STATUS={workers.wrong}")
            for _ in range(20):
                await asyncio.sleep(0)
            assert "WATCHDOG=1" not in notes.told
        del notes.told[:]
        await asyncio.sleep(0.01)
        assert notes.told == []

    asyncio.run(service())
    assert caplog.messages == ["Nobody replaces the workers of whisper any more. The watchdog is fed no more."]
