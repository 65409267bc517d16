"""What `scripts/bench monitoring_cost` makes of what it measured, and that its parts are still the service's own."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks import monitoring_cost, monitoring_parts
from benchmarks.monitoring_cost import Pair, cpu_s, household, more
from edge.sound.source import SAMPLE_RATE_HZ


def test_the_median_of_pairs_is_told_with_where_it_lies() -> None:
    at, low, high = more([Pair(1.0, 1.0 + share) for share in (0.01, 0.02, 0.03, 0.5)])
    assert at == pytest.approx(0.025)
    assert 0.01 <= low < at < high <= 0.5


def test_the_processor_time_of_a_process_is_its_own() -> None:
    assert cpu_s(os.getpid()) == pytest.approx(time.process_time(), abs=0.2)


def test_a_household_speaks_once_in_a_while() -> None:
    sound = household(40.0).astype(float).reshape(-1, SAMPLE_RATE_HZ)
    loud = np.abs(sound).max(axis=1) > 2000
    starts = [second for second in range(1, 40) if loud[second] and not loud[second - 1]]
    assert len(starts) >= 2
    assert not loud[12:16].all()


def test_the_parts_of_a_service_are_small_and_all_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring_parts, "ROUNDS", 1)
    parts = monitoring_parts.of_service(tmp_path, 0.001, 15, 0.0001)
    assert [part.times for part in parts] == [1, 1, 1, 1, 1, 15, 1]
    assert all(part.cpu_s < 0.1 for part in parts)
    figure = monitoring_cost.parts_of(parts, 1000.0, "service", 0.02)
    assert figure.good
