"""The operating point: as few false commands as are borne, and then as many understood as can be."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from edge.local.model import Probabilities
from models.data.clip import Clip
from models.evaluation.operating_point import (
    THRESHOLDS,
    Counts,
    Group,
    Judged,
    Limits,
    at,
    chosen,
    metrics,
    summed,
    talk_of,
)
from protos.model_card import ModelCard, read_model_card
from tests.tones import TONES

STRICT = Limits(per_hour=0.0, share=0.0)


@pytest.fixture
def card() -> ModelCard:
    """Its commands are "yes" and "no"; labels are silence, unknown, yes, no."""
    return read_model_card(TONES / "card.json")


def rows(*yes: float) -> Probabilities:
    """Of "yes" in each window; the rest is unknown."""
    return np.array([[0, 1 - one, one, 0] for one in yes], np.float32)


def judged(
    label: str,
    kind: Literal["commands", "talk", "traps", "near"],
    said: Sequence[Probabilities | None],
    hours: float = 1.0,
) -> Judged:
    clips = [(Path(), Clip(path=f"{label}{number}.wav", label=label)) for number in range(len(said))]
    return Judged(Group(f"{label}s", kind, clips), hours, list(enumerate(said)))


def test_the_least_threshold_without_false_commands_is_chosen(card: ModelCard) -> None:
    commands = judged("yes", "commands", [rows(0.9), rows(0.85), rows(0.6), None])
    traps = judged("unknown", "traps", [rows(0.8), rows(0.1)])
    choice = chosen([commands, traps], card, STRICT)
    assert (choice.point.threshold, choice.point.smoothing_windows, choice.within) == (0.81, 1, True)
    assert choice.counts == Counts(right=2, wrong=0, of=4, false=0, others=2)


def test_so_many_false_commands_are_borne_of_traps_by_share_and_of_talk_by_hour(card: ModelCard) -> None:
    commands = judged("yes", "commands", [rows(0.9), rows(0.5)])
    traps = judged("unknown", "traps", [rows(0.8), *[rows(0.1)] * 99])
    talk = judged("unknown", "talk", [rows(0.705), rows(0.2)], hours=2.0)
    assert chosen([commands, traps], card, Limits(0.0, 0.01)).point.threshold == 0.4
    assert chosen([commands, traps], card, Limits(0.0, 0.009)).point.threshold == 0.81
    assert chosen([commands, talk], card, Limits(0.5, 0.0)).counts.right == 2
    assert chosen([commands, talk], card, Limits(0.4, 0.0)).point.threshold == 0.71


def test_more_is_borne_of_what_is_nearly_a_command(card: ModelCard) -> None:
    commands = judged("yes", "commands", [rows(0.9)])
    near = judged("unknown", "near", [rows(0.805), rows(0.705), *[rows(0.1)] * 8])
    assert chosen([commands, near], card, Limits(0.0, 0.0, near_share=0.1)).point.threshold == 0.71
    assert chosen([commands, near], card, Limits(0.0, 0.0)).point.threshold == 0.4


def test_smoothing_is_taken_where_it_understands_more(card: ModelCard) -> None:
    commands = judged("yes", "commands", [rows(0.8, 0.8, 0.8)])
    blip = judged("unknown", "traps", [rows(0.0, 0.99, 0.0)])
    choice = chosen([commands, blip], card, STRICT)
    assert (choice.point.smoothing_windows, choice.counts.right, choice.counts.false) == (2, 1, 0)


def test_where_nothing_is_strict_enough_the_strictest_is_taken_and_that_is_told(card: ModelCard) -> None:
    commands, traps = judged("yes", "commands", [rows(1.0)]), judged("unknown", "traps", [rows(1.0)])
    choice = chosen([commands, traps], card, STRICT)
    assert not choice.within
    assert choice.point.threshold == pytest.approx(THRESHOLDS[-1])


def test_another_command_is_wrong_and_a_good_answer_is_not_false(card: ModelCard) -> None:
    point = chosen([judged("yes", "commands", [rows(0.9)])], card, STRICT).point
    mixed = judged("no", "commands", [rows(0.9), rows(0.1)])
    others = judged("unknown", "traps", [rows(0.9)])
    assert at(mixed, card, point) == Counts(right=0, wrong=1, of=2, false=0, others=0)
    assert at(others, card, point).false == 1
    assert at(others, card, point, lambda clip, label: label == "yes").false == 0


def test_a_card_tells_what_was_understood_and_what_was_heard_falsely(card: ModelCard) -> None:
    point = chosen([judged("yes", "commands", [rows(0.9)])], card, STRICT).point
    results = [
        judged("yes", "commands", [rows(0.9), rows(0.1), rows(0.9)]),
        judged("unknown", "traps", [rows(0.9)]),
        judged("unknown", "talk", [rows(0.9)], hours=2.0),
    ]
    told = [(result, at(result, card, point)) for result in results]
    assert metrics(told) == {"understood/yess": 0.6667, "clips/yess": 3, "commands heard/unknowns": 1}
    assert talk_of(told) == (2.0, 1)
    assert summed(counts for _, counts in told) == Counts(2, 0, 3, 2, 2)


def test_what_is_chosen_counts_alike_by_the_point_that_the_card_has(card: ModelCard) -> None:
    # 0.5 and 0.75 are what a model of 8 bits can say exactly.
    for probability in (0.5, 0.75):
        some = [judged("yes", "commands", [rows(0.9)]), judged("unknown", "traps", [rows(probability)])]
        choice = chosen(some, card, STRICT)
        assert summed(at(one, card, choice.point) for one in some) == choice.counts
