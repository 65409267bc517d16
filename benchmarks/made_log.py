"""An utterance log as some hundred boards fill it in four weeks: facts are drawn, the writer is the service's own."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cloud.drift.facts import Facts
from cloud.log import kept_features
from cloud.log.answer_log import FILE_NAME
from cloud.log.answer_store import AnswerStore, FeedbackRow, Key, Occasion, Row
from cloud.log.record import Record
from protos import speech_pb2
from protos.feature_spec import DEFAULT_SPEC, Levels

DAY_US = 86_400_000_000
DAYS = 28
BATCH = 500
FEATURES_SHARE = 0.02
FEEDBACK_SHARE = 0.02

ROOMS = ("kitchen", "hall", "study", "bedroom", "workshop", "office", "garden", "attic", "cellar", "lab")
SAID: tuple[tuple[str, str | None, dict[str, str], str], ...] = (
    ("turn on the light in the kitchen", "light_on", {"place": "kitchen"}, "Kitchen light"),
    ("set a timer for ten minutes", "timer_start", {"duration": "ten minutes"}, "Timer for 10 minutes"),
    ("what is the weather today", "weather", {"day": "today"}, "Today's weather"),
    ("play some quiet piano", "play", {"what": "quiet piano"}, "Quiet piano"),
    ("add oat milk to the shopping list", "list_add", {"item": "oat milk"}, "Shopping list"),
    ("a large flat white please", "order", {"drink": "flat white", "size": "large"}, "Flat white"),
    ("stop the timer", "timer_stop", {}, "Timer"),
    ("how do I cook red lentils", None, {}, "Red lentil soup"),
)
ILLS = ("", "noisy", "deaf", "silent", "slow", "old")
"""What may be wrong with a board, since two days; most are well."""


class Made(NamedTuple):
    """A board, and what it is like."""

    device_id: str
    ill: str
    noise_dbfs: float
    level_dbfs: float


def made_boards(count: int, seed: int = 9) -> list[Made]:
    """One in twelve is ill, the first of them first."""
    rng = np.random.default_rng(seed)
    boards = []
    for number in range(count):
        name = ROOMS[number % len(ROOMS)] + (f"-{number // len(ROOMS) + 1}" if count > len(ROOMS) else "")
        ill = ILLS[1 + (number // 12) % (len(ILLS) - 1)] if number % 12 == 3 else ""
        boards.append(Made(name, ill, float(rng.uniform(-66, -52)), float(rng.uniform(-34, -24))))
    return boards


def rows(boards: list[Made], count: int, now_us: int, levels: Callable[[int], Levels], seed: int = 11) -> Iterator[Row]:
    """So many utterances, in order of time, up to now; `levels` makes an utterance's frames of its length in ms."""
    rng = np.random.default_rng(seed)
    since_us = now_us - DAYS * DAY_US
    for number in range(count):
        at_us = since_us + (number + 1) * DAYS * DAY_US // (count + 1)
        board = boards[int(rng.integers(len(boards)))] if len(boards) > 1 else boards[0]
        is_ill = at_us > now_us - 2 * DAY_US
        if board.ill == "silent" and is_ill:
            board = boards[0]
        yield _row(board, board.ill if is_ill or board.ill == "old" else "", f"u{number:06d}", at_us, rng, levels)


class _Drawn(NamedTuple):
    """What is drawn of one utterance."""

    text: str
    """Empty where nothing was heard."""
    intent: str | None
    slots: dict[str, str]
    title: str
    noise_dbfs: float
    level_dbfs: float
    speech_ms: int
    wait_ms: int
    confidence: float

    @property
    def duration_ms(self) -> int:
        return self.speech_ms + 300 + 500


