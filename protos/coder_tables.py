"""What the context coder knows of speech before it hears any: tables, trained once, the same at both ends.

A band's level is foretold from the frame before: from the same band there, and a little from the bands beside it. How
those lie about it, and how far off the pair of bands below is, make the context. Two bands are coded together. All is
whole numbers, so that both ends come to the same contexts on any machine.
"""

import hashlib
import io
from bisect import bisect_right
from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from protos.feature_spec import FeatureSpec

Integers = npt.NDArray[np.int64]
Whole = npt.NDArray[np.int32]
"""Levels, and what is foretold of them."""

VERSION = 2
"""Of the contexts' definition below and of the files in tables/; other tables are another codec."""

ONE = 8
"""A level, in the units of what is foretold."""
OWN = 6
"""Weight of the band itself, the one beside it on either side having 1; beyond the end bands all is 0."""

REACH = 5
"""Largest difference from the foretold level that has a symbol; a larger one is escaped."""
DIFFERENCES = (0, *(sign * size for size in range(1, REACH + 1) for sign in (1, -1)))
"""In the order of their digits: the likeliest first, so that silence takes small numbers."""
SIDE = len(DIFFERENCES)
ESCAPE = SIDE * SIDE
SYMBOLS = ESCAPE + 1
"""A symbol is SIDE times the digit of the lower band's difference, and the digit of the upper band's."""

SURROUNDINGS = ONE + 1
"""Where between two levels the foretold value lies, which says how the bands beside lie; the last: nothing but 0."""
LOWERS = 10
"""How far off the pair of bands below is."""
CONTEXTS = SURROUNDINGS * SURROUNDINGS * LOWERS
NO_LOWER = 4
"""Stands below the lowest pair: as foretold."""

PRECISION_BITS = 12
"""Frequencies of a context's symbols add up to 2 to this power."""
SLOTS = 1 << PRECISION_BITS
ESCAPE_FREQUENCY = 16
"""In every context: an escape costs 8 bits and the two levels, so that noise takes little more than raw."""
ESCAPE_START = SLOTS - ESCAPE_FREQUENCY
"""It comes last."""

_BEYOND = SIDE, SIDE + 1
"""Digits of what is above and below reach, while pairs are looked up."""
_DIGITS = SIDE + len(_BEYOND)


class CoderTables(NamedTuple):
    """Trained for one feature spec. The flat ones are looked up by what `places` gives."""

    levels: int
    frequencies: npt.NDArray[np.uint16]
    """(CONTEXTS, SYMBOLS), each row summing up to SLOTS; 0: it is escaped."""
    starts: npt.NDArray[np.uint16]
    """(CONTEXTS, SYMBOLS), sums of the frequencies before."""
    name: str
    """Version and hash, such as "2-0123abcd"."""
    flat_frequencies: Integers
    """(CONTEXTS * SYMBOLS,); that of the escape where the symbol has none."""
    flat_starts: Integers


class Pairs(NamedTuple):
    """Of all pairs of bytes that `_bands` gives two bands, as one number, the lower band's byte first."""

    places: Integers
    """Context, as if the pair below was as foretold, and symbol, as one number: context * SYMBOLS + symbol."""
    lowers: Integers
    """What a pair adds to the place of the pair above it."""


def foretold(before: Whole) -> Whole:
    """What is foretold, in ONE, of the frames that follow on frames; both (frames, bands)."""
    values = before * OWN
    # Views: numpy writes values[:, 1:] += … once more than it must.
    but_first, but_last = values[:, 1:], values[:, :-1]
    but_first += before[:, :-1]
    but_last += before[:, 1:]
    return values


