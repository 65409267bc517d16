"""`scripts/bench pitch` on synthetic voices, beside somebody who says that all of them are of 110 Hz."""

from pathlib import Path

import pytest
import soundfile

from benchmarks import corpus, pitch
from benchmarks.drift_sounds import Condition, Material
from edge.sound.source import Samples
from edge.speech.utterance import UtteranceEnd
from tests.voices import sung


def test_an_octave_off_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def says_110(samples: Samples, end: UtteranceEnd) -> tuple[float, ...]:
        return (110.0, 110.0, 110.0)

    monkeypatch.setattr(pitch, "praat", says_110)
    files = [tmp_path / f"{hz}.flac" for hz in (110, 220)]
    for file, hz in zip(files, (110, 220), strict=True):
        soundfile.write(file, sung(hz, hz), corpus.RATE_HZ)
    room = sung(50, 50, amplitude=1.0).astype("float32")
    found = list(pitch.pairs(files, tmp_path, Condition("quiet"), Material({"hum": room}, [], room)))
    pitch.print_row("voices", Condition("quiet"), found)
    assert "| voices | quiet | 2 | 0 | 0 | 6.0" in capsys.readouterr().out
    assert found[1].board is not None and found[1].board[0] == pytest.approx(12 * 1.137, abs=0.3)
