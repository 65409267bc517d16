"""Words near a cut are told from others."""

import pytest

from benchmarks.seams import Near, near_and_far


@pytest.mark.parametrize(
    ("second", "near"),
    [
        ("e f g h", Near(4, 0)),
        ("f g h", Near(4, 1)),
        ("d e f g h", Near(4, 1)),
        ("e x g h", Near(4, 1)),
        ("e f g x", Near(4, 0)),
    ],
)
def test_words_that_a_cut_loses_or_doubles_are_near_it(second: str, near: Near) -> None:
    first = {"transcript": "a b c d", "end_reason": "max_length"}
    last = {"transcript": second, "end_reason": "endpoint"}
    assert near_and_far("a b c d e f g h", [first, last])[0] == near
