"""What is played, in which order, and who goes first."""

import threading
from collections.abc import Iterator

import pytest

from edge.answering import mouth as mouth_module
from edge.answering.chimes import Chime, chime
from edge.answering.mouth import WAITING_MAX, Mouth
from edge.speech.half_duplex import OwnSound
from tests.answering_fakes import WAIT_S, FakeLoudspeaker, FakeVoice


class Person:
    """Speaks or does not."""

    speaks = False


class Rig:
    """A mouth with fakes around it."""

    def __init__(self, loudspeaker: FakeLoudspeaker, voice: FakeVoice | None) -> None:
        self.loudspeaker = loudspeaker
        self.voice = voice
        self.own = OwnSound()
        self.person = Person()
        self.changes: list[bool] = []
        self.mouth = Mouth(
            loudspeaker,
            voice,
            self.own,
            volume_db=0.0,
            in_utterance=lambda: self.person.speaks,
            on_change=lambda: self.changes.append(self.mouth.speaking),
        )

    def settled(self) -> None:
        """What was asked for before is over."""
        done = threading.Event()
        self.mouth._put(done.set)
        assert done.wait(WAIT_S)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mouth_module, "POLITE_S", 0.05)
    monkeypatch.setattr(mouth_module, "MOMENT_S", 0.05)
    monkeypatch.setattr(mouth_module, "_LOOK_S", 0.001)


def running(rig: Rig) -> Iterator[Rig]:
    with rig.mouth:
        yield rig
    assert rig.mouth.worker.error is None
    assert not rig.mouth.worker.alive


@pytest.fixture
def rig() -> Iterator[Rig]:
    yield from running(Rig(FakeLoudspeaker(), FakeVoice()))


@pytest.fixture
def holding() -> Iterator[Rig]:
    yield from running(Rig(FakeLoudspeaker(holds=True), FakeVoice()))


def test_sounds_are_played_one_after_the_other(rig: Rig) -> None:
    rig.mouth.play(Chime.UNDERSTOOD)
    rig.mouth.say("hello")
    rig.settled()
    assert rig.loudspeaker.played == [chime(Chime.UNDERSTOOD, 0.0).size, 5]
    assert rig.changes == [True, False, True, False]
    assert not rig.own.played
    assert rig.own.heard, "the room has not swallowed it yet"


def test_while_it_plays_the_board_hears_itself_and_no_longer(holding: Rig) -> None:
    holding.mouth.say("hello")
    assert holding.loudspeaker.begun.wait(WAIT_S)
    assert holding.own.played
    assert holding.mouth.speaking
    holding.loudspeaker.goes_on.set()
    holding.settled()
    assert not holding.own.played


def test_hush_ends_what_is_played_and_forgets_what_waits(holding: Rig) -> None:
    holding.mouth.say("hello")
    assert holding.loudspeaker.begun.wait(WAIT_S)
    holding.mouth.say("never")
    assert holding.mouth.hush()
    assert holding.loudspeaker.stopped == 1
    assert holding.voice is not None
    assert holding.voice.stopped == 1
    holding.settled()
    assert holding.voice.said == ["hello"]
    assert not holding.mouth.hush(), "there is nothing any more"
    holding.mouth.say("again")
    holding.settled()
    assert holding.voice.said == ["hello", "again"]


def test_nothing_begins_while_a_person_speaks_but_a_ring(rig: Rig) -> None:
    rig.person.speaks = True
    rig.mouth.play(Chime.UNDERSTOOD)
    rig.mouth.say("hello")
    rig.settled()
    assert rig.loudspeaker.played == []
    assert rig.mouth.dropped == 2
    rig.mouth.play(Chime.RING)
    rig.settled()
    assert rig.loudspeaker.played == [chime(Chime.RING, 0.0).size]


def test_what_waits_for_a_person_is_played_when_they_have_finished(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mouth_module, "POLITE_S", WAIT_S)
    rig.person.speaks = True
    rig.mouth.say("hello")
    rig.person.speaks = False
    rig.settled()
    assert rig.loudspeaker.played == [5]


def test_a_sign_that_an_answer_is_sought_is_only_given_where_none_is_there_soon(rig: Rig) -> None:
    rig.mouth.play_unless(Chime.HEARD, lambda: True)
    rig.settled()
    assert rig.loudspeaker.played == []
    rig.mouth.play_unless(Chime.HEARD, lambda: False)
    rig.settled()
    assert len(rig.loudspeaker.played) == 1
    assert rig.mouth.dropped == 0


def test_a_loudspeaker_that_fails_is_told_once_and_left_alone_for_a_while(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.loudspeaker.fault = "It is gone."
    for _ in range(2):
        rig.mouth.play(Chime.RING)
    rig.settled()
    assert [record.getMessage() for record in caplog.records] == ["not heard: It is gone."]
    assert rig.mouth.trouble == "It is gone."
    rig.loudspeaker.fault = ""
    rig.mouth.play(Chime.UNDERSTOOD)
    rig.settled()
    assert rig.loudspeaker.played == [], "for a minute only rings are tried"
    rig.mouth.play(Chime.RING)
    rig.settled()
    assert len(rig.loudspeaker.played) == 1
    assert rig.mouth.trouble is None


def test_a_loudspeaker_that_hangs_holds_up_nobody_and_what_is_too_much_is_dropped(holding: Rig) -> None:
    holding.mouth.say("hello")
    assert holding.loudspeaker.begun.wait(WAIT_S)
    for _ in range(WAITING_MAX + 3):
        holding.mouth.say("more")
    assert holding.mouth.dropped == 3


def test_what_plays_is_held_ready_while_somebody_is_there_and_let_go_after(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mouth_module, "LINGER_S", 0.01)
    rig.mouth.expect()
    rig.settled()
    rig.mouth.worker.join(0.2)
    assert rig.loudspeaker.calls == ["prepare", "rest"]


def test_without_a_voice_nothing_is_said() -> None:
    for rig in running(Rig(FakeLoudspeaker(), None)):
        rig.mouth.say("hello")
        rig.settled()
        assert not rig.mouth.has_voice
        assert rig.loudspeaker.played == []


def test_a_voice_that_fails_is_told_and_chimes_go_on(caplog: pytest.LogCaptureFixture) -> None:
    for rig in running(Rig(FakeLoudspeaker(), FakeVoice("espeak-ng cannot be started."))):
        rig.mouth.say("hello")
        rig.mouth.play(Chime.UNDERSTOOD)
        rig.settled()
        assert len(rig.loudspeaker.played) == 1
    assert "espeak-ng cannot be started." in caplog.text


def test_it_ends_while_it_plays(holding: Rig) -> None:
    holding.mouth.say("hello")
    assert holding.loudspeaker.begun.wait(WAIT_S)
