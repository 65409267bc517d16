"""The parts of monitoring, each by itself: what it takes of a processor, and how often it comes."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from benchmarks.instructions import SPOKEN
from benchmarks.made_facts import MadeBoard
from cloud.drift.board import Board as WatchedBoard
from cloud.drift.watch import Watch
from cloud.log.answer_store import UNKNOWN, AnswerStore, Key, Row
from cloud.log.record import Record, Recorder
from cloud.metrics import Metrics
from cloud.outcomes.outcome_watch import Answer, OutcomeWatch
from cloud.utterance import Utterance
from common.addresses import Address
from edge.asking.answer import Answer as Answered
from edge.board.monitoring import Monitoring
from edge.board.tally import Tally
from edge.sound.audio_file import AudioFile
from edge.sound.source import BLOCK_SAMPLES
from edge.speech.log_mel import log_mel
from edge.speech.pitch import PitchMeter
from edge.speech.signal_meter import SignalMeter, power_of
from protos import speech_pb2
from protos.feature_spec import DEFAULT_SPEC

ROUNDS = 9
AGAIN = 200


class Part(NamedTuple):
    """One of them."""

    name: str
    times: float
    """In 15 s of a board, or in an utterance of a service."""
    cpu_s: float


def each_s(do: Callable[[], object], again: int = AGAIN) -> float:
    """Processor time of one; of some rounds the cheapest, as what else runs here only ever adds."""
    do()
    found = []
    for _ in range(ROUNDS):
        began_s = time.process_time()
        for _ in range(again):
            do()
        found.append((time.process_time() - began_s) / again)
    return min(found)


def of_board(scrape_s: float, period_s: float) -> list[Part]:
    """In a period with one sentence and one look at the port, which takes `scrape_s`."""
    samples = np.concatenate([block.samples for block in AudioFile(str(SPOKEN)).blocks()])
    blocks = samples[: len(samples) // BLOCK_SAMPLES * BLOCK_SAMPLES].reshape(-1, BLOCK_SAMPLES)
    powers = [power_of(block) for block in blocks]

    def meter() -> None:
        meter = SignalMeter()
        for block, power in zip(blocks, powers, strict=True):
            meter.push(block, power, True)
        meter.measure(1e-6)

    def pitch() -> None:
        voice = PitchMeter()
        for block in blocks:
            voice.push(block, True)
        voice.pitch()

    return [
        Part("somebody looks at /metrics", 1, scrape_s),
        Part("the port waits for them, of a second", period_s, waiting_s()),
        Part("signal facts of a sentence", 1, each_s(meter, 20)),
        Part("pitch of the voice in it", 1, each_s(pitch, 20)),
        Part("what became of it is counted", 1, each_s(counted())),
    ]


def waiting_s(listened_s: float = 5.0) -> float:
    """Of a second in which nobody looks, more than this process takes of it by itself."""
    itself_s = _idle_s(listened_s)
    with Monitoring(Address("127.0.0.1", 0), dict):
        time.sleep(0.5)
        return max(0.0, _idle_s(listened_s) - itself_s)


def _idle_s(listened_s: float) -> float:
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    time.sleep(listened_s)
    return (time.process_time() - began_cpu_s) / (time.monotonic() - began_s)


def counted() -> Callable[[], None]:
    """Counts an utterance that nobody answered."""
    timing = SimpleNamespace(endpoint_to_final=100, onset_to_first_partial=100, last_sound_to_endpoint=400)
    over = SimpleNamespace(
        answer=Answered("cloud", "turn on the light"),
        end=SimpleNamespace(reason="endpoint"),
        timing=lambda realtime: timing,
    )
    tally = Tally()
    return lambda: tally.over(over)  # type: ignore[arg-type]


def of_service(folder: Path, seen_s: float, period_s: float, waits_s: float) -> list[Part]:
    """Of an utterance of three seconds in a period with one look at /metrics, which takes `seen_s`. `waits_s`: what
    all of it takes of a second in which nothing comes."""
    utterance = _utterance()
    final = utterance.final
    assert final is not None
    recorder = Recorder()
    record = recorder.record(utterance, final, 1)
    metrics = Metrics([], _Kept(), lambda: 0, {})  # type: ignore[arg-type]
    made = MadeBoard(seed=7)
    board = WatchedBoard("k", 4000.0)
    for facts in made.facts(530):
        board.push(facts)
    watch, outcomes, facts_again = Watch(known=board.known), OutcomeWatch(), made.facts(1_000_000)
    return [
        Part("facts and record", 1, each_s(lambda: recorder.record(utterance, final, 1))),
        Part("log: a row more, written in fives", 1, _written_s(folder, final, record)),
        Part("counted for /metrics", 1, each_s(lambda: metrics.answered(utterance))),
        Part("drift watch of a board that is known", 1, each_s(lambda: watch.saw(next(facts_again)))),
        Part("watch of what is right", 1, each_s(lambda: outcomes.push(Answer(next(facts_again), final)))),
        Part("they wait for what comes, of a second", period_s, waits_s),
        Part("somebody looks at /metrics", 1, seen_s),
    ]


class _Kept:
    lost = 0
    trouble = None


def _written_s(folder: Path, final: speech_pb2.Final, record: Record) -> float:
    """What the record takes beside the answer, which is kept so that nobody is answered twice."""
    took = []
    for kept in (None, record):
        with closing(AnswerStore(folder / f"{kept is None}.db")) as store:
            numbers = iter(range(1_000_000))

            def add(store: AnswerStore = store, kept: Record | None = kept, numbers: Iterator[int] = numbers) -> None:
                rows = [
                    Row(Key("k", f"u{next(numbers)}"), final.SerializeToString(), 1, UNKNOWN, kept) for _ in range(5)
                ]
                store.add(rows, 1_000_000)

            took.append(each_s(add, 40) / 5)
    return took[1] - took[0]


def _utterance() -> Utterance:
    """Three seconds, answered."""
    samples = np.resize(np.concatenate([block.samples for block in AudioFile(str(SPOKEN)).blocks()]), 48_000)
    levels = DEFAULT_SPEC.quantise(log_mel(samples, DEFAULT_SPEC))
    config = speech_pb2.UtteranceConfig(device_id="k", utterance_id="u", started_at_unix_us=1)
    end = speech_pb2.UtteranceEnd(
        reason=speech_pb2.END_REASON_ENDPOINT,
        speech_start_ms=300,
        speech_end_ms=2500,
        level_dbfs=-30.0,
        peak_dbfs=-12.0,
        noise_floor_dbfs=-60.0,
        snr_db=30.0,
        clipped_share=0.0,
    )
    final = speech_pb2.Final(transcript="turn on the light in the kitchen", confidence=0.9, decoding_ms=100)
    final.engine.name, final.domain.name, final.intent.name = "pocketsphinx", "home", "lights_on"
    utterance = Utterance(config, DEFAULT_SPEC, knows_word=lambda word: True)
    utterance.hear(levels)
    utterance.show()
    utterance.close(end)
    utterance.answer(final)
    return utterance
