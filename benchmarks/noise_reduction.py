"""What taking noise out of frames is worth to each engine, and several floors, and a mean that is carried.

    scripts/bench noise_reduction --data DIR

Orders and sentences of the tuning half, in its stretches of the noises; nothing here is a figure of what ships. Frames
are those of the wire, half a second of the room before and after. Early are the answers that pocketsphinx gives alone.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import soundfile

from benchmarks import corpus, domains
from benchmarks.accuracy import error_rate, spread
from benchmarks.listeners import FED_FRAMES
from benchmarks.noise_reducers import (
    controlled_average,
    followed_floor,
    minimum_statistics,
    reducer,
    subtracted,
    wiener,
)
from benchmarks.orders import NOISES, SECONDS_MAX, SEED, Condition, half_of, in_half
from cloud.arbiter import decides_alone
from cloud.building.bundle import read_bundle
from cloud.decoders import Engine, Hypothesis, Task, sphinx_features
from cloud.decoders.pocketsphinx import PocketSphinx
from cloud.decoders.weights import usable
from cloud.decoders.whisper import Whisper
from cloud.settings import CloudSettings
from cloud.understanding.network import Following
from cloud.understanding.parse import parse
from cloud.understanding.understand import WORD_BONUS, understand
from edge.speech.log_mel import log_mel
from protos.feature_spec import DEFAULT_SPEC, FeatureSpec, Levels, LogMel

SNRS_DB = (18, 12, 6)
COLUMNS = (None, *SNRS_DB)
WHISPER_COLUMNS = (None, 6)
"""Held to sentences, it hears 0.99 of the orders at 12 dB and more."""
FREE_SNR_DB = 12
EDGE_SAMPLES = corpus.RATE_HZ // 2
"""Half of the room before and after is left off: a board's pre-roll and hang-over are no longer."""

EXACT = FeatureSpec(levels=122)
"""Knows every power of the wire's twelve, and ten between two of them."""

PRECISION = 0.98
"""Of early answers, where ways are compared as if each had a threshold of its own."""

Said = tuple[Path, dict[str, str]]
"""A recording, and the slots of its order."""

Reduce = Callable[[LogMel], LogMel]


class Way(NamedTuple):
    """What is done before an engine, or in it."""

    name: str
    reduce: Reduce | None = None
    on_board: bool = False
    """Before the levels, where the board could do it."""
    floor: float = sphinx_features.LOG_FLOOR
    carried: bool = False
    """One board says all orders of a condition."""


class Order(NamedTuple):
    """An order in some noise."""

    condition: Condition
    slots: dict[str, str]
    log_mel: LogMel


class Answer(NamedTuple):
    """What an engine makes of it."""

    slots: dict[str, str] | None
    is_right: bool
    score: float
    """How well it fits."""
    is_early: bool


AVERAGE = reducer(controlled_average, wiener)

SPHINX_WAYS = (
    Way("as it ships"),
    Way("mean carried from order to order", carried=True),
    Way("floor 8.5", floor=8.5),
    Way("floor 10", floor=10.0),
    Way("spectral subtraction, followed floor", reducer(followed_floor, subtracted)),
    Way("Wiener, minimum statistics", reducer(minimum_statistics, wiener)),
    Way("Wiener, controlled average", AVERAGE),
    Way("the same, on the board", AVERAGE, on_board=True),
    Way("the same, on the board, mean carried", AVERAGE, on_board=True, carried=True),
)
WHISPER_WAYS = tuple(way for way in SPHINX_WAYS if way.floor == sphinx_features.LOG_FLOOR and not way.carried)


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--orders", default=60, show_default=True, help="For pocketsphinx; 0: it is not asked.")
@click.option("--whisper-orders", default=40, show_default=True, help="For Whisper; 0: it is not asked.")
@click.option("--sentences", default=47, show_default=True, help="For Whisper reading freely.")
def main(data: Path, orders: int, whisper_orders: int, sentences: int) -> None:
    """Compare ways to hear in noise."""
    judge = Judge(domains.bundle("coffee"))
    if orders:
        measure_sphinx(data, orders, judge)
    if whisper_orders and sentences:
        measure_whisper(data, whisper_orders, sentences, judge)


