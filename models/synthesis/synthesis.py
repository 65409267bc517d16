"""Texts said by many voices in many manners, as clips. What was made before is not made again."""

import hashlib
import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.errors import InputError
from edge.sound.resampler import FULL_SCALE, Resampler
from edge.sound.source import BLOCK_SAMPLES, SAMPLE_RATE_HZ, Samples
from edge.speech.signal_meter import DBFS_MIN
from models.data.clip import Clip
from models.data.sound_file import read_sound, write_sound
from models.finding import Finding, Severity
from models.sound.measures import Measured, Measurer
from models.synthesis.engine import Engine, Manner, Spoken, Voice

TOGETHER = 50
"""Texts that an engine is given at once: those that start slowly speak them in one go."""
SLUG_CHARACTERS = 32
HEADROOM = 0.8
"""Resampling makes peaks that were not there: louder sound than this is first made so loud."""


class Text(NamedTuple):
    """What is to be said, and the class it belongs to."""

    words: str
    label: str | None = None


class Task(NamedTuple):
    """Texts for a voice."""

    engine: Engine
    voice: Voice
    manner: Manner
    texts: Sequence[Text]

    def file(self, text: Text) -> Path:
        """Where it is kept, from the clips' folder; the same whenever it is made."""
        digest = hashlib.blake2b(text.words.encode(), digest_size=4).hexdigest()
        how = f"{self.manner.speed:g}x{self.manner.pitch_semitones:+g}"
        folder = Path(self.engine.name, _slug(self.voice.name))
        return folder / f"{_slug(text.words)[:SLUG_CHARACTERS]}-{digest}-{how}.flac"


def tasks(
    voices: Sequence[tuple[Engine, Voice]], manners: Sequence[Manner], texts: Sequence[Text], each_text: int | None
) -> list[Task]:
    """All of it, or so many clips of each text, drawn by its words: voices and manners are then mixed."""
    ways = list(itertools.product(voices, manners))
    by_way: dict[int, list[Text]] = {number: [] for number in range(len(ways))}
    for text in texts:
        # By a hash: what is drawn for a text does not hang on the other texts.
        drawn = sorted(range(len(ways)), key=lambda number: _hash(text.words, ways[number][0][1], ways[number][1]))
        for number in drawn[:each_text]:
            by_way[number].append(text)
    return [
        Task(engine, voice, manner, by_way[number][start : start + TOGETHER])
        for number, ((engine, voice), manner) in enumerate(ways)
        for start in range(0, len(by_way[number]), TOGETHER)
    ]


def _hash(words: str, voice: Voice, manner: Manner) -> bytes:
    return hashlib.blake2b(f"{words}\0{voice.full_name}\0{manner}".encode(), digest_size=8).digest()


def synthesise(todo: Sequence[Task], folder: Path, jobs: int) -> Iterator[Clip | Finding]:
    """Clips with paths from the folder, in the order of the tasks; a finding for each that was not made or cannot be
    used."""
    with ThreadPoolExecutor(jobs) as threads:
        try:
            for made in threads.map(lambda task: list(_make(task, folder)), todo):
                yield from made
        finally:
            # Who is interrupted does not want the rest.
            threads.shutdown(cancel_futures=True)


def _make(task: Task, folder: Path) -> Iterator[Clip | Finding]:
    files = {text: folder / task.file(text) for text in task.texts}
    missing = [text for text, file in files.items() if not file.exists()]
    said = dict(zip(missing, task.engine.say(task.voice, _asked(task), [text.words for text in missing]), strict=True))
    for text, file in files.items():
        spoken = said.get(text)
        path = task.file(text).as_posix()
        try:
            samples = read_sound(file) if spoken is None else _at_board_rate(spoken, task)
            heard = _judged(samples)
            if spoken is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
                write_sound(file, samples, SAMPLE_RATE_HZ)
        except InputError as error:
            yield Finding(kind="synthesis", severity=Severity.ERROR, path=path, sentence=f"{path}: {error}.")
            continue
        yield _clip(task, text, path, heard)


def _asked(task: Task) -> Manner:
    """What the engine is to do of it: what is played faster afterwards is spoken slower."""
    if task.voice.own_pitch:
        return task.manner
    return Manner(task.manner.speed / task.manner.pitch_ratio)


def _at_board_rate(spoken: Spoken | str, task: Task) -> Samples:
    """At 16 kHz, higher or lower where the engine could not. InputError if nothing was said."""
    if isinstance(spoken, str):
        raise InputError(spoken)
    ratio = 1.0 if task.voice.own_pitch else task.manner.pitch_ratio
    rate_hz = round(spoken.rate_hz * ratio)
    samples = spoken.sound
    if rate_hz != SAMPLE_RATE_HZ:
        sound = samples.astype(np.float32) / FULL_SCALE
        sound *= min(1.0, HEADROOM / max(float(np.abs(sound).max(initial=0)), HEADROOM))
        resampler = Resampler(rate_hz)
        samples = np.concatenate([resampler.push(sound), resampler.flush()])
    return samples[: len(samples) // BLOCK_SAMPLES * BLOCK_SAMPLES]


def _judged(samples: Samples) -> Measured:
    """What it sounds like. InputError if it is not speech to the board."""
    heard = Measurer().hear(samples)
    if not heard.get("speech_ms"):
        peak_dbfs = heard.get("peak_dbfs", DBFS_MIN)
        raise InputError(f"there is no speech in its {heard['duration_ms']:g} ms, its peak is {peak_dbfs:.0f} dBFS")
    if heard["flat_top_share"]:
        raise InputError(f"{100 * heard['flat_top_share']:.2g} % of its samples are clipped")
    return heard


def _clip(task: Task, text: Text, path: str, heard: Measured) -> Clip:
    how = {"speed_ratio": task.manner.speed, "pitch_semitones": task.manner.pitch_semitones}
    return Clip(
        path=path,
        text=text.words,
        label=text.label,
        speaker=task.voice.speaker,
        source=task.engine.name,
        licence=task.voice.licence,
        synthetic=True,
        measured=heard | how,
        slices={"voice": task.voice.full_name},
    )


def _slug(words: str) -> str:
    """Of letters and digits, for a file's name."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9+]+", "-", plain).strip("-") or "_"
