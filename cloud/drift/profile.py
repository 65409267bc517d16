"""What a stream usually sounds like and is asked, beyond single scores: its voices, its bands, its intents. Pure."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from cloud.drift.features import NAMES, VOICE, Row, voices_of
from cloud.drift.seasons import Seasons, seasons_of

VOICES_MAX = 64
NEIGHBOURS = 3
APART = 8
"""What was said so shortly before or after was said by the same person: no measure of how strange others are."""
SEMITONE_DB = 1.2
"""Voices a semitone apart are as far from each other as voices whose bands are so far apart."""
APART_SEMITONES = 2.0
"""Of voices of which one has no known pitch."""
SAME_DB = 0.3
"""A voice so near is the same recording once more, as who tries a board plays it: no two utterances are so alike."""
INTENTS_MAX = 200
SHRINK = 2
"""So many utterances of a kind weigh as much as all others."""
SPEECH = NAMES.index("speech")


class Profile(msgspec.Struct, frozen=True):
    """Learnt with a reference."""

    seasons: Seasons
    """Of all numbers of a row."""
    voices: list[list[float | None]]
    """Of some utterances, see features.voices_of."""
    intents: dict[str, int]
    """How often each was meant; "" counts what was not understood."""
    lengths: dict[str, float]
    """Of the speech, decimal logarithm of milliseconds, by `kind_of`; "" is the mean of all."""

    def strangeness(self, row: Row) -> float:
        """How far a voice is from those that were heard, dB a band; NaN where there is none."""
        voice = voices_of(row)
        if not self.voices or np.isnan(voice[:-1]).any():
            return float("nan")
        return _nearest(voice, np.array(self.voices, np.float64))

    def surprise(self, intent: str | None) -> float:
        """Minus the logarithm of the share of an intent, to base 2."""
        total = sum(self.intents.values())
        return float(-np.log2((self.intents.get(intent or "", 0) + 0.5) / (total + 1)))

    def slowness(self, row: Row, intent: str | None, word_count: int | None) -> float:
        """How much longer than usual it took to say so many words of that intent, in decades; NaN: nobody knows."""
        usual = self.lengths.get(kind_of(intent, word_count), self.lengths.get("", 0.0))
        return float(row[SPEECH] - usual)


def kind_of(intent: str | None, word_count: int | None) -> str:
    """What takes about as long to say."""
    return f"{intent or ''} {word_count or 0}"


def profile_of(
    rows: Row, intents: Sequence[str | None], kinds: Sequence[str], at_unix_us: Sequence[int | None]
) -> Profile:
    """Of rows in their order, (utterances, ROW); `kinds` as `kind_of` has them."""
    return Profile(
        seasons=seasons_of(rows, at_unix_us),
        voices=[
            [None if np.isnan(one) else one for one in voice]
            for voice in voices_of(rows[_kept(rows)]).round(1).tolist()
        ],
        intents=dict(Counter(intent or "" for intent in intents).most_common(INTENTS_MAX)),
        lengths=_lengths(rows[:, SPEECH], kinds),
    )


def strangenesses(rows: Row) -> Row:
    """How strange each of the rows of a profile is to those of its voices that were not said beside it."""
    kept = _kept(rows)
    voices = voices_of(rows)
    found = np.full(len(rows), np.nan)
    for number, voice in enumerate(voices):
        others = voices[kept[np.abs(kept - number) > APART]]
        if len(others) >= NEIGHBOURS and not np.isnan(voice[:-1]).any():
            found[number] = _nearest(voice, others)
    return found


def slownesses(rows: Row, kinds: Sequence[str]) -> Row:
    """Of each of the rows of a profile, as if it had not been among them."""
    speech = rows[:, SPEECH]
    sums, counts, whole = _by_kind(speech, kinds)
    found = np.full(len(rows), np.nan)
    for number, (kind, length) in enumerate(zip(kinds, speech.tolist(), strict=True)):
        if not np.isnan(length):
            others = sums[kind] - length + SHRINK * whole
            found[number] = length - others / (counts[kind] - 1 + SHRINK)
    return found


def _lengths(speech: Row, kinds: Sequence[str]) -> dict[str, float]:
    """The mean of each kind, shrunk towards that of all."""
    sums, counts, whole = _by_kind(speech, kinds)
    common = [kind for kind, _ in counts.most_common(INTENTS_MAX)]
    return {"": whole} | {kind: (sums[kind] + SHRINK * whole) / (counts[kind] + SHRINK) for kind in common}


def _by_kind(speech: Row, kinds: Sequence[str]) -> tuple[dict[str, float], Counter[str], float]:
    """Sums and numbers of what was measured, and the mean of all."""
    sums: dict[str, float] = defaultdict(float)
    counts: Counter[str] = Counter()
    for kind, length in zip(kinds, speech.tolist(), strict=True):
        if not np.isnan(length):
            sums[kind] += length
            counts[kind] += 1
    return sums, counts, sum(sums.values()) / max(1, counts.total())


def _kept(rows: Row) -> npt.NDArray[np.int64]:
    """Numbers of the rows whose voices are kept, evenly spread."""
    heard = np.flatnonzero(~np.isnan(rows[:, VOICE]).any(axis=1))
    return heard[np.unique(np.linspace(0, len(heard) - 1, VOICES_MAX).astype(np.int64))] if len(heard) else heard


def _nearest(voice: Row, voices: Row) -> float:
    squares = np.square(voices[:, :-1] - voice[:-1]).mean(axis=1)
    apart = voices[:, -1] - voice[-1]
    # Of most of them, or of this one, it is not known: an older board told none.
    if 2 * np.isnan(apart).sum() <= len(apart):
        squares += np.square(SEMITONE_DB * np.nan_to_num(apart, nan=APART_SEMITONES))
    far = np.sqrt(squares)
    others = np.sort(far[far > SAME_DB])
    return float(others[min(NEIGHBOURS, len(others)) - 1]) if len(others) else 0.0
