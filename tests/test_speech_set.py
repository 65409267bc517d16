"""models/speech/ makes a set of windows that `parrotlet-models train` takes as any other."""

import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import corpus, speech_marks
from benchmarks.scenes import Material, trimmed
from common.errors import DataError, ModelError
from edge.local.model import Model
from edge.local.speech_judge import SpeechJudge
from edge.settings import MODELS_DIR
from edge.sound.source import BLOCK_SAMPLES
from models.data.clip import Clip
from models.data.manifest import read_manifest, write_manifest
from models.data.sound_file import read_clip
from models.speech import data_set, points
from models.speech.__main__ import main
from models.speech.data_set import WINDOW_BLOCKS, Heard, divided, drawn_blocks, make_set
from models.speech.minutes import MINUTE_BLOCKS, Voice, active, minute
from models.tables import sounds
from models.training.examples import frames
from models.training.recipe import read_recipe
from protos.feature_spec import DEFAULT_SPEC
from protos.model_card import read_model_card
from tests.conftest import Speech

RECIPE = Path(__file__).parents[1] / "models" / "recipes" / "speech-v1.toml"

SPOKEN_IN = 3
"""A seed by which somebody speaks."""


def voices(speech: Speech) -> list[list[Voice]]:
    found = []
    for name in ("latte", "timer"):
        sound = corpus.read(speech.path(name))
        marks = speech_marks.find(sound)
        assert marks is not None
        clip = trimmed(sound, marks)
        assert clip is not None
        found.append(Voice(clip, active(clip)))
    return [found]


def test_a_minute_is_labelled_where_somebody_speaks(speech: Speech) -> None:
    shares = []
    for seed in range(4):
        made = minute(voices(speech), [], [], np.random.default_rng(seed))
        assert made.sound.dtype == np.int16
        assert made.sound.shape == (MINUTE_BLOCKS * 320,)
        assert made.labels.shape == made.weights.shape == (MINUTE_BLOCKS,)
        assert set(made.weights[made.labels == 1]) <= {1}
        shares.append(made.labels.mean())
    assert 0.2 < np.mean(shares) < 0.9


@pytest.mark.parametrize(
    "kind", [sounds.steady, sounds.taps, sounds.tones, sounds.music, sounds.cries, sounds.breaths, sounds.engine]
)
def test_drawn_sounds_are_as_long_as_asked_and_sound(kind: sounds.Kind) -> None:
    sound = kind(3 * sounds.RATE_HZ, np.random.default_rng(3))
    assert sound.shape == (3 * sounds.RATE_HZ,)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()
    assert sound.std() > 0


def test_windows_end_where_it_is_known_whether_somebody_speaks(speech: Speech) -> None:
    draw = np.random.default_rng(SPOKEN_IN)
    made = minute(voices(speech), [], [], draw)
    blocks = drawn_blocks(made, draw)
    assert len({*blocks}) == len(blocks) == data_set.WINDOWS
    assert min(blocks) >= WINDOW_BLOCKS - 1
    assert set(np.round(made.labels[blocks])) == {0, 1}
    assert all(abs(made.labels[block] - 0.5) >= data_set.SURE - 0.5 and made.weights[block] > 0 for block in blocks)


def test_more_windows_end_where_the_judge_is_asked(speech: Speech) -> None:
    draw = np.random.default_rng(SPOKEN_IN)
    made = minute(voices(speech), [], [], draw)
    outstanding = data_set.stands_out(made.sound)
    assert outstanding[drawn_blocks(made, draw)].mean() > outstanding.mean() + 0.05


def test_what_is_tuned_by_is_not_learnt_from(speech: Speech) -> None:
    (found,) = voices(speech)
    noise = np.arange(800, dtype=np.float32)
    heard = divided([found * 8], Material([], {"ramp": noise}, []))
    assert [len(heard[part].kinds[0]) for part in ("train", "tune")] == [14, 2]
    assert not {*heard["train"].noises[0]} & {*heard["tune"].noises[0]}


