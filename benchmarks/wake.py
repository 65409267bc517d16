"""Wake words: how often one is heard that nobody said, how often a said one is missed, and what follows the phrase.

    scripts/bench wake --data DIR                          each phrase that there is a model of
    scripts/bench wake --data DIR --phrase "okay nabu" --hours 0.2

False wakes are counted over real speech and noise joined (sentences, orders, single words, noises; then sentences and
orders again over the noises), and over the sentences' texts spoken by the synthetic voices. Missed phrases are spoken
by those voices: espeak-ng, flite and piper, as many as are installed; they are no people, and what they show is what
the parts are worth beside each other. With `--models DIR` a phrase is a folder there, of a model of kind wake.
"""

import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from scipy.special import gammainccinv

from benchmarks import corpus, wake_phrases
from benchmarks.corpus import RATE_HZ, Sound
from benchmarks.figures import progress
from benchmarks.instructions import Memory
from benchmarks.wake_phrases import Voice
from common.errors import ModelError
from edge.local.micro_wake_word import PHRASES
from edge.local.wake_words import open_wake_word
from edge.settings import EdgeSettings, Local, Wake
from edge.sound.source import BLOCK_SAMPLES, Samples
from edge.speech import wake
from edge.speech.hearing import hear
from edge.speech.utterance import UtteranceHead
from edge.speech.wake import WakeWord
from protos.feature_spec import DEFAULT_SPEC

QUIET_DBFS = -70.0
BESIDE_S = 2.0
"""Of a quiet room, before and after what is said."""
NOISE_LEAD_S = 5.0
PAUSE_S = 0.5
SNRS_DB = (None, 10.0, 5.0)
"""None: a quiet room."""
ORDERS = ("stop", "what's the weather in Paris")
WINDOW_S = 8.0


