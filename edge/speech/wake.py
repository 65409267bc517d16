"""Listens for one utterance after a phrase: nothing that is said before it, nor the phrase itself, becomes part of an
utterance.

The phrase is heard somewhat after its end, and what is wanted may follow in the same breath. So the blocks since it
should have ended are kept back until a pause comes or does not come. A pause soon after: the sound before it was the
phrase's own, as slow speakers' is, and is dropped. None: somebody goes on speaking, and is heard from there on.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from edge.sound.source import BLOCK_MS, Samples
from edge.speech.utterance_maker import JudgedBlock

TAIL_BLOCKS = 14
"""Speech that is over within so many blocks after the phrase should have ended is the phrase's own. Synthesised phrases
last up to 270 ms longer, and "stop" is longer than that."""

PAUSE_BLOCKS = 5
"""A shorter one may be within a word: the lips are closed before a "p"."""

EAGER_PROBABILITY = 0.4
"""What it takes while the board itself speaks: that drowns most of a phrase, and what was none only cuts the board
short. Measured by `scripts/bench interrupting`."""

NEVER_S = -math.inf


class WakeWord(Protocol):
    """Hears a phrase in a stream of sound. Belongs to one thread."""

    phrase: str
    lag_ms: int
    """From the end of the phrase until it counts as heard, usually."""

    @property
    def probability(self) -> float:
        """In the newest window, smoothed."""

    def hear(self, samples: Samples) -> bool:
        """Whether the next block completes the phrase."""

    def reset(self) -> None:
        """What comes next is another stretch of sound."""


class Wake:
    """An Activation: asleep until the phrase, or a press, and then awake for one utterance that starts in time."""

    mode: Final = "wake"

    def __init__(
        self,
        word: WakeWord,
        window_s: float,
        clock: Callable[[], float] = time.monotonic,
        eager: Callable[[], bool] = lambda: False,
    ) -> None:
        """`eager`: whether what may be the phrase counts as it."""
        self._eager = eager
        self.phrase = word.phrase
        self._word = word
        self._window_s = window_s
        self._clock = clock
        self._window_blocks = round(window_s * 1000 / BLOCK_MS)
        self._lag_blocks = word.lag_ms // BLOCK_MS
        self._kept: deque[JudgedBlock] = deque(maxlen=self._lag_blocks + 1)
        """The newest, while it sleeps."""
        self._since: list[JudgedBlock] = []
        """Since the phrase should have ended, while it is not known what came then."""
        self._in_utterance = False
        self._awake_blocks = 0
        """Left to begin to speak in."""
        self._pressed_until_s = NEVER_S

    def press(self) -> None:
        """As if the phrase had been said; during an utterance it changes nothing. Where nothing is heard, it waits no
        longer than the window."""
        self._pressed_until_s = self._clock() + self._window_s

    def listening(self) -> bool:
        """For any thread."""
        return self._in_utterance or self._awake_blocks > 0 or self._is_pressed

    def admit(self, block: JudgedBlock) -> Sequence[JudgedBlock]:
        """What may become part of an utterance now; while it sleeps, nothing."""
        if self._is_pressed:
            self._wake()
        if self._in_utterance:
            return (block,)
        if self._awake_blocks:
            self._awake_blocks -= 1
            if not self._awake_blocks:
                self._sleep()
            return (block,)
        if self._since:
            self._since.append(block)
            return self._after_phrase()
        self._kept.append(block)
        if not self._word.hear(block.samples) and not (self._eager() and self._word.probability >= EAGER_PROBABILITY):
            return ()
        self._since = list(self._kept)
        return self._after_phrase()

    def heard_onset(self) -> None:
        """An utterance has started."""
        self._in_utterance = True

    def heard_end(self) -> None:
        """It is over."""
        self._sleep()

    def interrupted(self) -> None:
        """What comes next is another stretch of time."""
        self._sleep()

    @property
    def _is_pressed(self) -> bool:
        return self._clock() < self._pressed_until_s

    def _after_phrase(self) -> Sequence[JudgedBlock]:
        """Wakes once it is known from where on."""
        since, pause = self._since, _last_pause(self._since)
        if pause is None and len(since) < TAIL_BLOCKS + PAUSE_BLOCKS:
            return ()
        self._wake()
        return since[pause:] if pause is not None and pause < TAIL_BLOCKS else since

    def _wake(self) -> None:
        if not self._in_utterance:
            self._awake_blocks = self._window_blocks
        self._forget()

    def _sleep(self) -> None:
        self._in_utterance = False
        self._awake_blocks = 0
        self._forget()
        self._word.reset()

    def _forget(self) -> None:
        self._pressed_until_s = NEVER_S
        self._since = []
        self._kept.clear()


def _last_pause(blocks: Sequence[JudgedBlock]) -> int | None:
    """Where it begins."""
    end = len(blocks)
    while end >= PAUSE_BLOCKS:
        begin = end
        while begin and not blocks[begin - 1].is_speech:
            begin -= 1
        if end - begin >= PAUSE_BLOCKS:
            return begin
        end = begin - 1 if begin == end else begin
    return None
