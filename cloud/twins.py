"""One sentence that several boards of a group have heard: the first to be answered acts, the others are told so.

What a final is compared with is in memory, and after a start is read from the log. A mark is made and remembered
without a pause between, and what is remembered is on its way to the log before anything else is: so of two that are
answered at the same moment one is the first, whoever dies when.
"""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from cloud.groups import Groups
from cloud.log.answer_store import Answered, Key, Occasion, Span
from common.twins import Said, are_twins
from protos import speech_pb2

KEPT = 64
"""Answers of a group that the next one is compared with."""

KEPT_S_MAX = 3600.0
"""What boards keep longer, nobody acts on any more."""


class _Told(NamedTuple):
    key: Key
    occasion: Occasion
    final: speech_pb2.Final
    """The words and what was meant alone."""
    at_s: float


class Twins:
    """Of all groups; one event loop's."""

    def __init__(self, groups: Groups | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.groups = groups or Groups()
        self._clock = clock
        self._told: dict[str, deque[_Told]] = defaultdict(lambda: deque(maxlen=KEPT))

    def remember(self, answers: Iterable[Answered]) -> None:
        """What was answered before the start, in order."""
        for answer in answers:
            if (group := self.groups.of(answer.key.device_id)) is not None:
                final = speech_pb2.Final.FromString(answer.final)
                self._told[group].append(self._made(answer.key, final, answer.occasion))

    def mark(self, key: Key, final: speech_pb2.Final, occasion: Occasion, *, is_forgotten: bool = False) -> None:
        """Sets `twin` where another board was answered the same before; if it is not forgotten, it is remembered."""
        if (group := self.groups.of(key.device_id)) is None:
            return
        known, told = self._told[group], self._made(key, final, occasion)
        while known and told.at_s - known[0].at_s > KEPT_S_MAX:
            known.popleft()
        twins = [other for other in known if _are_twins(other, told)]
        if twins:
            # Of those that heard it equally well, the one that was answered first.
            best = max([*twins, told], key=lambda one: one.occasion.snr_db or 0.0)
            first = twins[0].key
            final.twin.device_id, final.twin.utterance_id = first
            final.twin.heard_best = best.key.device_id
        if not is_forgotten:
            known.append(told)

    def forget(self, device_id: str, utterance_id: str | None, span: Span) -> None:
        """As `AnswerLog.forget`; where nobody knows when it was spoken, it may have been then."""
        if (group := self.groups.of(device_id)) is None or group not in self._told:
            return
        kept = [
            told
            for told in self._told[group]
            if told.key.device_id != device_id
            or utterance_id not in (None, told.key.utterance_id)
            or not (told.occasion.spoken_at_unix_us is None or span.holds(told.occasion.spoken_at_unix_us))
        ]
        self._told[group] = deque(kept, maxlen=KEPT)

    def _made(self, key: Key, final: speech_pb2.Final, occasion: Occasion) -> _Told:
        words = speech_pb2.Final(transcript=final.transcript)
        words.intent.name = final.intent.name
        words.intent.slots.update(final.intent.slots)
        return _Told(key, occasion, words, self._clock())


def _are_twins(first: _Told, second: _Told) -> bool:
    if first.key.device_id == second.key.device_id:
        return False
    began = _began(first.occasion, second.occasion)
    return began is not None and are_twins(_said(first, began[0]), _said(second, began[1]))


def _began(first: Occasion, second: Occasion) -> tuple[int, int] | None:
    """When they began by one clock: the boards' own, where those of both were synchronised; else the service's, which
    knows when the end of live speech came. None where there is no such clock."""
    if first.spoken_at_unix_us is not None and second.spoken_at_unix_us is not None:
        return first.spoken_at_unix_us, second.spoken_at_unix_us
    if first.ended_at_unix_us is not None and second.ended_at_unix_us is not None:
        return (
            first.ended_at_unix_us - 1000 * (first.duration_ms or 0),
            second.ended_at_unix_us - 1000 * (second.duration_ms or 0),
        )
    return None


def _said(told: _Told, began_at_us: int) -> Said:
    intent = told.final.intent
    return Said(
        began_at_us, told.occasion.duration_ms or 0, told.final.transcript, intent.name or None, dict(intent.slots)
    )
