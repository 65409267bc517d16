"""Minutes of sound of which every block is known, speech or not: in rooms, over noises, at any level."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks import corpus, speech_marks
from benchmarks.corpus import RATE_HZ, Sound
from benchmarks.endpoints import material
from benchmarks.scenes import Trimmed, as_samples, in_room, trimmed
from benchmarks.speech_marks import HOP_SAMPLES
from edge.sound.source import BLOCK_SAMPLES, Samples
from models.tables.sounds import coloured, disturbance, drift

MINUTE_BLOCKS = 60 * RATE_HZ // BLOCK_SAMPLES
GAP_HOPS_MAX = 60
"""A gap of up to 0.3 s within a clip is part of the speech: a closed stop, a breath taken."""
TAIL_BLOCKS = 6
"""What follows a clip is neither speech nor silence for so long: a room goes on."""


class Minute(NamedTuple):
    """A minute of it, block by block."""

    sound: Samples
    labels: npt.NDArray[np.float32]
    """Share of each block that is speech, (blocks,)."""
    weights: npt.NDArray[np.float32]
    """How much each block's label is worth, (blocks,)."""
    level_dbfs: float
    """Of the speech, about."""
    snr_db: float
    """From there down to what goes on behind it, where anything does."""


class Voice(NamedTuple):
    """A clip, and which of its hops are speech."""

    clip: Trimmed
    active: npt.NDArray[np.bool_]


def voices(data: Path, clips: list[Trimmed]) -> list[list[Voice]]:
    """The tuning half's phrases, and all one-second words of the training half."""
    phrases = [Voice(clip, active(clip)) for clip in clips]
    words = []
    files = [file for folder in ("commands/train", "words") for file in sorted((data / folder).rglob("*.flac"))]
    for file in files:
        if file.parent.name == "silence":
            continue
        sound = corpus.read(file)
        marks = speech_marks.find(sound)
        # What reaches the clip's edges is perhaps cut, or a noise all through.
        if marks is None or marks.start < HOP_SAMPLES or marks.end > len(sound) - 4 * HOP_SAMPLES:
            continue
        if (clip := trimmed(sound, marks)) is not None:
            words.append(Voice(clip, active(clip)))
    return [phrases, words]