def measure_sphinx(data: Path, orders: int, judge: "Judge") -> None:
    """Orders under the graph of the domain's sentences, a row a way."""
    said = list(spoken(data, orders_of(data, orders)))
    print(f"\npocketsphinx, {orders} orders: right / answered early\n")
    header(COLUMNS, ["early ones that are right", f"early at {PRECISION:.2f} right", "CPU ms an order"])
    floors = {}
    for way in SPHINX_WAYS:
        answers, cpu_s = hear(way, PocketSphinx(bundles=[judge.bundle]), said, judge)
        if way.reduce is None and not way.carried:
            floors[way.name] = answers
        print_sphinx(way.name, said, answers, f"{1000 * cpu_s / len(said):.0f}")
    print_sphinx("three floors, the likeliest", said, [likeliest(each) for each in zip(*floors.values(), strict=True)])
    print_sphinx("three floors that agree", said, [agreed(each) for each in zip(*floors.values(), strict=True)])


def measure_whisper(data: Path, orders: int, sentences: int, judge: "Judge") -> None:
    """Orders held to the domain's sentences, and sentences read freely, a row a way."""
    engine = Whisper(str(usable("tiny.en", CloudSettings().storage.weights_dir)), bundles=[judge.bundle])
    said = list(spoken(data, orders_of(data, orders), WHISPER_COLUMNS))
    clips = spread([clip for clip in corpus.sentences(data) if is_for_tuning(clip.file)], sentences)
    free = list(spoken(data, [(clip.file, {}) for clip in clips], [FREE_SNR_DB]))
    print(f"\nWhisper, {orders} orders held to sentences: right; {len(clips)} sentences read freely: word errors\n")
    header(WHISPER_COLUMNS, [f"sentences {FREE_SNR_DB} dB", "CPU ms an order"])
    for way in WHISPER_WAYS:
        answers, cpu_s = hear(way, engine, said, judge)
        read = [listen(engine, way, order, "", f"free {number}").transcript for number, order in enumerate(free)]
        errors = error_rate([clip.text for clip in clips], read)
        cells = [f"{share(said, [one.is_right for one in answers], column):.3f}" for column in WHISPER_COLUMNS]
        print(f"| {way.name} | {' | '.join(cells)} | {errors:.3f} | {1000 * cpu_s / len(said):.0f} |", flush=True)


def orders_of(data: Path, count: int) -> list[Said]:
    """Of the tuning half."""
    found = [order for order in corpus.orders(data) if is_for_tuning(order.file)]
    return [(order.file, order.slots) for order in spread(found, count)]


def is_for_tuning(file: Path) -> bool:
    """Whether it is of that half, and a single utterance."""
    return in_half(file, "tuning") and soundfile.info(file).duration <= SECONDS_MAX


def spoken(data: Path, said: Sequence[Said], snrs_db: Sequence[int | None] = COLUMNS) -> Iterator[Order]:
    """Each at every SNR, in the two noises by turns."""
    noises = {name: half_of(noise, "tuning") for name, noise in corpus.noises(data).items()}
    for snr_db in snrs_db:
        draw = np.random.default_rng(SEED)
        for number, (file, slots) in enumerate(said):
            sound = corpus.read(file)
            condition = Condition(None, None)
            if snr_db is not None:
                condition = Condition(NOISES[number % len(NOISES)], snr_db)
                mixed = corpus.with_noise(sound, noises[NOISES[number % len(NOISES)]], snr_db, draw)
                sound = mixed[EDGE_SAMPLES:-EDGE_SAMPLES]
            samples = np.clip(np.rint(sound * 32768), -32768, 32767).astype(np.int16)
            yield Order(condition, slots, log_mel(samples, DEFAULT_SPEC))


class Judge:
    """Knows the domain's sentences."""

    def __init__(self, bundle: str) -> None:
        self.bundle = bundle
        self._known = read_bundle(Path(bundle))
        self._following = Following(self._known.network)

    def answer(self, heard: Hypothesis, slots: dict[str, str]) -> Answer:
        """The best of the sentences, and whether it would be the answer at once."""
        ranked = sorted(heard.sentences, key=lambda one: -one.score - WORD_BONUS * len(one.text.split()))
        meanings = parse(self._following, ranked[0].text.split()) if ranked else []
        found = meanings[0].slots if meanings else None
        outcome = understand(self._following, self._known.blocks, [heard])
        early = not heard.doubts and decides_alone(heard, outcome, has_commands=True)
        score = ranked[0].score if ranked else -np.inf
        return Answer(found, found == slots, score, early and outcome.understood is not None)


