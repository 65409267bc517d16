"""What `scripts/bench shadow` makes of its turns."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import click
import pytest

from benchmarks import shadow
from benchmarks.shadow import Pair, Tried, Turn, pairs_of, ratio


class Service:
    """Who waits longer with a shadow, and always longer on a later turn."""

    def __init__(self, *, answers: bool = True) -> None:
        self.service = SimpleNamespace(address="")
        self.seeds: list[tuple[bool, int]] = []
        self._answers = answers
        self._wanted = False
        self._heard = 0

    def shadow(self, *, wanted: bool) -> None:
        self._wanted = wanted

    def heard(self) -> int:
        return self._heard

    def crowd(self, *arguments: Any) -> Any:
        def speak(boards: int, warm_s: float, seconds: float, mark: Any, first_seed: int) -> Any:
            self.seeds.append((self._wanted, first_seed))
            self._heard += self._wanted
            waits_ms = [100.0 + 10 * len(self.seeds) + 50 * self._wanted] * 3 if self._answers else []
            return asyncio.sleep(0, SimpleNamespace(waits_ms=waits_ms))

        return SimpleNamespace(speak=speak, outcomes=range(3))


def test_a_pair_has_a_turn_of_each_kind_in_which_the_same_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service()
    monkeypatch.setattr(shadow, "Crowd", service.crowd)
    pairs = pairs_of(cast(Tried, service), [], 2, 2, 1.0)
    assert service.seeds == [(False, 0), (True, 0), (True, 2), (False, 2), (False, 4), (True, 4), (True, 6), (False, 6)]
    assert [pair.without.waits_ms[0] for pair in pairs] == [110, 140, 150, 180]
    assert [pair.with_it.waits_ms[0] for pair in pairs] == [170, 180, 210, 220]
    assert shadow.heard_share(pairs) == pytest.approx(1 / 3)


def test_where_nobody_is_answered_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(answers=False)
    monkeypatch.setattr(shadow, "Crowd", service.crowd)
    with pytest.raises(click.ClickException, match="too short"):
        pairs_of(cast(Tried, service), [], 2, 1, 1.0)


def test_the_figure_is_the_pairs_median_and_one_odd_pair_moves_it_little() -> None:
    even = [Pair(Turn([100.0], 9, 0), Turn([100.0 * times], 9, 9)) for times in (1.0, 1.02, 1.04, 9.0, 0.98)]
    at, low, high = ratio(even)
    assert at == pytest.approx(1.02)
    assert 0.98 <= low < at < high <= 9.0
