"""The parts by which the board answers where one stands, put together as its owner has set them."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from common.errors import LoudspeakerError, SettingsError
from edge.answering.chimes import Chime
from edge.answering.doing import Doing
from edge.answering.loudspeaker import Loudspeaker, SpeakerProgram
from edge.answering.mouth import Mouth
from edge.answering.replies import Replies
from edge.settings import Answer as AnswerSettings
from edge.speech.half_duplex import HalfDuplex, OwnSound
from edge.spool.event import Event
from edge.worker import Worker

if TYPE_CHECKING:
    from edge.answering.light import Light
    from edge.answering.voice import Voice

logger = logging.getLogger(__name__)


class Answering:
    """A context manager. Its methods are for any thread and never wait."""

    def __init__(
        self,
        settings: AnswerSettings,
        ears: HalfDuplex,
        own: OwnSound,
        *,
        loudspeaker: Loudspeaker | None = None,
        silence: Callable[[], bool] = lambda: False,
        replies_itself: Callable[[Event], bool] = lambda event: False,
        doing: Callable[[], Doing] = lambda: Doing.IDLE,
    ) -> None:
        """`silence`: ends the ring of a timer, and says whether there was one. `replies_itself`: whether what does an
        event's action says how it went. `doing`: what the board does. What is not here is told in the log; the rest
        works."""
        self._silence = silence
        self._ears = ears
        self._light = _light(settings.light, doing)
        self._mouth = Mouth(
            loudspeaker or SpeakerProgram(settings.device),
            _voice(settings),
            own,
            volume_db=settings.volume_db,
            in_utterance=lambda: ears.in_utterance,
            on_change=self.look,
        )
        self.replies = Replies(
            self._mouth,
            chimes=settings.sounds == "always" or (settings.sounds == "asked" and ears.mode != "always"),
            says=settings.says,
            replies_itself=replies_itself,
            silence=self.hush_ring,
        )
        """What is told by sound or words."""
        self._life = ExitStack()

    def __enter__(self) -> "Answering":
        self._ears.on_woken = self.interrupt
        self._ears.on_change = self.look
        self._life.enter_context(self._mouth)
        if self._light is not None:
            self._life.enter_context(self._light)
        return self

    def __exit__(self, *cause: object) -> None:
        self._life.close()

    @property
    def workers(self) -> list[Worker]:
        """Threads that are missed when they die."""
        return [self._mouth.worker] + ([self._light.worker] if self._light else [])

    @property
    def speaking(self) -> bool:
        return self._mouth.speaking

    def ring(self) -> None:
        """One stroke of it; where the last one is not over, none."""
        if not self._mouth.speaking:
            self._mouth.play(Chime.RING)

    def hush_ring(self) -> bool:
        """Ends a ring, and the stroke under way; whether there was one."""
        if not self._silence():
            return False
        self._mouth.hush()
        return True

    def interrupt(self) -> bool:
        """Ends whatever is being played, or rings; whether there was anything."""
        rang = self._silence()
        if not (self._mouth.hush() or rang):
            return False
        logger.info("what was being played was cut short")
        return True

    def look(self) -> None:
        """The board may do something else now."""
        if self._light is not None:
            self._light.look()

    def status(self) -> dict[str, Any]:
        """See Board.status."""
        return {"speaking": self._mouth.speaking, "not_heard": self._mouth.dropped, "trouble": self._mouth.trouble}


# What is not set is not even loaded.


def _voice(settings: AnswerSettings) -> "Voice | None":
    if settings.voice == "off":
        return None
    from edge.answering.voice import open_voice

    try:
        return open_voice(settings)
    except LoudspeakerError as error:
        logger.warning("answers are not spoken: %s", error)
        return None


def _light(setting: str, doing: Callable[[], Doing]) -> "Light | None":
    if setting == "off":
        return None
    from edge.answering.lamp import open_lamp
    from edge.answering.light import Light

    try:
        lamp = open_lamp(setting)
    except SettingsError as error:
        logger.warning("there is no light: %s", error)
        return None
    return Light(lamp, doing)
