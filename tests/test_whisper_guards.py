import pytest

from cloud.decoders.whisper_guards import GHOSTS, Reading, doubts, is_settled


def reading(text: str = "Turn on the light.", **changes: float) -> Reading:
    return Reading(text, **({"tokens": 6, "tokens_max": 20, "log_probability": -0.2, "no_speech": 0.05} | changes))


def test_plain_words_are_believed_at_once() -> None:
    assert doubts(reading()) == ()
    assert is_settled(reading())


@pytest.mark.parametrize(
    ("heard", "objection"),
    [
        (reading(""), "no_speech"),
        (reading(" ... "), "no_speech"),
        (reading(no_speech=0.7), "no_speech"),
        (reading(tokens=20), "length"),
        (reading(log_probability=-1.1), "log_probability"),
        (reading("so good so good so good so good"), "repetition"),
        (reading("la la la"), "repetition"),
        (reading("Thank you.", no_speech=0.4), "ghost"),
        (reading("Thanks for watching!", log_probability=-0.95), "ghost"),
    ],
)
def test_each_guard_objects_to_its_own_fault(heard: Reading, objection: str) -> None:
    assert objection in doubts(heard)
    assert not is_settled(heard) or not heard.words


def test_a_ghost_phrase_that_was_clearly_said_is_believed() -> None:
    assert doubts(reading("Thank you.", tokens=3)) == ()


def test_ghosts_are_written_as_they_are_compared() -> None:
    assert all(reading(phrase).words == phrase for phrase in GHOSTS)


def test_what_is_surely_silent_is_not_listened_to_again() -> None:
    assert is_settled(reading("", no_speech=0.9))
    assert not is_settled(reading("", no_speech=0.4))
    assert not is_settled(reading(log_probability=-0.8))
    assert not is_settled(reading(no_speech=0.35))


def test_an_echo_is_listened_to_again_and_not_doubted() -> None:
    echo = reading("The diagram makes it clear. The diagram made it clear.")
    assert not is_settled(echo)
    assert doubts(echo) == ()
    assert is_settled(reading("Turn the kitchen light on and the hall light off."))
