"""What a stream usually sounds like and is asked, beyond single scores: its voices, its bands, its intents. Pure."""

from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from cloud.drift.features import Row, voice_shapes
from cloud.drift.seasons import Seasons, seasons_of

VOICES_MAX = 64
NEIGHBOURS = 3
APART = 8
"""What was said so shortly before or after was said by the same person: no measure of how strange others are."""
SAME_DB = 0.3
"""A voice so near is the same recording once more, as who tries a board plays it: no two utterances are so alike."""
INTENTS_MAX = 200


class Profile(msgspec.Struct, frozen=True):
    """Learnt with a reference."""

    seasons: Seasons
    """Of all numbers of a row."""
    voices: list[list[float]]
    """Shapes of some utterances' voices, see features.voice_shapes."""
    intents: dict[str, int]
    """How often each was meant; "" counts what was not understood."""

    def strangeness(self, row: Row) -> float:
        """How far a voice is from those that were heard, dB a band; NaN where there is none."""
        shape = voice_shapes(row)
        if not self.voices or np.isnan(shape).any():
            return float("nan")
        return _nearest(shape, np.array(self.voices))

    def surprise(self, intent: str | None) -> float:
        """Minus the logarithm of the share of an intent, to base 2."""
        total = sum(self.intents.values())
        return float(-np.log2((self.intents.get(intent or "", 0) + 0.5) / (total + 1)))


def profile_of(rows: Row, intents: Sequence[str | None], at_unix_us: Sequence[int | None]) -> Profile:
    """Of rows in their order, (utterances, ROW)."""
    return Profile(
        seasons=seasons_of(rows, at_unix_us),
        voices=voice_shapes(rows[_kept(rows)]).round(1).tolist(),
        intents=dict(Counter(intent or "" for intent in intents).most_common(INTENTS_MAX)),
    )


def strangenesses(rows: Row) -> Row:
    """How strange each of the rows of a profile is to those of its voices that were not said beside it."""
    kept = _kept(rows)
    shapes = voice_shapes(rows)
    found = np.full(len(rows), np.nan)
    for number, shape in enumerate(shapes):
        others = shapes[kept[np.abs(kept - number) > APART]]
        if len(others) >= NEIGHBOURS and not np.isnan(shape).any():
            found[number] = _nearest(shape, others)
    return found


def _kept(rows: Row) -> npt.NDArray[np.int64]:
    """Numbers of the rows whose voices are kept, evenly spread."""
    heard = np.flatnonzero(~np.isnan(voice_shapes(rows)).any(axis=1))
    return heard[np.unique(np.linspace(0, len(heard) - 1, VOICES_MAX).astype(np.int64))] if len(heard) else heard


def _nearest(shape: Row, voices: Row) -> float:
    far = np.sqrt(np.square(voices - shape).mean(axis=1))
    others = np.sort(far[far > SAME_DB])
    return float(others[min(NEIGHBOURS, len(others)) - 1]) if len(others) else 0.0
