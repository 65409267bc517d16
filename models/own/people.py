"""Recordings of people for a set of commands: what is said in them, and which are set aside to measure by."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from common.errors import DataError
from models.data.clip import SILENT_LABELS, Clip, Split
from models.data.manifest import moved
from models.data.placing import number
from models.data.sound_file import damage
from models.evaluation.evaluation import clips_of
from models.own.wanted import SILENCE, UNKNOWN, slug

RECORDED_FILE = "recordings.jsonl"
"""Manifest of a folder that `parrotlet-models record` has written to."""
SPEAKER = re.compile(r"^([^_]+)_")
"""In a file's name, where there is no manifest."""
ASIDE = 0.2
"""Of the speakers, to tune by, and as many to measure with."""
SPEAKERS_MIN = 5
"""Fewer are all learnt from; then recordings are set aside, if there are enough."""
CLIPS_MIN = 10
"""Of each command, for that."""


class People(NamedTuple):
    """Recordings, their paths from the set's folder."""

    clips: Sequence[Clip]
    told: str
    """Who is learnt from, and who measured by, in a sentence."""
    unread: dict[str, str]


def people(source: Path, labels: Collection[str], folder: Path) -> People:
    """Those of a manifest, or of a folder with a folder for each command; what is none of the commands is unknown.
    `folder` is that of the set. DataError if there are none."""
    if source.is_dir() and (source / RECORDED_FILE).exists():
        source = source / RECORDED_FILE
    there, found, unread = clips_of(source, None)
    if source.is_dir():
        found = [_with_speaker(clip) for clip in found]
    found = [clip for clip in found if _is_sound(clip, there, unread)]
    meant = [msgspec.structs.replace(clip, label=label(clip, labels)) for clip in found if clip.label or clip.text]
    if not any(clip.label in labels for clip in meant):
        raise DataError(f"{source}: has no recording of a command: there are {', '.join(sorted(labels))}.")
    divided, told = divide(meant)
    speakers = len({clip.speaker for clip in divided if clip.speaker})
    who = "1 person" if speakers == 1 else f"{speakers or 'unnamed'} people"
    named = f"recordings of {who}: {len(divided)} clips"
    clips = [clip if clip.source else msgspec.structs.replace(clip, source=named) for clip in divided]
    return People(list(moved(clips, there, folder)), f"{named}; {told}", unread)


def _is_sound(clip: Clip, folder: Path, unread: dict[str, str]) -> bool:
    if (fault := damage(clip, folder)) is not None:
        unread[clip.path] = fault
    return fault is None


def label(clip: Clip, labels: Collection[str]) -> str:
    """What is said in it, to the model."""
    said = slug(clip.label or clip.text or "")
    return said if said in labels else SILENCE if said in (*SILENT_LABELS, SILENCE) else UNKNOWN


def divide(clips: Sequence[Clip]) -> tuple[list[Clip], str]:
    """By speaker where there are enough, else by recording, else all to learn from; as it is where it is divided."""
    if any(clip.split for clip in clips):
        return [clip for clip in clips if clip.split], "divided as their manifest has it"
    speakers = {clip.speaker for clip in clips if clip.speaker}
    if len(speakers) >= SPEAKERS_MIN and all(clip.speaker or clip.label == SILENCE for clip in clips):
        parts = _parts(sorted(map(str, speakers)))
        return [
            msgspec.structs.replace(clip, split=parts[clip.speaker] if clip.speaker else "train") for clip in clips
        ], "speakers are set aside to tune by and to measure with"
    by_label: dict[str, dict[str, None]] = defaultdict(dict)
    for clip in clips:
        # What was made from a recording goes where that goes.
        by_label[str(clip.label)][clip.made_from or clip.path] = None
    commands = [paths for name, paths in by_label.items() if name not in (UNKNOWN, SILENCE)]
    if min(map(len, commands)) < CLIPS_MIN:
        return [msgspec.structs.replace(clip, split="train") for clip in clips], (
            f"all are learnt from: to measure by some, {CLIPS_MIN} of each command are needed, or {SPEAKERS_MIN} people"
        )
    parts = {}
    for name, paths in by_label.items():
        parts |= _parts([*paths]) if name != SILENCE else dict.fromkeys(paths, "train")
    return [msgspec.structs.replace(clip, split=parts[clip.made_from or clip.path]) for clip in clips], (
        "recordings are set aside to tune by and to measure with, of people who are learnt from as well"
    )


def _parts(names: Sequence[str]) -> dict[str, Split]:
    """A fifth for each of tune and test, drawn by name, at least one."""
    drawn = sorted(names, key=number)
    aside = max(1, round(ASIDE * len(drawn)))
    parts: dict[str, Split] = dict.fromkeys(drawn, "train")
    return parts | dict.fromkeys(drawn[:aside], "tune") | dict.fromkeys(drawn[aside : 2 * aside], "test")


def _with_speaker(clip: Clip) -> Clip:
    found = SPEAKER.search(Path(clip.path).name)
    return msgspec.structs.replace(clip, speaker=found.group(1)) if found else clip
