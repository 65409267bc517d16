"""The short form of scripts/soak: two minutes of both sides at work, the link cut twice."""

from benchmarks.soak import soak

MINUTES = 2.0

GROWN_MIB_MAX = 25.0
"""Within the warm-up, memory still grows; a leak of frames or calls would take more."""


def test_neither_side_grows_while_it_works() -> None:
    grown, told = soak(MINUTES, boards=2)
    assert {name: (one.files, one.threads) for name, one in grown.items()} == dict.fromkeys(grown, (0, 0)), told
    assert {"daemon", "service", "worker 1"} <= grown.keys()
    for name in ("daemon", "service"):
        assert grown[name].slope_mib * MINUTES / 60 < GROWN_MIB_MAX, name
    assert "final" in told
    assert told.split("; ")[1].startswith(("0 utterances wait", "1 utterances wait")), told
