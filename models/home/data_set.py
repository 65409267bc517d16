"""What home-v1 learns from: machines' voices in a quiet room, and real speech that is no command.

Commands are synthetic, so what is real must not give away that it is none: all of it lies in the same rooms, and half
of the machines' commands that end in on, off, up or down end in a person's.
"""

import csv
import hashlib
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.data import mixing
from models.data.clip import Clip
from models.data.mixing import BLOCK_SAMPLES, RATE_HZ, Sound, speech_db
from models.training.examples import read

PLACED_S = 2.2
"""A window, and room to move it."""
FLOOR_DB = (-60.0, -25.0)
"""Of the room, against the speech."""
SPEECH_RANGE_DB = 35.0
PAUSE_S = (0.0, 0.08)
WINDOWS_OF_LONG = 3
HASHES = 256

JOINED = {
    "on": (("lights", "lights_on"), ("turn the lights", "lights_on")),
    "off": (("lights", "lights_off"), ("turn the lights", "lights_off")),
    "up": (("volume", "louder"), ("turn it", "louder"), ("turn the volume", "louder"), ("turn the lights", "brighter")),
    "down": (("volume", "quieter"), ("turn it", "quieter"), ("turn the volume", "quieter")),
}
"""What a machine says before a person's word, and what both mean."""


class Piece(NamedTuple):
    """A sound for the set."""

    sound: Sound
    clip: Clip
    """Its path is a name for the file."""


def trimmed(sound: Sound) -> Sound:
    """From the first to the last block that is as loud as speech."""
    powers = 10 * np.log10(block_powers(sound) + mixing.POWER_MIN)
    loud = np.flatnonzero(powers > speech_db(sound) - SPEECH_RANGE_DB)
    return sound if not len(loud) else sound[loud[0] * BLOCK_SAMPLES : (loud[-1] + 1) * BLOCK_SAMPLES]


def placed(sound: Sound, draw: np.random.Generator, *, recorded: bool = False) -> Sound:
    """In the middle of the noise of a room, which was quiet or not; that of a recording goes on around it."""
    count = max(len(sound), round(PLACED_S * RATE_HZ))
    start = (count - len(sound)) // 2
    floor = speech_db(sound) + draw.uniform(*FLOOR_DB)
    if recorded:
        floor = max(floor, 10 * np.log10(np.quantile(block_powers(sound), 0.1) + mixing.POWER_MIN))
    room = mixing.tilted(draw.standard_normal(count).astype(np.float32), draw.uniform(-1, 0))
    room = mixing.at_level(room, floor)
    room[start : start + len(sound)] += sound
    return room


def block_powers(sound: Sound) -> npt.NDArray[np.float64]:
    """Of its 20 ms blocks."""
    blocks = sound[: len(sound) // BLOCK_SAMPLES * BLOCK_SAMPLES].reshape(-1, BLOCK_SAMPLES)
    powers: npt.NDArray[np.float64] = np.square(blocks, dtype=np.float64).mean(axis=1)
    return powers


def windows(sound: Sound, draw: np.random.Generator) -> Iterator[Sound]:
    """Of longer speech: its beginning, its end, and some between, as a moving window meets them."""
    size = round(PLACED_S * RATE_HZ)
    if len(sound) <= size:
        yield sound
        return
    starts = [0, len(sound) - size, *draw.integers(len(sound) - size, size=WINDOWS_OF_LONG - 2)]
    yield from (sound[start : start + size] for start in starts)


def pieces(clips: Iterable[Clip], folder: Path, seed: int) -> Iterator[Piece]:
    """Clips of a manifest, each in its room; commands whole, what is unknown by windows."""
    for clip in clips:
        draw = np.random.default_rng((seed, number(clip.path)))
        sound = read(clip, folder)
        whole = [trimmed(sound)] if clip.synthetic else [sound]
        cut = whole if clip.label not in ("unknown", "silence") else windows(whole[0], draw)
        for at, part in enumerate(cut):
            yield Piece(
                part if clip.label == "silence" else placed(part, draw, recorded=not clip.synthetic),
                named(clip, f"{clip.path}-{at}"),
            )


def joined(said: list[Clip], said_in: Path, words: list[Clip], words_in: Path, seed: int) -> Iterator[Piece]:
    """A person's words behind those of machines: `said` are clips of the texts in JOINED, `words` of its keys."""
    for word in words:
        draw = np.random.default_rng((seed, number(word.path)))
        choice = random.Random(number(word.path))
        before, label = choice.choice(JOINED[str(word.label)])
        first = choice.choice([clip for clip in said if clip.text == before])
        sounds = [trimmed(read(first, said_in)), trimmed(read(word, words_in))]
        level = speech_db(sounds[0])
        pause = np.zeros(round(draw.uniform(*PAUSE_S) * RATE_HZ), np.float32)
        sound = np.concatenate([sounds[0], pause, mixing.at_level(sounds[1], level + draw.uniform(-6, 3))])
        clip = named(first, f"joined-{first.path}-{word.path}", label, f"{before} {word.label}")
        yield Piece(placed(sound, draw), clip)


def named(clip: Clip, name: str, label: str | None = None, text: str | None = None) -> Clip:
    """The clip with a file's name of its own for a path, and perhaps another meaning."""
    digest = hashlib.blake2b(name.encode(), digest_size=10).hexdigest()
    return Clip(
        path=f"{digest}.flac",
        text=text or clip.text,
        label=label or clip.label,
        speaker=clip.speaker,
        source=clip.source,
        split=clip.split,
        licence=clip.licence,
        synthetic=clip.synthetic or text is not None,
    )


def number(name: str) -> int:
    """Drawn from a name alone."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())


def real(data: Path) -> Iterator[Clip]:
    """Recordings of a folder with commands/, words/ and orders/ (see its index.tsv) that are learnt from or decided by.

    Of the commands, speakers are kept aside for tuning, and so is every "stop": the one command that people say here
    tells how far machines' voices carry.
    """
    with (data / "index.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            folder, _, rest = row["path"].partition("/")
            word = Path(rest).parent.name
            speaker = row["speaker"] or None
            if word == "_silence_" or word == "silence":
                if rest.startswith("train/"):
                    yield Clip(path=row["path"], label="silence", source=folder, split="train")
            elif folder == "words" or (folder == "commands" and rest.startswith("train/")):
                tune = word == "stop" or number(speaker or row["path"]) % HASHES < HASHES // 8
                label = word if word in ("stop", *JOINED) else "unknown"
                yield Clip(
                    path=row["path"],
                    text=row["text"] or word,
                    label=label,
                    speaker=speaker,
                    source=folder,
                    split="tune" if tune else "train",
                )
    for order in sorted((data / "orders").glob("*.flac")):
        part = number(order.name) % HASHES
        if part < HASHES * 7 // 10:
            yield Clip(
                path=f"orders/{order.name}",
                text="order",
                label="unknown",
                source="orders",
                split="train" if part < HASHES * 4 // 10 else "tune",
            )
