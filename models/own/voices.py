"""Which machines' voices are learnt from, decided by and measured with: nobody is in two parts."""

from collections.abc import Sequence

from common.errors import DataError
from models.data.clip import Split
from models.data.placing import number
from models.synthesis.engine import Engine, Manner, Voice

Speaking = tuple[Engine, Voice]

TUNE = ("espeak-ng/en-us+f2", "espeak-ng/en+m3", "espeak-ng/en-029", "festival/ked_diphone")
TEST = (
    "piper/joe",
    "flite/rms",
    "espeak-ng/en-gb-x-rp",
    "espeak-ng/en+f4",
    "espeak-ng/en-us+m5",
    "espeak-ng/en-gb-scotland",
)
"""Those of home-v1: men and women, and of each kind of machine one."""
FORMANTS = "espeak-ng"
"""Has many voices, of one kind; others have few, nearer to a person."""

MANNERS: dict[Split, dict[bool, tuple[Manner, ...]]] = {
    "train": {
        True: tuple(Manner(speed, pitch) for speed in (0.75, 0.9, 1.1) for pitch in (-3.0, 0.0, 3.0)),
        False: tuple(Manner(speed, pitch) for speed in (0.8, 1.0, 1.2) for pitch in (-2.0, 0.0, 3.0)),
    },
    "tune": dict.fromkeys((True, False), (Manner(0.9), Manner(1.1))),
    "test": dict.fromkeys((True, False), (Manner(0.85), Manner(1.0), Manner(1.15))),
}
"""Whether it is one of FORMANTS: how it is said. Machines' usual speed is a quick one."""


def divided(voices: Sequence[Speaking]) -> dict[Split, list[Speaking]]:
    """By speaker. Where none of those that are kept for a part is there, others are. DataError if they are too few."""
    part: dict[str, Split] = {voice.speaker: "train" for _, voice in voices}
    kept: dict[Split, tuple[str, ...]] = {"tune": TUNE, "test": TEST}
    for split, names in kept.items():
        there = [voice.speaker for _, voice in voices if voice.full_name in names]
        left = sorted((speaker for speaker, drawn in part.items() if drawn == "train"), key=number)
        part |= dict.fromkeys(there or left[:1], split)
    if "train" not in part.values():
        raise DataError(
            f"{len(part)} voices are too few: one to learn from, another to tune by, a third to measure with; "
            "parrotlet-models synthesise --list lists them."
        )
    parts: dict[Split, list[Speaking]] = {"train": [], "tune": [], "test": []}
    for engine, voice in voices:
        parts[part[voice.speaker]].append((engine, voice))
    return parts
