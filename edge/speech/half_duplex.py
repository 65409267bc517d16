"""The board never hears itself: while it plays a sound, and until the room has swallowed it, nothing counts as speech.

There is no echo canceller: it would take a reference of what is played, in step with what is heard to a millisecond,
from sound cards that share no clock. So the board listens or speaks. Two things still reach it while it speaks. The
button, or its command, always does. The wake word, where there is one, is listened for on: hands may be wet, it costs
nothing that the board does not spend anyway, and what it takes for the phrase by mistake only cuts the board short. It
is heard over a voice that is 15 dB quieter than one's own, and hardly over a louder one (BENCHMARKS.md).
"""

import math
import time
from collections.abc import Callable, Sequence
from typing import Literal

from edge.speech.activation import Activation
from edge.speech.utterance_maker import JudgedBlock

TAIL_S = 0.3
"""How long a sound is still heard after it was played: until a microphone has delivered it, and a room swallowed it."""


class OwnSound:
    """What the board plays now. Told by the thread that plays, for any to ask."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until_s = -math.inf

    def begins(self) -> None:
        """A sound is about to be heard."""
        self._until_s = math.inf

    def ended(self) -> None:
        """The last of it has been played."""
        self._until_s = self._clock() + TAIL_S

    @property
    def played(self) -> bool:
        return self._until_s == math.inf

    @property
    def heard(self) -> bool:
        """It is being played, or its end may still be heard."""
        return self._clock() < self._until_s


class HalfDuplex:
    """An Activation around another, that takes nothing the board itself says; knows whether a person speaks."""

    def __init__(self, activation: Activation, own: OwnSound) -> None:
        self._activation = activation
        self._own = own
        self._in_utterance = False
        self.on_woken: Callable[[], object] = lambda: None
        """Called, in the thread that hears, when it begins to listen; must not wait."""
        self.on_change: Callable[[], object] = lambda: None
        """Called likewise when it begins or ceases to listen, or somebody to speak."""
        self._listened = activation.listening()

    @property
    def mode(self) -> Literal["always", "button", "wake"]:
        return self._activation.mode

    @property
    def phrase(self) -> str | None:
        return self._activation.phrase

    @property
    def in_utterance(self) -> bool:
        """Whether somebody is speaking to the board."""
        return self._in_utterance

    def listening(self) -> bool:
        return self._activation.listening()

    def press(self) -> None:
        self._activation.press()

    def admit(self, block: JudgedBlock) -> Sequence[JudgedBlock]:
        """As the other, which may be woken all the same; while a sound is played, nothing."""
        admitted = self._activation.admit(block)
        was_listening, self._listened = self._listened, self._activation.listening()
        if self._listened != was_listening:
            if self._listened:
                self.on_woken()
            self.on_change()
        return () if self._own.played else admitted

    def heard_onset(self) -> None:
        self._in_utterance = True
        self._activation.heard_onset()
        self.on_change()

    def heard_end(self) -> None:
        self._in_utterance = False
        self._activation.heard_end()
        self.on_change()

    def interrupted(self) -> None:
        self._activation.interrupted()
