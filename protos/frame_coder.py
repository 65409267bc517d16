"""The context coder: a few bits where speech goes on as it was, more where it does not; nothing is lost.

Each pair of bands is one symbol: how far its levels are from what was foretold of them (coder_tables.py). An arithmetic
code (Rissanen and Langdon 1979, "Arithmetic coding") narrows an interval down by symbol after symbol, a few of them at
a time: numpy puts these together for a whole message, so that little is left to do one by one. A message is the
shortest number in the last interval, so that damage is noticed: hardly any other number is one.
"""

import zlib
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import NamedTuple

import numpy as np

from protos import coder_tables
from protos.coder_tables import ESCAPE_START, NO_LOWER, PRECISION_BITS, Whole
from protos.feature_spec import FeatureSpec, Levels

STEP_PAIRS = 5
"""Pairs of bands that narrow the interval at once."""
STEP_BITS = STEP_PAIRS * PRECISION_BITS
"""Fits into an int64."""

WIDTH_BYTES = 17
"""Of the whole interval, before the first step."""
SHIFT_BYTES = 7
"""It is widened by so many when it has become too narrow: what a step then rounds off is no millionth of it."""

_WIDTH_MIN = 1 << 8 * (WIDTH_BYTES - SHIFT_BYTES)
_PART_VALUES = 1 << np.arange(STEP_BITS - PRECISION_BITS, -1, -PRECISION_BITS, dtype=np.int64)

CHECK_BITS = 8
"""Of a checksum, a step after all others: damage to the end alone would often give a message that can be."""

HEAD_BITS = 20
"""Of a step before all others: half of its slots say that no escaped pair follows, the others are its levels."""


class DamageError(ValueError):
    """The bytes are not what the encoder would have written."""


