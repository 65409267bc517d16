"""A made board that a drift watch knows, for the tests of what it tells."""

from collections.abc import Iterable

import pytest

from benchmarks.made_facts import MadeBoard
from cloud.drift.board import Board, Known
from cloud.drift.facts import Facts
from cloud.drift.finding import Finding
from cloud.drift.watch import Watch

LEARNT = 530
"""Two weeks of a made board are 500 utterances, and more."""


@pytest.fixture(scope="module")
def known() -> Known:
    """What is usual for a made board."""
    board = Board("kitchen-2", 4000)
    for one in MadeBoard(seed=7).facts(LEARNT):
        board.push(one)
    assert board.known is not None
    return board.known


def fed(watch: Watch, facts: Iterable[Facts]) -> list[Finding]:
    """What a watch tells of these utterances."""
    return [finding for one in facts for finding in watch.saw(one)]
