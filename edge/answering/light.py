"""Shows on a lamp what the board does, by colour and by rhythm, so that a lamp of one colour tells it, too."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from edge.answering.doing import Doing
from edge.answering.lamp import OFF, Colour, Lamp
from edge.worker import Worker

logger = logging.getLogger(__name__)

CLOSE_S_MAX = 2.0

FOR_EVER_S = 3600.0


class Step(NamedTuple):
    """Of a rhythm."""

    colour: Colour
    lasts_s: float


_BLUE, _CYAN, _GREEN, _RED, _YELLOW = (
    Colour(0, 40, 255),
    Colour(0, 200, 200),
    Colour(0, 255, 40),
    Colour(255, 0, 0),
    Colour(255, 150, 0),
)

RHYTHMS: Mapping[Doing, Sequence[Step]] = {
    Doing.IDLE: (Step(OFF, FOR_EVER_S),),
    Doing.LISTENING: (Step(_BLUE, FOR_EVER_S),),
    Doing.THINKING: (Step(_CYAN, 0.15), Step(OFF, 0.15)),
    Doing.SPEAKING: (Step(_GREEN, 0.5), Step(OFF, 0.1)),
    Doing.MUTED: (Step(_RED, 2.8), Step(OFF, 0.2)),
    Doing.OFFLINE: (Step(_YELLOW, 0.1), Step(OFF, 2.9)),
    Doing.ERROR: (Step(_RED, 0.15), Step(OFF, 0.15), Step(_RED, 0.15), Step(OFF, 1.5)),
}


class Light:
    """A context manager, with a thread of its own: a bus that hangs keeps nobody who hears."""

    def __init__(self, lamp: Lamp, doing: Callable[[], Doing], clock: Callable[[], float] = time.monotonic) -> None:
        """`doing` is asked in the light's thread, after each `look`."""
        self.worker = Worker("light", self._work)
        self._lamp = lamp
        self._doing = doing
        self._clock = clock
        self._changed = threading.Event()
        self._closing = False
        self._dark = False

    def __enter__(self) -> "Light":
        self.worker.start()
        return self

    def __exit__(self, *cause: object) -> None:
        self._closing = True
        self._changed.set()
        self.worker.join(CLOSE_S_MAX)

    def look(self) -> None:
        """Something may have changed. For any thread; never waits."""
        self._changed.set()

    def _work(self) -> None:
        doing: Doing | None = None
        step, until_s = 0, 0.0
        while not self._closing:
            self._changed.clear()
            before, doing = doing, self._doing()
            if doing is not before or self._clock() >= until_s:
                step = step + 1 if doing is before else 0
                colour, lasts_s = RHYTHMS[doing][step % len(RHYTHMS[doing])]
                until_s = self._clock() + lasts_s
                self._show(colour)
            self._changed.wait(max(0.0, until_s - self._clock()))
        self._show(OFF)
        try:
            self._lamp.close()
        except OSError as error:
            logger.debug("light: %s", error)

    def _show(self, colour: Colour) -> None:
        try:
            self._lamp.show(colour)
            self._dark = False
        except OSError as error:
            if not self._dark:
                logger.warning("light: %s; it is tried again", error.strerror or error)
            self._dark = True
