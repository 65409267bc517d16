"""All checkers, in the order in which they run. A new one is a function and a line here."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

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
from models.data.manifest import Manifest
from models.finding import Finding
from models.labels.definition import Definition
from models.sound.checks import KINDS as SOUND_KINDS

Check = Callable[[Manifest, Definition], Iterator[Finding]]
"""Finds what is wrong with a set. Nothing is wrong with the program: what a checker cannot read, it names."""


class Checker(NamedTuple):
    """A check, and what its findings can be."""

    check: Check
    kinds: tuple[str, ...]
    hears: bool = False
    """Whether it listens to each clip, which takes long and is asked for."""


def _check_spoken_fillers(manifest: Manifest, definition: Definition) -> Iterator[Finding]:
    # Its engine is loaded for who asks for it.
    from models.labels.spoken_fillers import check_spoken_fillers

    yield from check_spoken_fillers(manifest, definition)


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
    Checker(check_slips, ("slips",)),
    Checker(check_same_words, ("same_words",)),
    Checker(check_near_duplicates, ("near_duplicates",)),
    Checker(check_leaks, ("leaks",)),
    Checker(check_same_audio, ("same_audio", "missing")),
    Checker(check_sound, SOUND_KINDS),
    Checker(_check_spoken_fillers, ("spoken_fillers",), hears=True),
)

KINDS = tuple(kind for checker in CHECKERS for kind in checker.kinds)


def findings(
    manifest: Manifest,
    definition: Definition,
    *,
    only: Sequence[str] = (),
    hear: bool = False,
    checkers: Iterable[Checker] = CHECKERS,
) -> Iterator[Finding]:
    """What all checkers find, or those that find one of the kinds `only`; those that listen if one is to `hear`."""
    for checker in checkers:
        asked = any(kind in only for kind in checker.kinds)
        if asked or (not only and (hear or not checker.hears)):
            yield from (found for found in checker.check(manifest, definition) if not only or found.kind in only)
