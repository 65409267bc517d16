"""What home-v1 learns from: machines' voices in a quiet room, and real speech that is no command.

Commands are synthetic, so what is real must not give away that it is none: half of the machines' commands that end in
on, off, up or down end in a person's.
"""

import csv
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import numpy as np

from models.data import mixing
from models.data.clip import Clip
from models.data.mixing import RATE_HZ, speech_db
from models.data.placing import Piece, named, number, placed, trimmed, windows
from models.training.examples import read

PAUSE_S = (0.0, 0.08)
HASHES = 256

JOINED = {
    "on": (("lights", "lights_on"), ("turn the lights", "lights_on")),
    "off": (("lights", "lights_off"), ("turn the lights", "lights_off")),
    "up": (("volume", "louder"), ("turn it", "louder"), ("turn the volume", "louder"), ("turn the lights", "brighter")),
    "down": (("volume", "quieter"), ("turn it", "quieter"), ("turn the volume", "quieter")),
}
"""What a machine says before a person's word, and what both mean."""


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
        said_so = msgspec.structs.replace(first, label=label, text=f"{before} {word.label}", synthetic=True)
        yield Piece(placed(sound, draw), named(said_so, f"joined-{first.path}-{word.path}"))


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
