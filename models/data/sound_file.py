"""Sound files of a data set: looked at without decoding them, read as the board would have them (16 kHz, one channel,
16 bit), and written."""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile

from common.errors import InputError
from edge.sound.audio_file import AudioFile
from edge.sound.container import shortage
from edge.sound.recording import WAS_USED
from edge.sound.source import BLOCK_SAMPLES, SAMPLE_RATE_HZ, Samples
from models.data.clip import Clip

UNSEEKABLE = frozenset({"MPEG", "MP3"})
"""To know the end of these all has to be decoded."""
SECONDS_MAX = 600
"""Longer recordings are no clips; where one is looked at, what comes after is not."""


class SoundFacts(NamedTuple):
    """What a sound file says of itself."""

    rate_hz: int
    duration_ms: int


class Sound(NamedTuple):
    """What there is of a clip."""

    samples: Samples
    faults: tuple[str, ...]
    """Sentences on what is damaged; the samples before are good."""


def look(file: Path) -> SoundFacts:
    """Whether a file is sound and there to its end, by its head and its last sample; 0.2 ms. InputError with a sentence
    that does not name the file."""
    try:
        status = file.stat()
    except FileNotFoundError as error:
        raise InputError("there is no such file") from error
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {getattr(error, 'strerror', 'this is no name of a file')}") from error
    if not status.st_size:
        raise InputError("is empty (0 bytes)")
    try:
        with file.open("rb") as raw:
            return _looked_at(raw.fileno())
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}") from error


def read_sound(file: Path) -> Samples:
    """All of it, mixed down, a last block filled up with zeros. InputError if it is damaged."""
    try:
        return np.concatenate([_NONE, *(block.samples for block in AudioFile(str(file)).blocks())])
    except InputError as error:
        raise InputError(str(error).replace(WAS_USED, "")) from error


def read_clip(clip: Clip, folder: Path) -> Samples:
    """The part of its recording that a clip is, for a manifest in this folder. InputError if that is damaged, or
    nothing."""
    samples = read_sound(clip.file(folder))[_part(clip)]
    if not len(samples):
        raise InputError(f"{clip.file(folder)}: has no sound from {clip.start_ms or 0} ms on.")
    return samples


def damage(clip: Clip, folder: Path) -> str | None:
    """Why a clip cannot be read in whole, without the name of its file; None: it can. All of it is decoded: what is
    damaged in its midst has a good head and a good end."""
    try:
        read_clip(clip, folder)
    except InputError as error:
        return str(error).removeprefix(f"{clip.file(folder)}: ").rstrip(".")
    return None


def what_there_is(clip: Clip, folder: Path) -> Sound:
    """The part of its recording that a clip is. What is missing or damaged is said, not raised."""
    source = AudioFile(str(clip.file(folder)))
    blocks: list[Samples] = []
    faults: list[str] = []
    try:
        for block in source.blocks():
            blocks.append(block.samples)
            if len(blocks) * BLOCK_SAMPLES >= SECONDS_MAX * SAMPLE_RATE_HZ:
                faults.append(f"{clip.path}: is longer than {SECONDS_MAX} s; the rest was not looked at.")
                break
    except InputError as error:
        faults.append(str(error))
    faults.extend(source.notes)
    samples, part = np.concatenate([_NONE, *blocks]), _part(clip)
    if part.stop is not None and part.stop > len(samples):
        faults.append(f"{clip.path}: ends after {len(samples) * 1000 // SAMPLE_RATE_HZ} ms, before the clip does.")
    return Sound(samples[part], tuple(faults))


_NONE: Samples = np.empty(0, np.int16)


def _part(clip: Clip) -> slice:
    """Of the samples of its file."""
    return slice(*(None if ms is None else ms * SAMPLE_RATE_HZ // 1000 for ms in (clip.start_ms, clip.end_ms)))


def write_sound(file: Path, sound: npt.NDArray[np.float32] | Samples, rate_hz: int) -> None:
    """As 16-bit FLAC or WAV, by the file's ending; in whole or not at all. Floats have full scale 1.0; what is beyond
    is cut off. InputError if it cannot be."""
    if sound.dtype != np.int16:
        sound = np.clip(np.rint(sound * 32768), -32768, 32767).astype(np.int16)
    unfinished = file.with_name(f".{file.name}.new{file.suffix}")
    try:
        soundfile.write(unfinished, sound, rate_hz, subtype="PCM_16")
        unfinished.rename(file)
    except (OSError, soundfile.LibsndfileError) as error:
        reason = error.strerror if isinstance(error, OSError) else error.error_string.rstrip(".")
        raise InputError(f"{file}: cannot be written: {reason}.") from error
    finally:
        # Where it could not be written there may be no folder for it either.
        with suppress(OSError):
            unfinished.unlink()


def _looked_at(descriptor: int) -> SoundFacts:
    try:
        with soundfile.SoundFile(descriptor, closefd=False) as sound:
            broken = sound.format not in UNSEEKABLE and _end_is_missing(sound)
            present_s = sound.frames / sound.samplerate
            short = shortage(descriptor, sound.format, present_s, present_s, broken=False)
            if not sound.frames or broken or short:
                raise InputError(_reason(sound.frames, present_s, short))
            return SoundFacts(sound.samplerate, round(1000 * present_s))
    except soundfile.LibsndfileError as error:
        raise InputError("is damaged, or no sound of a known kind, such as WAV, FLAC or OGG") from error


def _end_is_missing(sound: soundfile.SoundFile) -> bool:
    last = max(0, sound.frames - 1)
    try:
        sound.seek(last)
        return bool(len(sound.read(1, dtype="int16")) != min(1, sound.frames))
    except soundfile.LibsndfileError:
        return True


def _reason(frames: int, promised_s: float, short: str | None) -> str:
    if not frames:
        return "holds no sound"
    return short or f"ends or is damaged before the {promised_s:.1f} s that its header says"
