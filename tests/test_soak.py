"""The short form of scripts/soak: a minute of both sides at work, the link cut now and then, and what is left sent. Too
short for memory: all of it is still warming up."""

import numpy as np
import pytest

from benchmarks.growth import Look, grew
from benchmarks.soak import soak

MINUTES = 1.0


def test_neither_side_grows_while_it_works_and_what_waits_is_sent() -> None:
    grown, told = soak(MINUTES, boards=2)
    assert {"daemon", "service", "worker 1"} <= grown.keys()
    assert {name: (one.files, one.threads) for name, one in grown.items() if max(one.files, one.threads) > 0} == {}
    assert told.kinds["final"] > 0
    # Kept for later, or answered by the board itself and better later.
    assert told.kinds["kept"] + told.kinds["better"] > 0, "the link was not missed"
    assert told.waiting == 0


def test_what_flattens_is_told_from_what_does_not() -> None:
    hours = np.linspace(0, 1, 101)
    rising = grew([Look(3600 * at, 100 + 5 * at, 10, 3) for at in hours])
    assert rising.slope_mib == pytest.approx(5)
    assert rising.halves_mib == pytest.approx((5, 5))
    flat = grew([Look(3600 * at, 100 + 5 * min(at, 0.6), 10, 3) for at in hours])
    assert flat.halves_mib == pytest.approx((5, 0), abs=0.5)
    assert not rising.reached
    assert not grew([Look(3600 * at, 100, 10 + round(4 * at), 3) for at in hours]).reached
