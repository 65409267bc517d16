"""The last utterances of a stream, against what is usual: to look back at. Pure."""

from collections import Counter, deque
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cloud.drift.change import VERSIONS, VersionChange
from cloud.drift.features import VOICE_NUMBERS
from cloud.drift.sitting import begins, is_apart

RECENT = 120
"""Utterances that are kept."""
AROUND_VERSION = 10
"""Utterances around the beginning of a change within which another version may be why."""

Numbers = npt.NDArray[np.float32]


class Seen(NamedTuple):
    """An utterance, as it is kept."""

    at_unix_us: int | None
    key: tuple[str, str]
    """Device and utterance."""
    intent: str | None
    versions: tuple[str | None, ...]
    difference: Numbers
    """Of the row from what was usual at that time, then of the features behind it; (ROW + BEHIND,)."""
    scores: Numbers
    """Of WATCHED."""
    voice: Numbers
    """The voice's point, see directions.py; (0,): nobody knows what is usual."""


class RecentState(NamedTuple):
    """As they are kept; arrays are bytes."""

    voices: bytes
    seen: tuple[tuple[int | None, tuple[str, str], str | None, tuple[str | None, ...]], ...]
    differences: bytes
    scores: bytes


class Recent:
    """Of one stream."""

    def __init__(self) -> None:
        self._seen: deque[Seen] = deque(maxlen=RECENT)

    def __len__(self) -> int:
        return len(self._seen)

    def push(self, seen: Seen) -> None:
        """One more; the oldest goes."""
        self._seen.append(seen)

    def last(self, count: int) -> list[Seen]:
        """The last so many, in order; all, where there are fewer."""
        return list(self._seen)[-count:]

    @property
    def is_first(self) -> bool:
        """Whether the last one begins a sitting."""
        return len(self) < 2 or is_apart(*((one.key[0], one.at_unix_us) for one in self.last(2)))

    def sittings(self, count: int) -> int:
        """Of the last so many utterances."""
        last = self.last(count)
        return sum(begins([one.key[0] for one in last], [one.at_unix_us for one in last]))

    def versions(self, since: int) -> tuple[VersionChange, ...]:
        """Versions that are others, in the last so many, than most utterances before had."""
        recent = list(self._seen)
        before, after = recent[: -since - AROUND_VERSION] or recent[:-since], recent[-since + since // 2 :]
        found = []
        for number, what in enumerate(VERSIONS):
            old, new = (Counter(one.versions[number] for one in part).most_common(1) for part in (before, after))
            if not old or not new or not old[0][0] or not new[0][0]:
                continue
            if all(one.versions[number] != new[0][0] for one in before):
                found.append(VersionChange(what, old[0][0], new[0][0]))
        return tuple(found)

    def forget(self, device_id: str) -> None:
        """Erases what one of several boards said."""
        self._seen = deque((seen for seen in self._seen if seen.key[0] != device_id), maxlen=RECENT)

    def state(self) -> RecentState:
        """To be kept."""
        return RecentState(
            voices=np.array([_voice(seen) for seen in self._seen], np.float32).tobytes(),
            seen=tuple(seen[:4] for seen in self._seen),
            differences=np.array([seen.difference for seen in self._seen], np.float32).tobytes(),
            scores=np.array([seen.scores for seen in self._seen], np.float32).tobytes(),
        )

    def go_on(self, state: RecentState) -> None:
        """As it was when it was kept."""
        if not state.seen:
            return
        kept = (
            np.frombuffer(one, np.float32).reshape(len(state.seen), -1)
            for one in (state.differences, state.scores, state.voices)
        )
        for (at, key, intent, versions), difference, scores, voice in zip(state.seen, *kept, strict=True):
            self._seen.append(Seen(at, key, intent, versions, difference, scores, _heard(voice)))


def _voice(seen: Seen) -> Numbers:
    return seen.voice if len(seen.voice) else np.full(VOICE_NUMBERS, np.nan, np.float32)


def _heard(voice: Numbers) -> Numbers:
    return voice[:0] if np.isnan(voice).any() else voice