def nearest(values: Whole) -> Whole:
    """The level nearest to each foretold value."""
    levels: Whole = (values + ONE // 2) // ONE
    return levels


def surroundings(values: Whole) -> Whole:
    """Of each band, as its foretold value tells them."""
    return np.where(values == 0, SURROUNDINGS - 1, (values + ONE // 2) % ONE)


def contexts(values: Whole) -> Whole:
    """Of each pair of bands, (frames, pairs), to which the class of the pair below is added."""
    around = surroundings(values)
    pairs: Whole = (around[:, ::2] * SURROUNDINGS + around[:, 1::2]) * LOWERS
    return pairs


def places(frames: Whole, levels: int) -> Integers:
    """Context * SYMBOLS + symbol of each pair in (frames, bands) but the first frame; (frames - 1, pairs)."""
    values = frames[1:] * (levels * ONE)
    values += foretold(frames[:-1])
    pairs = _bands(levels).take(values).view("<u2")
    found = PAIRS.places.take(pairs)
    but_first = found[:, 1:]
    but_first += PAIRS.lowers.take(pairs[:, :-1])
    return found


def lower_class(lower: int, upper: int) -> int:
    """Into which the differences of two bands put the pair of bands above them."""
    lean = max(-REACH, min(REACH, lower)) + 2 * max(-REACH, min(REACH, upper))
    # 0 to 8 by the lean, 4 being none; 9: none, but by two that cancel out.
    return LOWERS - 1 if lower and not lean else bisect_right((-6, -4, -2, 0, 1, 3, 5, 7), lean)


@cache
def _bands(levels: int) -> npt.NDArray[np.uint8]:
    """Surroundings and digit, as one number, of each level and foretold value."""
    values = np.arange(levels * ONE, dtype=np.int32)
    differences = np.arange(levels)[:, np.newaxis] - nearest(values)
    digits = np.where(differences > 0, _BEYOND[0], _BEYOND[1])
    for digit, difference in enumerate(DIFFERENCES):
        digits[differences == difference] = digit
    return (surroundings(values) * _DIGITS + digits).ravel().astype(np.uint8)


def _pairs() -> Pairs:
    # A row is 256 lower bytes, those that no band has among them.
    around, digits = np.divmod(np.arange(256), _DIGITS)
    upper = slice(SURROUNDINGS * _DIGITS)
    upper_around, upper_digits = around[upper, np.newaxis], digits[upper, np.newaxis]
    contexts = (around * SURROUNDINGS + upper_around) * LOWERS + NO_LOWER
    beyond = (digits >= SIDE) | (upper_digits >= SIDE)
    symbols = np.where(beyond, ESCAPE, digits * SIDE + upper_digits)
    far = [*DIFFERENCES, REACH + 1, -REACH - 1]
    classes = np.array([[lower_class(below, above) for above in far] for below in far])
    lowers = classes[digits, upper_digits] - NO_LOWER
    return Pairs((contexts * SYMBOLS + symbols).ravel(), (lowers * SYMBOLS).ravel())


PAIRS = _pairs()


@cache
def tables_of(spec: FeatureSpec) -> CoderTables:
    """The tables that are shipped for a spec. ValueError, naming both sides, if there are none or others."""
    name = f"context-l{spec.levels}.npz"
    file = resources.files("protos") / "tables" / name
    if not file.is_file():
        raise ValueError(f"no coder tables are there for features {spec.fingerprint}")
    return load(file.read_bytes(), spec, name)


def load(data: bytes, spec: FeatureSpec, name: str) -> CoderTables:
    """Tables from a file's bytes; ValueError, naming both sides, if they are of another version or spec."""
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        version, fingerprint = int(file["version"]), str(file["fingerprint"])
        if version != VERSION:
            raise ValueError(f"{name} is of version {version}, but this codec is of version {VERSION}")
        if fingerprint != spec.fingerprint:
            raise ValueError(f"{name} is for features {fingerprint}, not for {spec.fingerprint}")
        frequencies = file["frequencies"].astype(np.uint16)
    starts = (np.cumsum(frequencies, axis=1) - frequencies).astype(np.uint16)
    return CoderTables(
        levels=spec.levels,
        frequencies=frequencies,
        starts=starts,
        name=f"{VERSION}-{hashlib.sha256(data).hexdigest()[:8]}",
        flat_frequencies=np.where(frequencies, frequencies, ESCAPE_FREQUENCY).astype(np.int64).ravel(),
        flat_starts=np.where(frequencies, starts, ESCAPE_START).astype(np.int64).ravel(),
    )
