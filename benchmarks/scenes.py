"""Long recordings with many clips in them, each at a known place: what endpoints are measured on.

Clips are cut to their speech and a little around it, set to a level, and joined with drawn pauses over a noise that
runs through. Half of the clips, of each noise and of the rooms is for tuning ("dev"), the other for measuring ("test").
"""

import zlib
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from benchmarks import corpus, speech_marks
from benchmarks.corpus import RATE_HZ, Sound
from benchmarks.speech_marks import Booleans, Marks
from edge.sound.source import Samples

Part = Literal["dev", "test"]

LEAD_S = 5.0
PAUSE_S = (1.5, 4.0)
AROUND_S, FADE_S = 0.2, 0.1
"""What is kept of a clip around its speech, and how much of that fades: its own noise must not begin with a click."""
INNER_PAUSE_S_MAX = 1.0
"""A clip with a longer pause is left out: whether that is one utterance or two is a matter of taste."""
SPEECH_S_MAX = 14.0
"""A longer one, too: Home Assistant cuts at 15 s whatever is said, we at 28."""

SPEECH_DBFS, QUIET_DBFS, FAR_DBFS, ROOM_DBFS = -26.0, -50.0, -36.0, -60.0


class Spoken(NamedTuple):
    """Speech in a recording, in samples."""

    start: int
    end: int


class Scene(NamedTuple):
    """A recording and the truth about it."""

    sound: Samples
    spoken: list[Spoken]


class Trimmed(NamedTuple):
    """A clip cut to its speech."""

    sound: Sound
    """With its speech at 0 dBFS."""
    start: int
    end: int


def part_of(name: str) -> Part:
    """Where a recording of that name belongs, now and always."""
    return "test" if zlib.crc32(name.encode()) % 2 else "dev"


def trimmed(sound: Sound, marks: Marks) -> Trimmed | None:
    """None if there is a pause in it that is an endpoint to some, or if it is long."""
    if marks.longest_pause > INNER_PAUSE_S_MAX * RATE_HZ or marks.end - marks.start > SPEECH_S_MAX * RATE_HZ:
        return None
    around, fade = round(AROUND_S * RATE_HZ), round(FADE_S * RATE_HZ)
    padded = np.pad(sound, around)[marks.start : marks.end + 2 * around].copy()
    ramp = (0.5 - 0.5 * np.cos(np.pi * np.arange(fade) / fade)).astype(np.float32)
    padded[:fade] *= ramp
    padded[-fade:] *= ramp[::-1]
    power_db = corpus.power_db(padded[around:-around])
    return Trimmed(padded * np.float32(10 ** (-power_db / 20)), around, len(padded) - around)


def in_room(clip: Trimmed, room: Sound) -> Trimmed:
    """The clip heard from afar; the speech ends where it ends at the mouth, though the room goes on."""
    direct = int(np.abs(room).argmax())
    length = len(clip.sound) + len(room)
    spectrum = np.fft.rfft(clip.sound, length) * np.fft.rfft(room, length)
    wet = np.fft.irfft(spectrum, length)[direct:].astype(np.float32)
    return Trimmed(wet * np.float32(10 ** (-corpus.power_db(wet[clip.start : clip.end]) / 20)), clip.start, clip.end)


def scene(
    clips: list[Trimmed], dbfs: float, noise: Sound | None, noise_dbfs: float, draw: np.random.Generator
) -> Scene:
    """These clips in this order, over a quiet room and, if given, a noise that begins with the recording."""
    lengths = [round(draw.uniform(*PAUSE_S) * RATE_HZ) for _ in clips]
    total = round(LEAD_S * RATE_HZ) + sum(lengths) + sum(len(clip.sound) for clip in clips)
    sound = _at(pink(total, draw), ROOM_DBFS)
    if noise is not None:
        start = int(draw.integers(len(noise)))
        sound += _at(np.take(noise, range(start, start + total), mode="wrap"), noise_dbfs)
    position, spoken = round(LEAD_S * RATE_HZ), []
    for clip, pause in zip(clips, lengths, strict=True):
        sound[position : position + len(clip.sound)] += clip.sound * np.float32(10 ** (dbfs / 20))
        spoken.append(Spoken(position + clip.start, position + clip.end))
        position += len(clip.sound) + pause
    return Scene(as_samples(sound), spoken)


