"""Which action an answer holds, and which events let it be done."""

import msgspec
import pytest

from edge.actions.action import NAME_CHARACTERS_MAX, Action, action_of
from edge.asking.answer import Answer, Choice, Result
from edge.spool.event import Event, Kind

ENTRY = Result("timer-5", "Timer, 5 minutes", "", 3.0, None, "timer.start", {"minutes": 5})
OTHER = Result("lights-on", "Lights on", "", 2.0, None, "light.on")
SAID = Answer(
    "cloud",
    transcript="set a timer for ten minutes",
    intent="setTimer",
    slots={"time": "ten minutes"},
    values={"time": "600"},
    action="timer.set",
    response="A timer for ten minutes.",
    results=(ENTRY, OTHER),
)


def done(answer: Answer | None, kind: Kind = Kind.FINAL) -> Action | None:
    return action_of(Event("u1", kind, 2, 1, answer), "board-1")


def but(**changes: object) -> Answer:
    return msgspec.structs.replace(SAID, **changes)


def test_an_intents_own_action_goes_before_that_of_what_was_found() -> None:
    assert done(SAID) == Action(
        utterance_id="u1",
        device_id="board-1",
        name="timer.set",
        spoken_at_unix_us=1,
        values={"time": "600"},
        slots={"time": "ten minutes"},
        data={},
        intent="setTimer",
        transcript="set a timer for ten minutes",
        response="A timer for ten minutes.",
    )


def test_else_the_best_result_acts_and_no_other_does() -> None:
    action = done(but(action=None))
    assert action is not None
    assert (action.name, action.data) == ("timer.start", {"minutes": 5})
    assert action.values == {"time": "600"}
    leads_to_a_page = Result("weather", "Weather", "", 4.0, "https://wttr.in/", None)
    assert done(but(action=None, results=(leads_to_a_page, OTHER))) is None
    assert done(but(action=None, results=())) is None


def test_what_was_said_goes_before_what_the_catalogue_says() -> None:
    action = done(but(action=None, values={"minutes": "7"}))
    assert action is not None
    assert (action.value("minutes"), action.value("hours")) == ("7", None)
    assert msgspec.structs.replace(action, values={}).value("minutes") == 5


def test_where_a_part_could_not_be_searched_no_result_acts() -> None:
    assert done(but(action=None, results_are_partial=True)) is None
    assert done(but(results_are_partial=True)) is not None


def test_an_answer_that_asks_back_does_nothing() -> None:
    choices = (Choice("lights on", "on"), Choice("lights off", "off"))
    assert done(but(choices=choices)) is None
    assert done(but(choices=choices, action=None)) is None


@pytest.mark.parametrize("kind", Kind)
def test_only_a_final_that_somebody_waits_for_acts(kind: Kind) -> None:
    assert (done(SAID, kind) is not None) == (kind in (Kind.FINAL, Kind.LATE))
    assert done(None, kind) is None


@pytest.mark.parametrize("name", ["", "a\nb", "a\0b", "x" * (NAME_CHARACTERS_MAX + 1)])
def test_a_name_that_is_none_does_nothing(name: str) -> None:
    assert done(but(action=name)) is None
