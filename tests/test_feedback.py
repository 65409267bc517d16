"""What a person says of an answer is kept with it: once, bounded, of the board that tells, and no longer than it."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import pytest

from cloud.claims import OwnClaims
from cloud.feedback import take_feedback
from cloud.log.answer_log import DAY_US, Key, Span, SqliteAnswerLog
from cloud.log.answer_store import FEEDBACK_MAX, AnswerStore
from cloud.places import Places
from cloud.request_stream import Refusal
from cloud.settings import Limits
from protos import speech_pb2
from tests.test_answer_log import keep_up, on_the_disk, put
from tests.test_forgetting import Client, certificate

CANARY = "what-was-said-canary "


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteAnswerLog]:
    with SqliteAnswerLog(tmp_path / "answers.db") as opened:
        yield opened


def said(feedback_id: str = "f1", utterance_id: str = "u1", at: int = 7, **fields: Any) -> speech_pb2.FeedbackRequest:
    return speech_pb2.FeedbackRequest(
        device_id=fields.pop("device_id", "kitchen"),
        utterance_id=utterance_id,
        feedback_id=feedback_id,
        given_at_unix_us=at,
        **fields,
    )


def tell(
    log: SqliteAnswerLog,
    request: speech_pb2.FeedbackRequest | bytes,
    cert: bytes | None = None,
    places: Places | None = None,
) -> None:
    data = request if isinstance(request, bytes) else request.SerializeToString()
    context: Any = Client(cert)
    asyncio.run(take_feedback(OwnClaims(log), places or Places(streams_max=1), data, context))


def kept(folder: Path) -> dict[tuple[str, str], list[str]]:
    """Ids of what was said, by utterance, in order."""
    with closing(AnswerStore(folder / "answers.db")) as store:
        return {
            (logged.key.device_id, logged.key.utterance_id): [
                speech_pb2.FeedbackRequest.FromString(request).feedback_id for request in logged.feedback
            ]
            for logged in store.everything()
        }


def test_what_is_said_is_kept_once_in_the_order_in_which_it_was_given(log: SqliteAnswerLog, tmp_path: Path) -> None:
    put(log, Key("kitchen", "u1"), "play jazz")
    tell(log, said("late", at=9, verdict=speech_pb2.VERDICT_RIGHT))
    tell(log, said("early", at=8, transcript="play chess"))
    tell(log, said("b", at=9, result_id="chess", choice=1, given_by="ab12"))
    tell(log, said("early", at=10, transcript="another"))
    tell(log, said("early", device_id="garage"))
    assert kept(tmp_path) == {("kitchen", "u1"): ["early", "b", "late"], ("garage", "u1"): ["early"]}
    assert not on_the_disk(tmp_path, "another")


def test_an_utterance_that_is_not_there_yet_finds_what_was_said_of_it(log: SqliteAnswerLog, tmp_path: Path) -> None:
    tell(log, said())
    put(log, Key("kitchen", "u1"), "play jazz")
    with closing(AnswerStore(tmp_path / "answers.db")) as store:
        (one,) = store.everything()
    assert one.final is not None
    assert len(one.feedback) == 1


def test_of_one_utterance_the_last_word_is_always_kept(log: SqliteAnswerLog, tmp_path: Path) -> None:
    places = Places(limits=Limits(feedback_per_minute_max=1000), streams_max=1)
    for number in range(FEEDBACK_MAX + 3):
        tell(log, said(f"f{number}", at=1000 - number), places=places)
    tell(log, said("other", "u2"), places=places)
    newest = [f"f{number}" for number in reversed(range(FEEDBACK_MAX))]
    assert kept(tmp_path) == {("kitchen", "u1"): newest, ("kitchen", "u2"): ["other"]}


def test_feedback_as_a_whole_is_bounded(tmp_path: Path) -> None:
    with SqliteAnswerLog(tmp_path / "answers.db", answers_max=3) as log:
        for number in range(5):
            tell(log, said(f"f{number}", f"u{number}", transcript=f"{CANARY}{number}"))
        keep_up(log)
        assert [*kept(tmp_path)] == [("kitchen", f"u{number}") for number in (2, 3, 4)]
        assert not on_the_disk(tmp_path, f"{CANARY}1")


@pytest.mark.parametrize("of_time", [False, True])
def test_what_was_said_of_an_answer_is_forgotten_with_it(log: SqliteAnswerLog, tmp_path: Path, of_time: bool) -> None:
    for number in range(3):
        put(log, Key("kitchen", f"u{number}"), "words", number * 1_000_000)
        tell(log, said(f"f{number}", f"u{number}", transcript=f"{CANARY}{number} " * 40))
    put(log, Key("garage", "u1"), "words", 1_000_000)
    tell(log, said("f1", "u1", device_id="garage"))
    wanted = (None, Span(1_000_000, 2_000_000)) if of_time else ("u1", Span())
    assert asyncio.run(log.forget("kitchen", *wanted)) == 1
    assert kept(tmp_path) == {("kitchen", "u0"): ["f0"], ("kitchen", "u2"): ["f2"], ("garage", "u1"): ["f1"]}
    assert not on_the_disk(tmp_path, f"{CANARY}1")
    assert on_the_disk(tmp_path, f"{CANARY}2")


def test_feedback_alone_is_forgotten_where_the_utterance_may_be_meant(tmp_path: Path) -> None:
    """Spoken before it came: from a time on that is later, it was not spoken."""
    with SqliteAnswerLog(tmp_path / "answers.db", unix_us=lambda: 50) as log:
        tell(log, said())
        asyncio.run(log.forget("kitchen", "u2", Span()))
        asyncio.run(log.forget("garage", None, Span()))
        asyncio.run(log.forget("kitchen", None, Span(since_unix_us=51)))
        assert kept(tmp_path)
        asyncio.run(log.forget("kitchen", None, Span(since_unix_us=50, until_unix_us=51)))
        assert not kept(tmp_path)


def test_nothing_is_kept_longer_than_answers_are(tmp_path: Path) -> None:
    clock = {"us": 1_800_000_000_000_000, "s": 0.0}

    def opened() -> SqliteAnswerLog:
        return SqliteAnswerLog(
            tmp_path / "answers.db", days_max=2, unix_us=lambda: int(clock["us"]), monotonic_s=lambda: clock["s"]
        )

    with opened() as log:
        put(log, Key("kitchen", "answered"), "words")
        tell(log, said("f1", "answered"))
        tell(log, said("f2", "stray", transcript=CANARY))
    clock["us"] += 3 * DAY_US
    with opened() as log:
        # Today's, on an answer of then: it goes with that.
        tell(log, said("f3", "answered"))
        tell(log, said("f4", "new-stray"))
        keep_up(log)
        assert kept(tmp_path) == {("kitchen", "new-stray"): ["f4"]}
        assert not on_the_disk(tmp_path, CANARY)


def test_a_board_may_not_speak_for_another(log: SqliteAnswerLog, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="may not speak for kitchen") as caught:
        tell(log, said(), certificate(tmp_path, "garage"))
    assert caught.value.code is grpc.StatusCode.PERMISSION_DENIED
    assert not kept(tmp_path)
    tell(log, said(), certificate(tmp_path, "kitchen"))
    assert kept(tmp_path)


def test_a_board_that_says_too_much_is_refused_and_speech_is_not(log: SqliteAnswerLog, tmp_path: Path) -> None:
    now_s = 0.0
    limits = Limits(feedback_per_minute_max=2, utterances_per_minute_max=1)
    places = Places(limits=limits, streams_max=1, clock=lambda: now_s)
    for number in range(2):
        tell(log, said(f"f{number}"), places=places)
    with pytest.raises(Refusal, match="more than 2 times a minute") as caught:
        tell(log, said("f3"), places=places)
    assert caught.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    places.knock("kitchen", replayed=False)
    tell(log, said("f1", device_id="garage"), places=places)
    now_s = 30.0
    tell(log, said("f3"), places=places)
    assert kept(tmp_path)["kitchen", "u1"] == ["f0", "f1", "f3"]


def test_the_bound_is_told() -> None:
    limits = speech_pb2.Limits()
    Places(limits=Limits(feedback_per_minute_max=5), streams_max=1).describe(limits)
    assert limits.feedback_per_minute_max == 5


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (b"\xff", "not a parrotlet.v1.FeedbackRequest"),
        (said(device_id=""), "device_id"),
        (said(utterance_id="../x"), "utterance_id"),
        (said(feedback_id="x" * 65), "feedback_id"),
        (said(given_by=""), "given_by"),
        (said(result_id="<b>"), "result_id"),
        (said(at=-1), "before 1970"),
        (said(at=2**62), "the year 9999"),
        (said(verdict=7), "unknown verdict"),
        (said(choice=2), "choice 2"),
        (said(transcript=" \t"), "without a word"),
        (said(transcript="x" * 1001), "1001 characters"),
        (said(of_transcript="x" * 1001), "1001 characters"),
    ],
)
def test_a_broken_request_is_refused_by_what_is_wrong(
    log: SqliteAnswerLog, tmp_path: Path, request_: Any, words: str
) -> None:
    with pytest.raises(Refusal, match=words) as caught:
        tell(log, request_)
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert not kept(tmp_path)


def test_who_takes_back_what_they_said_says_nothing(log: SqliteAnswerLog, tmp_path: Path) -> None:
    tell(log, said())
    assert kept(tmp_path) == {("kitchen", "u1"): ["f1"]}


def test_what_cannot_be_kept_now_is_said(log: SqliteAnswerLog) -> None:
    put(log, Key("kitchen", "u1"), "words")
    assert log._store is not None
    log._store._database.execute("PRAGMA query_only = ON")
    with pytest.raises(Refusal, match="cannot be kept now") as caught:
        tell(log, said())
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
