"""The context coder: a few bits where speech goes on as it was, more where it does not; nothing is lost.

Each pair of bands is one symbol: how far its levels are from what was foretold of them (coder_tables.py). The symbols
of a few frames become one whole number by an asymmetric numeral system (Duda 2009, "Asymmetric numeral systems"), which
is as short as an arithmetic code, and comes down to 0 when all are taken out again, so that damage is noticed.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from protos import coder_tables
from protos.coder_tables import ESCAPE, NO_LOWER, ONE, PRECISION_BITS, REACH, SIDE, CoderTables, Foretold, Whole
from protos.feature_spec import FeatureSpec, Levels

CHUNK_FRAMES = 12
"""Frames in one number: those over longer ones would cost the square."""

LENGTH_BYTES = 2
"""Stand before each number of a message but the last, which ends with the message."""

_SLOT_MASK = (1 << PRECISION_BITS) - 1
_LOWER_CLASSES: list[int] = coder_tables.LOWER_CLASSES.tolist()


class DamageError(ValueError):
    """The bytes are not what the encoder would have written."""


class Past:
    """The last frames that were coded, the same at both ends; each (1, bands)."""

    def __init__(self, bands: int) -> None:
        self.frame: Whole = np.zeros((1, bands))
        self.frame_before: Whole = np.zeros((1, bands))
        self.off: Whole = np.zeros((1, bands))

    def step(self, frames: Whole, values: Whole) -> None:
        """Takes (frames, bands) that were coded, and what was foretold of them."""
        self.frame_before = frames[-2:-1] if len(frames) > 1 else self.frame
        self.frame = frames[-1:]
        self.off = np.abs(frames[-1:] * ONE - values[-1:])


class ContextEncoder:
    """State lasts one attempt."""

    def __init__(self, spec: FeatureSpec) -> None:
        self._tables = coder_tables.tables_of(spec)
        self._past = Past(spec.bands)

    def encode(self, levels: Levels) -> bytes:
        if not len(levels):
            return b""
        before = np.concatenate([self._past.frame, levels[:-1]])
        before_that = np.concatenate([self._past.frame_before, before[:-1]])
        values = self._tables.values(before, before_that)
        off = np.concatenate([self._past.off, np.abs(levels[:-1] * float(ONE) - values[:-1])])
        self._past.step(levels.astype(np.float64), values)
        steps = _steps(self._tables, levels, self._tables.foretell(values, before, before_that, off))
        pairs = levels.shape[1] // 2
        starts = range(0, len(levels), CHUNK_FRAMES)
        numbers = [_packed(steps[at * pairs : (at + CHUNK_FRAMES) * pairs], self._tables.levels) for at in starts]
        *parts, last = map(_bytes, numbers)
        return b"".join(len(part).to_bytes(LENGTH_BYTES, "big") + part for part in parts) + last


class ContextDecoder:
    """State lasts one attempt; a DamageError ends it."""

    def __init__(self, spec: FeatureSpec) -> None:
        self._tables = coder_tables.tables_of(spec)
        self._rows = _rows(spec)
        self._past = Past(spec.bands)
        # The dearest pair of bands: an escape and two levels.
        pair_bits_max = ((1 << PRECISION_BITS) // coder_tables.ESCAPE_FREQUENCY_MIN * spec.levels**2).bit_length()
        self._number_bytes_max = CHUNK_FRAMES * spec.bands // 2 * pair_bits_max // 8 + 1

    def decode(self, data: bytes, frame_count: int) -> Levels:
        """frame_count frames, 1 or more; DamageError if data holds anything else."""
        frames = [self._frames(number, count) for number, count in self._numbers(data, frame_count)]
        return np.concatenate(frames).astype(np.int8)

    def _numbers(self, data: bytes, count: int) -> Iterator[tuple[int, int]]:
        """Each number of a message and how many frames it holds, count together."""
        position = 0
        while count > CHUNK_FRAMES:
            start = position + LENGTH_BYTES
            position = start + int.from_bytes(data[position:start], "big")
            yield self._number(data[start:position]), CHUNK_FRAMES
            count -= CHUNK_FRAMES
        yield self._number(data[position:]), count

    def _number(self, data: bytes) -> int:
        if not 1 <= len(data) <= self._number_bytes_max:
            raise DamageError(f"{len(data)} bytes where a number takes 1 to {self._number_bytes_max}")
        if not data[0] and len(data) > 1:
            raise DamageError("a number begins with zeros")
        return int.from_bytes(data, "big")

    def _frames(self, number: int, count: int) -> Whole:
        frames = np.empty((count, self._past.frame.shape[1]))
        for at in range(count):
            past = self._past
            values = self._tables.values(past.frame, past.frame_before)
            foretold = self._tables.foretell(values, past.frame, past.frame_before, past.off)
            number, frame = _unpacked(number, foretold, self._rows, self._tables.levels)
            frames[at] = frame
            if min(frame) < 0 or max(frame) >= self._tables.levels:
                raise DamageError(f"a level outside 0 to {self._tables.levels - 1}")
            past.step(frames[at : at + 1], values)
        if number:
            raise DamageError(f"more than the {count} frames that are said")
        return frames


class Row(NamedTuple):
    """A context for the decoder: its symbols that have a frequency, in order."""

    symbols: bytes
    """Which of the entries each slot is of."""
    entries: list[tuple[int, int, int, int, int]]
    """Frequency, start, the two differences, and the class of the pair above; that is -1 where it is escaped."""


Step = tuple[int, int, int, int]
"""Frequency and start of a symbol, and the two levels where they are escaped, else -1."""


def _steps(tables: CoderTables, coded: Levels, foretold: Foretold) -> list[Step]:
    """All of (frames, bands) in the decoder's order."""
    contexts, nearest, beyond = coder_tables.symbols(foretold, coded.astype(np.int64))
    escaped = beyond | (tables.frequencies[contexts, nearest] == 0)
    symbols = np.where(escaped, ESCAPE, nearest)
    columns = (
        tables.frequencies[contexts, symbols],
        tables.starts[contexts, symbols],
        np.where(escaped, coded[:, ::2], -1),
        np.where(escaped, coded[:, 1::2], -1),
    )
    return list(zip(*(column.ravel().tolist() for column in columns), strict=True))