def hear(way: Way, engine: Engine, said: Sequence[Order], judge: Judge) -> tuple[list[Answer], float]:
    """What an engine makes of all orders, and the CPU seconds that took."""
    began_s = time.process_time()
    with floor(way.floor):
        heard = [listen(engine, way, order, judge.bundle, str(number)) for number, order in enumerate(said)]
    took_s = time.process_time() - began_s
    return [judge.answer(each, order.slots) for each, order in zip(heard, said, strict=True)], took_s


def listen(engine: Engine, way: Way, order: Order, bundle: str, number: str) -> Hypothesis:
    """An order in an engine."""
    spec, levels = frames(way, order.log_mel)
    board = str(order.condition) if way.carried else number
    decoding = engine.begin(Task(board, f"{way.name} {number}", spec, bundle))
    for start in range(0, len(levels), FED_FRAMES):
        decoding.feed(levels[start : start + FED_FRAMES])
    heard = decoding.finish()
    decoding.close()
    return heard


def frames(way: Way, log_mel: LogMel) -> tuple[FeatureSpec, Levels]:
    """What the engine gets."""
    if way.reduce is None:
        return DEFAULT_SPEC, DEFAULT_SPEC.quantise(log_mel)
    if way.on_board:
        return DEFAULT_SPEC, DEFAULT_SPEC.quantise(way.reduce(log_mel))
    return EXACT, EXACT.quantise(way.reduce(DEFAULT_SPEC.dequantise(DEFAULT_SPEC.quantise(log_mel))))


@contextmanager
def floor(value: float) -> Iterator[None]:
    """pocketsphinx hears with another floor."""
    before = sphinx_features.LOG_FLOOR
    sphinx_features.LOG_FLOOR = value
    try:
        yield
    finally:
        sphinx_features.LOG_FLOOR = before


def likeliest(answers: Sequence[Answer]) -> Answer:
    """Of several decoders'."""
    return max(answers, key=lambda one: one.score)


def agreed(answers: Sequence[Answer]) -> Answer:
    """The first decoder's, early only where the others heard the same; then it may fit less."""
    first = answers[0]
    same = first.slots is not None and all(one.slots == first.slots for one in answers)
    return first._replace(is_early=first.is_early and same, score=first.score if same else -np.inf)


def header(snrs_db: Sequence[int | None], more: Sequence[str]) -> None:
    columns = [*("clean" if snr_db is None else f"{snr_db} dB" for snr_db in snrs_db), *more]
    print(f"| way | {' | '.join(columns)} |\n" + "|---" * (1 + len(columns)) + "|")


def print_sphinx(name: str, said: Sequence[Order], answers: Sequence[Answer], cpu: str = "-") -> None:
    """A row."""
    right, early = [one.is_right for one in answers], [one.is_early for one in answers]
    cells = [f"{share(said, right, column):.3f} / {share(said, early, column):.2f}" for column in COLUMNS]
    at_once = [one.is_right for one in answers if one.is_early]
    ours = f"{sum(at_once)} of {len(at_once)}"
    print(f"| {name} | {' | '.join(cells)} | {ours} | {covered(answers):.3f} | {cpu} |", flush=True)


def share(said: Sequence[Order], true: Sequence[bool], snr_db: int | None) -> float:
    here = [each for order, each in zip(said, true, strict=True) if order.condition.snr_db == snr_db]
    return float(np.mean(here)) if here else float("nan")


def covered(answers: Sequence[Answer]) -> float:
    """The largest share of answers, those that fit best, of which PRECISION are right."""
    ranked = sorted(answers, key=lambda one: -one.score)
    right = np.cumsum([one.is_right for one in ranked]) / np.arange(1, len(ranked) + 1)
    enough = np.flatnonzero((right >= PRECISION) & np.isfinite([one.score for one in ranked]))
    return float(enough[-1] + 1) / len(ranked) if len(enough) else 0.0


if __name__ == "__main__":
    main()
