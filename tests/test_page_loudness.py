"""Whose level the page is told."""

from collections import Counter

from edge.page.loudness import HELD_S, LEVEL_S, Loudness

BLOCK_S = 0.02


def told(loudness: Loudness, seconds: float, speech: dict[str, bool], from_s: float = 0.0) -> Counter[str]:
    """Ears that hear speech or do not, block by block; whose levels were told."""
    found: Counter[str] = Counter()
    for block in range(round(seconds / BLOCK_S)):
        for ear, is_speech in speech.items():
            found[ear] += loudness.is_told(ear, is_speech, from_s + block * BLOCK_S)
    return +found


def test_however_many_hear_a_few_levels_a_second_are_told_and_all_of_one_ear() -> None:
    found = told(Loudness(), 10.0, {"board": False, **{f"phone {number}": True for number in range(5)}})
    assert len(found.keys() - {"board"}) == 1
    assert 10.0 / LEVEL_S * 0.9 <= found.total() <= 10.0 / LEVEL_S
    assert found["board"] <= 1


def test_who_speaks_takes_over_from_who_hears_none() -> None:
    loudness = Loudness()
    assert told(loudness, 2.0, {"board": False}).keys() == {"board"}
    assert told(loudness, 1.0, {"board": False, "phone": True}, 2.0)["phone"] >= 4


def test_who_has_fallen_silent_keeps_its_turn_for_a_breath() -> None:
    loudness = Loudness()
    told(loudness, 1.0, {"a": True})
    assert told(loudness, HELD_S / 2, {"a": False, "b": True}, 1.0).keys() == {"a"}
    assert told(loudness, 2 * HELD_S, {"a": False, "b": True}, 1.0 + HELD_S / 2)["b"] >= 4


def test_who_is_gone_holds_up_nobody() -> None:
    loudness = Loudness()
    told(loudness, 1.0, {"a": True})
    assert told(loudness, 2 * HELD_S, {"board": False}, 1.0)["board"] >= 4
