"""Watches the scores of a stream whose usual is known: tells a change, what it is like, and when it is over. Pure.

Watching -> changed -> watching. While it is changed, what is like before brings recovery, and what is unlike both is a
further change.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from cloud.drift.causes.cause import Cause
from cloud.drift.causes.naming import causes_of, explained
from cloud.drift.change import Change, bands, effects_of, shares
from cloud.drift.detector import Detector, Suspect, Wagers
from cloud.drift.directions import Direction, DirectionState, Floats, shift_of
from cloud.drift.evidence import EvidenceState
from cloud.drift.features import FEATURES, NOISE, ROW, SPREAD, VOICE, VOICE_NUMBERS
from cloud.drift.recent import AROUND_VERSION, Recent, RecentState, Seen
from cloud.drift.reference import Reference
from cloud.drift.usual import BEHIND, MEMBERS, VOICE_BLOCK, WATCHED, Usual

WINDOW_MIN = 12
"""Fewer utterances since it began are no change yet: one person in a hurry is not."""
SITTINGS_MIN = 4
"""Nor what was said in fewer sittings: one person in the kitchen says a dozen things in a quarter of an hour."""
LAST = 4
"""So many tell how far off the features are now, to begin with."""
ROUNDS = 3
TOGETHER = 5
"""Features that tell when it began."""
EFFECT_MIN = 0.7
"""In standard deviations: smaller ones are not worth a sentence."""
SPREAD_MIN = 1.7
"""Of the mean square of scores."""

SETTLE = 40
UNSETTLED = 30.0
"""After a change was told, it takes so many utterances to know it well; until then a further one wants so many times
the evidence."""
UNEXPLAINED, FIT_SURE = 1e4, 0.6
"""What no cause explains wants so many times the evidence: it is chance more often, and nobody can do much about it;
what one explains so well wants no more."""
AGAIN = 40
"""So many utterances after it was told, and after each further so many, a change is measured again..."""
AGAIN_MAX = 320
"""...for so long: what comes slowly is better known when more of it has come."""
AGAIN_WINDOW = 60
"""Of the last so many utterances."""
BETTER = 0.2
"""By so much another cause has to explain it better."""
BACK_UTTERANCES = 20
BACK_SHARE = 0.4
"""Of the effect: what is left of it when it is over."""
SHIFT_MIN = 1.0
"""Of a block, in standard deviations: a smaller one is not worth a sentence."""


class Recovered(NamedTuple):
    """A change is over."""

    change: Change
    at_unix_us: int | None


class Renamed(NamedTuple):
    """A change that was told has another cause than was told, or went on to have one."""

    before: Change
    change: Change


Told = Change | Renamed | Recovered
"""What an utterance may bring about."""


class WatcherState(msgspec.Struct, frozen=True):
    """A watcher as it is kept; arrays are bytes."""

    change: Change | None
    since_told: int
    offsets: bytes
    detector: EvidenceState
    directions: dict[str, DirectionState]
    voice_offset: bytes
    voices: bytes
    seen: tuple[tuple[int | None, tuple[str, str], str | None, tuple[str | None, ...]], ...]
    differences: bytes
    scores: bytes


class Watcher:
    """Of one stream."""

    def __init__(self, stream: str, *, is_board: bool, reference: Reference, usual: Usual, run_length: float) -> None:
        self.stream = stream
        self.change: Change | None = None
        """What was told, and is not over."""
        self.usual = usual
        self._recent = Recent()
        self._is_board = is_board
        self._run_length = run_length
        self._detector = Detector(Wagers(reference))
        self._directions = {block: Direction(whitening) for block, whitening in usual.whitenings.items()}
        self._offsets = np.zeros(len(WATCHED))
        """Mean scores of what is known to have changed."""
        self._voice_offset = np.zeros(VOICE_NUMBERS)
        self._since_told = 0

    def push(self, seen: Seen) -> Told | None:
        """What an utterance brings about."""
        self._recent.push(seen)
        if self.change is not None and (over := self._is_over()) is not None:
            return over
        run_length = self._run_length
        if self.change is not None:
            self._since_told += 1
            if self._since_told <= SETTLE:
                run_length *= UNSETTLED
            if self._since_told == SETTLE:
                self._settle(SETTLE)
        evidence = self._push(seen)
        found = self._found(evidence, run_length) if evidence >= run_length else None
        return self._again() if found is None else found

    def _found(self, evidence: float, run_length: float) -> Told | None:
        """What so much evidence tells."""
        suspect = self._suspect()
        if suspect.began < WINDOW_MIN or self._recent.sittings(suspect.began) < SITTINGS_MIN:
            return None
        if self.change is not None and self._is_back(suspect):
            return self._over(self.change)
        if not self._is_worth_telling(suspect):
            self._reset()
            return None
        before, change = self.change, self._measured(suspect, evidence)
        if evidence < run_length * UNEXPLAINED ** (1 - min(1.0, explained(change) / FIT_SURE)):
            return None
        self.change = change
        self._since_told = 0
        self._settle(suspect.began)
        is_same = before is None or causes_of(before)[0].name == causes_of(change)[0].name
        return change if before is None or is_same else Renamed(before, change)

    def _again(self) -> Renamed | None:
        """The change that was told, where more of it is known now, if that has another cause."""
        change, since = self.change, self._since_told
        if change is None or since == 0 or since % AGAIN or since > AGAIN_MAX:
            return None
        began = min(AGAIN_WINDOW, since + change.utterances)
        suspect = Suspect(WATCHED.index(change.suspect), 0, began)
        now = self._measured(suspect, change.evidence)
        now = msgspec.structs.replace(now, began_at_unix_us=change.began_at_unix_us)
        causes, told = causes_of(now), causes_of(change)[0].name
        if causes[0].name == told or causes[0].fit < _fit_of(causes, told) + BETTER:
            return None
        self.change = now
        return Renamed(change, now)

    def _push(self, seen: Seen) -> float:
        """The evidence of a change: half of it is that of single features, half that of blocks."""
        is_first = self._recent.is_first
        single = self._detector.push(seen.scores - self._offsets, begins=is_first)
        for block, direction in self._directions.items():
            direction.push(self._points(block, [seen])[0], begins=is_first)
        together = [direction.evidence for direction in self._directions.values()]
        return (single + sum(together) / len(together)) / 2 if together else single

    def _points(self, block: str, seen: Sequence[Seen], *, of_usual: bool = False) -> Floats:
        """Of utterances, (utterances, dimensions); from what is known to have changed, or from what is usual."""
        if block == VOICE_BLOCK:
            offset = np.zeros(VOICE_NUMBERS) if of_usual else self._voice_offset
            return np.array([one.voice if len(one.voice) else offset for one in seen]) - offset
        scores = np.array([one.scores for one in seen], np.float64) - (0.0 if of_usual else self._offsets)
        return self.usual.whitenings[block].points(scores[:, MEMBERS[block]])

    def _suspect(self) -> Suspect:
        """What speaks most for a change, and when that began."""
        found = self._detector.suspect()
        most = max(self._directions, key=lambda block: self._directions[block].evidence, default="")
        if most and self._directions[most].evidence > self._detector.mean:
            began = min(self._directions[most].began, len(self._recent))
            scores = np.array([seen.scores for seen in self._recent.last(began)]) - self._offsets
            means = _mean(scores)
            members = MEMBERS.get(most, [WATCHED.index("strange_voice")])
            feature = max(members, key=lambda number: abs(means[number]))
            found = Suspect(feature, 1 if means[feature] > 0 else -1, began, most)
        return found._replace(began=self._began(found))

    def _reset(self) -> None:
        self._detector.reset()
        for direction in self._directions.values():
            direction.reset()

    def state(self) -> WatcherState:
        """To be kept."""
        return WatcherState(
            change=self.change,
            since_told=self._since_told,
            offsets=self._offsets.tobytes(),
            detector=self._detector.state(),
            directions={block: direction.state() for block, direction in self._directions.items()},
            voice_offset=self._voice_offset.tobytes(),
            **self._recent.state()._asdict(),
        )

    def go_on(self, state: WatcherState) -> None:
        """As it was when it was kept."""
        self.change, self._since_told = state.change, state.since_told
        self._offsets = np.frombuffer(state.offsets).copy()
        self._voice_offset = np.frombuffer(state.voice_offset).copy()
        self._detector.go_on(state.detector)
        for block, its in state.directions.items():
            self._directions[block].go_on(its)
        self._recent.go_on(RecentState(state.voices, state.seen, state.differences, state.scores))

    def forget(self, device_id: str) -> None:
        """Erases what one of several boards said."""
        self._recent.forget(device_id)
        self.usual.boards.pop(device_id, None)
        if self.change is not None:
            self.change = self.change.without(device_id)

    def _began(self, suspect: Suspect) -> int:
        """How many utterances ago the features that moved most moved together: the likeliest place, were they as far
        off since as they are now; again with what they are since that place."""
        kept = np.array([seen.scores for seen in self._recent.last(suspect.began + AROUND_VERSION)], np.float64)
        scores = np.where(np.isnan(kept), 0.0, kept - self._offsets)
        began = LAST
        for _ in range(ROUNDS):
            now = scores[-began:].mean(axis=0)
            moved = np.argsort(-np.abs(now))[:TOGETHER]
            gained = (scores[:, moved] * now[moved] - now[moved] ** 2 / 2).sum(axis=1)
            began = int(np.cumsum(gained[::-1]).argmax()) + 1
        # What only became wider has moved nowhere.
        return suspect.began if abs(now[moved[0]]) < EFFECT_MIN else began

    def _is_worth_telling(self, suspect: Suspect) -> bool:
        if suspect.block:
            points = self._points(suspect.block, self._recent.last(suspect.began))
            return shift_of(points, self.usual.whitenings[suspect.block].linger) > SHIFT_MIN
        scores = np.array([seen.scores for seen in self._recent.last(suspect.began)])[:, suspect.feature]
        scores = scores[~np.isnan(scores)] - self._offsets[suspect.feature]
        if suspect.direction == 0:
            return float(np.square(scores).mean()) > SPREAD_MIN
        return suspect.direction * float(scores.mean()) > EFFECT_MIN

    def _measured(self, suspect: Suspect, evidence: float) -> Change:
        window = self._recent.last(suspect.began)
        means = np.array(self.usual.means)
        differences = np.array([seen.difference for seen in window], np.float64)
        scores = np.array([seen.scores for seen in window], np.float64)
        watched = [*range(len(FEATURES)), *range(ROW, ROW + BEHIND)]
        noise, voice, spread = (bands(means, differences, which) for which in (NOISE, VOICE, SPREAD))
        return Change(
            stream=self.stream,
            is_board=self._is_board,
            began_at_unix_us=window[0].at_unix_us,
            told_at_unix_us=window[-1].at_unix_us,
            utterances=len(window),
            suspect=WATCHED[suspect.feature],
            evidence=evidence,
            shifts={
                block: round(shift_of(self._points(block, window, of_usual=True), whitening.linger), 2)
                for block, whitening in self.usual.whitenings.items()
            },
            effects=effects_of(WATCHED, means[watched], differences[:, watched], scores),
            noise_before_db=noise[0],
            noise_after_db=noise[1],
            voice_before_db=voice[0],
            voice_after_db=voice[1],
            spread_change_db=tuple(np.round(np.subtract(spread[1], spread[0]), 1).tolist()),
            intents_before=self.usual.intents,
            intents_after=shares([seen.intent for seen in window]),
            boards_before=self.usual.boards,
            boards_after=shares([seen.key[0] for seen in window]) if not self._is_board else {},
            versions=self._recent.versions(len(window)),
            utterance_ids=tuple(seen.key for seen in window),
        )

    def _settle(self, count: int) -> None:
        """What came last is the new normal."""
        window = self._recent.last(count)
        self._offsets = _mean(np.array([seen.scores for seen in window], np.float64))
        heard = [seen.voice for seen in window if len(seen.voice)]
        self._voice_offset = np.mean(heard, axis=0, dtype=np.float64) if heard else np.zeros(VOICE_NUMBERS)
        self._reset()

    def _is_over(self) -> Recovered | None:
        assert self.change is not None
        scores = np.array([seen.scores for seen in self._recent.last(BACK_UTTERANCES)])
        effect = self.change.effect(self.change.suspect)
        its = scores[:, WATCHED.index(self.change.suspect)]
        its = its[~np.isnan(its)]
        if self._since_told < BACK_UTTERANCES or len(its) < BACK_UTTERANCES // 2:
            return None
        if abs(effect.score) > EFFECT_MIN and abs(its.mean()) > BACK_SHARE * abs(effect.score):
            return None
        if abs(effect.score) <= EFFECT_MIN and np.square(its).mean() > SPREAD_MIN:
            return None
        return self._over(self.change)

    def _is_back(self, suspect: Suspect) -> bool:
        """Whether what moved away from the change moved to what was usual before it."""
        window = self._recent.last(suspect.began)
        if suspect.block == VOICE_BLOCK:
            points = self._points(VOICE_BLOCK, window) + self._voice_offset
            return shift_of(points, self.usual.whitenings[VOICE_BLOCK].linger) < SHIFT_MIN
        means = _mean(np.array([seen.scores for seen in window], np.float64))
        return abs(float(means[suspect.feature])) < EFFECT_MIN

    def _over(self, change: Change) -> Recovered:
        self.change = None
        self._offsets, self._voice_offset = np.zeros(len(WATCHED)), np.zeros(VOICE_NUMBERS)
        self._reset()
        return Recovered(change, self._recent.last(1)[0].at_unix_us)


def _fit_of(causes: Sequence[Cause], name: str) -> float:
    return next((cause.fit for cause in causes if cause.name == name), 0.0)


def _mean(scores: Floats) -> Floats:
    """Of each column, of what was measured."""
    known = ~np.isnan(scores)
    means: Floats = np.where(known, scores, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return means
