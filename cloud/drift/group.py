"""Several boards watched together: what changed a little on all of them at once, and who speaks most. Pure.

It watches the boards' own scores, so that what differs between boards is no matter; a board that is known to have
changed says nothing of the others.
"""

import msgspec
import numpy as np
import numpy.typing as npt

from cloud.drift.change import shares
from cloud.drift.features import VOICE_NUMBERS
from cloud.drift.recent import Seen
from cloud.drift.reference import Reference, learnt
from cloud.drift.sitting import begins
from cloud.drift.usual import STEPS, VOICE_BLOCK, WATCHED, Usual, whitenings_of
from cloud.drift.watcher import Told, Watcher, WatcherState

LEARN = 300
BOARDS_MIN = 2
SCORE_STEP = 0.25
BOARDS_MAX = 200
"""Whose shares are known; the others are one."""


class GroupKnown(msgspec.Struct, frozen=True):
    """What is usual for a group."""

    reference: Reference
    usual: Usual


class GroupState(msgspec.Struct, frozen=True):
    """A group as it is kept."""

    scores: bytes
    voices: bytes
    intents: list[str | None]
    at_unix_us: list[int | None]
    boards: list[str]
    means: bytes
    known: GroupKnown | None
    watcher: WatcherState | None


class Group:
    """Of boards, by the name that they share."""

    def __init__(self, name: str, run_length: float) -> None:
        self.name = name
        self.watcher: Watcher | None = None
        self._run_length = run_length
        self._known: GroupKnown | None = None
        self._scores: list[npt.NDArray[np.float32]] = []
        self._voices: list[npt.NDArray[np.float32]] = []
        self._intents: list[str | None] = []
        self._at: list[int | None] = []
        self._boards: list[str] = []
        self._means = np.zeros(0)

    def push(self, seen: Seen, means: list[float]) -> Told | None:
        """An utterance of one of its boards, of which `means` are usual."""
        if self.watcher is None or self._known is None:
            self._learn(seen, means)
            return None
        reference = self._known.reference
        scores = seen.scores.astype(np.float64)
        scores[-1] = self._surprise(seen.key[0])
        difference = seen.difference.copy()
        difference[-1] = scores[-1] - reference.seasons.means[-1]
        return self.watcher.push(
            seen._replace(
                scores=reference.score(scores, seen.at_unix_us).astype(np.float32),
                difference=difference,
                voice=self._voice(seen),
            )
        )

    def state(self) -> GroupState:
        """To be kept."""
        return GroupState(
            np.array(self._scores, np.float32).tobytes(),
            np.array(self._voices, np.float32).tobytes(),
            self._intents,
            self._at,
            self._boards,
            self._means.tobytes(),
            self._known,
            self.watcher.state() if self.watcher else None,
        )

    def go_on(self, state: GroupState) -> None:
        """As it was when it was kept."""
        rows = np.frombuffer(state.scores, np.float32).reshape(-1, len(WATCHED))
        self._scores, self._intents, self._at = list(rows), list(state.intents), list(state.at_unix_us)
        self._voices = list(np.frombuffer(state.voices, np.float32).reshape(-1, VOICE_NUMBERS))
        self._boards, self._means = list(state.boards), np.frombuffer(state.means).copy()
        if state.known is not None and state.watcher is not None:
            self._watch(state.known)
            assert self.watcher is not None
            self.watcher.go_on(state.watcher)

    def learn_anew(self) -> None:
        """Forgets what was usual, as after its owner changed something about all of them."""
        self._known, self.watcher = None, None
        self._learn_anew()

    def forget(self, device_id: str) -> None:
        """Erases what it knows of a board; while it learns, it begins anew."""
        if device_id in self._boards:
            self._learn_anew()
        if self.watcher is not None:
            self.watcher.forget(device_id)

    def _learn(self, seen: Seen, means: list[float]) -> None:
        self._scores.append(seen.scores)
        self._voices.append(seen.voice if len(seen.voice) else np.full(VOICE_NUMBERS, np.nan, np.float32))
        self._intents.append(seen.intent)
        self._at.append(seen.at_unix_us)
        self._boards.append(seen.key[0])
        fresh = np.nan_to_num(np.array(means))
        self._means = self._means + fresh if self._means.size else fresh
        if len(self._scores) < LEARN or len(set(self._boards)) < BOARDS_MIN:
            # Of one board alone there is no more to know than it knows itself.
            if len(self._scores) >= 2 * LEARN:
                self._learn_anew()
            return
        by_board = dict(list(shares(self._boards).items())[:BOARDS_MAX])
        scores = np.array(self._scores, np.float64)
        scores[:, -1] = [_surprise(by_board, board) for board in self._boards]
        reference = learnt(scores, self._at, (SCORE_STEP,) * len(STEPS), self._boards)
        usual_means = self._means / len(self._scores)
        usual_means[-1] = reference.seasons.means[-1]
        ranked = np.array([reference.score(row, at) for row, at in zip(scores, self._at, strict=True)])
        whitenings = whitenings_of(ranked, np.array(self._voices, np.float64), begins(self._boards, self._at))
        usual = Usual(usual_means.tolist(), shares(self._intents), whitenings, by_board)
        self._watch(GroupKnown(reference, usual))
        self._learn_anew()

    def _learn_anew(self) -> None:
        self._scores, self._voices, self._intents = [], [], []
        self._at, self._boards, self._means = [], [], np.zeros(0)

    def _voice(self, seen: Seen) -> npt.NDArray[np.float32]:
        assert self._known is not None
        whitening = self._known.usual.whitenings.get(VOICE_BLOCK)
        if whitening is None or not len(seen.voice):
            return np.zeros(0, np.float32)
        return whitening.points(seen.voice.astype(np.float64)).astype(np.float32)

    def _surprise(self, board: str) -> float:
        assert self._known is not None
        return _surprise(self._known.usual.boards, board)

    def _watch(self, known: GroupKnown) -> None:
        self._known = known
        self.watcher = Watcher(
            self.name, is_board=False, reference=known.reference, usual=known.usual, run_length=self._run_length
        )


def _surprise(shares_of: dict[str, float], board: str) -> float:
    return float(-np.log2(shares_of.get(board, 0.0) + 0.5 / LEARN))
