"""How unlike two pronunciations sound: an edit distance whose costs are those of phones.py.

Wagner and Fischer 1974, "The String-to-String Correction Problem", a row of all candidates at a time.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cloud.pronouncing.phones import LEFT_OUT, SUBSTITUTIONS, Costs, Phones

Lengths = npt.NDArray[np.int32]


class Candidates(NamedTuple):
    """Pronunciations side by side; rows may be taken with an index, as of any array."""

    phones: npt.NDArray[np.uint8]
    """(candidates, longest); behind a shorter one's end anything."""
    lengths: Lengths

    def take(self, rows: npt.NDArray[np.intp]) -> "Candidates":
        """Those of `rows`, as wide as the longest of them."""
        lengths = self.lengths[rows]
        return Candidates(self.phones[rows, : lengths.max(initial=0)], lengths)


def candidates(pronunciations: Sequence[Phones]) -> Candidates:
    """The same in the form that `distances` wants."""
    lengths = np.fromiter(map(len, pronunciations), np.int32, len(pronunciations))
    longest = int(lengths.max(initial=0))
    padded = b"".join(one.ljust(longest, b"\0") for one in pronunciations)
    return Candidates(np.frombuffer(padded, np.uint8).reshape(len(pronunciations), longest), lengths)


def distances(said: Phones, others: Candidates) -> Costs:
    """(candidates,) how unlike `said` each sounds: 0 the same; a phone of another kind costs 1, one left out 0.5 to
    0.8."""
    skips = LEFT_OUT[others.phones]
    # What it costs to come to each place of a candidate by leaving out all before it.
    before = np.concatenate([np.zeros((len(skips), 1), np.float32), skips.cumsum(axis=1, dtype=np.float32)], axis=1)
    row = before
    for phone in said:
        down = row + LEFT_OUT[phone]
        down[:, 1:] = np.minimum(down[:, 1:], row[:, :-1] + SUBSTITUTIONS[phone][others.phones])
        # A step to the right adds what lies between two places of `before`, so a running minimum takes all at once.
        row = np.minimum.accumulate(down - before, axis=1) + before
    return _at_the_end(row, others.lengths)


def pairwise(ones: Candidates, others: Candidates) -> Costs:
    """(pairs,) how unlike each of `ones` sounds to that of `others` in the same row; see `distances`."""
    skips = LEFT_OUT[others.phones]
    before = np.concatenate([np.zeros((len(skips), 1), np.float32), skips.cumsum(axis=1, dtype=np.float32)], axis=1)
    row = before
    for at in range(ones.phones.shape[1]):
        phone = ones.phones[:, at]
        down = row + LEFT_OUT[phone][:, np.newaxis]
        down[:, 1:] = np.minimum(down[:, 1:], row[:, :-1] + SUBSTITUTIONS[phone[:, np.newaxis], others.phones])
        after = np.minimum.accumulate(down - before, axis=1) + before
        row = np.where(at < ones.lengths[:, np.newaxis], after, row)
    return _at_the_end(row, others.lengths)


def distance(one: Phones, other: Phones) -> float:
    """How unlike the two sound, see `distances`."""
    return float(distances(one, candidates([other]))[0])


def apart(ones: Sequence[Phones], others: Sequence[Phones]) -> float:
    """The same of two words or phrases that have variants: of the two that are nearest."""
    together = candidates(others)
    return min(float(distances(one, together).min()) for one in ones)


def _at_the_end(row: Costs, lengths: Lengths) -> Costs:
    far = row[np.arange(len(row)), lengths]
    # Sums of float32 come back to 0 but for their last bits.
    return np.where(far < 1e-5, np.float32(0), far)
