"""All checkers, in the order in which they run. A new one is a function and a line here."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from common.errors import DataError
from models.check.doubts import check_doubts
from models.check.labels import (
    check_classes,
    check_conventions,
    check_definition,
    check_empty,
    check_manifest,
    check_slips,
)
from models.check.sound import check_sound
from models.check.twice import check_leaks, check_near_duplicates, check_same_audio, check_same_words
from models.data.clip import Clip
from models.data.manifest import Manifest
from models.finding import Finding
from models.labels.definition import Definition
from models.labels.fixing import DOUBTS
from models.sound.checks import KINDS as SOUND_KINDS

Check = Callable[[Manifest, Definition], Iterator[Finding]]
"""Finds what is wrong with a set. Nothing is wrong with the program: what a checker cannot read, it names."""


class Checker(NamedTuple):
    """A check, and what its findings can be."""

    check: Check
    kinds: tuple[str, ...]
    listens: bool = False
    """Whether it listens to each clip, a hundredth of the time that the sound takes."""
    hears: bool = False
    """Whether it asks an engine what was said, which takes longer and is asked for."""


def _check_spoken_fillers(manifest: Manifest, definition: Definition, service: str | None = None) -> Iterator[Finding]:
    # Its engine is loaded for who asks for it.
    from models.labels.spoken_fillers import check_spoken_fillers

    if service is None:
        yield from check_spoken_fillers(manifest, definition)
        return
    from models.evaluation.service import heard

    def recognised(clips: Sequence[Clip], folder: Path) -> list[str | None]:
        said = heard(service, clips, folder)
        if said and all(one.transcript is None for one in said):
            raise DataError(f"{service} answered nothing; {said[0].fault.rstrip('.')}.")
        return [one.transcript for one in said]

    yield from check_spoken_fillers(manifest, definition, recognised)


CONVENTIONS = (
    "characters",
    "unclear",
    "noises",
    "contractions",
    "spelling",
    "numbers",
    "fillers",
    "punctuation",
    "letter_case",
)

CHECKERS = (
    Checker(check_manifest, ("manifest",)),
    Checker(check_definition, ("definition",)),
    Checker(check_empty, ("empty",)),
    Checker(check_conventions, CONVENTIONS),
    Checker(check_classes, ("classes",)),
    Checker(check_doubts, (DOUBTS,)),
    Checker(check_slips, ("slips",)),
    Checker(check_same_words, ("same_words",)),
    Checker(check_near_duplicates, ("near_duplicates",)),
    Checker(check_leaks, ("leaks",)),
    Checker(check_same_audio, ("same_audio", "missing")),
    Checker(check_sound, SOUND_KINDS, listens=True),
    Checker(_check_spoken_fillers, ("spoken_fillers",), hears=True),
)


def asking(service: str) -> tuple[Checker, ...]:
    """All of them; those that ask an engine what was said ask this service, too."""
    hearing = Checker(partial(_check_spoken_fillers, service=service), ("spoken_fillers",), hears=True)
    return (*(checker for checker in CHECKERS if not checker.hears), hearing)


KINDS = tuple(kind for checker in CHECKERS for kind in checker.kinds)


def findings(
    manifest: Manifest,
    definition: Definition,
    *,
    only: Sequence[str] = (),
    listen: bool = True,
    hear: bool = False,
    checkers: Iterable[Checker] = CHECKERS,
) -> Iterator[Finding]:
    """What all checkers find, or those that find one of the kinds `only`; labels alone if one is not to `listen`, and
    what an engine hears if one is to `hear`."""
    for checker in checkers:
        asked = any(kind in only for kind in checker.kinds)
        wanted = (hear or not checker.hears) and (listen or not checker.listens)
        if asked or (not only and wanted):
            yield from (found for found in checker.check(manifest, definition) if not only or found.kind in only)
