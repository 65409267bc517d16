"""What decides that the board listens. While it does not, nothing is sent or kept. A third way is in wake.py."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Literal, Protocol

from common.errors import ParrotletError
from edge.speech.utterance_maker import JudgedBlock


class Activation(Protocol):
    """Asked by the hearing thread with each block; pressed from any other."""

    @property
    def mode(self) -> Literal["always", "button", "wake"]:
        """As in the settings."""

    @property
    def phrase(self) -> str | None:
        """What wakes it, besides a press; None: nothing does."""

    def listening(self) -> bool:
        """Whether the next block may become part of an utterance."""

    def admit(self, block: JudgedBlock) -> Sequence[JudgedBlock]:
        """The blocks that may become part of an utterance now."""

    def heard_onset(self) -> None:
        """An utterance has started."""

    def heard_end(self) -> None:
        """That utterance is over."""

    def interrupted(self) -> None:
        """What comes next is another stretch of time."""

    def press(self) -> None:
        """Somebody wants to speak. ParrotletError, a sentence, where that means nothing."""


class Always:
    """Listens whenever somebody speaks."""

    mode: Final = "always"
    phrase: Final = None

    def listening(self) -> bool:
        return True

    def admit(self, block: JudgedBlock) -> Sequence[JudgedBlock]:
        return (block,)

    def heard_onset(self) -> None:
        pass

    def heard_end(self) -> None:
        pass

    def interrupted(self) -> None:
        pass

    def press(self) -> None:
        raise ParrotletError("The board listens all the time (activation.mode is always); there is nothing to press.")


class Button:
    """Listens for one utterance after a press: it must start within the window, and may then take its time."""

    mode: Final = "button"
    phrase: Final = None

    def __init__(self, window_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._window_s = window_s
        self._clock = clock
        self._lock = threading.Lock()
        self._open_until_s = clock()
        self._in_utterance = False

    def press(self) -> None:
        """Opens the window, or opens it anew. A press during an utterance changes nothing."""
        with self._lock:
            if not self._in_utterance:
                self._open_until_s = self._clock() + self._window_s

    def listening(self) -> bool:
        with self._lock:
            return self._in_utterance or self._clock() < self._open_until_s

    def admit(self, block: JudgedBlock) -> Sequence[JudgedBlock]:
        return (block,) if self.listening() else ()

    def interrupted(self) -> None:
        """The window stays open."""

    def heard_onset(self) -> None:
        with self._lock:
            self._in_utterance = True

    def heard_end(self) -> None:
        with self._lock:
            self._in_utterance = False
            self._open_until_s = self._clock()
