"""What machines say for a set of commands: each command often, what is nearly one less, everything else once."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from models.data.clip import Clip, Split
from models.data.split import part_of
from models.evaluation.by_board import NEAR
from models.finding import Finding
from models.own.voices import FORMANTS, MANNERS, Speaking
from models.own.wanted import UNKNOWN, Wanted
from models.synthesis.synthesis import Task, Text, synthesise, tasks

PARTS: dict[Split, range] = {"train": range(160), "tune": range(160, 208), "test": range(208, 256)}
"""Of other texts: none is in two parts."""


class Times(NamedTuple):
    """How often a text is said by voices of formants, and as often by the others; None: by each in each manner."""

    command: int | None
    near: int
    other: int


TIMES: dict[Split, Times] = {"train": Times(50, 4, 1), "tune": Times(None, 1, 1), "test": Times(None, 1, 1)}


class Texts(NamedTuple):
    """All that is said."""

    commands: Sequence[Wanted]
    near: Sequence[str]
    """Said by the voices of all parts: what is tested of them is the voice."""
    others: Sequence[str]


Voices = Mapping[Split, Sequence[Speaking]]
"""By part."""


def spoken(texts: Texts, voices: Voices, folder: Path, jobs: int) -> Iterator[Clip | Finding]:
    """Clips with paths from the folder above, each with its part; what could not be said is a finding."""
    near = {*texts.near}
    for split, todo in planned(texts, voices):
        for made in synthesise(todo, folder, jobs):
            if isinstance(made, Clip):
                slices = made.slices | ({NEAR: "yes"} if made.text in near else {})
                yield msgspec.structs.replace(made, path=f"{folder.name}/{made.path}", split=split, slices=slices)
            else:
                yield made


def planned(texts: Texts, voices: Voices) -> list[tuple[Split, list[Task]]]:
    """Who says what, by part."""
    plan = []
    for split, times in TIMES.items():
        others = [text for text in texts.others if part_of(text, PARTS) == split]
        said = (
            ([Text(command.text, command.label) for command in texts.commands], times.command),
            ([Text(text, UNKNOWN) for text in texts.near], times.near),
            ([Text(text, UNKNOWN) for text in others], times.other),
        )
        for formants in (True, False):
            some = [voice for voice in voices[split] if (voice[0].name == FORMANTS) is formants]
            manners = MANNERS[split][formants]
            todo = [task for what, each in said for task in tasks(some, manners, what, each)]
            plan.append((split, todo))
    return plan
