"""Real recordings to measure with: a folder that holds sentences/, orders/ and noise/, with an index.tsv."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

RATE_HZ = 16_000

Sound = npt.NDArray[np.float32]
"""Mono at 16 kHz, full scale 1.0."""


class Clip(NamedTuple):
    """A recording and what is said in it."""

    file: Path
    text: str


class Order(NamedTuple):
    """A spoken coffee order and what it orders."""

    file: Path
    slots: dict[str, str]


def sentences(data: Path) -> list[Clip]:
    """All clips of sentences/, in the index's order."""
    with (data / "index.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Clip(data / row["path"], row["text"]) for row in rows if row["path"].startswith("sentences/")]


def orders(data: Path) -> list[Order]:
    """All clips of orders/, by name."""
    labels = json.loads((data / "orders" / "labels.json").read_text(encoding="utf-8"))
    return [Order(data / "orders" / name, label["slots"]) for name, label in sorted(labels.items())]


def sentence_files(data: Path) -> list[Path]:
    """The recordings of sentences/, in the index's order."""
    return [clip.file for clip in sentences(data)]


def order_files(data: Path) -> list[Path]:
    """The recordings of orders/, by name."""
    return [order.file for order in orders(data)]


def noises(data: Path) -> dict[str, Sound]:
    """All recordings of noise/."""
    return {file.stem: read(file) for file in sorted((data / "noise").glob("*.flac"))}


def read(file: Path) -> Sound:
    """A recording, mixed down and resampled."""
    sound, rate_hz = soundfile.read(file, dtype="float32", always_2d=True)
    mono = sound.mean(axis=1)
    return mono if rate_hz == RATE_HZ else np.asarray(soxr.resample(mono, rate_hz, RATE_HZ), np.float32)


def joined(parts: Sequence[npt.NDArray[np.int16]]) -> npt.NDArray[np.int16]:
    """16-bit pieces as one."""
    return np.concatenate([np.empty(0, np.int16), *parts])


def write(file: Path, sound: Sound) -> None:
    """A recording as 16-bit FLAC or WAV, by the file's ending."""
    soundfile.write(file, np.clip(sound, -1, 1 - 2**-15), RATE_HZ, subtype="PCM_16")


def power_db(sound: Sound) -> float:
    """Mean power of the louder half of its 20 ms blocks: of the speech, not of the pauses."""
    blocks = sound[: len(sound) // 320 * 320].reshape(-1, 320)
    powers = np.sort((blocks.astype(np.float64) ** 2).mean(axis=1))
    return float(10 * np.log10(powers[len(powers) // 2 :].mean() + 1e-12))


def at_level(sound: Sound, dbfs: float) -> Sound:
    """Scaled so that its speech has this power."""
    return np.asarray(sound * 10 ** ((dbfs - power_db(sound)) / 20), np.float32)


def with_noise(sound: Sound, noise: Sound, snr_db: float, draw: np.random.Generator) -> Sound:
    """A stretch of noise mixed in, from a drawn place, so that speech is snr_db over it; a second of it around."""
    length = len(sound) + 2 * RATE_HZ
    start = int(draw.integers(len(noise)))
    stretch = np.take(noise, range(start, start + length), mode="wrap")
    gain = 10 ** ((power_db(sound) - snr_db - power_db(stretch)) / 20)
    mixed = stretch * gain
    mixed[RATE_HZ:-RATE_HZ] += sound
    peak = float(np.abs(mixed).max())
    return np.asarray(mixed / peak * 0.99 if peak > 0.99 else mixed, np.float32)
