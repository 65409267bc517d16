"""What `scripts/bench page_phones` takes for lost."""

from typing import Any

from benchmarks.page_phones import Cost, figures
from edge.asking.answer import Answer
from edge.spool.event import Event, Kind

TOLD = [
    (1, Event("u1", Kind.FINAL, 1, 1, Answer("cloud", "hello"), ear="p1")),
    (2, Event("u2", Kind.KEPT, 2, 2)),
    (3, Event("u2", Kind.LATE, 3, 2, Answer("cloud", "there"))),
]


def seen(**other: Any) -> dict[str, Any]:
    usual = {"phone": "p1", "kinds": {"answer": 3}, "numbers": [1, 2, 3], "streams": 1, "said": 1, "late_s_max": 0.01}
    return usual | {"told": []} | other


def missed(*phones: dict[str, Any], told: list[tuple[int, Event]] = TOLD, overruns: int = 0) -> list[str]:
    costs = [Cost("alone", 1.0, 80.0, 0), Cost("many", 9.0, 99.0, overruns)]
    return [figure.name for figure in figures(costs, list(phones), told) if not figure.good]


def test_what_is_whole_misses_nothing() -> None:
    assert missed(seen(), seen(phone="p2", said=0)) == []


def test_whatever_is_lost_is_told() -> None:
    assert missed(seen(numbers=[1, 3])) == ["answers that a phone did not see"]
    assert missed(seen(numbers=[1, 2, 3, 3])) == ["answers that a phone saw twice"]
    assert missed(seen(streams=2)) == ["phones that were let go and had to come again"]
    assert missed(seen(told=['{"sentence": "Too fast."}'])) == ["complaints of the board about a phone's sound"]
    assert missed(seen(), overruns=1) == ["overruns of the board's own microphone"]
    assert missed(seen(numbers=[1, 2]), told=TOLD[:2]) == ["utterances without a final, or with two"]