def _row(
    board: Made,
    ill: str,
    utterance_id: str,
    at_us: int,
    rng: np.random.Generator,
    levels: Callable[[int], Levels],
) -> Row:
    drawn = _drawn(board, ill, rng)
    final, end = _final(drawn), _end(drawn)
    config = speech_pb2.UtteranceConfig(
        utterance_id=utterance_id,
        device_id=board.device_id,
        feature_spec_fingerprint=DEFAULT_SPEC.fingerprint,
        started_at_unix_us=at_us,
        clock_synchronised=True,
        edge_version="0.0.9" if ill == "old" else "0.1.0",
        attempt=1,
        vad="mel-2",
    )
    facts = _facts(drawn, config, final, rng)
    is_kept = kept_features.is_drawn(board.device_id, utterance_id, FEATURES_SHARE)
    features = kept_features.pack(levels(drawn.duration_ms), DEFAULT_SPEC) if is_kept else None
    answered_us = at_us + (drawn.duration_ms + drawn.wait_ms) * 1000
    return Row(
        Key(board.device_id, utterance_id),
        final.SerializeToString(),
        answered_us,
        Occasion(at_us, answered_us - drawn.wait_ms * 1000, drawn.duration_ms, float(end.snr_db)),
        Record(facts, final.transcript, config.SerializeToString(), end.SerializeToString(), features),
    )


def _drawn(board: Made, ill: str, rng: np.random.Generator) -> _Drawn:
    text, intent, slots, title = SAID[int(rng.integers(len(SAID)))]
    was_empty = bool(rng.random() < (0.9 if ill == "deaf" else 0.03))
    return _Drawn(
        "" if was_empty else text,
        None if was_empty else intent,
        slots,
        title,
        noise_dbfs=float(rng.normal(board.noise_dbfs + (11.0 if ill == "noisy" else 0.0), 2.0)),
        level_dbfs=float(rng.normal(board.level_dbfs, 2.5)),
        speech_ms=int(rng.integers(700, 3200)),
        wait_ms=int(rng.gamma(4.0, 60.0)) + (2400 if ill == "slow" else 0),
        confidence=float(np.clip(rng.beta(8, 2) - (0.25 if ill == "noisy" else 0.0), 0.02, 0.99)),
    )


def _final(drawn: _Drawn) -> speech_pb2.Final:
    final = speech_pb2.Final(
        transcript=drawn.text,
        confidence=drawn.confidence,
        engine=speech_pb2.Engine(name="whisper", model="tiny.en"),
        domain=speech_pb2.Domain(name="home", version="0a1b2c3d4e5f"),
        service_version="0.1.0",
        waiting_ms=drawn.wait_ms // 4,
        decoding_ms=drawn.wait_ms,
        searching_ms=3,
    )
    if drawn.text:
        other, title = drawn.text.rpartition(" ")[0], drawn.title
        final.alternatives.add(transcript=other, confidence=drawn.confidence / 3, engine="whisper")
        final.alternatives.add(transcript=drawn.text, confidence=drawn.confidence / 2, engine="pocketsphinx")
        final.results.add(id=title.lower().replace(" ", "-"), title=title, snippet="As it is found here.", score=3.2)
        final.results.add(id="other", title="Something else", snippet="Less like what was asked.", score=0.9)
        if drawn.intent is not None:
            final.intent.name, final.intent.confidence = drawn.intent, drawn.confidence
            final.intent.slots.update(drawn.slots)
    return final


def _end(drawn: _Drawn) -> speech_pb2.UtteranceEnd:
    return speech_pb2.UtteranceEnd(
        reason="END_REASON_ENDPOINT",
        speech_start_ms=300,
        speech_end_ms=300 + drawn.speech_ms,
        level_dbfs=drawn.level_dbfs,
        peak_dbfs=drawn.level_dbfs + 12,
        noise_floor_dbfs=drawn.noise_dbfs,
        snr_db=drawn.level_dbfs - drawn.noise_dbfs,
        clipped_share=0.0,
        overruns=0,
        gaps=0,
    )


