"""How far long work is."""

import pytest

from models.progress import TOLD_S, Progress


def test_where_nobody_looks_it_is_told_now_and_then_and_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    now_s = 0.0
    tell = Progress(lambda: now_s)
    for at in range(1, 5):
        now_s += 0.6 * TOLD_S
        tell(f"spoken: {at} of 5")
    tell("spoken: 5 of 5")
    told = capsys.readouterr()
    assert told.err.splitlines() == ["spoken: 2 of 5", "spoken: 4 of 5", "spoken: 5 of 5"]
    assert told.out == ""