@pytest.fixture(scope="module")
def made(speech: Speech, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of nine minutes."""
    manifest = tmp_path_factory.mktemp("set") / "set.jsonl"
    heard = Heard(voices(speech), [], [])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data_set, "WINDOWS", 4)
        assert make_set(manifest, {"train": heard, "tune": heard}, 9, SPOKEN_IN, lambda done: None) == 36
    return manifest


def test_a_window_has_as_many_frames_as_the_recipe_says(made: Path) -> None:
    clips = read_manifest(made).clips
    recipe = read_recipe(RECIPE)
    assert {clip.split for clip in clips} == {"train", "tune"}
    assert {clip.label for clip in clips} == {*recipe.labels}
    sounds = [read_clip(clip, made.parent) for clip in clips]
    assert {len(sound) for sound in sounds} == {WINDOW_BLOCKS * BLOCK_SAMPLES}
    assert {len(frames(sound.astype(np.float32) / 32768)) for sound in sounds} == {recipe.window_frames}


def test_a_set_that_was_begun_goes_on_and_is_the_same(
    made: Path, speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = made.read_bytes()
    made.unlink()
    (made.parent / "set" / "0008.jsonl").unlink()
    monkeypatch.setattr(data_set, "WINDOWS", 4)
    begun = []
    real = data_set.minute
    monkeypatch.setattr(data_set, "minute", lambda *parts: begun.append(parts) or real(*parts))
    heard = Heard(voices(speech), [], [])
    make_set(made, {"train": heard, "tune": heard}, 9, SPOKEN_IN, lambda done: None)
    assert made.read_bytes() == before
    assert len(begun) == 1


class Drawn(NamedTuple):
    """What points are found by."""

    is_speech: np.ndarray
    probabilities: np.ndarray


def test_a_point_lets_no_more_pass_than_its_share() -> None:
    draw = np.random.default_rng(1)
    is_speech = np.arange(2000) % 2 == 0
    heard = Drawn(is_speech, np.where(is_speech, draw.beta(5, 1, 2000), draw.beta(1, 5, 2000)))
    found = [points.point(heard, share) for share in points.FALSE_SHARES]
    assert [one.threshold for one in found] == sorted(one.threshold for one in found)
    for one, share in zip(found, points.FALSE_SHARES, strict=True):
        passing = heard.probabilities > one.threshold
        assert share - 0.002 <= passing[~is_speech].mean() <= share
        assert one.missed == pytest.approx(np.mean(~passing[is_speech]), abs=0.002)


def test_points_and_slices_go_into_the_card(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "speech-v1"
    shutil.copytree(MODELS_DIR / "speech-v1", folder)
    result = CliRunner().invoke(main, ["points", str(folder), str(made)])
    assert result.exit_code == 0, result.output
    card = read_model_card(folder / "card.json")
    assert {*card.operating_points} == {"default", *(f"mode-{mode}" for mode in range(4))}
    assert card.operating_points["default"] == card.operating_points["mode-2"]
    assert {"missed", "false"} <= {*card.metrics}
    assert any(name.endswith("dB over noise") for name in card.metrics)
    assert SpeechJudge(folder, 1).start_probability == card.operating_points["mode-1"].threshold


def test_points_want_something_to_tune_by(made: Path, tmp_path: Path) -> None:
    clips = read_manifest(made).clips
    write_manifest(tmp_path / "set.jsonl", [clip for clip in clips if clip.split == "train"])
    with pytest.raises(DataError, match="its tuning part does not have the labels silence and speech"):
        points.listen(Model(MODELS_DIR / "speech-v1", DEFAULT_SPEC), tmp_path / "set.jsonl")
    with pytest.raises(ModelError, match="commands-v1: the model has no label 'speech'"):
        points.listen(Model(MODELS_DIR / "commands-v1", DEFAULT_SPEC), made)


def test_slices_are_of_what_is_known() -> None:
    clips = [Clip(path=f"{label}.flac", label=label) for label in ("speech", "silence")]
    assert points.missed_by_slice(points.Heard(clips, np.array([0.4, 0.6])), 0.5) == {"false": 1.0, "missed": 1.0}
