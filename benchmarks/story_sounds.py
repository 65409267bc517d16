"""The people, the kitchen and the board of the story: real recordings of commands as a board cuts them, kept in a
folder, a line an utterance and a file of sound, so that a run goes on where it was.

People are divided by name: those whom the first model learnt from, those of the household, whose utterances are
labelled, others by whom the candidate is judged in the shadow and the canary, and those of commands/dev, who are looked
at once. The noise of the judged and of dev is the other half of the recording that the household has.
"""

import csv
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from benchmarks import corpus, drift_sounds
from benchmarks.drift_sounds import Condition
from benchmarks.kept_lines import kept_lines
from benchmarks.longest_utterance import longest
from edge.local.model import Model
from edge.local.spotter import Spotter, heard_in
from edge.sound.source import SAMPLE_RATE_HZ
from edge.speech.log_mel import log_mel
from edge.speech.utterance import UtteranceEnd
from models.data.sound_file import read_sound, write_sound
from protos.feature_spec import DEFAULT_SPEC, Levels

COMMANDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
OTHER, SILENCE = "unknown", "silence"
TOLD_EVERY = 20
"""Recordings."""

Group = Literal["base", "household", "judges", "dev"]
QUIET, DISHES = Condition("busy"), Condition("busy", "dishes")
"""A kitchen where somebody works, at -50 dBFS, with speech at -30; and with a dishwasher that makes it 10 dB louder."""


class Recording(NamedTuple):
    """What somebody said."""

    path: str
    word: str
    label: str
    speaker: str


class Utterance(msgspec.Struct, frozen=True):
    """A recording as the board cut it."""

    id: str
    word: str
    label: str
    speaker: str
    end: UtteranceEnd | None
    """None: the board heard nothing."""

    @property
    def truth(self) -> str | None:
        """The command; None: it is none."""
        return self.label if self.label in COMMANDS else None


def recordings(data: Path) -> dict[Group, list[Recording]]:
    """All recordings of commands, by whom they are for, in an order that a hash draws."""
    with (data / "index.tsv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row["set"] == "commands"]
    found: dict[Group, list[Recording]] = {"base": [], "household": [], "judges": [], "dev": []}
    for row in sorted(rows, key=lambda row: hashlib.md5(row["path"].encode()).hexdigest()):
        label = Path(row["path"]).parent.name
        one = Recording(row["path"], row["text"] or label, label, row["speaker"])
        group = "dev" if "/dev/" in row["path"] else _group(row["speaker"])
        if label == SILENCE and group != "base":
            # Nobody speaks: the board hears nothing, and nobody is to.
            continue
        found[group].append(one)
    return found


def _group(speaker: str) -> Group:
    """Half of the people are the first model's."""
    if speaker == "_noise_":
        return "base"
    part = hashlib.md5(f"story {speaker}".encode()).digest()[0]
    return "base" if part < 128 else "household" if part < 192 else "judges"


def kept(
    folder: Path,
    name: str,
    some: Sequence[Recording],
    data: Path,
    condition: Condition,
    half: drift_sounds.Half,
    tell: Callable[[str], None],
) -> list[Utterance]:
    """These recordings in that condition, in their order; what the folder holds is not heard again."""
    file, sound = folder / f"{name}.jsonl", folder / "sound"
    sound.mkdir(parents=True, exist_ok=True)
    there = {one.id: one for one in kept_lines(file, Utterance)}
    missing = [(number, one) for number, one in enumerate(some) if f"{name}-{number:04}" not in there]
    if missing:
        of = drift_sounds.material(data, half)
        with file.open("ab") as lines:
            for number, one in missing:
                utterance = _heard(f"{name}-{number:04}", one, data, condition, of, sound)
                there[utterance.id] = utterance
                lines.write(msgspec.json.encode(utterance) + b"\n")
                lines.flush()
                if len(there) % TOLD_EVERY == 0 or len(there) == len(some):
                    tell(f"{name}: {len(there)} of {len(some)}")
    return [there[f"{name}-{number:04}"] for number in range(len(some))]


def _heard(
    name: str, one: Recording, data: Path, condition: Condition, of: drift_sounds.Material, sound: Path
) -> Utterance:
    found = longest(drift_sounds.heard(corpus.read(data / one.path), one.path, condition, of))
    if found is not None:
        write_sound(sound / f"{name}.wav", found.samples, SAMPLE_RATE_HZ)
    return Utterance(name, one.word, one.label, one.speaker, None if found is None else found.end)


def levels(folder: Path, one: Utterance) -> Levels:
    """As the board sends them."""
    return DEFAULT_SPEC.quantise(log_mel(read_sound(folder / "sound" / f"{one.id}.wav"), DEFAULT_SPEC))


class Said(NamedTuple):
    """What a board's own model makes of an utterance."""

    label: str | None
    probability: float

    def errs(self, one: Utterance) -> float:
        """1 where it does what was not asked, or not what was."""
        return float(self.label != one.truth)


class Board:
    """A board that answers by its own model."""

    def __init__(self, model: Path) -> None:
        read = Model(model, DEFAULT_SPEC)
        self.card = read.card
        self._spotter = Spotter(read)

    def says(self, folder: Path, some: Sequence[Utterance]) -> list[Said]:
        """Of each."""
        return [Said(None, 0.0) if one.end is None else self._says(levels(folder, one)) for one in some]

    def _says(self, heard: Levels) -> Said:
        spotted = heard_in(self._spotter, [heard])
        return Said(None, 0.0) if spotted is None else Said(spotted.label, spotted.probability)
