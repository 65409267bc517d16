import pytest

from cloud.workers.load import REMEMBERED_S, UNKNOWN_SHARE, Load


def test_what_was_never_heard_is_guessed() -> None:
    assert Load().share("home") == UNKNOWN_SHARE


def test_it_comes_to_know_each_kind_by_itself() -> None:
    load = Load()
    for _ in range(200):
        load.learn("coffee", worked_s=0.12, speech_s=4.0)
        load.learn("home", worked_s=0.8, speech_s=4.0)
    assert load.share("coffee") == pytest.approx(0.03, rel=0.02)
    assert load.share("home") == pytest.approx(0.2, rel=0.02)
    assert load.total(["coffee", "home", "home"]) == pytest.approx(0.43, rel=0.02)


def test_a_machine_that_becomes_slower_is_noticed_within_a_few_minutes_of_speech() -> None:
    load = Load()
    for _ in range(100):
        load.learn("home", worked_s=0.4, speech_s=4.0)
    for _ in range(round(3 * REMEMBERED_S / 4)):
        load.learn("home", worked_s=2.0, speech_s=4.0)
    assert load.share("home") == pytest.approx(0.5, rel=0.1)


def test_no_frames_teach_nothing() -> None:
    load = Load()
    load.learn("home", worked_s=0.0, speech_s=0.0)
    assert load.share("home") == UNKNOWN_SHARE
