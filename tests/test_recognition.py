"""One utterance over several engines: who answers, and what happens when one cannot."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np
import pytest

from cloud.decoders import Hypothesis, Name, Sentence
from cloud.finding.served_domain import DomainVersion, ServedDomain
from cloud.recognition import NobodyDecoded, Recogniser
from cloud.settings import Storage
from cloud.workers.heard import Rank
from cloud.workers.pool import Pool
from cloud.workers.pool_job import PoolBusy
from cloud.workers.worker_job import DecodingFailed
from protos import speech_pb2
from protos.feature_spec import DEFAULT_SPEC
from tests.conftest import Built

FRAMES = np.zeros((10, DEFAULT_SPEC.bands), np.int8)
WHISPER = Hypothesis("whisper", "tiny.en", "Set a timer for 10 minutes.")
SPHINX = Hypothesis("pocketsphinx", "en-us", "set a time for ten minutes")


class FakeJob:
    """An engine that says this, or raises it, or never answers (None)."""

    def __init__(self, outcome: Hypothesis | Exception | None, say: Callable[[str, int], None]) -> None:
        self.taken_at = 0.0
        self.closed = False
        self.finished = False
        self._outcome = outcome
        self._say = say
        self.frames = 0

    def feed(self, levels: Any) -> None:
        self.frames += len(levels)
        self._say("set a" if self.frames < 20 else "set a timer", self.frames)

    def goes_on(self) -> None:
        self.finished = False

    async def finish(self) -> Hypothesis:
        self.finished = True
        if self._outcome is None:
            await asyncio.Event().wait()
        if isinstance(self._outcome, Exception):
            raise self._outcome
        assert self._outcome is not None
        return self._outcome

    async def close(self) -> None:
        self.closed = True


class FakePool:
    has_room = True
    bundles: tuple[str, ...] = ()

    def __init__(self, outcome: Hypothesis | Exception | None, *, bears: bool = True) -> None:
        self.bears = lambda kind, rank: bears
        self.jobs: list[FakeJob] = []
        self._outcome = outcome

    def begin(self, task: Any, on_progress: Callable[[str, int], None], rank: Rank) -> FakeJob:
        self.jobs.append(FakeJob(self._outcome, on_progress))
        return self.jobs[-1]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, built: Built) -> Iterator[DomainVersion]:
    with ServedDomain("home", Storage(state_dir=built(tmp_path_factory.mktemp("state")))) as served:
        yield served.now


@pytest.fixture(scope="module")
def coffee(tmp_path_factory: pytest.TempPathFactory, built: Built) -> Iterator[DomainVersion]:
    with ServedDomain("coffee", Storage(state_dir=built(tmp_path_factory.mktemp("state")))) as served:
        yield served.now


def recognise(
    home: DomainVersion, *outcomes: Hypothesis | Exception | None, answer_s_max: float = 5.0
) -> tuple[speech_pb2.Final, list[speech_pb2.Partial]]:
    pools = [FakePool(outcome) for outcome in outcomes]
    partials: list[speech_pb2.Partial] = []

    async def one() -> speech_pb2.Final:
        recogniser = Recogniser(cast(list[Pool], pools), answer_s_max=answer_s_max)
        recognition = recogniser.begin("kitchen", "u1", DEFAULT_SPEC, home, partials.append)
        try:
            for _ in range(3):
                recognition.feed(FRAMES)
            return await recognition.finish()
        finally:
            await recognition.close()

    try:
        return asyncio.run(one()), partials
    finally:
        assert all(job.closed for pool in pools for job in pool.jobs)


def test_the_final_has_words_results_and_what_made_them(home: DomainVersion) -> None:
    final, _ = recognise(home, SPHINX, WHISPER)
    assert final.transcript == WHISPER.transcript
    assert (final.engine.name, final.engine.model) == ("whisper", "tiny.en")
    assert [other.engine for other in final.alternatives] == ["pocketsphinx"]
    assert final.results[0].id == "timer-10-minutes"
    assert (final.domain.name, final.domain.version) == ("home", home.version)
    assert (final.intent.name, dict(final.intent.values)) == ("timerStart", {"minutes": "10"})
    assert final.confidence == final.intent.confidence > 0.9


def test_names_that_one_engine_listened_for_count_whoever_has_the_words(home: DomainVersion) -> None:
    names = (Name("Timer for 5 minutes", "set a Timer for 5 minutes", 6.0),)
    doubtful = Hypothesis("whisper", "tiny.en", "Some thyme.", names=names, doubts=("log_probability",))
    final, _ = recognise(home, Hypothesis("pocketsphinx", "en-us", "some time"), doubtful)
    assert final.engine.name == "pocketsphinx"
    assert [result.id for result in final.results][:1] == ["timer-5-minutes"]


def test_partials_grow_firmer(home: DomainVersion) -> None:
    _, partials = recognise(home, SPHINX)
    assert [(each.revision, each.stable_text, each.unstable_text) for each in partials[:3]] == [
        (1, "", "set a"),
        (2, "set a", "timer"),
        (3, "set a timer", ""),
    ]
    assert [each.decoded_ms for each in partials[:3]] == [100, 200, 300]


@pytest.mark.parametrize("fault", [DecodingFailed("it broke"), PoolBusy(), None])
def test_an_engine_that_fails_is_busy_or_never_answers_leaves_it_to_the_other(
    home: DomainVersion, fault: Exception | None
) -> None:
    final, _ = recognise(home, SPHINX, fault, answer_s_max=0.2)
    assert (final.engine.name, final.transcript) == ("pocketsphinx", SPHINX.transcript)


def test_a_sentence_that_is_surely_understood_does_not_wait_for_the_other(coffee: DomainVersion) -> None:
    heard = (Sentence("a large latte", 0.0),)
    sure = Hypothesis("pocketsphinx", "en-us", "", sentences=heard)
    final, _ = recognise(coffee, sure, None, answer_s_max=3600)
    assert final.transcript == "a large latte"
    assert final.intent.name == "orderDrink"
    assert dict(final.intent.slots) == {"size": "large", "coffeeDrink": "latte"}
    assert 0.9 < final.intent.confidence == final.confidence <= 1


@pytest.mark.parametrize(("score", "begins"), [(0.0, False), (-30.0, True)])
def test_a_dearer_engine_begins_only_where_the_first_is_not_sure(
    coffee: DomainVersion, score: float, begins: bool
) -> None:
    heard = Hypothesis("pocketsphinx", "en-us", "", sentences=(Sentence("a large latte", score),))
    pools = [FakePool(heard), FakePool(WHISPER)]
    asyncio.run(paused(coffee, pools, goes_on=False))
    assert pools[1].jobs[0].finished == begins


def test_whispers_words_do_not_wait_for_an_engine_that_is_behind(home: DomainVersion) -> None:
    final, _ = recognise(home, None, WHISPER, answer_s_max=3600)
    assert final.transcript == WHISPER.transcript


def test_when_nobody_can_decode_it_says_why(home: DomainVersion) -> None:
    with pytest.raises(NobodyDecoded, match="^it broke; too many utterances wait$"):
        recognise(home, DecodingFailed("it broke"), PoolBusy())


def test_no_words_are_not_searched(home: DomainVersion) -> None:
    final, _ = recognise(home, SPHINX, Hypothesis("whisper", "tiny.en", "you", doubts=("ghost",)))
    assert (final.transcript, len(final.results), final.searching_ms) == ("", 0, 0)


async def paused(
    home: DomainVersion, pools: list[FakePool], *, goes_on: bool
) -> tuple[speech_pb2.Final, list[speech_pb2.Turn]]:
    """An utterance with a pause that may be the end, long enough for all that may be done within it."""
    turns: list[speech_pb2.Turn] = []
    recogniser = Recogniser(cast(list[Pool], pools), answer_s_max=5.0)
    recognition = recogniser.begin("kitchen", "u1", DEFAULT_SPEC, home, lambda partial: None, turns.append)
    try:
        recognition.feed(FRAMES)
        recognition.seems_over(100)
        recognition.feed(FRAMES)
        for _ in range(100):
            if turns:
                break
            await asyncio.sleep(0.01)
        assert [job.frames for pool in pools for job in pool.jobs] == [10 for _ in pools]
        if goes_on:
            await recognition.goes_on()
            assert [(job.frames, job.finished) for pool in pools for job in pool.jobs] == [(20, False) for _ in pools]
        return await recognition.finish(), turns
    finally:
        await recognition.close()


def test_a_pause_that_is_the_end_has_the_answer_ready(home: DomainVersion) -> None:
    final, turns = asyncio.run(paused(home, [FakePool(SPHINX), FakePool(WHISPER)], goes_on=False))
    assert final.transcript == WHISPER.transcript
    assert final.results[0].id == "timer-10-minutes"
    assert (final.waiting_ms, final.decoding_ms) == (0, 0)
    assert turns == [speech_pb2.Turn(speech_end_ms=100, completeness="COMPLETENESS_COMPLETE")]


def test_a_pause_that_is_none_is_heard_on(home: DomainVersion) -> None:
    pools = [FakePool(SPHINX), FakePool(WHISPER)]
    final, _ = asyncio.run(paused(home, pools, goes_on=True))
    assert final.transcript == WHISPER.transcript
    assert [job.frames for pool in pools for job in pool.jobs] == [20, 20]


def test_nothing_is_finished_beforehand_while_others_wait_for_the_engine(home: DomainVersion) -> None:
    busy = FakePool(WHISPER)
    busy.has_room = False

    async def one() -> None:
        recogniser = Recogniser(cast(list[Pool], [FakePool(SPHINX), busy]), answer_s_max=5.0)
        recognition = recogniser.begin("kitchen", "u1", DEFAULT_SPEC, home, lambda partial: None)
        recognition.feed(FRAMES)
        recognition.seems_over(100)
        recognition.feed(FRAMES)
        assert [job.frames for job in busy.jobs] == [20]
        await recognition.goes_on()
        assert (await recognition.finish()).transcript == WHISPER.transcript
        await recognition.close()

    asyncio.run(one())


def test_what_was_finished_beforehand_and_never_asked_for_is_given_up(home: DomainVersion) -> None:
    pool = FakePool(None)

    async def one() -> None:
        recogniser = Recogniser(cast(list[Pool], [pool]), answer_s_max=3600)
        recognition = recogniser.begin("kitchen", "u1", DEFAULT_SPEC, home, lambda partial: None)
        recognition.seems_over(100)
        await asyncio.sleep(0)
        await recognition.close()

    asyncio.run(one())
    assert pool.jobs[0].closed
