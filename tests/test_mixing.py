"""What is done to sound before it is learnt from."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from models.__main__ import main
from models.data import mixing
from models.data.clip import Clip
from models.data.manifest import read_manifest, write_manifest
from models.data.mixing import RATE_HZ, Sound
from models.data.sound_file import write_sound


def tone(hz: float, seconds: float = 1.0) -> Sound:
    return (0.1 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def pitch_hz(sound: Sound) -> float:
    return float(np.abs(np.fft.rfft(sound * np.hanning(len(sound)))).argmax() * RATE_HZ / len(sound))


def test_noise_lies_as_far_below_as_asked() -> None:
    draw = np.random.default_rng(1)
    noise = draw.standard_normal(RATE_HZ // 3).astype(np.float32)
    sound = tone(440)
    mixed = mixing.with_noise(sound, noise, 10, draw)
    assert mixing.speech_db(mixed - sound) == pytest.approx(mixing.speech_db(sound) - 10, abs=0.3)
    assert len(mixed) == len(sound)


@pytest.mark.parametrize("dbfs", [-50.0, -26.0, -3.0])
def test_a_level_is_met_and_silence_stays_silence(dbfs: float) -> None:
    assert mixing.speech_db(mixing.at_level(tone(300), dbfs)) == pytest.approx(dbfs, abs=0.01)
    assert not mixing.at_level(np.zeros(RATE_HZ, np.float32), dbfs).any()


@pytest.mark.parametrize("speed", [0.8, 1.0, 1.25])
def test_faster_is_higher_and_shorter_and_as_loud(speed: float) -> None:
    made = mixing.faster(tone(500), speed)
    assert len(made) == round(RATE_HZ / speed)
    assert pitch_hz(made) == pytest.approx(500 * speed, rel=0.01)
    assert mixing.speech_db(made) == pytest.approx(mixing.speech_db(tone(500)), abs=0.2)


def test_a_room_follows_the_direct_sound_and_keeps_length_and_level() -> None:
    click = np.zeros(RATE_HZ, np.float32)
    click[4000] = 0.5
    wet = mixing.in_room(click, mixing.drawn_room(np.random.default_rng(2)))
    assert np.abs(wet).argmax() == 4000
    assert np.abs(wet[:4000]).max() < 1e-6
    assert np.abs(wet[4001:8000]).max() > 1e-4
    assert len(wet) == len(click)


def test_a_shift_moves_and_fills_with_silence() -> None:
    sound = np.arange(1, 6, dtype=np.float32)
    assert mixing.shifted(sound, 2).tolist() == [0, 0, 1, 2, 3]
    assert mixing.shifted(sound, -2).tolist() == [3, 4, 5, 0, 0]


def test_peaks_are_cut_a_telephone_is_narrow_and_a_bright_microphone_bright() -> None:
    assert np.abs(mixing.clipped(tone(200), 6)).max() == pytest.approx(0.1 * 10 ** (-6 / 20), rel=1e-3)
    assert mixing.speech_db(mixing.by_telephone(tone(6000))) < mixing.speech_db(tone(6000)) - 30
    assert mixing.speech_db(mixing.by_telephone(tone(1000))) == pytest.approx(mixing.speech_db(tone(1000)), abs=0.5)
    assert mixing.speech_db(mixing.tilted(tone(4000), 0.4)) > mixing.speech_db(mixing.tilted(tone(4000), -0.4)) + 6


def test_the_same_seed_draws_the_same() -> None:
    rooms = [mixing.drawn_room(np.random.default_rng(3)) for _ in range(2)]
    assert np.array_equal(*rooms)


@pytest.mark.parametrize("count", [1, 17, 16_000, 25_600])
def test_a_fast_size_has_room(count: int) -> None:
    assert count <= mixing.fast_size(count) < 2 * count + 16


def test_a_set_is_mixed_with_what_was_drawn_and_what_cannot_be_read_named(tmp_path: Path) -> None:
    write_sound(tmp_path / "one.wav", tone(500), RATE_HZ)
    (tmp_path / "noise").mkdir()
    write_sound(
        tmp_path / "noise" / "hiss.wav",
        np.random.default_rng(4).standard_normal(4000).astype(np.float32) * 0.1,
        RATE_HZ,
    )
    clips = [Clip(path="one.wav", label="yes", speaker="ann", split="train"), Clip(path="lost.wav", label="no")]
    write_manifest(tmp_path / "all.jsonl", clips)
    asked = ["mix", str(tmp_path / "all.jsonl"), "", "--noise", str(tmp_path / "noise"), "--versions", "4"]
    mixed = []
    for name in ("first", "second"):
        asked[2] = str(tmp_path / name / "mixed.jsonl")
        result = CliRunner().invoke(main, asked)
        assert result.exit_code == 0, result.output
        assert "all.jsonl:2: " in result.output and "no such file" in result.output
        mixed.append(read_manifest(Path(asked[2])))
    assert [clip.made_from for clip in mixed[0].clips] == ["../one.wav"] * 4
    assert {clip.label for clip in mixed[0].clips} == {"yes"} and {clip.split for clip in mixed[0].clips} == {"train"}
    assert any("snr_db" in clip.measured for clip in mixed[0].clips)
    sounds = [[clip.file(read.folder).read_bytes() for clip in read.clips] for read in mixed]
    assert sounds[0] == sounds[1]
    assert len({*sounds[0]}) == 4


def test_stretches_of_one_recording_are_mixed_each_by_itself(tmp_path: Path) -> None:
    write_sound(tmp_path / "one.wav", tone(500), RATE_HZ)
    write_manifest(tmp_path / "all.jsonl", [Clip(path="one.wav", end_ms=end_ms) for end_ms in (400, 800)])
    result = CliRunner().invoke(main, ["mix", str(tmp_path / "all.jsonl"), str(tmp_path / "mixed.jsonl")])
    assert result.exit_code == 0, result.output
    short, long = (clip.file(tmp_path) for clip in read_manifest(tmp_path / "mixed.jsonl").clips)
    assert short.stat().st_size < long.stat().st_size