def active(clip: Trimmed) -> npt.NDArray[np.bool_]:
    """Which hops are speech, short gaps included."""
    hops = np.zeros(len(clip.sound) // HOP_SAMPLES, np.bool_)
    start, end = clip.start // HOP_SAMPLES, clip.end // HOP_SAMPLES
    loud = speech_marks.loud_hops(clip.sound[clip.start : clip.end])
    hops[start:end] = True
    if loud is not None:
        heard = np.flatnonzero(loud)
        for before, after in zip(heard, heard[1:], strict=False):
            if after - before > GAP_HOPS_MAX:
                hops[start + before + 1 : start + after] = False
    return hops


def minutes(data: Path, count: int, draw: np.random.Generator) -> Iterator[Minute]:
    """So many minutes of the tuning half, no two alike."""
    found = material(data, "dev")
    kinds = voices(data, found.clips)
    noises = list(found.noises.values())
    for _ in range(count):
        yield minute(kinds, noises, found.rooms, draw)


def minute(kinds: list[list[Voice]], noises: list[Sound], rooms: list[Sound], draw: np.random.Generator) -> Minute:
    """One of them. One in five has nobody in it."""
    total = MINUTE_BLOCKS * BLOCK_SAMPLES
    speech, active_hops = np.zeros(total, np.float32), np.zeros(total // HOP_SAMPLES, np.bool_)
    dbfs = draw.uniform(-56, -12)
    if draw.random() < 0.85:
        speak(speech, active_hops, kinds, rooms, draw)
    snr_db = draw.uniform(2, 30)
    sound = speech * np.float32(10 ** (dbfs / 20)) + background(total, noises, dbfs - snr_db, draw)
    if draw.random() < 0.9:
        sound += coloured(total, draw) * np.float32(10 ** (min(draw.uniform(-78, -50), dbfs - 6) / 20))
    labels = active_hops.reshape(MINUTE_BLOCKS, -1).mean(axis=1, dtype=np.float32)
    weights = np.abs(2 * labels - 1)
    for last in np.flatnonzero((labels[:-1] > 0) & (labels[1:] == 0)):
        weights[last + 1 : last + 1 + TAIL_BLOCKS] = 0
    return Minute(as_samples(sound), labels, weights, dbfs, snr_db)


def speak(
    speech: Sound,
    active_hops: npt.NDArray[np.bool_],
    kinds: list[list[Voice]],
    rooms: list[Sound],
    draw: np.random.Generator,
) -> None:
    """Puts phrases or words one after the other, in one room, at about 0 dBFS."""
    room = drawn_room(rooms, draw) if draw.random() < 0.5 else None
    kind = kinds[int(draw.integers(len(kinds)))]
    longest_pause_s = draw.choice([0.2, 0.6, 3.0])
    position = round(draw.uniform(0.0, 4.0) * RATE_HZ) // HOP_SAMPLES * HOP_SAMPLES
    while True:
        voice = kind[int(draw.integers(len(kind)))]
        clip = in_room(voice.clip, room) if room is not None else voice.clip
        if position + len(clip.sound) > len(speech):
            return
        gain = np.float32(10 ** (draw.uniform(-4, 4) / 20))
        speech[position : position + len(clip.sound)] += tilted(clip.sound, draw) * gain
        hop = position // HOP_SAMPLES
        active_hops[hop : hop + len(voice.active)] |= voice.active
        position = (hop + len(voice.active)) * HOP_SAMPLES
        position += round(draw.uniform(0.0, longest_pause_s) * RATE_HZ) // HOP_SAMPLES * HOP_SAMPLES


def background(total: int, noises: list[Sound], dbfs: float, draw: np.random.Generator) -> Sound:
    """A recorded noise, drawn sounds, both or none, from the start or from somewhere."""
    made = np.zeros(total, np.float32)
    which = draw.random()
    if noises and which < 0.45:
        noise = noises[int(draw.integers(len(noises)))]
        start = int(draw.integers(len(noise)))
        made += level(np.take(noise, range(start, start + total), mode="wrap"), dbfs) * drift(total, draw, 0.1, 3)
    if which > 0.35 and which < 0.85:
        for _ in range(int(draw.integers(1, 3))):
            made += level(disturbance(total / RATE_HZ, draw)[:total], dbfs + draw.uniform(-6, 3))
    if draw.random() < 0.3:
        made[: int(draw.integers(total // 2))] = 0
    return made


def drawn_room(rooms: list[Sound], draw: np.random.Generator) -> Sound:
    """A measured impulse response, or noise that dies away behind a first arrival."""
    if rooms and draw.random() < 0.4:
        return rooms[int(draw.integers(len(rooms)))]
    time_s = np.arange(round(0.6 * RATE_HZ)) / RATE_HZ
    tail = draw.standard_normal(len(time_s)) * 10 ** (-3 * time_s / draw.uniform(0.15, 0.8))
    tail *= draw.uniform(0.1, 1.0) / np.sqrt((tail**2).sum())
    tail[0] = 1.0
    return tail.astype(np.float32)


def tilted(sound: Sound, draw: np.random.Generator) -> Sound:
    """Through a microphone that is brighter or duller."""
    spectrum = np.fft.rfft(sound)
    hz = np.maximum(np.fft.rfftfreq(len(sound), 1 / RATE_HZ), 50)
    return np.fft.irfft(spectrum * (hz / 1000) ** draw.uniform(-0.4, 0.4), len(sound)).astype(np.float32)


def level(sound: Sound, dbfs: float) -> Sound:
    """With its louder half at this level; silence stays silence."""
    return np.asarray(sound * 10 ** ((dbfs - max(corpus.power_db(sound), -100)) / 20), np.float32)