class Falsely(NamedTuple):
    """Wakes where nobody said the phrase."""

    times: int
    hours: float
    cpu_s: float

    @property
    def per_hour_max(self) -> float:
        """Upper end of the 95 % interval (Garwood's)."""
        return poisson_max(self.times) / self.hours

    @property
    def cpu_ms_a_second(self) -> float:
        return self.cpu_s / (3.6 * self.hours)


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--phrase", "phrases", multiple=True, help="All that there are models of, if none.")
@click.option("--models", type=click.Path(exists=True, path_type=Path), help="Folder of models of one's own.")
@click.option("--hours", type=float, default=math.inf, help="Listen for false wakes no longer than this.")
@click.option("--threshold", type=float, default=0.0, help="0: as the model says.")
@click.option("--voice", "names", multiple=True, help="Only voices whose name begins so: who was not learnt from.")
def main(
    data: Path, phrases: tuple[str, ...], models: Path | None, hours: float, threshold: float, names: tuple[str, ...]
) -> None:
    """Count false and missed wakes; `--data` is a folder as benchmarks/corpus.py has it."""
    voices = [voice for voice in wake_phrases.voices() if voice.name.startswith(names or ("",))]
    noises = list(corpus.noises(data).values())
    words = [opened(phrase, models, threshold) for phrase in phrases or PHRASES]
    print(f"{len(voices)} voices: {', '.join(sorted({voice.name.split()[0] for voice in voices}))}\n")
    print(
        "| phrase | false wakes | hours | per hour, at most (95 %) | missed, quiet | 10 dB | 5 dB | CPU, ms a second |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for word in words:
        falsely = listen(word, talk(data, noises, voices), hours)
        missed = " | ".join(misses(word, voices, noises, snr_db) for snr_db in SNRS_DB)
        print(
            f"| {word.phrase} | {falsely.times} | {falsely.hours:.2f} | {falsely.per_hour_max:.2f} | {missed} | "
            f"{falsely.cpu_ms_a_second:.1f} |",
            flush=True,
        )
    print(
        "\n| phrase | alone began an utterance | in one breath with | is one | begins after the order, ms (quartiles) |"
    )
    print("|---|---|---|---|---|")
    for word in words:
        alone = sum(len(cut(word, at_home(voice.say(word.phrase)))) for voice in voices)
        for order in ORDERS:
            print(f"| {word.phrase} | {alone} of {len(voices)} | {order} | {in_one_breath(word, voices, order)} |")


def opened(phrase: str, models: Path | None, threshold: float) -> WakeWord:
    """ClickException, a sentence, if there is none."""
    local = Local(model_dir=models) if models else Local()
    settings = EdgeSettings(wake=Wake(phrase=phrase, threshold=threshold), local=local)
    try:
        return open_wake_word(settings, DEFAULT_SPEC)
    except ModelError as error:
        raise click.ClickException(str(error)) from error


def talk(data: Path, noises: Sequence[Sound], voices: Sequence[Voice]) -> Iterator[Sound]:
    """Speech and noise without any of the phrases."""
    draw = np.random.default_rng(1)
    spoken = [*corpus.sentence_files(data), *corpus.order_files(data)]
    yield from noises
    yield from (corpus.read(file) for file in spoken)
    for file in spoken:
        yield corpus.with_noise(corpus.read(file), noises[int(draw.integers(len(noises)))], 10.0, draw)
    for number, clip in enumerate(corpus.sentences(data)):
        for voice in voices[number % 3 :: 3]:
            yield voice.say(clip.text)
    for folder in ("words", "commands"):
        yield from (corpus.read(file) for file in sorted((data / folder).rglob("*.flac")))


def listen(word: WakeWord, sounds: Iterator[Sound], hours: float) -> Falsely:
    """Everything joined, with short pauses; after each wake the board would hear something else first."""
    pause = np.zeros(round(PAUSE_S * RATE_HZ), np.float32)
    count, samples, cpu_s = 0, 0, 0.0
    for sound in sounds:
        heard = blocks(np.concatenate([sound, pause]))
        began_s = time.process_time()
        for block in heard:
            if word.hear(block):
                count += 1
                word.reset()
        cpu_s += time.process_time() - began_s
        samples += len(heard) * BLOCK_SAMPLES
        progress(f"{word.phrase}: {samples / RATE_HZ / 3600:.2f} h, {count} false wakes")
        if samples >= hours * 3600 * RATE_HZ:
            break
    return Falsely(count, samples / RATE_HZ / 3600, cpu_s)


def misses(word: WakeWord, voices: Sequence[Voice], noises: Sequence[Sound], snr_db: float | None) -> str:
    """How often the phrase was said and not heard: once by each voice, or over each noise by each voice."""
    draw = np.random.default_rng(2)
    missed = said = 0
    for voice in voices:
        phrase = voice.say(word.phrase)
        for sound in [at_home(phrase)] if snr_db is None else [over(noise, phrase, snr_db, draw) for noise in noises]:
            word.reset()
            said += 1
            missed += not any(word.hear(block) for block in blocks(sound))
    return f"{missed} of {said}"


def in_one_breath(word: WakeWord, voices: Sequence[Voice], order: str) -> str:
    """What the board makes of the phrase with an order after it: cells of the table."""
    late_ms, wholes = [], 0
    for voice in voices:
        said = voice.say(f"{word.phrase} {order}")
        order_s = BESIDE_S + (len(said) - len(voice.say(order))) / RATE_HZ
        begins_s = cut(word, at_home(said))
        wholes += len(begins_s) == 1
        late_ms += [1000 * (begin_s - order_s) for begin_s in begins_s[:1]]
    quartiles = np.percentile(late_ms, (25, 50, 75)) if late_ms else ()
    return f"{wholes} of {len(voices)} | {' / '.join(f'{one:+.0f}' for one in quartiles)}"


def cut(word: WakeWord, sound: Sound) -> list[float]:
    """Where utterances begin, in seconds."""
    word.reset()
    source = Memory(np.concatenate(blocks(sound)))
    heard = hear(source, activation=wake.Wake(word, WINDOW_S))
    return [one.stream_start_ms / 1000 for one in heard if isinstance(one, UtteranceHead)]


def at_home(sound: Sound) -> Sound:
    """In a quiet room."""
    padded = np.pad(sound, round(BESIDE_S * RATE_HZ))
    hiss = np.random.default_rng(3).standard_normal(len(padded)) * 10 ** (QUIET_DBFS / 20)
    return np.asarray(padded + hiss, np.float32)


def over(noise: Sound, said: Sound, snr_db: float, draw: np.random.Generator) -> Sound:
    """In a noise that was there before, as noises are."""
    led = np.pad(said, (round(NOISE_LEAD_S * RATE_HZ), 0))
    start = int(draw.integers(len(noise)))
    stretch = np.take(noise, range(start, start + len(led) + RATE_HZ), mode="wrap")
    gain = 10 ** ((corpus.power_db(said) - snr_db - corpus.power_db(stretch)) / 20)
    return np.asarray(stretch * gain + np.pad(led, (0, RATE_HZ)), np.float32)


def blocks(sound: Sound) -> list[Samples]:
    """As the board hears it."""
    samples = np.rint(np.clip(sound, -1, 1 - 2**-15) * 32768).astype(np.int16)
    whole = samples[: len(samples) // BLOCK_SAMPLES * BLOCK_SAMPLES]
    return list(whole.reshape(-1, BLOCK_SAMPLES))


def poisson_max(count: int, doubt: float = 0.025) -> float:
    """The mean of which so few are seen with this probability."""
    return float(gammainccinv(count + 1, doubt))


if __name__ == "__main__":
    main()
