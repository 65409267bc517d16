"""What the context coder knows of speech before it hears any: tables, trained once, the same at both ends.

Levels are foretold from the two frames before; how far off that may be is foretold from how far off it was. Two bands
are coded together. All is whole numbers (or whole numbers in float64, whose sums are exact in any order), so that both
ends come to the same contexts on any machine.
"""

import hashlib
import io
from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from protos.feature_spec import FeatureSpec

Whole = npt.NDArray[np.float64]
"""Whole numbers in float64."""
Integers = npt.NDArray[np.int64]

VERSION = 1
"""Of the contexts' definition below and of the files in tables/; other tables are another codec."""

ONE = 256
"""A level, in the units of what is foretold."""
NEAR = range(-2, 3)
"""Bands of the frame before that have a weight, relative to the foretold one."""
NEAR_BEFORE = range(-1, 2)
"""The same of the frame before that."""

REACH = 5
"""Largest difference from the foretold level that has a symbol; a larger one is escaped."""
SIDE = 2 * REACH + 1
ESCAPE = SIDE * SIDE
SYMBOLS = ESCAPE + 1
"""A symbol is SIDE * (REACH + difference of the lower band) + REACH + difference of the upper band."""

FRACTIONS = 3
"""Where between two levels the foretold value lies."""
UNRESTS = 8
"""How far off the frame before was; the last: at the lowest level all around."""
LOWERS = 10
"""How far off the pair of bands below is."""
CONTEXTS = UNRESTS * FRACTIONS * FRACTIONS * LOWERS
NO_LOWER = 4
"""Stands below the lowest pair: as foretold."""

PRECISION_BITS = 12
"""Frequencies of a context's symbols add up to 2 to this power."""
ESCAPE_FREQUENCY_MIN = 16
"""An escape costs 8 bits and the two levels, so that noise takes little more than raw."""


class Foretold(NamedTuple):
    """Of some frames."""

    levels: Integers
    """(frames, bands), the nearest."""
    contexts: Integers
    """(frames, pairs), to which the class of the pair below is added."""


class CoderTables(NamedTuple):
    """Trained for one feature spec."""

    fingerprint: str
    """The spec's."""
    levels: int
    weights: Whole
    """(2 * bands + 1, bands), of the frame before, the one before that, and 1."""
    unrest_edges: Whole
    """(UNRESTS - 2,), between the classes."""
    frequencies: npt.NDArray[np.uint16]
    """(CONTEXTS, SYMBOLS), each row summing up to 2 ** PRECISION_BITS; 0: it is escaped."""
    starts: npt.NDArray[np.uint16]
    """(CONTEXTS, SYMBOLS), sums of the frequencies before."""
    name: str
    """Version and hash, such as "1-0123abcd"."""
    nearest: Integers
    """The level nearest to each foretold value, from -ONE on."""
    fractions: Integers
    """Where that value lies around the level, 0 to FRACTIONS - 1."""

    def values(self, before: Whole, before_that: Whole) -> Whole:
        """What is foretold, in ONE, of the frames that follow on frames; all (frames, bands)."""
        bands = before.shape[1]
        values: Whole = before @ self.weights[:bands] + before_that @ self.weights[bands:-1] + self.weights[-1]
        return values

    def unrest(self, before: Whole, before_that: Whole, off: Whole) -> Whole:
        """How far off the frame before was around each pair of bands, (frames, pairs)."""
        of_pairs = _pairs(off)
        unrest = 2 * of_pairs + _pairs(np.abs(before - before_that)) * ONE
        unrest[:, 1:] += of_pairs[:, :-1]
        unrest[:, :-1] += of_pairs[:, 1:]
        return unrest

    def foretell(self, values: Whole, before: Whole, before_that: Whole, off: Whole) -> Foretold:
        """What `values` says, with its contexts; `off`: how far the frame before is from what was foretold of it."""
        # np.clip is slow on so few.
        places = np.minimum(np.maximum(values + ONE, 0), self.nearest.size - 1).astype(np.int64)
        nearest, fractions = self.nearest.take(places), self.fractions.take(places)
        classes = self.unrest_edges.searchsorted(self.unrest(before, before_that, off), side="right")
        classes[_pairs(nearest + before) == 0] = UNRESTS - 1
        contexts = (classes * FRACTIONS + fractions[:, ::2]) * FRACTIONS + fractions[:, 1::2]
        return Foretold(nearest, contexts * LOWERS)


def symbols(foretold: Foretold, levels: Integers) -> tuple[Integers, Integers, npt.NDArray[np.bool_]]:
    """Contexts and nearest symbols of (frames, bands) levels, and whether they are beyond reach; (frames, pairs)."""
    differences = levels - foretold.levels
    reached = np.clip(differences, -REACH, REACH) + REACH
    nearest = reached[:, ::2] * SIDE + reached[:, 1::2]
    contexts = foretold.contexts + NO_LOWER
    contexts[:, 1:] += LOWER_CLASSES[nearest[:, :-1]] - NO_LOWER
    beyond = np.abs(differences) > REACH
    return contexts, nearest, beyond[:, ::2] | beyond[:, 1::2]


def _lower_classes() -> Integers:
    """Class, (ESCAPE,), into which each pair of differences puts the pair of bands above it."""
    lower, upper = np.divmod(np.arange(ESCAPE), SIDE)
    lean = (lower - REACH) + 2 * (upper - REACH)
    classes: Integers = np.searchsorted([-6, -4, -2, 0, 1, 3, 5, 7], lean, side="right")
    # 0 to 8 by the lean, 4 being none; 9: none, but by two that cancel out.
    classes[(lean == 0) & (lower != REACH)] = LOWERS - 1
    return classes


LOWER_CLASSES = _lower_classes()


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
        return CoderTables(
            fingerprint=fingerprint,
            levels=spec.levels,
            weights=spread(file["weights"].astype(np.float64), spec.bands),
            unrest_edges=file["unrest_edges"].astype(np.float64),
            frequencies=frequencies,
            starts=(np.cumsum(frequencies, axis=1) - frequencies).astype(np.uint16),
            name=f"{VERSION}-{hashlib.sha256(data).hexdigest()[:8]}",
            **rounding(spec.levels),
        )


def rounding(levels: int) -> dict[str, Integers]:
    """`nearest` and `fractions` of CoderTables: what is beyond the levels is at their ends."""
    values = np.arange(-ONE, (levels + 1) * ONE)
    parts = (values + ONE // 2) * FRACTIONS // ONE
    nearest = np.clip(parts // FRACTIONS, 0, levels - 1)
    return {"nearest": nearest, "fractions": np.clip(parts - nearest * FRACTIONS, 0, FRACTIONS - 1)}


def spread(weights: Whole, bands: int) -> Whole:
    """(2 * bands + 1, bands) of the weights that a file holds, (near bands + 1, bands); the end bands stand for those
    beyond them."""
    whole = np.zeros((2 * bands + 1, bands))
    band = np.arange(bands)
    places = [np.clip(band + step, 0, bands - 1) for step in NEAR]
    places += [bands + np.clip(band + step, 0, bands - 1) for step in NEAR_BEFORE]
    for place, row in zip([*places, np.full(bands, 2 * bands)], weights, strict=True):
        np.add.at(whole, (place, band), row)
    return whole


def _pairs(values: Whole) -> Whole:
    return values[:, ::2] + values[:, 1::2]
