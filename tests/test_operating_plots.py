"""Plots of the operator's page: what their axes reach, and what a line cannot show."""

import re
from pathlib import Path

import pytest

from benchmarks.made_log import Made, make_log
from benchmarks.made_operator import now_us
from cloud.log.answer_log import FILE_NAME
from cloud.operating.pages.utterance import utterance
from cloud.operating.plots.axes import LEFT, scale_of
from cloud.operating.plots.line import line

DOT = re.compile(r'<circle class="dot" cx="([\d.]+)"')


def test_an_axis_of_shares_ends_at_all_of_them() -> None:
    for values in ([100.0], [97.0, 99.0], [55.0, 100.0]):
        scale, marks = scale_of(values, 100, 0, least=20, most=100)
        assert (scale.high, marks[-1][1]) == (100, "100")
        assert scale.high - scale.low >= 20
    scale, _ = scale_of([3.0], 100, 0, least=20, most=100)
    assert (scale.low, scale.high) == (0, 20)
    # Decibels have no such end.
    assert scale_of([100.0], 100, 0, least=20)[0].high > 100


def test_a_day_between_two_without_any_is_seen() -> None:
    days = [str(number) for number in range(8)]
    drawn = line("Noise", [1.0, None, 2.0, 3.0, None, 4.0, None, 5.0], days, band=None, least=10)
    assert len(DOT.findall(drawn)) == 3
    assert drawn.count(' r="3.5"') == 1
    joined = line("Noise", [1.0, 2.0, 3.0, 4.0, 3.0, 2.0, 1.0, 2.0], days, band=None, least=10)
    assert len(DOT.findall(joined)) == 1
    assert DOT.findall(line("Noise", [], [], band=None, least=10)) == []


def test_first_words_come_after_the_onset_of_speech_that_they_are_counted_from(tmp_path: Path) -> None:
    make_log(tmp_path, [Made("kitchen", "", -60.0, -30.0)], 40, now_us())
    timed = 0
    for number in range(40):
        values = utterance(tmp_path / FILE_NAME, "kitchen", f"u{number:06d}")
        assert values is not None
        facts, end = values["facts"], values["whole"].end
        if facts.onset_to_partial_ms is None:
            continue
        timed += 1
        width = float(re.findall(r'class="part is-heard" x="[\d.]+" y="[\d.]+" width="([\d.]+)"', values["line"])[0])
        (at,) = set(re.findall(r'class="moment[^"]*" d="M([\d.]+) ', values["line"]))
        shown_ms = (float(at) - LEFT) / width * facts.duration_ms
        assert shown_ms == pytest.approx(end.speech_start_ms + facts.onset_to_partial_ms, abs=5)
    assert timed > 20