def _facts(
    drawn: _Drawn, config: speech_pb2.UtteranceConfig, final: speech_pb2.Final, rng: np.random.Generator
) -> Facts:
    words = len(drawn.text.split())
    return Facts(
        device_id=config.device_id,
        utterance_id=config.utterance_id,
        at_unix_us=config.started_at_unix_us,
        edge_version=config.edge_version,
        vad=config.vad,
        service_version=final.service_version,
        engine=final.engine.name,
        model=final.engine.model,
        domain=final.domain.name,
        domain_version=final.domain.version,
        level_dbfs=round(drawn.level_dbfs, 2),
        peak_dbfs=round(drawn.level_dbfs + 12, 2),
        noise_floor_dbfs=round(drawn.noise_dbfs, 2),
        snr_db=round(drawn.level_dbfs - drawn.noise_dbfs, 2),
        clipped_share=0.0,
        overruns=0,
        gaps=0,
        duration_ms=drawn.duration_ms,
        speech_ms=drawn.speech_ms,
        speech_share=round(drawn.speech_ms / drawn.duration_ms, 4),
        end_reason="endpoint",
        noise_bands_db=tuple(map(float, rng.normal(drawn.noise_dbfs, 3.0, 16))),
        speech_bands_db=tuple(map(float, rng.normal(drawn.level_dbfs, 3.0, 16))),
        band_spread_db=tuple(map(float, rng.uniform(3.0, 9.0, 16))),
        word_count=words,
        words_per_s=round(words * 1000 / drawn.speech_ms, 3) if words else None,
        intent=drawn.intent,
        confidence=round(drawn.confidence, 4),
        results_count=len(final.results),
        top_score=3.2 if words else None,
        choices_count=0,
        was_empty=not words,
        waiting_ms=final.waiting_ms,
        decoding_ms=final.decoding_ms,
        endpoint_to_final_ms=drawn.wait_ms + final.waiting_ms + 5,
        onset_to_partial_ms=int(rng.integers(400, 1100)),
    )


def drawn_levels(duration_ms: int) -> Levels:
    """Frames of nothing that anybody said."""
    rng = np.random.default_rng(duration_ms)
    frames = duration_ms // DEFAULT_SPEC.frame_ms
    shape = 4 + 3 * np.sin(np.arange(frames)[:, None] / 14) + np.linspace(2, -3, DEFAULT_SPEC.bands)[None, :]
    levels: Levels = np.clip(shape + rng.normal(0, 1, shape.shape), 0, DEFAULT_SPEC.levels - 1).astype(np.int8)
    return levels


def make_log(
    folder: Path,
    boards: list[Made],
    count: int,
    now_us: int,
    levels: Callable[[int], Levels] = drawn_levels,
    progress: Callable[[int], None] = lambda done: None,
) -> Path:
    """Its file; one in fifty utterances was judged."""
    file = folder / FILE_NAME
    folder.mkdir(parents=True, exist_ok=True)
    with closing(AnswerStore(file)) as store:
        made, done, newest = rows(boards, count, now_us, levels), 0, list[Row]()
        while batch := list(islice(made, BATCH)):
            store.add(batch, count + 1)
            done, newest = done + len(batch), batch
            progress(done)
        _judge(store, newest)
    return file


def _judge(store: AnswerStore, batch: list[Row]) -> None:
    """What somebody said of the newest ones."""
    for number, row in enumerate(batch[:: round(1 / FEEDBACK_SHARE)]):
        request = speech_pb2.FeedbackRequest(
            device_id=row.key.device_id,
            utterance_id=row.key.utterance_id,
            feedback_id=f"f{number}",
            given_at_unix_us=row.answered_at_unix_us + 4_000_000,
            given_by="phone",
            verdict="VERDICT_WRONG",
            transcript=f"{speech_pb2.Final.FromString(row.final).transcript} now".strip(),
        )
        said_us = request.given_at_unix_us
        store.give(FeedbackRow(row.key, request.feedback_id, said_us, said_us, request.SerializeToString()), 1000)


def bytes_of(file: Path) -> int:
    """With what waits beside it to be taken in."""
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.stat().st_size
