"""An utterance is decoded by one at a time, and never again once it is answered, however its attempts race."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import grpc
import pytest

from cloud.claims import OwnClaim, OwnClaims
from cloud.log.answer_log import Key, Span, SqliteAnswerLog
from cloud.request_stream import Refusal
from protos import speech_pb2

KEY = Key("kitchen", "u-1")

Scene = Callable[[OwnClaims, SqliteAnswerLog], Coroutine[Any, Any, None]]


def play(folder: Path, scene: Scene) -> None:
    async def run() -> None:
        with SqliteAnswerLog(folder / "answers.db") as log:
            claims = OwnClaims(log)
            async with asyncio.timeout(30):
                await scene(claims, log)
            await claims.close()

    asyncio.run(run())


async def mine(claims: OwnClaims, attempt: int = 1, key: Key = KEY) -> OwnClaim:
    claim = await claims.claim(key, attempt, None)
    assert isinstance(claim, OwnClaim)
    return claim


async def known(claims: OwnClaims, attempt: int = 1) -> str:
    answer = await claims.claim(KEY, attempt, None)
    assert isinstance(answer, speech_pb2.Final)
    assert answer.from_log
    return answer.transcript


async def said(text: str, when: Awaitable[Any] | None = None) -> speech_pb2.Final:
    if when is not None:
        await when
    return speech_pb2.Final(transcript=text)


async def begun(*tasks: "asyncio.Task[Any]") -> None:
    """As far as they get without anything happening."""
    while not all(task.done() for task in tasks):
        if not (await asyncio.wait(tasks, timeout=0.05))[0]:
            return


def test_an_answered_key_is_never_claimed_again(tmp_path: Path) -> None:
    async def scene(claims: OwnClaims, log: SqliteAnswerLog) -> None:
        with await mine(claims) as claim:
            final = await claim.finish(said("one"))
        assert not final.from_log
        assert [await known(claims, attempt) for attempt in (1, 2, 1)] == ["one"] * 3

    play(tmp_path, scene)


def test_a_higher_attempt_takes_over_who_still_hears_and_a_lower_or_equal_one_is_refused(tmp_path: Path) -> None:
    async def scene(claims: OwnClaims, log: SqliteAnswerLog) -> None:
        async def hear() -> None:
            with await mine(claims, 2) as claim:
                await claim.unless_overtaken(asyncio.Event().wait())

        older = asyncio.create_task(hear())
        await begun(older)
        for attempt in (1, 2):
            with pytest.raises(Refusal, match=f"attempt {attempt} is not higher"):
                await claims.claim(KEY, attempt, None)
        with await mine(claims, 3) as newer:
            # The older one is gone before the newer one begins: its place and its engines are free.
            assert older.done()
            with pytest.raises(Refusal, match="took over") as caught:
                await older
            assert caught.value.code is grpc.StatusCode.ABORTED
            await newer.finish(said("newer"))
        assert await known(claims) == "newer"

    play(tmp_path, scene)


@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_once_the_end_has_come_any_other_attempt_waits_for_that_answer(tmp_path: Path, attempt: int) -> None:
    async def scene(claims: OwnClaims, log: SqliteAnswerLog) -> None:
        decoded = asyncio.Event()
        with await mine(claims, 2) as claim:
            finishing = claim.finish(said("once", decoded.wait()))
        others = [asyncio.create_task(known(claims, attempt)) for _ in range(50)]
        await begun(*others)
        assert not any(other.done() for other in others)
        decoded.set()
        assert await asyncio.gather(*others) == ["once"] * 50
        assert (await finishing).transcript == "once"

    play(tmp_path, scene)


def test_a_client_that_went_away_after_the_end_finds_its_answer_in_the_log(tmp_path: Path) -> None:
    async def scene(claims: OwnClaims, log: SqliteAnswerLog) -> None:
        decoded = asyncio.Event()

        async def handler() -> None:
            with await mine(claims) as claim:
                await asyncio.shield(claim.finish(said("kept", decoded.wait())))

        call = asyncio.create_task(handler())
        await begun(call)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        decoded.set()
        assert await known(claims, 2) == "kept"

    play(tmp_path, scene)


def test_a_client_that_went_away_before_the_end_leaves_the_utterance_to_the_next(tmp_path: Path) -> None:
    async def scene(claims: OwnClaims, log: SqliteAnswerLog) -> None:
        async def handler() -> None:
            with await mine(claims, 5) as claim:
                await claim.unless_overtaken(asyncio.Event().wait())

        call = asyncio.create_task(handler())
        await begun(call)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        with await mine(claims, 5) as claim:
            await claim.finish(said("next"))

    play(tmp_path, scene)


class SlowLog:
    """One that says what it knows when the test wants it."""

    def __init__(self, log: SqliteAnswerLog) -> None:
        self.may_say = asyncio.Event()
        self.put, self.forget = log.put, log.forget
        self._log = log

    async def get(self, key: Key) -> speech_pb2.Final | None:
        await self.may_say.wait()
        return await self._log.get(key)


def test_two_that_ask_for_an_answer_at_once_both_have_it(tmp_path: Path) -> None:
    async def scene(claims: OwnClaims, log: SqliteAnswerLog) -> None:
        await log.put(KEY, speech_pb2.Final(transcript="there"))
        slow = SlowLog(log)
        claims = OwnClaims(slow)
        both = [asyncio.create_task(known(claims, attempt)) for attempt in (1, 1, 2)]
        await begun(*both)
        slow.may_say.set()
        assert await asyncio.gather(*both) == ["there"] * 3

    play(tmp_path, scene)


def test_who_goes_away_while_the_log_is_asked_leaves_no_claim(tmp_path: Path) -> None:
    async def scene(claims: OwnClaims, log: SqliteAnswerLog) -> None:
        slow = SlowLog(log)
        claims = OwnClaims(slow)
        gone = asyncio.create_task(claims.claim(KEY, 1, None))
        await begun(gone)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        slow.may_say.set()
        with await mine(claims) as claim:
            await claim.finish(said("next"))

    play(tmp_path, scene)


def test_where_the_first_finds_no_answer_one_of_those_who_wait_tries(tmp_path: Path) -> None:
    async def scene(claims: OwnClaims, log: SqliteAnswerLog) -> None:
        async def break_down() -> speech_pb2.Final:
            await asyncio.sleep(0)
            raise RuntimeError("no engine")

        with await mine(claims) as claim:
            broken = claim.finish(break_down())
        second = await mine(claims)
        with pytest.raises(RuntimeError, match="no engine"):
            await broken
        with second:
            await second.finish(said("second"))

    play(tmp_path, scene)


@pytest.mark.parametrize(("span", "kept"), [(Span(), False), (Span(5, 20), False), (Span(20, None), True)])
def test_what_is_forgotten_while_it_is_decoded_is_answered_and_not_kept(tmp_path: Path, span: Span, kept: bool) -> None:
    async def scene(claims: OwnClaims, log: SqliteAnswerLog) -> None:
        decoded = asyncio.Event()
        claimed = await claims.claim(KEY, 1, 10)
        assert not isinstance(claimed, speech_pb2.Final)
        with claimed as claim:
            finishing = claim.finish(said("secret", decoded.wait()))
        assert await claims.forget(KEY.device_id, None, span) == 0
        decoded.set()
        assert (await finishing).transcript == "secret"
        assert (await log.get(KEY) is not None) is kept

    play(tmp_path, scene)


@pytest.mark.parametrize("seed", range(8))
def test_in_any_order_of_events_one_final_is_found_and_everybody_has_it(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)

    async def scene(claims: OwnClaims, log: SqliteAnswerLog) -> None:
        decoded: list[str] = []

        async def pause() -> None:
            for _ in range(draw.randrange(6)):
                await asyncio.sleep(0)

        async def decode(name: str) -> speech_pb2.Final:
            await pause()
            decoded.append(name)
            return speech_pb2.Final(transcript=name)

        async def client(number: int) -> str | None:
            await pause()
            try:
                claim = await claims.claim(KEY, draw.randrange(1, 9), None)
                if isinstance(claim, speech_pb2.Final):
                    return claim.transcript
                with claim:
                    await claim.unless_overtaken(pause())
                    return (await asyncio.shield(claim.finish(decode(str(number))))).transcript
            except Refusal:
                return None

        clients = [asyncio.create_task(client(number)) for number in range(30)]
        for _ in range(5):
            await pause()
            # Their connections break.
            draw.choice(clients).cancel()
        outcomes = await asyncio.gather(*clients, return_exceptions=True)
        # It may be that all of them went away; this one stays.
        outcomes.append(await client(len(clients)))
        answers = {outcome for outcome in outcomes if isinstance(outcome, str)}
        assert len(decoded) == 1
        assert answers == set(decoded)
        assert not [one for one in outcomes if isinstance(one, Exception)]

    play(tmp_path, scene)
