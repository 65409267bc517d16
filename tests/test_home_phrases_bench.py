"""What the benchmark of phrases said to a home counts."""

from pathlib import Path

import numpy as np

from benchmarks.corpus import Clip
from benchmarks.home_phrases import Row, errors, fewer, line, phrases, told


def test_only_commands_of_the_domain_are_heard() -> None:
    commands = ["turn on the Kitchen lights", "set a timer for 30 seconds"]
    # The name of an entry is no command.
    texts = [*commands, "the book incorporates hours of interviews", "the weather tomorrow"]
    assert [clip.text for clip in phrases([Clip(Path("x.flac"), text) for text in texts])] == commands


def test_numbers_are_the_same_as_words_and_as_digits() -> None:
    texts = ["set a timer for 30 seconds", "stop my timer", "next"]
    heard = ["Set a timer for thirty seconds.", "stop a timer now", ""]
    assert errors(texts, heard).tolist() == [0, 2, 1]


def test_a_row_tells_rates_and_counts() -> None:
    row = Row(np.array([3, 7]), np.array([0, 1]), np.array([1, 3]), np.array([2, 3]), 2, ())
    assert line("clean", [row]).startswith("| clean | 2 of 2 | 0.100 (1) | 0.400 (4) | 0.500 (5) | 75% (")
    assert line("all", [row, row]).startswith("| all | 4 of 4 | 0.100 (2) | 0.400 (8) |")


def test_the_range_is_that_of_drawn_clips() -> None:
    same = np.full(20, 2)
    assert fewer(same, same, 1) == "0% (0% to 0%)"
    assert fewer(np.zeros(20, np.int64), same, 2) == "100% (100% to 100%)"
    assert fewer(same, np.zeros(20, np.int64), 1) == "-"
    ours = np.array([0] * 10 + [2] * 10)
    assert fewer(ours, same, 1).endswith("% to 70%)")


def test_a_mistake_tells_who_made_it_or_why_nobody_answered() -> None:
    found = [
        {"transcript": "stop the timer", "engine": "whisper", "why_not_better": None},
        {"transcript": "", "engine": None, "why_not_better": "nobody was there"},
    ]
    assert told(found) == "stop the timer (whisper);  (nobody was there)"
