"""What the board lets be heard of what comes of an utterance: a small sound, or words, never both for the same."""

from collections.abc import Callable

from edge.answering.chimes import Chime
from edge.answering.mouth import Mouth
from edge.answering.speech_text import Says, spoken
from edge.asking.answer import Answer
from edge.spool.event import Event, Kind

STOP_WORDS = frozenset(
    {"stop", "stop it", "please stop", "okay", "ok", "enough", "quiet", "be quiet", "silence", "off", "thank you"}
)
"""What ends a ring, whatever a domain makes of it."""


class Replies:
    """For any thread; never waits."""

    def __init__(
        self,
        mouth: Mouth,
        *,
        chimes: bool,
        says: Says,
        replies_itself: Callable[[Event], bool] = lambda event: False,
        silence: Callable[[], bool] = lambda: False,
    ) -> None:
        """`chimes`: whether there are any; `replies_itself`: whether what does the event's action will say how it went;
        `silence`: ends a ring, and says whether there was one."""
        self._mouth = mouth
        self._chimes = chimes
        self._says = says
        self._replies_itself = replies_itself
        self._silence = silence

    def expect(self) -> None:
        """Somebody has begun to speak."""
        if self._chimes or self._mouth.has_voice:
            self._mouth.expect()

    def heard(self, is_over: Callable[[], bool]) -> None:
        """What was said has ended; `is_over`: whether its answer is there."""
        if self._chimes:
            self._mouth.play_unless(Chime.HEARD, is_over)

    def tell(self, event: Event) -> None:
        """What came of an utterance, live or while somebody may still want it."""
        if event.kind is Kind.KEPT:
            self._chime(Chime.OFFLINE)
        elif event.kind is Kind.REFUSED:
            self._chime(Chime.NOT_UNDERSTOOD)
        elif event.may_act and event.answer is not None:
            self._answer(event, event.answer)

    def say(self, text: str) -> None:
        """How an action went."""
        if self._mouth.has_voice:
            self._mouth.say(text)
        else:
            self._chime(Chime.UNDERSTOOD)

    def _answer(self, event: Event, answer: Answer) -> None:
        if answer.transcript.lower().strip(" .!") in STOP_WORDS and self._silence():
            return
        if self._replies_itself(event):
            return
        text = spoken(answer, self._says) if self._mouth.has_voice else ""
        if text:
            self._mouth.say(text)
        else:
            self._chime(Chime.UNDERSTOOD if _is_understood(answer) else Chime.NOT_UNDERSTOOD)

    def _chime(self, which: Chime) -> None:
        if self._chimes:
            self._mouth.play(which)


def _is_understood(answer: Answer) -> bool:
    """Something was meant, or found, and it is clear what."""
    return not answer.choices and bool(answer.intent or answer.action or answer.results)
