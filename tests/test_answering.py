"""The parts by which the board answers, as they are set; and what a press, a wake word and a word do to them."""

import io
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from common.errors import CloudError, ParrotletError
from edge.__main__ import main
from edge.actions.action import Action
from edge.actions.household import Household
from edge.answering.answering import Answering
from edge.answering.chimes import Chime, chime
from edge.answering.doing import Doing
from edge.asking.exchange import Exchange
from edge.asking.recogniser import Service
from edge.board.board import Board
from edge.board.control import ControlServer
from edge.board.display import Display
from edge.board.status import list_lines, status_lines
from edge.board.timers_line import timers_line
from edge.console import Console
from edge.settings import Answer as AnswerSettings
from edge.settings import EdgeSettings
from edge.sound.capture import State
from edge.speech.activation import Activation, Always, Button
from edge.speech.half_duplex import HalfDuplex, OwnSound
from edge.speech.utterance import UtteranceEnd, UtteranceHead
from edge.spool.event import Event, Kind
from tests.answering_fakes import WAIT_S, FakeLoudspeaker
from tests.edge_fakes import ANSWER, FakeRecogniser, utterance
from tests.test_daemon import Ears
from tests.test_wake import blocks

SETTINGS = EdgeSettings(answer=AnswerSettings(sounds="always", volume_db=0.0))


class Rig:
    """A board that answers, with a loudspeaker of the test."""

    def __init__(self, folder: Path, activation: Activation, settings: EdgeSettings, *, holds: bool) -> None:
        self.loudspeaker = FakeLoudspeaker(holds=holds)
        own = OwnSound()
        self.ears = HalfDuplex(activation, own)
        self.microphone = Ears()
        self.board = Board(self.microphone, self.ears, settings, "s")
        self.household = Household(
            folder,
            "boot",
            ring=lambda: self.answering.ring(),
            on_change=lambda: self.answering.look(),
            reply=self.board.reply,
        )
        self.answering = Answering(
            settings.answer,
            self.ears,
            own,
            loudspeaker=self.loudspeaker,
            silence=self.household.timekeeper.silence,
            replies_itself=self.household.replies,
            doing=self.board.doing,
        )
        self.board.answers(self.answering, self.household)

    def rings(self) -> None:
        """A timer is over."""
        self.household.timekeeper.start(1)
        assert self.loudspeaker.begun.wait(WAIT_S)

    def settled(self, is_so: Callable[[], bool]) -> None:
        for _ in range(1000):
            if is_so():
                return
            threading.Event().wait(0.01)
        raise AssertionError("it never was so")


Make = Callable[..., Any]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Make]:
    @contextmanager
    def make(
        activation: Activation | None = None, settings: EdgeSettings = SETTINGS, *, holds: bool = False
    ) -> Iterator[Rig]:
        made = Rig(tmp_path, activation or Always(), settings, holds=holds)
        with made.answering, made.household.timekeeper:
            yield made
        for worker in (*made.answering.workers, made.household.timekeeper.worker):
            assert worker.error is None
            assert not worker.alive

    yield make


def exchange(rig: Rig, outcome: Any = ANSWER, *, at_once: bool = True) -> Exchange:
    head, _, end = utterance(0)
    assert isinstance(head, UtteranceHead)
    assert isinstance(end, UtteranceEnd)
    one = Exchange(FakeRecogniser(outcome, at_once=at_once), head, on_over=rig.board.over)
    rig.board.heard(one)
    one.finish(end)
    rig.board.ended(one)
    return one


@pytest.mark.parametrize(
    ("sounds", "activation", "chimes"),
    [
        ("asked", Always(), False),
        ("asked", Button(8.0), True),
        ("always", Always(), True),
        ("off", Button(8.0), False),
    ],
)
def test_chimes_are_where_somebody_asked_to_be_heard_or_where_they_are_wanted(
    rig: Make, sounds: Any, activation: Activation, chimes: bool
) -> None:
    with rig(activation, EdgeSettings(answer=AnswerSettings(sounds=sounds, volume_db=0.0))) as made:
        made.board.tell(Event("u", Kind.KEPT, 1, 1))
        made.answering.ring()
        made.loudspeaker.wait_for(1 + chimes)
        sizes = [chime(which, 0.0).size for which in (Chime.OFFLINE, Chime.RING)]
        assert made.loudspeaker.played == sizes[0 if chimes else 1 :], "a timer rings all the same"


