"""timing.py: the order of things, and what a table says of many."""

from edge.asking.timing import TimingMs, percentile, table, time_line

FULL = TimingMs(
    last_sound_to_final=420,
    endpoint_to_final=20,
    onset_to_first_partial=480,
    waiting=1,
    decoding=15,
    searching=3,
    onset_to_last_sound=900,
    last_sound_to_endpoint=400,
)
NOTHING = TimingMs(None, None, None, None, None, None)


def test_events_come_in_the_order_they_happened() -> None:
    line = time_line(FULL)
    assert line == "onset 0 · first partial 480 · last sound 900 · endpoint 1300 · final 1320 (search 3) ms"
    late = TimingMs(420, 20, 1310, 1, 15, 3, 900, 400)
    assert time_line(late).split(" · ")[2:] == ["endpoint 1300", "first partial 1310", "final 1320 (search 3) ms"]


def test_what_was_not_measured_is_not_told() -> None:
    assert time_line(NOTHING) == "onset 0 ms"
    assert table([]) == table([NOTHING]) == []


def test_a_table_has_median_and_95th_percentile() -> None:
    quick = TimingMs(None, 10, None, None, None, None)
    lines = table([FULL] * 90 + [quick] * 10 + [NOTHING])
    assert lines[0].split() == ["milliseconds", "p50", "p95", "of"]
    assert ["endpoint", "→", "final", "20", "20", "100"] in [line.split() for line in lines]
    assert ["last", "sound", "→", "final", "420", "420", "90"] in [line.split() for line in lines]


def test_percentiles_are_values_that_were_measured() -> None:
    values = list(range(1, 101))
    assert (percentile(values, 50), percentile(values, 95), percentile([7], 95)) == (50, 95, 7)
