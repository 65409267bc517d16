"""What is called stable stays."""

from hypothesis import given
from hypothesis import strategies as st

from cloud.partial_text import PartialText


def test_words_are_stable_when_two_readings_agree() -> None:
    partial = PartialText()
    assert partial.update("turn")
    assert (partial.stable, partial.unstable) == ([], ["turn"])
    assert partial.update("turn on a")
    assert (partial.stable, partial.unstable) == (["turn"], ["on", "a"])
    assert partial.update("turn on the light")
    assert (partial.stable, partial.unstable) == (["turn", "on"], ["the", "light"])


def test_nothing_new_is_no_update() -> None:
    partial = PartialText()
    assert not partial.update("")
    assert partial.update("so")
    assert partial.update("so")
    assert not partial.update("so")
    assert partial.revision == 2


@given(st.lists(st.lists(st.sampled_from(["a", "b", "c"]), max_size=6)))
def test_stable_words_are_never_taken_back(readings: list[list[str]]) -> None:
    partial = PartialText()
    stable: list[str] = []
    for reading in readings:
        partial.update(" ".join(reading))
        assert partial.stable[: len(stable)] == stable
        stable = list(partial.stable)