def test_an_answer_that_takes_its_time_has_a_sign_first(rig: Make) -> None:
    with rig() as made:
        exchange(made, at_once=False)
        made.loudspeaker.wait_for(1)
        assert made.loudspeaker.played == [chime(Chime.HEARD, 0.0).size]
        assert made.loudspeaker.calls[0] == "prepare", "since somebody began to speak"


def test_a_press_ends_a_ring_and_nothing_else(rig: Make) -> None:
    button = Button(8.0)
    with rig(button, holds=True) as made:
        made.rings()
        assert [timer["rings"] for timer in made.board.status()["timers"]] == [True]
        assert made.board.press() == {}
        made.settled(lambda: made.board.timers() == [])
        assert made.loudspeaker.stopped >= 1
        assert not button.listening()
        made.board.press()
        assert button.listening()


@pytest.mark.parametrize("muted", [False, True])
def test_a_press_ends_what_is_said_and_listens_where_that_may_be(rig: Make, muted: bool) -> None:
    button = Button(8.0)
    with rig(button, holds=True) as made:
        made.answering.ring()
        assert made.loudspeaker.begun.wait(WAIT_S)
        if muted:
            made.board.commands["mute"]()
        assert made.board.press() == {}
        assert button.listening() is not muted


def test_where_the_board_always_listens_a_press_only_ends_something(rig: Make) -> None:
    with rig(holds=True) as made:
        with pytest.raises(ParrotletError, match="there is nothing to press"):
            made.board.press()
        made.answering.ring()
        assert made.loudspeaker.begun.wait(WAIT_S)
        assert made.board.press() == {}


def test_who_wakes_the_board_ends_a_ring_without_waiting_for_anything(rig: Make) -> None:
    button = Button(8.0)
    with rig(button, holds=True) as made:
        made.rings()
        button.press()
        made.ears.admit(blocks("_")[0])
        made.settled(lambda: made.board.timers() == [])
        assert made.loudspeaker.stopped >= 1


TIMER = Action("u", "kitchen", "timer.start", 1)


def test_who_spoke_into_a_phone_reads_the_answer_there(rig: Make) -> None:
    with rig() as made:
        made.board.tell(Event("u", Kind.FINAL, 1, 1, ANSWER, ear="phone"))
        made.board.reply(msgspec.structs.replace(TIMER, ear="phone"), "Timer for 10 minutes.")
        assert not made.loudspeaker.begun.is_set()
        made.board.reply(TIMER, "Timer for 10 minutes.")
        assert made.loudspeaker.begun.wait(WAIT_S)


def test_a_word_ends_a_ring(rig: Make) -> None:
    with rig(holds=True) as made:
        made.rings()
        stop = msgspec.structs.replace(ANSWER, transcript="Stop.", results=())
        made.board.tell(Event("u", Kind.FINAL, 1, 1, stop))
        made.settled(lambda: made.board.timers() == [])


def test_what_the_board_did_by_itself_is_shown_and_what_is_forgotten_is_not_said(rig: Make) -> None:
    with rig(holds=True) as made:
        made.board.reply(TIMER, "Timer for 10 minutes.")
        assert list(made.board.unseen) == ["Timer for 10 minutes."]
        assert made.loudspeaker.begun.wait(WAIT_S)
        made.board.forget()
        assert not made.board.unseen
        assert made.loudspeaker.stopped >= 1


