"""Speech in which nobody gives one of the ten commands of commands-v1, in three parts: learnt from, tuned by, measured
with. No recording of speech and no voice that is measured with is in another part; what two people said, or the same
order of two, may be.

    .venv/bin/python -m benchmarks.talk DATA MANIFEST      writes the part that is learnt from, for models/recipes
"""

import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from benchmarks import corpus, wake_phrases
from benchmarks.corpus import Sound
from benchmarks.wake_phrases import Voice
from models.data.clip import Clip, Split
from models.data.manifest import write_manifest
from models.data.mixing import with_noise
from models.home.phrases import read_meanings
from models.home.texts import texts as home_texts

COMMANDS = frozenset({"yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"})
PARTS: tuple[Split, ...] = ("train", "test", "tune", "test")
TEST_VOICES = ("piper", "flite rms", "espeak-ng en-gb-scotland", "espeak-ng en-029")
HOME = Path("models/recipes/home-v1.tsv"), Path("models/recipes/home-v1-near.txt")
CATALOGUE = Path("cloud/domains/home/catalogue.jsonl")
PHRASES_MAX = 100
VOICES_STEP = 3
"""A text is read by every third voice, the next one by others."""
SNRS_DB = (20.0, 10.0, 5.0)
SEED = 11


class Group(NamedTuple):
    """Of one kind."""

    name: str
    sounds: Iterator[Sound]
    is_near: bool = False
    """Short, and said to a device: nobody does so for hours."""


class Spoken(NamedTuple):
    """A recording, and how a machine says the same, or nearly."""

    file: Path
    text: str


def people(data: Path, part: Split) -> list[Spoken]:
    """Sentences without a command among their words, and orders."""
    sentences = [Spoken(clip.file, clip.text) for clip in corpus.sentences(data) if gives_none(clip.text)]
    orders = [Spoken(one.file, f"can I get a {' '.join(one.slots.values())}") for one in corpus.orders(data)]
    return [one for one in sentences + orders if PARTS[zlib.crc32(one.file.name.encode()) % len(PARTS)] == part]


def gives_none(text: str) -> bool:
    """Whether no command is a word of it."""
    return not COMMANDS & {*re.findall("[a-z']+", text.lower())}


def voices(part: Split) -> list[Voice]:
    """Those that are installed, of this part; none is learnt from here."""
    return [voice for voice in wake_phrases.voices() if voice.name.startswith(TEST_VOICES) == (part == "test")]


def phrases(part: Split) -> list[str]:
    """Short ones, to a device of the home."""
    meanings, near = HOME
    some = [text for text, _ in home_texts(read_meanings(meanings), near, CATALOGUE)[part] if gives_none(text)]
    return some[:PHRASES_MAX]


def groups(data: Path, part: Split) -> Iterator[Group]:
    """All of a part; people's speech also over that part of each noise."""
    spoken = people(data, part)
    noises = [np.array_split(noise, 2)[part == "test"] for noise in corpus.noises(data).values()]
    draw = np.random.default_rng(SEED)
    yield Group("people: sentences, orders", (corpus.read(one.file) for one in spoken))
    for snr_db in SNRS_DB:
        noisy = (with_noise(corpus.read(one.file), noise, snr_db, draw) for one in spoken for noise in noises)
        yield Group(f"the same over noise, {snr_db:.0f} dB", noisy)
    yield Group("noise alone", iter(noises))
    yield Group("machines: sentences, orders", said([one.text for one in spoken], part))
    yield Group("machines: phrases of the home", said(phrases(part), part), is_near=True)
    others = sorted((data / "commands" / ("dev" if part == "test" else "train") / "unknown").glob("*.flac"))
    yield Group("people: single other words", (corpus.read(file) for file in others), is_near=True)


def said(texts: list[str], part: Split) -> Iterator[Sound]:
    """By some voices each."""
    speaking = voices(part)
    for number, text in enumerate(texts):
        yield from (voice.say(text) for voice in speaking[number % VOICES_STEP :: VOICES_STEP])


@click.command()
@click.argument("data", type=click.Path(exists=True, path_type=Path))
@click.argument("manifest", type=click.Path(path_type=Path))
def main(data: Path, manifest: Path) -> None:
    """Write a manifest of what is learnt from."""
    folder = manifest.parent.resolve()
    clips = [
        Clip(path=os.path.relpath(one.file.resolve(), folder), label="unknown", source=one.file.parent.name)
        for one in people(data, "train")
    ]
    click.echo(f"{manifest}: {write_manifest(manifest, clips)} clips")


if __name__ == "__main__":
    main()
