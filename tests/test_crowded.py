"""A service with more to do than it can, and with a client that does not read."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import grpc
import pytest

from benchmarks import path
from cloud.claims import OwnClaims
from cloud.client_stream import Outbox, stop, write
from cloud.finding.served_domain import ServedDomain
from cloud.log.answer_log import SqliteAnswerLog
from cloud.places import Places
from cloud.recognition import Recogniser
from cloud.service import SpeechService
from cloud.settings import Server, Storage
from cloud.workers.pool import Pool
from protos import speech_pb2, speech_pb2_grpc
from tests.conftest import Built
from tests.test_recognition import SPHINX, FakePool
from tests.test_service import END, WAIT_S, Held, config, frames, levels


class FakeContext:
    """A client that says all it has to say at once, and reads, or not."""

    def __init__(self, *requests: speech_pb2.RecognizeRequest, reads: bool = True) -> None:
        self.written: list[speech_pb2.RecognizeResponse] = []
        self.ended: tuple[grpc.StatusCode, str] | None = None
        self._requests = [request.SerializeToString() for request in requests]
        self._reads = reads

    def auth_context(self) -> dict[str, list[bytes]]:
        """It came in plain text."""
        return {}

    async def read(self) -> Any:
        if not self._requests:
            await asyncio.Event().wait()
        return self._requests.pop(0)

    async def write(self, response: bytes) -> None:
        if not self._reads:
            await asyncio.Event().wait()
        self.written.append(speech_pb2.RecognizeResponse.FromString(response))

    async def abort(self, code: grpc.StatusCode, sentence: str) -> None:
        self.ended = code, sentence


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, built: Built) -> Iterator[ServedDomain]:
    with ServedDomain("home", Storage(state_dir=built(tmp_path_factory.mktemp("home")))) as served:
        yield served


def serve(folder: Path, home: ServedDomain, pool: FakePool, *contexts: FakeContext) -> None:
    """All of these clients at a time, until each is done."""

    async def run() -> None:
        recogniser = Recogniser(cast(list[Pool], [pool]), answer_s_max=5.0)
        with SqliteAnswerLog(folder / "answers.db") as log:
            service = SpeechService(
                Server(idle_s_max=0.5), recogniser, {"home": home}, OwnClaims(log), Places(streams_max=4)
            )
            calls = [asyncio.create_task(service.recognise(iter(()), context)) for context in contexts]  # type: ignore[arg-type]
            # The one that reads has its answer while the others still hang.
            await asyncio.wait_for(calls[-1], WAIT_S)
            assert all(context.ended is None for context in contexts[:-1])
            await asyncio.gather(*calls)

    asyncio.run(run())


def test_a_client_that_does_not_read_stops_no_other_and_is_let_go(tmp_path: Path, home: ServedDomain) -> None:
    spoken = [*frames(levels()), END]
    slow = [FakeContext(config(f"slow-{number}"), *spoken, reads=False) for number in range(2)]
    quick = FakeContext(config("quick", device_id="other"), *spoken)
    serve(tmp_path, home, FakePool(SPHINX), *slow, quick)
    assert quick.written[-1].final.transcript == SPHINX.transcript
    assert [context.ended for context in slow] == [(grpc.StatusCode.DEADLINE_EXCEEDED, "The client does not read.")] * 2


class SlowPool(FakePool):
    """An engine that is not done before the test says so."""

    def __init__(self) -> None:
        super().__init__(SPHINX)
        self.may_finish = asyncio.Event()

    def begin(self, *arguments: Any) -> Any:
        job = super().begin(*arguments)
        finish = job.finish

        async def finish_later() -> Any:
            job.finished = True
            await self.may_finish.wait()
            return await finish()

        job.finish = finish_later  # type: ignore[method-assign]
        return job


def test_what_has_ended_is_decoded_once_also_if_its_client_goes_away_and_has_its_place_until_then(
    tmp_path: Path, home: ServedDomain
) -> None:
    async def run() -> None:
        pool, boards = SlowPool(), Places(Server(streams_per_device_max=1), streams_max=4)
        recogniser = Recogniser(cast(list[Pool], [pool]), answer_s_max=WAIT_S)
        with SqliteAnswerLog(tmp_path / "answers.db") as log:
            service = SpeechService(Server(), recogniser, {"home": home}, OwnClaims(log), boards)

            def call(context: FakeContext) -> "asyncio.Task[None]":
                return asyncio.create_task(service.recognise(iter(()), context))  # type: ignore[arg-type]

            gone = call(FakeContext(config("u"), *frames(levels()), END))
            while not (pool.jobs and pool.jobs[0].finished):
                await asyncio.sleep(0)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
            assert not pool.jobs[0].closed
            other = FakeContext(config("other"))
            await call(other)
            assert other.ended == (grpc.StatusCode.RESOURCE_EXHAUSTED, "1 utterances of this device are in work.")
            again = FakeContext(config("u", attempt=2))
            waiting = call(again)
            pool.may_finish.set()
            await waiting
            assert again.written[-1].final.transcript == SPHINX.transcript
            assert again.written[-1].final.from_log
            assert [job.closed for job in pool.jobs] == [True]
            await call(FakeContext(config("next"), END))
            await service.close()

    asyncio.run(asyncio.wait_for(run(), WAIT_S))


def test_a_client_that_went_away_before_the_end_leaves_nothing_in_work(tmp_path: Path, home: ServedDomain) -> None:
    async def run() -> None:
        pool = SlowPool()
        recogniser = Recogniser(cast(list[Pool], [pool]), answer_s_max=WAIT_S)
        with SqliteAnswerLog(tmp_path / "answers.db") as log:
            service = SpeechService(Server(), recogniser, {"home": home}, OwnClaims(log), Places(streams_max=4))
            context = FakeContext(config("u"), *frames(levels()))
            gone = asyncio.create_task(service.recognise(iter(()), context))  # type: ignore[arg-type]
            while not (pool.jobs and pool.jobs[0].frames):
                await asyncio.sleep(0)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
            assert pool.jobs[0].closed

    asyncio.run(asyncio.wait_for(run(), WAIT_S))


def test_partials_that_nobody_reads_do_not_gather() -> None:
    outbox = Outbox()
    for revision in range(1, 1000):
        outbox.put_partial(speech_pb2.Partial(revision=revision))
    (only,) = asyncio.run(outbox.take())
    assert only.partial.revision == 999


def test_a_write_that_is_under_way_is_waited_for_before_a_status_is_sent() -> None:
    async def scene() -> None:
        begun, may_end = asyncio.Event(), asyncio.Event()

        class Slow(FakeContext):
            async def write(self, response: bytes) -> None:
                begun.set()
                await may_end.wait()
                await super().write(response)

        context, outbox = Slow(), Outbox()
        outbox.put_partial(speech_pb2.Partial(revision=1))
        writing = asyncio.create_task(write(outbox, cast(Any, context)))
        await begun.wait()
        stopping = asyncio.create_task(stop(writing))
        await asyncio.wait([stopping], timeout=0.05)
        assert not stopping.done()
        may_end.set()
        await stopping
        assert [each.partial.revision for each in context.written] == [1]

    asyncio.run(scene())


def test_who_would_be_kept_waiting_is_refused_at_once(tmp_path: Path, home: ServedDomain) -> None:
    refused = FakeContext(config("one-too-many"))
    pool = FakePool(SPHINX, bears=False)
    serve(tmp_path, home, pool, refused)
    assert refused.ended == (grpc.StatusCode.RESOURCE_EXHAUSTED, "The engines have all that they can do.")
    assert not pool.jobs


def status(call: Any) -> grpc.StatusCode:
    """How it ended, read to its end."""
    try:
        list(call)
    except grpc.RpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    return grpc.StatusCode.OK


def test_boards_that_come_all_at_once_are_let_in_as_many_as_a_worker_bears(tmp_path: Path, built: Built) -> None:
    settings = {"decoding_whisper": "false", "decoding_workers": "1"}
    with path.service(built(tmp_path), **settings) as service, grpc.insecure_channel(service.address) as channel:
        stub = speech_pb2_grpc.SpeechStub(channel)
        held = [Held(config(f"crowd-{number}", device_id=f"board-{number}")) for number in range(12)]
        calls = [stub.Recognize(iter(each), timeout=WAIT_S) for each in held]
        # A thirteenth is refused once the first eight are in; by then there are others that were refused, too.
        for number in range(1000):
            late = stub.Recognize(iter([config(f"late-{number}", device_id="late"), END]), timeout=WAIT_S)
            if status(late) == grpc.StatusCode.RESOURCE_EXHAUSTED:
                break
        for each in held:
            each.release()
        ends = [status(call) for call in calls]
    assert set(ends) <= {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert 4 <= ends.count(grpc.StatusCode.OK) <= 11
