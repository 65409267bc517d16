"""One board's stream: learns what is usual there from its first weeks, or is told it, then watches. Pure."""

import msgspec
import numpy as np
import numpy.typing as npt

from cloud.drift.change import VERSIONS, shares
from cloud.drift.facts import Facts
from cloud.drift.features import FEATURES, Row, row_of, voices_of
from cloud.drift.profile import Profile, kind_of, profile_of, slownesses, strangenesses
from cloud.drift.recent import Seen
from cloud.drift.reference import Reference, learnt
from cloud.drift.sitting import begins
from cloud.drift.usual import BEHIND, STEPS, VOICE_BLOCK, Usual, whitenings_of
from cloud.drift.watcher import Told, Watcher, WatcherState

LEARN_MIN, LEARN_MAX = 200, 500
LEARN_DAYS = 14
"""A reference has seen so many utterances and two weekends, or that many utterances."""
DAY_US = 86_400_000_000


class Known(msgspec.Struct, frozen=True):
    """What is usual for a board; may lie in a model's card as well, for boards that are new."""

    profile: Profile
    reference: Reference
    usual: Usual


class LessonState(msgspec.Struct, frozen=True):
    """A lesson as it is kept."""

    rows: bytes
    intents: list[str | None]
    word_counts: list[int | None]
    at_unix_us: list[int | None]


class BoardState(msgspec.Struct, frozen=True):
    """A board as it is kept."""

    lesson: LessonState
    known: "Known | None"
    watcher: WatcherState | None


class Lesson(msgspec.Struct):
    """What a board learns from."""

    rows: list[Row] = []
    intents: list[str | None] = []
    word_counts: list[int | None] = []
    at_unix_us: list[int | None] = []

    def add(self, facts: Facts) -> None:
        self.rows.append(row_of(facts))
        self.intents.append(facts.intent)
        self.word_counts.append(facts.word_count)
        self.at_unix_us.append(facts.at_unix_us)

    def state(self) -> LessonState:
        """To be kept."""
        return LessonState(np.array(self.rows, np.float32).tobytes(), self.intents, self.word_counts, self.at_unix_us)

    @property
    def is_enough(self) -> bool:
        if len(self.rows) >= LEARN_MAX:
            return True
        times = [at for at in self.at_unix_us if at is not None]
        return len(self.rows) >= LEARN_MIN and bool(times) and max(times) - min(times) >= LEARN_DAYS * DAY_US


def known_of(lesson: Lesson) -> Known:
    """What is usual, of at least some dozen utterances in their order."""
    rows = np.array(lesson.rows)
    kinds = [kind_of(intent, words) for intent, words in zip(lesson.intents, lesson.word_counts, strict=True)]
    profile = profile_of(rows, lesson.intents, kinds, lesson.at_unix_us)
    strange = strangenesses(rows)
    rare = [profile.surprise(intent) for intent in lesson.intents]
    watched = np.column_stack(
        [rows[:, : len(FEATURES)], strange, rare, slownesses(rows, kinds), np.full(len(rows), np.nan)]
    )
    reference = learnt(watched, lesson.at_unix_us, STEPS)
    means = [*profile.seasons.means, *reference.seasons.means[-BEHIND:]]
    pairs = zip(watched, lesson.at_unix_us, strict=True)
    scores = np.array([reference.score(row, at) for row, at in pairs])
    first = begins([""] * len(rows), lesson.at_unix_us)
    whitenings = whitenings_of(scores, voices_of(rows), first)
    return Known(profile, reference, Usual(means, shares(lesson.intents), whitenings))


def seen(known: Known, facts: Facts) -> Seen:
    """An utterance against what is usual."""
    row, at = row_of(facts), facts.at_unix_us
    rare = known.profile.surprise(facts.intent) if facts.was_empty is not None else np.nan
    slow = known.profile.slowness(row, facts.intent, facts.word_count)
    behind = np.array([known.profile.strangeness(row), rare, slow, np.nan])
    usual = known.profile.seasons.usual(at), known.reference.seasons.usual(at)[-BEHIND:]
    difference = np.concatenate([row - usual[0], behind - usual[1]])
    return Seen(
        at_unix_us=at,
        key=(facts.device_id, facts.utterance_id),
        intent=facts.intent,
        versions=tuple(getattr(facts, name) for name in VERSIONS),
        difference=difference.astype(np.float32),
        scores=known.reference.score(np.concatenate([row[: len(FEATURES)], behind]), at).astype(np.float32),
        voice=_voice(known, row),
    )


def _voice(known: Known, row: Row) -> npt.NDArray[np.float32]:
    voice, whitening = voices_of(row), known.usual.whitenings.get(VOICE_BLOCK)
    if whitening is None or np.isnan(voice[:-1]).any():
        return np.zeros(0, np.float32)
    return whitening.points(voice).astype(np.float32)


class Board:
    """Of one board."""

    def __init__(self, device_id: str, run_length: float, known: Known | None = None) -> None:
        """`known`: what was learnt before, or elsewhere; None: the board's own first weeks tell."""
        self.device_id = device_id
        self._run_length = run_length
        self._lesson = Lesson()
        self.watcher: Watcher | None = None
        """None while it learns."""
        self.known = known
        if known is not None:
            self._watch(known)

    def push(self, facts: Facts) -> tuple[Seen | None, Told | None]:
        """An utterance against what is usual, None while that is learnt; and what it brings about."""
        if self.known is None or self.watcher is None:
            self._lesson.add(facts)
            if self._lesson.is_enough:
                self._watch(known_of(self._lesson))
                self._lesson = Lesson()
            return None, None
        one = seen(self.known, facts)
        return one, self.watcher.push(one)

    def state(self) -> BoardState:
        """To be kept."""
        return BoardState(self._lesson.state(), self.known, self.watcher.state() if self.watcher else None)

    def go_on(self, state: BoardState) -> None:
        """As it was when it was kept."""
        if state.known is not None and state.watcher is not None:
            self._watch(state.known)
            assert self.watcher is not None
            self.watcher.go_on(state.watcher)
            return
        kept = state.lesson
        rows = np.frombuffer(kept.rows, np.float32).reshape(len(kept.intents), -1) if kept.intents else ()
        rows64 = [row.astype(np.float64) for row in rows]
        self._lesson = Lesson(rows64, list(kept.intents), list(kept.word_counts), list(kept.at_unix_us))

    def learn_anew(self) -> None:
        """Forgets what was usual, as after its owner put it elsewhere."""
        self.known, self.watcher, self._lesson = None, None, Lesson()

    def _watch(self, known: Known) -> None:
        self.known = known
        self.watcher = Watcher(
            self.device_id,
            is_board=True,
            reference=known.reference,
            usual=known.usual,
            run_length=self._run_length,
        )
