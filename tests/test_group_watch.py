"""How a board asks what others are answered: again and again from where it was, and quietly where there is no group."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import grpc
import pytest

from edge.asking import group_watch
from edge.asking.cloud_channel import CallFailed, Channel, Trouble
from edge.asking.group_watch import GroupWatch, Other
from edge.asking.link import Link
from edge.asking.network import Network
from protos import speech_pb2

WAIT_S = 20

Scene = list[speech_pb2.Watched | CallFailed]

AWAY = CallFailed("there:1: the service cannot be reached.", Trouble.AWAY)
NO_GROUP = CallFailed("there:1: hall is in no group.", Trouble.OTHER_TERMS)


def log(history: str, *, is_anew: bool) -> speech_pb2.Watched:
    return speech_pb2.Watched(log=speech_pb2.WatchedLog(history=history, is_anew=is_anew))


def answer(number: int, board: str = "kitchen", **more: Any) -> speech_pb2.Watched:
    return speech_pb2.Watched(
        answer=speech_pb2.OtherAnswer(number=number, device_id=board, utterance_id=f"u{number}", **more)
    )


class Service:
    """Tells what a test says, a scene for each time that it is asked; the last one lasts."""

    device_id = "hall"

    def __init__(self, *scenes: Scene) -> None:
        self.asked: list[tuple[int | None, str | None]] = []
        self.network = cast(Network, self)
        self.is_over = asyncio.Event()
        self._scenes = list(scenes)

    def begin(self, work: Any) -> "asyncio.Task[None]":
        return asyncio.ensure_future(work)

    async def watch(self, after: int | None, history: str | None, take: Callable[[speech_pb2.Watched], None]) -> None:
        self.asked.append((after, history))
        for told in self._scenes.pop(0):
            if isinstance(told, CallFailed):
                raise told
            take(told)
        if not self._scenes:
            self.is_over.set()
            await asyncio.Event().wait()


class Line:
    """A Link that comes up as soon as somebody waits for it."""

    def __init__(self) -> None:
        self.down: CallFailed | None = None
        self.failures: list[CallFailed] = []

    def failed(self, error: CallFailed) -> None:
        self.failures.append(error)
        self.down = error

    async def up(self) -> None:
        self.down = None


class Told:
    """A Watcher."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def watching(self, history: str, *, is_anew: bool) -> None:
        self.told.append((history, is_anew))

    def other(self, other: Other) -> None:
        self.told.append(other.number)
        self.last = other

    def not_watching(self, why: str | None) -> None:
        self.told.append(why)


@asynccontextmanager
async def watched(*scenes: Scene) -> AsyncIterator[tuple[Service, Told, Line]]:
    service, told, line = Service(*scenes), Told(), Line()
    watch = GroupWatch(service, cast(Link, line), told)
    watch.begin()
    async with asyncio.timeout(WAIT_S):
        await service.is_over.wait()
    yield service, told, line
    watch.end()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_watch.random, "uniform", lambda low, high: 0.0)
    monkeypatch.setattr(group_watch, "NO_GROUP_S", 0.0)


def test_it_goes_on_from_where_it_was_and_tells_each_once() -> None:
    async def scene() -> None:
        first: Scene = [log("a", is_anew=True), answer(3), answer(7), answer(7), answer(5), AWAY]
        second: Scene = [log("a", is_anew=False), answer(9)]
        third: Scene = [log("b", is_anew=True), answer(2)]
        async with watched(first, second, third) as (service, told, line):
            assert service.asked == [(None, None), (7, "a"), (9, "a")]
            assert told.told == [("a", True), 3, 7, str(AWAY), str(AWAY), ("a", False), 9, ("b", True), 2]
            assert line.failures == [AWAY]

    asyncio.run(scene())


def test_where_there_is_no_group_nothing_is_said_and_the_service_is_not_called_away() -> None:
    async def scene() -> None:
        async with watched([NO_GROUP], [log("a", is_anew=True)]) as (service, told, line):
            assert told.told == [None, ("a", True)]
            assert (line.failures, len(service.asked)) == ([], 2)

    asyncio.run(scene())


def test_an_answer_is_what_a_page_needs_and_a_board_has_a_name() -> None:
    async def scene() -> None:
        twin = speech_pb2.Twin(device_id="hall", utterance_id="u1", heard_best="kitchen")
        good = answer(2, answered_at_unix_us=5, snr_db=12.0, final=speech_pb2.Final(transcript="tea", twin=twin))
        async with watched([log("a", is_anew=True), answer(1, "\x1b[2J"), good]) as (_, told, _):
            assert told.told == [("a", True), 2]
            other = told.last
            assert (other.board, other.answer.transcript, other.spoken_at_unix_us, other.snr_db) == (
                "kitchen",
                "tea",
                None,
                12.0,
            )
            # The one that was answered so is the one that heard best.
            assert other.answer.twin is not None
            assert (other.answer.twin.board, other.answer.twin.heard_best) == ("hall", None)

    asyncio.run(scene())


def test_a_service_of_an_older_release_has_no_groups() -> None:
    async def ask() -> None:
        server = grpc.aio.server()
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        channel = Channel(f"127.0.0.1:{port}")
        try:
            async for _ in channel.watch(speech_pb2.WatchRequest()):
                raise AssertionError("it tells of others")
        finally:
            await channel.close()
            await server.stop(0)

    with pytest.raises(CallFailed, match="of an older release, which cannot tell of other boards") as caught:
        asyncio.run(ask())
    assert caught.value.trouble is Trouble.OTHER_TERMS