def test_what_the_board_does_is_told_and_the_more_private_first(rig: Make) -> None:
    button = Button(8.0)
    with rig(button, holds=True) as made:
        assert made.board.doing() is Doing.IDLE
        button.press()
        assert made.board.doing() is Doing.LISTENING
        button.heard_end()
        button._open_until_s = 0.0
        waiting = exchange(made, at_once=False)
        assert made.loudspeaker.begun.wait(WAIT_S)
        assert made.board.doing() is Doing.SPEAKING
        made.loudspeaker.goes_on.set()
        made.settled(lambda: made.board.doing() is Doing.THINKING)
        waiting.settle(CloudError("away"))
        made.board.keeps(None, lambda: [Service("cloud", "c:1", "away", None)])
        assert made.board.doing() is Doing.OFFLINE
        made.microphone.state = State.ABSENT
        assert made.board.doing() is Doing.ERROR
        made.board.commands["mute"]()
        assert made.board.doing() is Doing.MUTED


def test_what_is_not_here_is_told_in_the_log_and_the_rest_works(
    rig: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", "")
    settings = AnswerSettings(sounds="always", voice="piper", voice_name="/nowhere.onnx", light="led:none-such")
    caplog.set_level(logging.WARNING)
    with rig(settings=EdgeSettings(answer=settings)) as made:
        made.board.tell(Event("u", Kind.KEPT, 1, 1))
        made.loudspeaker.wait_for(1)
        assert len(made.answering.workers) == 1
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "there is no light",
        "answers are not spoken",
    ]


TIMERS = [
    {"lasts_s": 600.0, "left_s": 0.0, "rings": True},
    {"lasts_s": 1500.0, "left_s": 244.2, "rings": False},
]


def test_timers_are_shown_in_a_line() -> None:
    assert timers_line(TIMERS) == "timer of 10 minutes RINGS; 4:05 left of 25 minutes"
    assert timers_line([]) == ""


def test_status_shows_timers_and_a_loudspeaker_that_is_not_heard(rig: Make) -> None:
    with rig() as made:
        assert not any(line.startswith(("timers", "loudspeaker")) for line in status_lines(made.board.status()))
        made.loudspeaker.fault = "It is gone."
        made.answering.ring()
        made.settled(lambda: made.board.status()["answer"]["trouble"] is not None)
        lines = status_lines(made.board.status() | {"timers": TIMERS})
        assert "loudspeaker  NOT HEARD: It is gone." in lines
        assert any(line.startswith("timers      timer of 10 minutes RINGS") for line in lines)
        assert made.board.status()["healthy"]


def test_a_terminal_shows_timers_and_replies(rig: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TERM", raising=False)
    out = io.StringIO()
    out.isatty = lambda: True  # type: ignore[method-assign]
    with rig() as made:
        display = Display(Console(out), made.board)
        display.update()
        assert out.getvalue() == ""
        exchange(made, msgspec.structs.replace(ANSWER, response="A timer for ten minutes."))
        made.board.reply(TIMER, "A timer for ten minutes.")
        made.board.reply(TIMER, "8 minutes left.\x1b[2J")
        made.household.timekeeper.start(600)
        display.update()
        shown = out.getvalue()
        assert shown.count("A timer for ten minutes.") == 1, "what the domain says is shown with the answer"
        assert "8 minutes left. [2J" in shown
        assert "left of 10 minutes" in shown
        made.household.timekeeper.stop()
        display.update()
        assert out.getvalue().endswith("\r\x1b[K")


def test_lists_are_printed(rig: Make, tmp_path: Path) -> None:
    assert list_lines({}) == ["There is nothing on any list."]
    with rig() as made, ControlServer(tmp_path, made.board.commands):
        made.household.lists.add("shopping", "milk")
        made.household.lists.add("shopping", "crème\x1b")
        asked = ["lists", "--runtime-dir", str(tmp_path)]
        assert CliRunner().invoke(main, asked).output == "shopping:\n  milk\n  crème \n"
        assert CliRunner().invoke(main, [*asked, "--json"]).output == '{"shopping": ["milk", "crème\\u001b"]}\n'
