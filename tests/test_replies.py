"""What is heard of what comes of an utterance."""

from typing import Any

import pytest

from edge.answering.chimes import Chime
from edge.answering.mouth import Mouth
from edge.answering.replies import Replies
from edge.asking.answer import Answer, Choice, Result
from edge.speech.half_duplex import OwnSound
from edge.spool.event import Event, Kind
from tests.answering_fakes import FakeLoudspeaker, FakeVoice

RESULT = Result("w", "Will it rain?", "Not before tonight.", 1.0, None, None)
FOUND = Answer("cloud", transcript="will it rain", results=(RESULT,))
DONE = Answer("cloud", transcript="lights on", intent="light", action="light.on", response="Lights on.")
NOTHING = Answer("cloud", transcript="the the")
ASKS = Answer("cloud", choices=(Choice("a", "x"), Choice("b", "x")))


class Noting(Mouth):
    """Keeps what it is asked for."""

    def __init__(self, voice: FakeVoice | None) -> None:
        super().__init__(FakeLoudspeaker(), voice, OwnSound(), volume_db=0.0, in_utterance=lambda: False)
        self.asked: list[Chime | str] = []

    def expect(self) -> None:
        self.asked.append("(prepares)")

    def play(self, which: Chime) -> None:
        self.asked.append(which)

    def play_unless(self, which: Chime, needless: Any) -> None:
        self.asked.append(which)

    def say(self, text: str) -> None:
        self.asked.append(text)


def event(kind: Kind, answer: Answer | None = None) -> Event:
    return Event("u", kind, 2, 1, answer)


def told(*events: Event, voice: bool = True, chimes: bool = True, **how: Any) -> list[Chime | str]:
    mouth = Noting(FakeVoice() if voice else None)
    replies = Replies(mouth, chimes=chimes, says=how.pop("says", "snippet"), **how)
    for one in events:
        replies.tell(one)
    return mouth.asked


@pytest.mark.parametrize(
    ("answer", "spoken", "chime"),
    [
        (DONE, "Lights on.", Chime.UNDERSTOOD),
        (FOUND, "Not before tonight.", Chime.UNDERSTOOD),
        (NOTHING, Chime.NOT_UNDERSTOOD, Chime.NOT_UNDERSTOOD),
        (ASKS, "Did you mean a, or b?", Chime.NOT_UNDERSTOOD),
    ],
)
def test_an_answer_is_spoken_or_has_its_chime_and_never_both(answer: Answer, spoken: Chime | str, chime: Chime) -> None:
    for kind in (Kind.FINAL, Kind.LATE):
        assert told(event(kind, answer)) == [spoken]
        assert told(event(kind, answer), voice=False) == [chime]
        assert told(event(kind, answer), voice=False, chimes=False) == []


def test_where_only_responses_are_spoken_what_was_found_has_a_chime() -> None:
    assert told(event(Kind.FINAL, FOUND), says="response") == [Chime.UNDERSTOOD]
    assert told(event(Kind.FINAL, FOUND), says="title") == ["Will it rain?"]


def test_an_answer_that_nobody_waits_for_any_more_is_not_heard() -> None:
    assert told(event(Kind.BETTER, DONE), event(Kind.EXPIRED), event(Kind.DROPPED)) == []


def test_that_nobody_could_be_asked_is_heard_and_that_nobody_ever_will() -> None:
    assert told(event(Kind.KEPT), event(Kind.REFUSED)) == [Chime.OFFLINE, Chime.NOT_UNDERSTOOD]
    assert told(event(Kind.KEPT), event(Kind.REFUSED), chimes=False) == []


def test_what_does_the_action_tells_how_it_went() -> None:
    assert told(event(Kind.FINAL, DONE), replies_itself=lambda one: True) == []
    for voice, heard in ((True, "Timer for 10 minutes."), (False, Chime.UNDERSTOOD)):
        mouth = Noting(FakeVoice() if voice else None)
        Replies(mouth, chimes=True, says="response").say("Timer for 10 minutes.")
        assert mouth.asked == [heard]


@pytest.mark.parametrize("words", ["Stop.", "stop it", "OK"])
def test_a_word_ends_a_ring_and_is_nothing_else_then(words: str) -> None:
    silenced: list[bool] = []

    def silence() -> bool:
        silenced.append(True)
        return len(silenced) == 1

    answer = Answer("local", transcript=words, action="music.stop", response="Music off.")
    assert told(event(Kind.FINAL, answer), event(Kind.FINAL, answer), silence=silence) == ["Music off."]
    assert told(event(Kind.FINAL, DONE), silence=silence) == ["Lights on."]


def test_what_plays_is_held_ready_only_where_something_may_be_played() -> None:
    for voice, chimes, prepared in ((True, False, True), (False, True, True), (False, False, False)):
        mouth = Noting(FakeVoice() if voice else None)
        replies = Replies(mouth, chimes=chimes, says="response")
        replies.expect()
        assert mouth.asked == ["(prepares)"] * prepared
        replies.heard(lambda: False)
        assert mouth.asked[prepared:] == [Chime.HEARD] * chimes
