"""Sounds as a board in a room hears them, and what may change about that: the planted changes of drift_lab.

A change is one to the voice (faster, from further off), to the room (a noise) or to the microphone (gain, covered, cut
off at full scale). Each is a function of the sound and a strength from 0 to 1: 1 is the change that is measured, and
what comes slowly goes through a half.
"""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from scipy.signal import butter, sosfilt

from benchmarks import corpus
from benchmarks.corpus import RATE_HZ, Sound
from benchmarks.scenes import as_samples, pink
from edge.sound.source import Samples

SPEECH_DBFS, SPEECH_SPREAD_DB = -30.0, 4.0
QUIET_DBFS, BUSY_DBFS = -62.0, -50.0
"""Of the room: always, and where somebody works in it."""
AROUND_S = 1.6
"""Room before and after what is said."""

APART_SAMPLES = 17 * RATE_HZ

NOISE_DB, GAIN_DB, CLIPPING_DB, CLIPPING_LEAST_DB = 10.0, -12.0, 24.0, 12.0
LOW_PASS_HZ = 3000.0
FASTER = 1.3

Half = Literal["tuning", "test"]
Base = Literal["quiet", "busy"]
BASES: tuple[Base, ...] = ("quiet", "busy")


class Material(NamedTuple):
    """What a half has of rooms and noises."""

    noises: dict[str, Sound]
    rooms: list[Sound]
    room: Sound
    """A quiet room, a minute of it."""


class Condition(NamedTuple):
    """How a recording is heard."""

    base: Base
    plant: str | None = None
    strength: float = 1.0

    def __str__(self) -> str:
        return self.base if self.plant is None else f"{self.base}-{self.plant}-{self.strength:g}"


