"""What the board plays, one sound after the other, in a thread of its own: nobody who hears or answers waits for it.

A person goes first: nothing begins while somebody speaks to the board. What would come too late is dropped, but for a
ring: who set a timer wants to know.
"""

import logging
import queue
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from common.errors import LoudspeakerError
from edge.answering.chimes import Chime, chime
from edge.answering.loudspeaker import Loudspeaker
from edge.sound.source import Samples
from edge.speech.half_duplex import OwnSound
from edge.worker import Worker

if TYPE_CHECKING:
    from edge.answering.voice import Voice

logger = logging.getLogger(__name__)

WAITING_MAX = 8
"""Sounds that wait; of more, the newest are dropped. Those of an answer are two."""

LINGER_S = 20.0
"""How long what plays sound is held ready after the last sign of anybody."""

AGAIN_S = 60.0
"""A loudspeaker that failed is not tried again before, but for a ring."""

POLITE_S = 4.0
"""How long a sound waits until a person has finished."""

CLOSE_S_MAX = 2.0

MOMENT_S = 0.3
"""An answer that is there sooner needs no sign that one is sought."""

_LOOK_S = 0.02


class _Sound(NamedTuple):
    what: Chime | str
    """A chime, or a text to be said."""
    number: int
    """Of the time in which it was wanted: `hush` begins another."""
    unless: Callable[[], bool] = lambda: False
    """Makes it needless."""


class Mouth:
    """Its methods are for any thread and never wait, but those of its life."""

    def __init__(
        self,
        loudspeaker: Loudspeaker,
        voice: "Voice | None",
        own: OwnSound,
        *,
        volume_db: float,
        in_utterance: Callable[[], bool],
        on_change: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`in_utterance`: whether a person speaks to the board. `on_change`: the board has begun or ceased to make
        sound."""
        self.dropped = 0
        """Sounds that were not played, for any reason but `hush`."""
        self.worker = Worker("mouth", self._work)
        self._loudspeaker = loudspeaker
        self._voice = voice
        self._own = own
        self._volume_db = volume_db
        self._in_utterance = in_utterance
        self._on_change = on_change
        self._clock = clock
        # None: it is to end.
        self._waiting: queue.Queue[_Sound | Callable[[], None] | None] = queue.Queue(WAITING_MAX)
        self._number = 0
        self._busy = False
        self._again_at_s = clock()
        self._complaint = ""

    def __enter__(self) -> "Mouth":
        self.worker.start()
        return self

    def __exit__(self, *cause: object) -> None:
        # What waits is passed over now, so there is room soon; else it hangs, and ends with the process.
        self.hush()
        with suppress(queue.Full):
            self._waiting.put(None, timeout=CLOSE_S_MAX)
        self.worker.join(CLOSE_S_MAX)

    @property
    def has_voice(self) -> bool:
        """Whether `say` says anything."""
        return self._voice is not None

    @property
    def trouble(self) -> str | None:
        """Why the last sound was not heard, a sentence; None: it was."""
        return self._complaint or None

    @property
    def speaking(self) -> bool:
        """Whether it is making sound, or about to."""
        return self._busy

    def expect(self) -> None:
        """Somebody has begun to speak: there may soon be something to play."""
        self._put(self._prepare)

    def play(self, which: Chime) -> None:
        self._put(_Sound(which, self._number))

    def play_unless(self, which: Chime, needless: Callable[[], bool]) -> None:
        """In a moment, if it is not needless by then."""
        until_s = self._clock() + MOMENT_S
        self._put(partial(self._wait_for, until_s, needless))
        self._put(_Sound(which, self._number, needless))

    def say(self, text: str) -> None:
        """Nothing where there is no voice."""
        if self._voice is not None:
            self._put(_Sound(text, self._number))

    def hush(self) -> bool:
        """Ends what is being played, and forgets what waits; whether there was anything."""
        with self._waiting.mutex:
            was_busy = self._busy or any(isinstance(wanted, _Sound) for wanted in self._waiting.queue)
        self._number += 1
        self._loudspeaker.stop()
        if self._voice is not None:
            self._voice.stop()
        return was_busy

    def _put(self, wanted: _Sound | Callable[[], None] | None) -> None:
        try:
            self._waiting.put_nowait(wanted)
        except queue.Full:
            self.dropped += 1

    def _work(self) -> None:
        rests = True
        while True:
            try:
                wanted = self._waiting.get(timeout=None if rests else LINGER_S)
            except queue.Empty:
                self._loudspeaker.rest()
                rests = True
                continue
            if wanted is None:
                self._loudspeaker.rest()
                return
            rests = False
            if isinstance(wanted, _Sound):
                self._make(wanted)
            else:
                wanted()

    def _prepare(self) -> None:
        if self._clock() >= self._again_at_s:
            self._loudspeaker.prepare()

    def _make(self, sound: _Sound) -> None:
        if sound.number != self._number or sound.unless():
            return
        if self._clock() < self._again_at_s and sound.what is not Chime.RING:
            self.dropped += 1
            return
        self._busy = True
        self._on_change()
        try:
            self._loudspeaker.play(self._while_wanted(sound), self._own.begins)
            self._complaint = ""
        except LoudspeakerError as error:
            self._fail(sound, str(error))
        finally:
            if self._own.played:
                self._own.ended()
            self._busy = False
            self._on_change()

    def _wait_for(self, until_s: float, over: Callable[[], bool]) -> None:
        while self._clock() < until_s and not over():
            time.sleep(_LOOK_S)

    def _fail(self, sound: _Sound, why: str) -> None:
        self.dropped += 1
        if isinstance(sound.what, Chime):
            self._again_at_s = self._clock() + AGAIN_S
        if why != self._complaint:
            logger.warning("not heard: %s", why)
        self._complaint = why

    def _while_wanted(self, sound: _Sound) -> Iterator[Samples]:
        """Asks whether it may begin when it could: a voice takes its time."""
        begun = False
        for samples in self._made(sound.what):
            if not begun and not self._may_begin(sound):
                self.dropped += sound.number == self._number
                return
            begun = True
            if sound.number != self._number:
                return
            yield samples

    def _made(self, what: Chime | str) -> Iterable[Samples]:
        if isinstance(what, Chime):
            return (chime(what, self._volume_db),)
        assert self._voice is not None
        return self._voice.speak(what)

    def _may_begin(self, sound: _Sound) -> bool:
        """Waits until a person has finished, but not for long."""
        self._wait_for(self._clock() + POLITE_S, lambda: sound.number != self._number or not self._in_utterance())
        return sound.what is Chime.RING or not self._in_utterance()
