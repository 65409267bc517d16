"""What two ears of a board hear of one sentence is done once."""

import msgspec
import pytest

from edge.spool.event import Event, Kind
from edge.spool.twins import Twins
from tests.edge_fakes import ANSWER

SPOKEN = Event("u1", Kind.FINAL, 5_000_000, 1_000_000, ANSWER, duration_ms=2000, snr_db=12.0)
BY_PHONE = msgspec.structs.replace(SPOKEN, utterance_id="u2", ear="ab12", spoken_at_unix_us=1_300_000, snr_db=30.0)


def changed(event: Event, **values: object) -> Event:
    return msgspec.structs.replace(event, **values)


def test_the_second_ear_is_told_and_acts_no_more() -> None:
    twins = Twins()
    first, second = twins.marked(SPOKEN), twins.marked(BY_PHONE)
    assert first == SPOKEN
    assert first.may_act
    assert second.twin_of == "u1"
    assert second.heard_best == "ab12"
    assert not second.may_act
    assert Twins().marked(BY_PHONE).may_act


def test_who_heard_best_may_be_the_first() -> None:
    twins = Twins()
    twins.marked(SPOKEN)
    assert twins.marked(changed(BY_PHONE, snr_db=3.0)).heard_best == "board"


@pytest.mark.parametrize(
    "other",
    [
        changed(BY_PHONE, ear=None),
        changed(BY_PHONE, spoken_at_unix_us=2_500_000),
        changed(BY_PHONE, kind=Kind.BETTER),
        changed(BY_PHONE, duration_ms=None),
        changed(BY_PHONE, answer=changed(ANSWER, transcript="turn off the lights")),  # type: ignore[arg-type]
        changed(BY_PHONE, answer=None),
    ],
    ids=["the same ear", "later", "a better answer", "unknown how long", "other words", "no answer"],
)
def test_what_is_something_else_is_no_twin(other: Event) -> None:
    twins = Twins()
    twins.marked(SPOKEN)
    assert twins.marked(other).twin_of is None


def test_what_was_meant_counts_before_what_was_written() -> None:
    light = changed(ANSWER, intent="lightOn", slots={"room": "kitchen"}, transcript="turn on the kitchen light")  # type: ignore[arg-type]
    other = changed(light, slots={"room": "attic"})  # type: ignore[arg-type]
    same = changed(light, transcript="kitchen lights on")  # type: ignore[arg-type]
    for answer, twin in ((other, None), (same, "u1")):
        twins = Twins()
        twins.marked(changed(SPOKEN, answer=light))
        assert twins.marked(changed(BY_PHONE, answer=answer)).twin_of == twin
