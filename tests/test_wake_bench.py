"""The short form of `scripts/bench wake`: its counts, on a word that hears what is loud."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import wake, wake_phrases
from benchmarks.corpus import RATE_HZ, Sound, power_db, write
from benchmarks.wake_phrases import Voice
from edge.sound.source import Samples
from tests.conftest import Speech


class Loud:
    """Hears what is above -6 dBFS, once until it is reset."""

    phrase = "loud"
    lag_ms = 0
    probability = 0.0

    def __init__(self) -> None:
        self.resets = 0

    def hear(self, samples: Samples) -> bool:
        return bool(np.abs(samples.astype(int)).max() > 16384)

    def reset(self) -> None:
        self.resets += 1


@pytest.fixture
def data(tmp_path: Path, speech: Speech) -> Path:
    """A folder as `--data` wants it, with a sentence and a noise."""
    for name in ("sentences", "orders", "noise"):
        (tmp_path / name).mkdir()
    shutil.copy(speech.path("timer"), tmp_path / "sentences")
    (tmp_path / "orders" / "labels.json").write_text("{}")
    (tmp_path / "index.tsv").write_text("path\ttext\nsentences/timer.flac\tset a timer\n")
    write(tmp_path / "noise" / "hiss.flac", burst(2, 0.01))
    return tmp_path


def burst(seconds: float, amplitude: float) -> Sound:
    return (amplitude * np.sin(np.arange(round(seconds * RATE_HZ)) * 0.4)).astype(np.float32)


def loud(text: str) -> Sound:
    return burst(0.5, 0.9)


def faint(text: str) -> Sound:
    return burst(0.5, 0.01)


def test_false_wakes_are_counted_by_the_hour() -> None:
    falsely = wake.listen(Loud(), iter([burst(0.5, 0.01), burst(0.02, 0.9), burst(1.0, 0.01)]), hours=1)
    assert (falsely.times, falsely.hours) == (1, pytest.approx((0.5 + 0.02 + 1.0 + 3 * 0.5) / 3600, abs=1e-4))
    assert falsely.per_hour_max == pytest.approx(5.57 / falsely.hours, rel=0.01)


def test_no_more_is_listened_to_than_was_asked_for() -> None:
    sounds = iter([burst(1, 0.01)] * 10)
    wake.listen(Loud(), sounds, hours=2 / 3600)
    assert len(list(sounds)) == 8


@pytest.mark.parametrize(("count", "mean"), [(0, 3.689), (1, 5.572), (5, 11.668), (100, 121.63)])
def test_the_bound_is_that_of_the_tables(count: int, mean: float) -> None:
    assert wake.poisson_max(count) == pytest.approx(mean, abs=0.01)


def test_missed_phrases_are_counted_over_each_noise() -> None:
    voices = [Voice("loud", loud), Voice("faint", faint)]
    noises = [burst(3, 0.001), burst(4, 0.002), burst(5, 0.003)]
    assert wake.misses(Loud(), voices, noises, None) == "1 of 2"
    assert wake.misses(Loud(), voices, noises, 20.0) == "3 of 6"


def test_speech_over_a_noise_has_that_ratio() -> None:
    said, noise = burst(0.5, 0.3), burst(3, 0.01)
    mixed = wake.over(noise, said, 10.0, np.random.default_rng(0))
    lead = round(wake.NOISE_LEAD_S * RATE_HZ)
    assert power_db(said) - power_db(mixed[:lead]) == pytest.approx(10, abs=0.1)
    assert len(mixed) == lead + len(said) + RATE_HZ


def test_where_an_utterance_begins_is_told_from_where_the_order_does(monkeypatch: pytest.MonkeyPatch) -> None:
    begins = iter([[wake.BESIDE_S + 0.65], [wake.BESIDE_S + 0.61], []])
    monkeypatch.setattr(wake, "cut", lambda word, sound: next(begins))
    voice = Voice("one", lambda text: burst(1.0 if text.startswith("loud") else 0.4, 0.3))
    assert wake.in_one_breath(Loud(), [voice] * 3, "stop") == "2 of 3 | +20 / +30 / +40"


def test_the_table_has_a_row_for_each_phrase(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wake_phrases, "voices", lambda: [Voice("made loud", loud)])
    monkeypatch.setattr(wake, "opened", lambda phrase, models, threshold: Loud())
    result = CliRunner().invoke(wake.main, ["--data", str(data), "--phrase", "a", "--phrase", "b"])
    assert result.exit_code == 0, result.output
    rows = [line for line in result.output.splitlines() if line.startswith("| loud |")]
    assert len(rows) == 2 + 2 * len(wake.ORDERS)
    assert len({line.count("|") for line in rows[:2]}) == 1


def test_only_the_voices_that_are_named_speak(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wake_phrases, "voices", lambda: [Voice("made loud", loud), Voice("made faint", faint)])
    monkeypatch.setattr(wake, "opened", lambda phrase, models, threshold: Loud())
    result = CliRunner().invoke(wake.main, ["--data", str(data), "--phrase", "a", "--voice", "made f"])
    assert result.exit_code == 0, result.output
    assert "| 1 of 1 |" in next(line for line in result.output.splitlines() if line.startswith("| loud |"))


def test_a_phrase_that_there_is_not_is_a_sentence(data: Path) -> None:
    result = CliRunner().invoke(wake.main, ["--data", str(data), "--phrase", "hello"])
    assert result.exit_code == 1
    assert "There is no wake word 'hello'" in result.output
