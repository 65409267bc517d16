"""A short form of `scripts/chaos page`: one fault of each kind, but for the one that takes half a minute."""

import importlib.util
import random
import shutil
from pathlib import Path

import pytest

from benchmarks import chaos_page
from benchmarks.page_browser import chromium, ended
from benchmarks.victims import free_port

pytestmark = pytest.mark.skipif(
    shutil.which("chromium") is None or importlib.util.find_spec("playwright") is None,
    reason="needs chromium and playwright",
)


def test_no_answer_is_missing_or_twice_after_deaths_cuts_stalls_and_sleep(tmp_path: Path) -> None:
    port = free_port(chaos_page.BOARD_HOST)
    faults = [name for name, (fault, _) in chaos_page.FAULTS.items() if fault is not chaos_page.gone_silent]
    with chaos_page.made_board(tmp_path, port, 60, per_s=25.0) as board:
        found = chaos_page.trial(board, port, tmp_path, 60, faults, random.Random(1), (0.3, 0.6))
    assert (found.answers, found.parts, found.deaths) == (60, 78, 2)
    assert sum(map(len, found.caught_up_s.values())) == len(faults)
    assert (found.missing, found.strange, found.twice, found.numbers_twice) == ([], [], [], [])
    assert (found.asked_missing, found.anew_wrong) == (0, 0)


def test_a_browser_that_does_not_answer_ends() -> None:
    with chromium() as browser:
        page = browser.new_page()
        with pytest.raises(Exception, match="closed"), ended(1.0):
            page.evaluate("new Promise(() => {})")