class Interval:
    """What the numbers that say the same so far have in common; the encoder's end of the code."""

    def __init__(self) -> None:
        self.low = 0
        self.width = 1 << 8 * WIDTH_BYTES
        self.size_bytes = WIDTH_BYTES
        """Of a number in it."""

    def narrow(self, starts: list[int], frequencies: list[int], bits: int) -> None:
        """By steps, each of so many slots from a start on, of 2 to the power of bits."""
        low, width = self.low, self.width
        for start, frequency in zip(starts, frequencies, strict=True):
            unit = width >> bits
            low += unit * start
            width = unit * frequency
            while width < _WIDTH_MIN:
                low <<= 8 * SHIFT_BYTES
                width <<= 8 * SHIFT_BYTES
                self.size_bytes += SHIFT_BYTES
        self.low, self.width = low, width

    def shortest(self) -> bytes:
        """Of the numbers in it, the one that ends in most bytes of 0, without these; one byte at least."""
        spare = min((self.width.bit_length() + 7) // 8, self.size_bytes - 1)
        while -(-self.low >> 8 * spare) << 8 * spare >= self.low + self.width:
            spare -= 1
        return (-(-self.low >> 8 * spare)).to_bytes(self.size_bytes - spare, "big")


class ContextEncoder:
    """State lasts one attempt."""

    def __init__(self, spec: FeatureSpec) -> None:
        self._tables = coder_tables.tables_of(spec)
        self._past = np.zeros((1, spec.bands), np.int32)

    def encode(self, levels: Levels) -> bytes:
        if not len(levels):
            return b""
        frames = np.concatenate([self._past, levels])
        self._past = frames[-1:]
        places = coder_tables.places(frames, self._tables.levels)
        # (pairs of a step, steps)
        columns = places.reshape(-1, STEP_PAIRS).T
        starts = self._tables.flat_starts.take(columns)
        widths = np.multiply.accumulate(self._tables.flat_frequencies.take(columns), axis=0)
        interval = Interval()
        if starts.max() == ESCAPE_START:
            self._tell(interval, frames[1:].reshape(-1, 2)[starts.T.ravel() == ESCAPE_START].tolist())
        interval.narrow([0], [1 << HEAD_BITS - 1], HEAD_BITS)
        # A pair's start counts as much as the pairs before it in its step leave to it.
        but_first = starts[1:]
        but_first *= widths[:-1]
        interval.narrow((_PART_VALUES @ starts).tolist(), widths[-1].tolist(), STEP_BITS)
        interval.narrow([_check(levels)], [1], CHECK_BITS)
        return interval.shortest()

    def _tell(self, interval: Interval, escaped: list[list[int]]) -> None:
        """The levels of escaped pairs."""
        share = _share(self._tables.levels)
        for lower, upper in escaped:
            start = (1 << HEAD_BITS - 1) + (lower * self._tables.levels + upper) * share
            interval.narrow([start], [share], HEAD_BITS)


class Reading:
    """A number that is read step by step; the decoder's end of the code."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._read_bytes = WIDTH_BYTES
        self._width = 1 << 8 * WIDTH_BYTES
        self._above_low = int.from_bytes(data[:WIDTH_BYTES].ljust(WIDTH_BYTES, b"\0"), "big")
        """How far the number is above the low end of the interval."""

    def slot(self, bits: int) -> int:
        """In which slot of 2 to the power of bits it lies."""
        slot = self._above_low // (self._width >> bits)
        if slot >> bits:
            raise DamageError("a number outside all intervals")
        return slot

    def narrow(self, start: int, frequency: int, bits: int) -> None:
        """As the encoder did."""
        unit = self._width >> bits
        self._above_low -= unit * start
        self._width = unit * frequency
        while self._width < _WIDTH_MIN:
            more = self._data[self._read_bytes : self._read_bytes + SHIFT_BYTES].ljust(SHIFT_BYTES, b"\0")
            self._above_low = self._above_low << 8 * SHIFT_BYTES | int.from_bytes(more, "big")
            self._width <<= 8 * SHIFT_BYTES
            self._read_bytes += SHIFT_BYTES

    def is_whole(self) -> bool:
        """Whether the encoder would have written the same after these steps."""
        number = int.from_bytes(self._data[: self._read_bytes].ljust(self._read_bytes, b"\0"), "big")
        interval = Interval()
        interval.low, interval.width, interval.size_bytes = number - self._above_low, self._width, self._read_bytes
        return interval.shortest() == self._data


class ContextDecoder:
    """State lasts one attempt; a DamageError ends it."""

    def __init__(self, spec: FeatureSpec) -> None:
        self._levels = spec.levels
        self._rows = _rows(spec)
        self._past = np.zeros((1, spec.bands), np.int32)

    def decode(self, data: bytes, frame_count: int) -> Levels:
        """frame_count frames, 1 or more; DamageError if data holds anything else."""
        reading = Reading(data)
        frames = np.empty((frame_count, self._past.size), np.int32)
        escaped = self._escaped(reading, frames.size // 2)
        for at in range(frame_count):
            frame = _frame(reading, coder_tables.foretold(self._past), self._rows, escaped)
            frames[at] = frame
            if min(frame) < 0 or max(frame) >= self._levels:
                raise DamageError(f"a level outside 0 to {self._levels - 1}")
            self._past = frames[at : at + 1]
        levels = frames.astype(np.int8)
        check = reading.slot(CHECK_BITS)
        reading.narrow(check, 1, CHECK_BITS)
        if check != _check(levels) or next(escaped, None) or not reading.is_whole():
            raise DamageError(f"these are not the {frame_count} frames that are said")
        return levels

    def _escaped(self, reading: Reading, count_max: int) -> Iterator[tuple[int, int]]:
        """The levels of escaped pairs."""
        share = _share(self._levels)
        pairs: list[tuple[int, int]] = []
        while (slot := reading.slot(HEAD_BITS) - (1 << HEAD_BITS - 1)) >= 0:
            number = slot // share
            if number >= self._levels**2 or len(pairs) == count_max:
                raise DamageError("escaped levels that cannot be")
            reading.narrow((1 << HEAD_BITS - 1) + number * share, share, HEAD_BITS)
            pairs.append(divmod(number, self._levels))
        reading.narrow(0, 1 << HEAD_BITS - 1, HEAD_BITS)
        return iter(pairs)


class Row(NamedTuple):
    """A context for the decoder: its symbols that have a frequency, in order."""

    symbols: bytes
    """Which of the entries each slot is of."""
    entries: list[tuple[int, int, int, int, int]]
    """Frequency, start, the two differences, and the class of the pair above; that is -1 where it is escaped."""


def _frame(reading: Reading, values: Whole, rows: list[Row], escaped: Iterator[tuple[int, int]]) -> list[int]:
    """The levels of the frame of which these values, (1, bands), are foretold."""
    frame: list[int] = []
    append = frame.append
    contexts = iter(coder_tables.contexts(values)[0].tolist())
    nearest = iter(coder_tables.nearest(values)[0].tolist())
    lower_class = NO_LOWER
    for _ in range(0, values.size, 2 * STEP_PAIRS):
        slot = rest = reading.slot(STEP_BITS)
        unit = 1 << STEP_BITS
        for context, first, second in zip(islice(contexts, STEP_PAIRS), nearest, nearest, strict=False):
            symbols, entries = rows[context + lower_class]
            unit >>= PRECISION_BITS
            frequency, start, lower, upper, lower_class = entries[symbols[rest // unit]]
            rest -= start * unit
            unit *= frequency
            if lower_class < 0:
                levels = next(escaped, None)
                if levels is None:
                    raise DamageError("an escaped pair without levels")
                lower, upper = levels[0] - first, levels[1] - second
                lower_class = coder_tables.lower_class(lower, upper)
            append(first + lower)
            append(second + upper)
        reading.narrow(slot - rest, unit, STEP_BITS)
    return frame


def _check(levels: Levels) -> int:
    return zlib.crc32(levels.tobytes()) & (1 << CHECK_BITS) - 1


def _share(levels: int) -> int:
    """Slots of the head that each pair of levels has."""
    return (1 << HEAD_BITS - 1) // levels**2


@cache
def _rows(spec: FeatureSpec) -> list[Row]:
    tables = coder_tables.tables_of(spec)
    pairs = [(lower, upper) for lower in coder_tables.DIFFERENCES for upper in coder_tables.DIFFERENCES]
    differences = [(lower, upper, coder_tables.lower_class(lower, upper)) for lower, upper in pairs]
    differences.append((0, 0, -1))
    rows = []
    for frequencies, starts in zip(tables.frequencies, tables.starts, strict=True):
        used = np.flatnonzero(frequencies).tolist()
        entries = [(int(frequencies[symbol]), int(starts[symbol]), *differences[symbol]) for symbol in used]
        symbols = np.repeat(np.arange(len(used), dtype=np.uint8), frequencies[used])
        rows.append(Row(symbols.tobytes(), entries))
    return rows
