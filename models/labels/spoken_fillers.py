"""Whether a filler that is not written was said, and one that is written was not: asked of the sound."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from common.errors import EngineError, InputError
from models.check.progress import watched
from models.data.clip import Clip
from models.data.manifest import Entry, Manifest
from models.data.sound_file import read_clip
from models.finding import Finding, Severity
from models.labels.agreement import agreement_on
from models.labels.aligner import FRAMES_PER_S, SPOKEN_FILLERS, Aligner, Pcm, Place
from models.labels.definition import Definition
from models.labels.fillers import FillerConvention
from models.labels.writing import MARK, words

RATE_HZ = 16_000
FILLER_FRAMES_MIN = 20
"""An alignment puts short fillers where a word's end is drawn out; who says "um" takes his time."""
ALONE_FRAMES_MIN = 9
PAUSE_FRAMES_MIN = 6
"""One with so long a pause after it may be shorter: 0.93 of the tuning clips are right by both, 0.88 by one length."""
QUIETER_DB_MAX = 6.0
"""What is quieter than the words is a room, or a door."""
WORDS_MAX = 60
"""More of them in one clip, and the search takes long and goes astray."""


Recognised = Callable[[Sequence[Clip], Path], Sequence[str | None]]
"""What a recogniser hears in clips of a folder; None where it says nothing."""


def nobody_else(clips: Sequence[Clip], folder: Path) -> list[None]:
    """There is no second word."""
    return [None] * len(clips)


class Heard(NamedTuple):
    """Fillers in a clip, longest first."""

    fillers: list[Place]

    @property
    def said(self) -> bool:
        return bool(self.fillers)


def heard_fillers(aligner: Aligner, pcm: Pcm, spoken: list[str]) -> Heard | None:
    """Fillers between these words (without any filler); None where the words do not fit the sound, or are not known."""
    if not 0 < len(spoken) <= WORDS_MAX or not all(aligner.knows(word) for word in spoken):
        return None
    places = aligner.align(pcm, spoken, fillers=True)
    if places is None:
        return None
    return Heard(sorted(loud_fillers(pcm, places), key=lambda place: place.first - place.last))


def loud_fillers(pcm: Pcm, places: list[Place]) -> list[Place]:
    """The fillers that are about as loud as the words, and long enough: what is quieter is a room, or a door."""
    levels = levels_db(pcm)
    said = [
        level for place in places if place.word not in SPOKEN_FILLERS for level in levels[place.first : place.last + 1]
    ]
    usual_db = float(np.percentile(said, 60)) if said else 0.0
    return [
        place
        for number, place in enumerate(places)
        if place.word in SPOKEN_FILLERS
        and _is_long(places, number)
        and np.percentile(levels[place.first : place.last + 1], 60) >= usual_db - QUIETER_DB_MAX
    ]


def _is_long(places: list[Place], number: int) -> bool:
    """Long enough for where it stands. The last one follows a pause, or it is the end of the word before."""
    place = places[number]
    frames = place.last - place.first + 1
    if number + 1 == len(places):
        alone = number > 0 and place.first - places[number - 1].last > PAUSE_FRAMES_MIN
        return alone and frames >= ALONE_FRAMES_MIN
    alone = places[number + 1].first - place.last > PAUSE_FRAMES_MIN
    return frames >= (ALONE_FRAMES_MIN if alone else FILLER_FRAMES_MIN)


def levels_db(pcm: Pcm) -> npt.NDArray[np.float64]:
    """Of each frame of 10 ms, over one unit of PCM."""
    frames = pcm[: len(pcm) // 160 * 160].reshape(-1, 160).astype(np.float64)
    return np.asarray(10 * np.log10((frames**2).mean(axis=1) + 1.0))


def check_spoken_fillers(
    manifest: Manifest, definition: Definition, recognised: Recognised = nobody_else
) -> Iterator[Finding]:
    """Labels in which a filler is missing, or too much, by the sound; `recognised` is asked for a second word. Nothing
    where the agreement drops fillers."""
    if definition.fillers.write == "drop":
        return
    try:
        aligner = Aligner()
    except EngineError as error:
        yield Finding(kind="spoken_fillers", severity=Severity.NOTE, sentence=str(error))
        return
    agreement = agreement_on(manifest, definition)
    # Where words are missing none can be aligned.
    entries = [entry for entry in manifest.entries if entry.clip.text and not MARK.search(entry.clip.text)]
    seconds = recognised([entry.clip for entry in entries], manifest.folder)
    undecided = 0
    for entry, second in zip(watched(entries), seconds, strict=True):
        spoken = words(agreement.fillers.strip(agreement.final(entry.clip.text or "")).replace("-", " "))
        try:
            heard = heard_fillers(aligner, read_clip(entry.clip, manifest.folder), spoken)
        except InputError as error:
            yield _found(entry, str(error), Severity.ERROR)
            continue
        recognises = None if second is None else agreement.fillers.contains(second)
        undecided += heard is None and not recognises
        yield from _judged(entry, heard, recognises, agreement.fillers)
    if undecided:
        sentence = f"{undecided} labels cannot be asked: a word has no pronunciation, or what is written does not fit."
        yield Finding(kind="spoken_fillers", severity=Severity.NOTE, sentence=sentence)


def said_by(heard: Heard | None, recognises: bool | None) -> bool | None:
    """Whether a filler was said, by both words; None where nobody knows. A recogniser leaves out fillers that were said
    and hardly ever makes one up, so its yes counts and its no does not."""
    return True if recognises else None if heard is None else heard.said


def _judged(entry: Entry, heard: Heard | None, recognises: bool | None, fillers: FillerConvention) -> Iterator[Finding]:
    written, said = fillers.contains(entry.clip.text or ""), said_by(heard, recognises)
    if said and not written:
        second = "" if recognises is None else f"; the service {'hears one, too' if recognises else 'hears none'}"
        if heard is None or not heard.said:
            yield _found(entry, "Not written though spoken: the service hears a filler.")
            return
        place = heard.fillers[0]
        at_s = (place.first / FRAMES_PER_S) + (entry.clip.start_ms or 0) / 1000
        yield _found(entry, f'Not written though spoken: "{place.word}" at {at_s:.1f} s{second}.')
    elif written and said is False:
        yield _found(entry, "Written though not spoken: no filler can be heard.")


def _found(entry: Entry, sentence: str, severity: Severity = Severity.WARNING) -> Finding:
    return Finding(
        kind="spoken_fillers",
        severity=severity,
        line=entry.line,
        path=entry.clip.path,
        sentence=sentence,
        before=entry.clip.text,
    )
