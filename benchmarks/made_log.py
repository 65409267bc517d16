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


def _row(
    board: Made,
    ill: str,
    utterance_id: str,
    at_us: int,
    rng: np.random.Generator,
    levels: Callable[[int], Levels],
) -> Row:
    text, intent, slots, title = SAID[int(rng.integers(len(SAID)))]
    was_empty = bool(rng.random() < (0.9 if ill == "deaf" else 0.03))
    noise = float(rng.normal(board.noise_dbfs + (11.0 if ill == "noisy" else 0.0), 2.0))
    level = float(rng.normal(board.level_dbfs, 2.5))
    speech_ms, wait_ms = int(rng.integers(700, 3200)), int(rng.gamma(4.0, 60.0)) + (2400 if ill == "slow" else 0)
    duration_ms = speech_ms + 300 + 500
    confidence = float(np.clip(rng.beta(8, 2) - (0.25 if ill == "noisy" else 0.0), 0.02, 0.99))
    final = speech_pb2.Final(
        transcript="" if was_empty else text,
        confidence=confidence,
        engine=speech_pb2.Engine(name="whisper", model="tiny.en"),
        domain=speech_pb2.Domain(name="home", version="0a1b2c3d4e5f"),
        service_version="0.1.0",
        waiting_ms=wait_ms // 4,
        decoding_ms=wait_ms,
        searching_ms=3,
    )
    if not was_empty:
        other = text.rpartition(" ")[0]
        final.alternatives.add(transcript=other, confidence=confidence / 3, engine="whisper")
        final.alternatives.add(transcript=text, confidence=confidence / 2, engine="pocketsphinx")
        final.results.add(id=title.lower().replace(" ", "-"), title=title, snippet="As it is found here.", score=3.2)
        final.results.add(id="other", title="Something else", snippet="Less like what was asked.", score=0.9)
        if intent is not None:
            final.intent.name, final.intent.confidence = intent, confidence
            final.intent.slots.update(slots)
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
    end = speech_pb2.UtteranceEnd(
        reason="END_REASON_ENDPOINT",
        speech_start_ms=300,
        speech_end_ms=300 + speech_ms,
        level_dbfs=level,
        peak_dbfs=level + 12,
        noise_floor_dbfs=noise,
        snr_db=level - noise,
        clipped_share=0.0,
        overruns=0,
        gaps=0,
    )
    facts = Facts(
        device_id=board.device_id,
        utterance_id=utterance_id,
        at_unix_us=at_us,
        edge_version=config.edge_version,
        vad=config.vad,
        service_version="0.1.0",
        engine="whisper",
        model="tiny.en",
        domain="home",
        domain_version="0a1b2c3d4e5f",
        level_dbfs=round(level, 2),
        peak_dbfs=round(level + 12, 2),
        noise_floor_dbfs=round(noise, 2),
        snr_db=round(level - noise, 2),
        clipped_share=0.0,
        overruns=0,
        gaps=0,
        duration_ms=duration_ms,
        speech_ms=speech_ms,
        speech_share=round(speech_ms / duration_ms, 4),
        end_reason="endpoint",
        noise_bands_db=tuple(map(float, rng.normal(noise, 3.0, 16))),
        speech_bands_db=tuple(map(float, rng.normal(level, 3.0, 16))),
        band_spread_db=tuple(map(float, rng.uniform(3.0, 9.0, 16))),
        word_count=0 if was_empty else len(text.split()),
        words_per_s=None if was_empty else round(len(text.split()) * 1000 / speech_ms, 3),
        intent=None if was_empty else intent,
        confidence=round(confidence, 4),
        results_count=len(final.results),
        top_score=None if was_empty else 3.2,
        choices_count=0,
        was_empty=was_empty,
        waiting_ms=final.waiting_ms,
        decoding_ms=final.decoding_ms,
        endpoint_to_final_ms=wait_ms + final.waiting_ms + 5,
        onset_to_partial_ms=int(rng.integers(400, 1100)),
    )
    is_kept = kept_features.is_drawn(board.device_id, utterance_id, FEATURES_SHARE)
    features = kept_features.pack(levels(duration_ms), DEFAULT_SPEC) if is_kept else None
    answered_us = at_us + (duration_ms + wait_ms) * 1000
    return Row(
        Key(board.device_id, utterance_id),
        final.SerializeToString(),
        answered_us,
        Occasion(at_us, answered_us - wait_ms * 1000, duration_ms, float(end.snr_db)),
        Record(facts, final.transcript, config.SerializeToString(), end.SerializeToString(), features),
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
            transcript="turn on the light in the kitchen, please",
        )
        said_us = request.given_at_unix_us
        store.give(FeedbackRow(row.key, request.feedback_id, said_us, said_us, request.SerializeToString()), 1000)


def bytes_of(file: Path) -> int:
    """With what waits beside it to be taken in."""
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.stat().st_size
