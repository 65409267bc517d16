"""What is said to measure a domain over open speech with: sentences, orders, titles said by machines."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import soxr

from benchmarks import corpus
from benchmarks.orders import SEED, half_of, in_half
from cloud.building.domain import load_domain
from cloud.decoders.pocketsphinx import features
from cloud.decoders.speech_gain import SpeechGain
from cloud.decoders.sphinx_features import Cepstra
from cloud.understanding.network import Following
from cloud.understanding.parse import parse
from cloud.understanding.written import spoken_words
from edge.speech.log_mel import log_mel
from models.synthesis.engine import Manner
from models.synthesis.engines import engines, voices
from protos.feature_spec import DEFAULT_SPEC

VOICES = {
    "tuning": ("piper/joe", "flite/rms", "espeak-ng/en-us"),
    "test": ("piper/joe", "flite/slt", "espeak-ng/en-gb-x-rp"),
}
CARRIERS = {
    "tuning": ("{}", "show me {}", "please {}", "where is {}"),
    "test": ("{}", "find {}", "can you look up {}", "{} please"),
}
NOISE, SNR_DB = "running_tap", 12
SECONDS_MAX = 15.0
"""Longer recordings are no single utterance."""

Item = TypeVar("Item")


class Clip(NamedTuple):
    """Something that was said."""

    part: str
    cepstra: Cepstra
    text: str = ""
    """What is said; of an order nothing."""
    title: str = ""
    slots: Mapping[str, str] | None = None


def sentences(data: Path, half: str, count: int, following: Following) -> Iterator[Clip]:
    """Those that the domain knows are a part of their own."""
    clips = [clip for clip in corpus.sentences(data) if in_half(clip.file, half)]
    for clip in spread(clips, count):
        sound = corpus.read(clip.file)
        if len(sound) < SECONDS_MAX * corpus.RATE_HZ:
            part = "own sentences" if parse(following, spoken_words(clip.text)) else "other sentences"
            yield Clip(part, cepstra(sound), clip.text)


def orders(data: Path, half: str, count: int) -> Iterator[Clip]:
    """Each in quiet and in noise."""
    draw = np.random.default_rng(SEED)
    noise = half_of(corpus.noises(data)[NOISE], half)
    for order in spread([order for order in corpus.orders(data) if in_half(order.file, half)], count):
        sound = corpus.read(order.file)
        yield Clip("orders", cepstra(sound), slots=order.slots)
        noisy = corpus.with_noise(sound, noise, SNR_DB, draw)
        yield Clip(f"orders, {SNR_DB} dB", cepstra(noisy), slots=order.slots)


def titles(domain: str, half: str, count: int) -> Iterator[Clip]:
    """Titles of one half, three voices in turns; half of them in a sentence."""
    known = sorted(
        {one.title for one in load_domain(domain).entries}, key=lambda one: hashlib.md5(one.encode()).digest()
    )
    first, second = known[: (len(known) + 1) // 2], known[(len(known) + 1) // 2 :]
    mine = (first if half == "tuning" else second)[:count]
    for number, full_name in enumerate(VOICES[half]):
        its = mine[number :: len(VOICES[half])]
        texts = [CARRIERS[half][place % len(CARRIERS[half])].format(title) for place, title in enumerate(its)]
        (engine, voice), *_ = voices(engines(), [full_name], tell=print)
        for title, text, spoken in zip(its, texts, engine.say(voice, Manner(), texts), strict=True):
            if not isinstance(spoken, str):
                sound = soxr.resample(spoken.sound.astype(np.float32) / 2**15, spoken.rate_hz, corpus.RATE_HZ)
                around = np.pad(corpus.at_level(np.asarray(sound, np.float32), -26), corpus.RATE_HZ // 3)
                yield Clip(f"titles of {domain}", cepstra(around), text, title)


def spread(items: Sequence[Item], count: int) -> Sequence[Item]:
    return items[:: max(1, len(items) // count)][:count]


def cepstra(sound: corpus.Sound) -> Cepstra:
    """What pocketsphinx gets of it."""
    pcm = np.clip(np.rint(sound * 2**15), -(2**15), 2**15 - 1).astype(np.int16)
    made, gain = features(DEFAULT_SPEC), SpeechGain()
    filters = made.log_filters(DEFAULT_SPEC.quantise(log_mel(pcm, DEFAULT_SPEC)))
    return made.cepstra(np.concatenate([gain.push(filters), gain.flush()]))