def material(data: Path, half: Half) -> Material:
    """Of each noise one half, of the rooms those with an echo that is one: one each."""
    noises = {
        name: noise[: len(noise) // 2] if half == "tuning" else noise[len(noise) // 2 :]
        for name, noise in corpus.noises(data).items()
    }
    rooms = [corpus.read(data / "rooms" / name) for name in ("rir1.flac", "rir3.flac")]
    quiet = pink(60 * RATE_HZ, np.random.default_rng(1 if half == "tuning" else 2))
    return Material(noises, [rooms[0] if half == "tuning" else rooms[1]], quiet)


def heard(sound: Sound, name: str, condition: Condition, of: Material) -> Samples:
    """A recording of that name in a condition, room around it. The same draws in each condition of the same base."""
    draw = np.random.default_rng(zlib.crc32(f"{name} {condition.base}".encode()))
    plant, strength = condition.plant, condition.strength
    level_dbfs = SPEECH_DBFS + SPEECH_SPREAD_DB * float(np.clip(draw.standard_normal(), -2, 2))
    if plant in VOICES:
        sound = VOICES[plant](sound, strength, of)
    around = round(AROUND_S * RATE_HZ)
    speech = np.pad(corpus.at_level(sound, level_dbfs), around)
    kind, start = _drawn(of, draw), int(draw.integers(RATE_HZ * 20))
    room = _at(_stretch(of.room, start, len(speech)), QUIET_DBFS)
    room_dbfs = QUIET_DBFS
    if condition.base == "busy":
        room, room_dbfs = room + _at(_stretch(of.noises[kind], start, len(speech)), BUSY_DBFS), BUSY_DBFS
    if plant in NOISES:
        # What is added to what is there makes it so much louder together.
        added_dbfs = room_dbfs + 10 * np.log10(10 ** (NOISE_DB * strength / 10) - 1)
        # Another stretch than what is there already: the same one would add up to more.
        room = room + _at(_stretch(of.noises[NOISES[plant]], start + APART_SAMPLES, len(speech)), added_dbfs)
    mixed = speech + room
    if plant in MICROPHONES:
        mixed = MICROPHONES[plant](mixed, strength)
    return as_samples(mixed)


def _faster(sound: Sound, strength: float, of: Material) -> Sound:
    return stretched(sound, 1 + (FASTER - 1) * strength)


def _in_a_room(sound: Sound, strength: float, of: Material) -> Sound:
    room = of.rooms[0]
    direct = int(np.abs(room).argmax())
    length = len(sound) + len(room)
    echoed = np.fft.irfft(np.fft.rfft(sound, length) * np.fft.rfft(room, length), length)[direct:]
    wet = corpus.at_level(echoed[: len(sound) + RATE_HZ // 2].astype(np.float32), corpus.power_db(sound))
    dry = np.pad(sound, (0, len(wet) - len(sound))) if len(wet) > len(sound) else sound[: len(wet)]
    return np.asarray(strength * wet + (1 - strength) * dry, np.float32)


def _gain(sound: Sound, strength: float) -> Sound:
    return np.asarray(sound * 10 ** (GAIN_DB * strength / 20), np.float32)


def _low_pass(sound: Sound, strength: float) -> Sound:
    return np.asarray(sosfilt(butter(4, LOW_PASS_HZ / strength, fs=RATE_HZ, output="sos"), sound), np.float32)


def _clipping(sound: Sound, strength: float) -> Sound:
    gain_db = CLIPPING_LEAST_DB + (CLIPPING_DB - CLIPPING_LEAST_DB) * strength
    return np.asarray(np.clip(sound * 10 ** (gain_db / 20), -1, 1), np.float32)


VOICES: dict[str | None, Callable[[Sound, float, Material], Sound]] = {"faster": _faster, "echo": _in_a_room}
NOISES: dict[str | None, str] = {"dishes": "doing_the_dishes", "tap": "running_tap", "bike": "exercise_bike"}
MICROPHONES: dict[str | None, Callable[[Sound, float], Sound]] = {
    "gain": _gain,
    "low-pass": _low_pass,
    "clipping": _clipping,
}
PLANTS = tuple(str(name) for name in (*NOISES, *MICROPHONES, *VOICES))


SLOW_PLANTS = tuple(name for name in PLANTS if name not in ("tap", "bike"))
"""Of these there is a half, too."""


def conditions(plants: tuple[str, ...] = PLANTS) -> list[Condition]:
    """All that a recording is heard in: as it is, and changed; half changed in the busy room alone."""
    whole = [Condition(base, plant) for plant in plants for base in BASES]
    between = [Condition("busy", plant, 0.5) for plant in plants if plant in SLOW_PLANTS]
    return [Condition(base) for base in BASES] + whole + between


WINDOW, REACH = 512, 128
"""Samples: 32 ms hold two periods of a low voice, and the best place is within half of one."""


def stretched(sound: Sound, faster: float) -> Sound:
    """Spoken so many times as fast, in the same voice: waveforms overlapped where they are most alike (WSOLA, Verhelst
    and Roelands 1993)."""
    hop, window = WINDOW // 2, np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    padded: Sound = np.pad(sound, (REACH, WINDOW * 2 + REACH))
    count = int(len(sound) / faster) // hop
    out = np.zeros((count + 1) * hop + WINDOW, np.float32)
    at = REACH
    for number in range(count):
        if number:
            wanted = padded[at + hop : at + hop + WINDOW]
            middle = REACH + round(number * hop * faster)
            around = padded[middle - REACH : middle + REACH + WINDOW]
            likeness = np.correlate(around, wanted, "valid")
            energy = np.convolve(np.square(around), np.ones(WINDOW, np.float32), "valid")
            at = middle - REACH + int((likeness / np.sqrt(np.maximum(energy, 1e-6))).argmax())
        out[number * hop : number * hop + WINDOW] += window * padded[at : at + WINDOW]
    return out[: count * hop]


def _drawn(of: Material, draw: np.random.Generator) -> str:
    names = sorted(of.noises)
    return names[int(draw.integers(len(names)))]


def _stretch(noise: Sound, start: int, length: int) -> Sound:
    at = start % len(noise)
    return np.tile(noise, 1 + (at + length) // len(noise))[at : at + length]


def _at(sound: Sound, dbfs: float) -> Sound:
    return np.asarray(sound * 10 ** ((dbfs - 10 * np.log10(np.mean(np.square(sound)) + 1e-12)) / 20), np.float32)