def _packed(steps: list[Step], levels: int) -> int:
    """The number that gives these steps, the first one first."""
    number = 0
    for frequency, start, lower, upper in reversed(steps):
        if lower >= 0:
            number = (number * levels + upper) * levels + lower
        whole, rest = divmod(number, frequency)
        number = (whole << PRECISION_BITS) + start + rest
    return number


def _unpacked(number: int, foretold: Foretold, rows: list[Row], levels: int) -> tuple[int, list[int]]:
    """What is left of a number, and the levels of one frame."""
    frame: list[int] = []
    append = frame.append
    nearest = iter(foretold.levels[0].tolist())
    lower_class = NO_LOWER
    for context, first, second in zip(foretold.contexts[0].tolist(), nearest, nearest, strict=True):
        symbols, entries = rows[context + lower_class]
        slot = number & _SLOT_MASK
        frequency, start, lower, upper, lower_class = entries[symbols[slot]]
        number = frequency * (number >> PRECISION_BITS) + slot - start
        if lower_class >= 0:
            append(first + lower)
            append(second + upper)
            continue
        number, lower = divmod(number, levels)
        number, upper = divmod(number, levels)
        lower_class = _LOWER_CLASSES[_clipped(lower - first) * SIDE + _clipped(upper - second)]
        append(lower)
        append(upper)
    return number, frame


def _clipped(difference: int) -> int:
    return max(0, min(SIDE - 1, difference + REACH))


def _bytes(number: int) -> bytes:
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")


@cache
def _rows(spec: FeatureSpec) -> list[Row]:
    tables = coder_tables.tables_of(spec)
    differences = [(symbol // SIDE - REACH, symbol % SIDE - REACH, _LOWER_CLASSES[symbol]) for symbol in range(ESCAPE)]
    differences.append((0, 0, -1))
    rows = []
    for frequencies, starts in zip(tables.frequencies, tables.starts, strict=True):
        used = np.flatnonzero(frequencies).tolist()
        entries = [(int(frequencies[symbol]), int(starts[symbol]), *differences[symbol]) for symbol in used]
        symbols = np.repeat(np.arange(len(used), dtype=np.uint8), frequencies[used])
        rows.append(Row(symbols.tobytes(), entries))
    return rows
