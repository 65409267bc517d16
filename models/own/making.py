"""Makes the folder of a person's commands: a recipe, the texts, what machines say, and the manifest of it all.

What is there is not made again: a folder is gone on with, and recordings make another manifest beside the first."""

import os
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.errors import DataError
from models.data.clip import Clip, Split
from models.data.manifest import write_manifest
from models.data.mixing import RATE_HZ
from models.data.placing import trimmed
from models.labels.dictionary import pronunciations
from models.own.near import near, spoken_words
from models.own.people import People
from models.own.recipe_text import recipe_text
from models.own.rooms import in_rooms
from models.own.speaking import Texts, planned, spoken
from models.own.voices import Speaking
from models.own.wanted import UNKNOWN, Wanted, from_commands, is_none_of, slug
from models.training.examples import read
from models.training.recipe import read_recipe

RECIPE_FILE, NEAR_FILE, OTHER_FILE = "recipe.toml", "near.txt", "other.txt"
SPOKEN = "spoken"
RECIPES = Path(__file__).parents[1] / "recipes"
EVERYDAY_FILE = "everyday.txt"
SHARED_TEXTS = (EVERYDAY_FILE, "home-v1-near.txt")

WINDOW_S = (0.8, 2.5)
LONGEST_SHARE = 0.95
"""Of the clips of commands fit into the window."""
BESIDE_S = 0.2


class Made(NamedTuple):
    """What there is now."""

    manifest: Path
    number: int
    clips: int
    left_out: Sequence[str]
    """What could not be said or read, in sentences."""


def commands_of(folder: Path, asked: Sequence[Wanted], *, wake: bool) -> tuple[list[Wanted], bool]:
    """What the folder is about, and whether it is a wake word: as its recipe says, if there is one. DataError if it was
    asked for something else."""
    file = folder / RECIPE_FILE
    if not file.exists():
        if not asked:
            raise DataError(f"{folder}: has no {RECIPE_FILE} yet: say which commands it is to have.")
        return list(asked), wake
    recipe = read_recipe(file)
    there = from_commands(recipe.commands)
    if wrong := [one for one, label in zip(there, recipe.commands, strict=True) if one.label != label]:
        raise DataError(f"{file}: the label of {wrong[0].text!r} has to be {wrong[0].label}.")
    if asked and {one.label for one in asked} != {*recipe.commands}:
        named = ", ".join(one.text for one in there)
        raise DataError(f"{file}: is there already, for {named}; change it by hand, or give another folder.")
    actions = {one.label: one.action for one in there}
    if other := [one for one in asked if one.action not in (None, actions[one.label])]:
        raise DataError(f"{file}: has another action for {other[0].text!r}; change it there, where it is read from.")
    if wake and recipe.kind != "wake":
        raise DataError(f"{file}: is there already, and of no wake word; give another folder.")
    return there, recipe.kind == "wake"


def texts_of(folder: Path, commands: Sequence[Wanted]) -> Texts:
    """What else is said: as the folder has it, where a person may have changed it, else made and written there."""
    shared = {line for name in SHARED_TEXTS for line in lines(RECIPES / name)}
    if not (folder / NEAR_FILE).exists():
        said = [*shared, *(command.text for command in commands)]
        _write_lines(folder / NEAR_FILE, near(commands, spoken_words(said, pronunciations())))
    if not (folder / OTHER_FILE).exists():
        nearly = {*lines(folder / NEAR_FILE)}
        others = sorted(text for text in shared - nearly if is_none_of(text, commands))
        _write_lines(folder / OTHER_FILE, others)
    return Texts(commands, lines(folder / NEAR_FILE), lines(folder / OTHER_FILE))


def make(
    folder: Path,
    texts: Texts,
    voices: dict[Split, list[Speaking]],
    people: People | None,
    tell: Callable[[str], None],
    *,
    wake: bool,
) -> Made:
    """Has it all spoken, writes the recipe if there is none, and the next free manifest. `tell` hears how far it is."""
    clips: list[Clip] = []
    left_out = [f"{place}: {why}" for place, why in people.unread.items()] if people else []
    total = sum(len(task.texts) for _, todo in planned(texts, voices) for task in todo)
    for at, made in enumerate(spoken(texts, voices, folder / SPOKEN, os.cpu_count() or 1), 1):
        if isinstance(made, Clip):
            clips.append(made)
        else:
            left_out.append(made.sentence)
        tell(f"spoken: {at} of {total}")
    if not any(clip.label != UNKNOWN and clip.split == "train" for clip in clips):
        raise DataError(f"Nothing could be spoken: {left_out[0] if left_out else 'there is no voice'}")
    if not (folder / RECIPE_FILE).exists():
        frames = window_frames([clip for clip in clips if clip.label != UNKNOWN], folder)
        licences = sorted({clip.licence for clip in clips if clip.licence})
        text = recipe_text(name_of(folder), texts.commands, frames, licences, wake=wake)
        _write(folder / RECIPE_FILE, text)
    recipe = read_recipe(folder / RECIPE_FILE)
    clips += people.clips if people else ()
    every = [*in_rooms(clips, folder, recipe, tell), *(clip for clip in clips if clip.split != "train")]
    at = next(at for at in count(1) if not (folder / f"set-{at}.jsonl").exists())
    manifest = folder / f"set-{at}.jsonl"
    return Made(manifest, at, write_manifest(manifest, every), left_out)


def name_of(folder: Path) -> str:
    """Of a model that is made there."""
    # Of a name in other letters nothing is left.
    return slug(folder.resolve().name) or "own"


def window_frames(commands: Sequence[Clip], folder: Path) -> int:
    """So many that nearly all of the commands fit, as they are spoken."""
    seconds = np.quantile([len(trimmed(read(clip, folder))) / RATE_HZ for clip in commands], LONGEST_SHARE)
    return 10 * round(10 * float(np.clip(seconds + BESIDE_S, *WINDOW_S)))


def lines(file: Path) -> list[str]:
    """Of a text, without empty ones. DataError if it cannot be read."""
    try:
        return [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeError) as error:
        raise DataError(f"{file}: cannot be read: {error}.") from error


def _write_lines(file: Path, texts: Sequence[str]) -> None:
    _write(file, "".join(f"{text}\n" for text in texts))


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{file}: cannot be written: {error.strerror}.") from error
