"""Watches the scores of a stream whose usual is known: tells a change, what it is like, and when it is over. Pure.

Watching -> changed -> watching. While it is changed, what is like before brings recovery, and what is unlike both is a
further change.
"""

from collections import Counter, deque
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from cloud.drift.change import VERSIONS, Change, VersionChange, bands, effects_of, shares
from cloud.drift.detector import Detector, DetectorState, Suspect, Wagers
from cloud.drift.features import FEATURES, NAMES, NOISE, ROW, SPREAD, VOICE
from cloud.drift.reference import Reference

RECENT = 120
"""Utterances that are kept to look back at."""

WINDOW_MIN = 12
"""Fewer utterances since it began are no change yet: one person in a hurry is not."""
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
"""Utterances after a change was told, until it is known well enough to tell a further one."""
BACK_UTTERANCES = 20
BACK_SHARE = 0.4
"""Of the effect: what is left of it when it is over."""
AROUND_VERSION = 10
"""Utterances around the beginning of a change within which another version may be why."""

WATCHED = (*NAMES, "strange_voice", "rare_intent", "rare_board")
"""The features that have scores; the last one only where several boards are watched together."""
STEPS = (*(feature.step for feature in FEATURES), 0.3, 0.3, 0.3)
BEHIND = len(WATCHED) - len(FEATURES)
"""So many are behind a row of numbers."""


class Seen(NamedTuple):
    """An utterance, as it is kept."""

    at_unix_us: int | None
    key: tuple[str, str]
    """Device and utterance."""
    intent: str | None
    versions: tuple[str | None, ...]
    difference: npt.NDArray[np.float32]
    """Of the row from what was usual at that time, then of the features behind it; (ROW + BEHIND,)."""
    scores: npt.NDArray[np.float32]
    """Of WATCHED."""


class Recovered(NamedTuple):
    """A change is over."""

    change: Change
    at_unix_us: int | None


class Usual(msgspec.Struct, frozen=True):
    """What a change is a change of."""

    means: list[float]
    """As Seen.difference."""
    intents: dict[str, float]
    """Shares."""
    boards: dict[str, float] = {}
    """Shares of all utterances, where several are watched together."""


class WatcherState(msgspec.Struct, frozen=True):
    """A watcher as it is kept; arrays are bytes."""

    change: Change | None
    since_told: int
    offsets: bytes
    detector: DetectorState
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
        self.recent: deque[Seen] = deque(maxlen=RECENT)
        self._is_board = is_board
        self._run_length = run_length
        self._detector = Detector(Wagers(reference))
        self._offsets = np.zeros(len(WATCHED))
        """Mean scores of what is known to have changed."""
        self._since_told = 0

    def push(self, seen: Seen) -> Change | Recovered | None:
        """What an utterance brings about."""
        self.recent.append(seen)
        if self.change is not None and (over := self._is_over()) is not None:
            return over
        if self.change is not None and self._since_told < SETTLE:
            self._since_told += 1
            if self._since_told == SETTLE:
                self._settle()
            return None
        if self._detector.push(seen.scores - self._offsets) < self._run_length:
            return None
        suspect = self._detector.suspect()
        suspect = suspect._replace(began=self._began(suspect))
        if suspect.began < WINDOW_MIN:
            return None
        evidence = float(self._detector.evidence.mean())
        self._detector.reset()
        if not self._is_worth_telling(suspect):
            return None
        self.change = self._measured(suspect, evidence)
        self._since_told = 0
        return self.change

    def state(self) -> WatcherState:
        """To be kept."""
        return WatcherState(
            change=self.change,
            since_told=self._since_told,
            offsets=self._offsets.tobytes(),
            detector=self._detector.state(),
            seen=tuple(seen[:4] for seen in self.recent),
            differences=np.array([seen.difference for seen in self.recent], np.float32).tobytes(),
            scores=np.array([seen.scores for seen in self.recent], np.float32).tobytes(),
        )

    def go_on(self, state: WatcherState) -> None:
        """As it was when it was kept."""
        self.change, self._since_told = state.change, state.since_told
        self._offsets = np.frombuffer(state.offsets).copy()
        self._detector.go_on(state.detector)
        differences, scores = (
            np.frombuffer(kept, np.float32).reshape(len(state.seen), -1) if state.seen else ()
            for kept in (state.differences, state.scores)
        )
        self.recent.extend(
            Seen(*one, difference, its) for one, difference, its in zip(state.seen, differences, scores, strict=True)
        )

    def accept(self) -> None:
        """What is now, is normal: only what differs from that is a change."""
        if self.change is not None:
            self._settle()
            self.change = None

    def _window(self, count: int) -> list[Seen]:
        return list(self.recent)[-count:]

    def _began(self, suspect: Suspect) -> int:
        """How many utterances ago the features that moved most moved together: the likeliest place, were they as far
        off since as they are now; again with what they are since that place."""
        kept = np.array([seen.scores for seen in self._window(suspect.began + AROUND_VERSION)], np.float64)
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
        scores = np.array([seen.scores for seen in self._window(suspect.began)])[:, suspect.feature]
        scores = scores[~np.isnan(scores)] - self._offsets[suspect.feature]
        if suspect.direction == 0:
            return float(np.square(scores).mean()) > SPREAD_MIN
        return suspect.direction * float(scores.mean()) > EFFECT_MIN

    def _measured(self, suspect: Suspect, evidence: float) -> Change:
        window = self._window(suspect.began)
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
            versions=self._versions(len(window)),
            utterance_ids=tuple(seen.key for seen in window),
        )

    def _versions(self, since: int) -> tuple[VersionChange, ...]:
        """Versions that are others than most utterances before had."""
        recent = list(self.recent)
        before, after = recent[: -since - AROUND_VERSION] or recent[:-since], recent[-since + since // 2 :]
        found = []
        for number, what in enumerate(VERSIONS):
            old, new = (Counter(one.versions[number] for one in part).most_common(1) for part in (before, after))
            if not old or not new or not old[0][0] or not new[0][0]:
                continue
            if all(one.versions[number] != new[0][0] for one in before):
                found.append(VersionChange(what, old[0][0], new[0][0]))
        return tuple(found)

    def _settle(self) -> None:
        """What has come since the change is the new normal."""
        scores = np.array([seen.scores for seen in self._window(SETTLE)])
        known = ~np.isnan(scores)
        counts = known.sum(axis=0)
        self._offsets = np.where(
            counts >= WINDOW_MIN, np.where(known, scores, 0).sum(axis=0) / np.maximum(counts, 1), 0
        )
        self._detector.reset()

    def _is_over(self) -> Recovered | None:
        assert self.change is not None
        scores = np.array([seen.scores for seen in self._window(BACK_UTTERANCES)])
        effect = self.change.effect(self.change.suspect)
        its = scores[:, WATCHED.index(self.change.suspect)]
        its = its[~np.isnan(its)]
        if self._since_told < BACK_UTTERANCES or len(its) < BACK_UTTERANCES // 2:
            return None
        if abs(effect.score) > EFFECT_MIN and abs(its.mean()) > BACK_SHARE * abs(effect.score):
            return None
        if abs(effect.score) <= EFFECT_MIN and np.square(its).mean() > SPREAD_MIN:
            return None
        over = Recovered(self.change, self.recent[-1].at_unix_us)
        self.change = None
        self._offsets = np.zeros(len(WATCHED))
        self._detector.reset()
        return over
