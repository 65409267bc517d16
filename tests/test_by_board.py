"""What the board makes of a set: its cuts, its operating point, and what the card is told."""

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge.local.model import Model
from models.__main__ import main
from models.data.clip import Clip
from models.data.manifest import write_manifest
from models.data.mixing import RATE_HZ
from models.data.sound_file import read_sound
from models.evaluation.judging import AFTER_S, BEFORE_S, listened
from protos.feature_spec import DEFAULT_SPEC
from protos.model_card import CARD_FILE, read_model_card, write_model_card
from tests.conftest import Speech

SHIPPED = Path(__file__).parents[1] / "models" / "files" / "home-v1"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A copy whose card may be changed."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "home"))


@pytest.fixture
def recordings(tmp_path: Path, speech: Speech) -> Path:
    """A folder by class; one of its files is none."""
    for name, label in (("timer", "timer_10"), ("latte", "coffee")):
        (tmp_path / "said" / label).mkdir(parents=True)
        shutil.copy(speech.path(name), tmp_path / "said" / label)
    (tmp_path / "said" / "coffee" / "broken.wav").write_bytes(b"RIFF")
    return tmp_path / "said"


def evaluated(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, words)])


def test_commands_are_counted_as_the_board_hears_them(home: Path, recordings: Path) -> None:
    result = evaluated(home, recordings, "--board")
    assert result.exit_code == 0, result.output
    assert "people, commands: 1 of 1 understood, 0 taken for another, 0 not understood\n" in result.stdout
    assert "people, other speech: 0 of 1 taken for a command, in 0.00 hours\n" in result.stdout
    assert "timer_10                    1 of 1\n" in result.stdout
    assert "broken.wav" in result.stderr
    assert read_model_card(home / CARD_FILE) == read_model_card(SHIPPED / CARD_FILE)


def test_the_point_is_chosen_by_the_tuning_part_and_the_card_is_told(
    home: Path, tmp_path: Path, speech: Speech
) -> None:
    clips = [
        Clip(path=str(speech.path(name)), label=label, split=part, synthetic=True)
        for part in ("tune", "test")
        for name, label in (("timer", "timer_10"), ("latte", "unknown"))
    ]
    clips = [msgspec.structs.replace(clip, start_ms=0 if clip.split == "tune" else None) for clip in clips]
    write_manifest(tmp_path / "set.jsonl", clips)
    result = evaluated(home, tmp_path / "set.jsonl", "--choose")
    assert result.exit_code == 0, result.output
    assert "tuning part: 1 of 1 commands understood, 0 taken for another, 0 of 1 others taken for one" in result.stdout
    card = read_model_card(home / CARD_FILE)
    point = card.operating_points["default"]
    assert f"operating point: {point.threshold:.2f}" in result.stdout
    assert (point.missed, point.lag_ms) == (0.0, None)
    assert card.metrics == {
        "understood/machines, commands": 1.0,
        "clips/machines, commands": 1.0,
        "commands heard/machines, other speech": 0.0,
    }

    near = [msgspec.structs.replace(clip, slices={"near": "yes"}) for clip in clips if clip.label == "unknown"]
    write_manifest(tmp_path / "near.jsonl", [*near, *(clip for clip in clips if clip.label != "unknown")])
    assert (
        "machines, nearly commands: 0 of 1"
        in evaluated(home, tmp_path / "near.jsonl", "--board", "--split", "test").stdout
    )

    write_model_card(home / CARD_FILE, msgspec.structs.replace(card, kind="wake"))
    result = evaluated(home, tmp_path / "set.jsonl", "--choose", "--json")
    assert result.exit_code == 0, result.output
    assert msgspec.json.decode(result.stdout)["point"]["lag_ms"] >= 0
    assert read_model_card(home / CARD_FILE).operating_points["default"].lag_ms is not None


def test_what_nothing_can_be_chosen_by_is_told(home: Path, recordings: Path, tmp_path: Path) -> None:
    others = [
        Clip(path="said/coffee/latte.flac", label="unknown", split="tune"),
        Clip(path="said/timer_10/timer.flac", label="timer_10", split="test"),
    ]
    result = evaluated(home, recordings, "--choose", "--outcomes", tmp_path / "o.jsonl")
    assert "--outcomes are of clips as they are" in result.stderr
    write_manifest(tmp_path / "set.jsonl", others)
    result = evaluated(home, tmp_path / "set.jsonl", "--choose")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (
        2,
        f"{tmp_path}/set.jsonl: its tuning part has to have commands and other speech.",
    )
    card = read_model_card(home / CARD_FILE)
    write_model_card(home / CARD_FILE, msgspec.structs.replace(card, kind="speech"))
    assert "this is a model for speech, and hears no commands" in evaluated(home, recordings, "--board").stderr


def test_a_wake_word_is_listened_for_in_all_of_the_sound(speech: Speech) -> None:
    model = Model(SHIPPED, DEFAULT_SPEC)
    sound = np.asarray(read_sound(speech.path("timer")) / 32768, np.float32)
    rows = listened(model, sound, 10)
    frames = (BEFORE_S + AFTER_S + len(sound) / RATE_HZ) * 100
    assert len(rows) == pytest.approx((frames - model.card.window_frames) / 10, abs=1.5)


def test_a_point_is_not_measured_by_what_it_was_chosen_by_and_a_card_loses_nothing(
    home: Path, recordings: Path, tmp_path: Path, speech: Speech
) -> None:
    tuned = [
        Clip(path=str(speech.path(name)), label=label, split="tune")
        for name, label in (("timer", "timer_10"), ("latte", "unknown"))
    ]
    write_manifest(tmp_path / "set.jsonl", tuned)
    for data, options, sentence in (
        (recordings, (), "is a folder, not a manifest that is divided"),
        (tmp_path / "set.jsonl", (), "has no clip of the split test"),
        (tmp_path / "set.jsonl", ("--split", "tune"), "--choose measures with the split test"),
    ):
        result = evaluated(home, data, "--choose", *options)
        assert (result.exit_code, sentence in result.stderr) == (2, True), result.output
        assert (home / CARD_FILE).read_bytes() == (SHIPPED / CARD_FILE).read_bytes()


def test_clips_without_a_class_are_not_counted_as_other_speech(home: Path, tmp_path: Path, speech: Speech) -> None:
    clips = [Clip(path=str(speech.path("timer"))), Clip(path=str(speech.path("latte")), label="unknown")]
    write_manifest(tmp_path / "set.jsonl", clips)
    result = evaluated(home, tmp_path / "set.jsonl", "--board")
    assert "people, other speech: 0 of 1 taken for a command" in result.stdout
    assert "has no class" in result.stderr
