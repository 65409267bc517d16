"""size.py: its arithmetic, on figures that are easy to check."""

import math

import pytest
from click.testing import CliRunner

from benchmarks.size import LATE_SHARE, main, streams_for


@pytest.mark.parametrize("mean", [0.01, 0.5, 3.0, 40.0])
def test_so_many_streams_are_passed_once_in_a_thousand_times(mean: float) -> None:
    def above(count: int) -> float:
        return 1 - sum(math.exp(-mean) * mean**k / math.factorial(k) for k in range(count + 1))

    count = streams_for(mean)
    assert above(count) <= LATE_SHARE
    assert count == 1 or above(count - 1) > LATE_SHARE


def test_a_large_fleet_needs_a_little_more_than_its_mean() -> None:
    assert 1_000 < streams_for(1_000.0) < 1_150
    assert 10_000 < streams_for(10_000.0) < 10_500


def test_twice_the_boards_send_twice_the_bytes() -> None:
    def bytes_of(boards: int) -> float:
        row = CliRunner().invoke(main, ["--boards", str(boards)]).output.splitlines()[-1]
        return float(row.split("|")[-2])

    assert bytes_of(2_000) == pytest.approx(2 * bytes_of(1_000), rel=0.01)