def pink(count: int, draw: np.random.Generator) -> Sound:
    """A quiet room, at no particular level: power falls with frequency, from 20 Hz on."""
    # In pieces of a minute, so that an hour of it needs no transform of an hour.
    piece = 60 * RATE_HZ
    hz = np.fft.rfftfreq(piece, 1 / RATE_HZ)
    slope = 1 / np.sqrt(np.maximum(hz, 20.0))
    pieces = [np.fft.irfft(np.fft.rfft(draw.standard_normal(piece)) * slope, piece) for _ in range(count // piece + 1)]
    return np.concatenate(pieces)[:count].astype(np.float32)


def as_samples(sound: Sound) -> Samples:
    """As a sound card gives it."""
    samples: Samples = np.rint(np.clip(sound, -1, 1) * 32767).astype(np.int16)
    return samples


def _at(sound: Sound, dbfs: float) -> Sound:
    return np.asarray(sound * 10 ** ((dbfs - corpus.power_db(sound)) / 20), np.float32)


class Material(NamedTuple):
    """What one part's recordings are made of."""

    clips: list[Trimmed]
    noises: dict[str, Sound]
    rooms: list[Sound]


CONDITIONS = ("room", "noise 20 dB", "noise 10 dB", "quiet speaker", "far field", "noise alone")
JUDGES_CONDITIONS = ("noise 20 dB", "noise 10 dB", "noise 5 dB", "noise alone", "quiet speaker", "far field")
"""What judges of speech are told apart by."""
_SEEDED = (*CONDITIONS, "noise 5 dB")


def scenes(condition: str, material: Material) -> Iterator[Scene]:
    """All recordings of a condition; drawn anew from the same seed each time."""
    draw = np.random.default_rng(_SEEDED.index(condition) + 1)
    clips = [material.clips[int(number)] for number in draw.permutation(len(material.clips))]
    match condition:
        case "room":
            yield scene(clips, SPEECH_DBFS, None, 0, draw)
        case "noise 20 dB" | "noise 10 dB" | "noise 5 dB":
            snr_db = float(condition.split()[1])
            for number, noise in enumerate(material.noises.values()):
                some = clips[number :: len(material.noises)]
                yield scene(some, SPEECH_DBFS, noise, SPEECH_DBFS - snr_db, draw)
        case "quiet speaker":
            yield scene(clips, QUIET_DBFS, None, 0, draw)
        case "far field":
            wet = [in_room(clip, material.rooms[number % len(material.rooms)]) for number, clip in enumerate(clips)]
            yield scene(wet, FAR_DBFS, None, 0, draw)
        case "noise alone":
            for noise in material.noises.values():
                silence = np.zeros(round(LEAD_S * RATE_HZ), np.float32)
                for dbfs in (SPEECH_DBFS - 20, SPEECH_DBFS - 10, SPEECH_DBFS):
                    alone = np.concatenate([silence, _at(noise, dbfs), silence])
                    yield Scene(as_samples(alone + _at(pink(len(alone), draw), ROOM_DBFS)), [])


def hears_speech(sound: Sound) -> Booleans:
    """Silero VAD's judgement for each 5 ms of a clip."""
    from benchmarks.detectors import SILERO

    judge, size = SILERO.open(), SILERO.chunk_samples
    samples = as_samples(np.pad(corpus.at_level(sound, SPEECH_DBFS), (size * 8, size)))
    judged = [judge(samples[start : start + size]) for start in range(0, len(samples) - size + 1, size)]
    hops = np.arange(len(sound) // speech_marks.HOP_SAMPLES) * speech_marks.HOP_SAMPLES + size * 8
    heard: Booleans = np.array(judged)[np.minimum(hops // size, len(judged) - 1)]
    return heard
