"""A model of the board's own, and what keeps one from running."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from common.errors import ModelError
from edge.local.model import Model, read_model
from protos.feature_spec import DEFAULT_SPEC
from protos.model_card import CARD_FILE, MODEL_FILE, read_model_card, write_model_card
from tests.tones import NO, SILENCE, TONES, UNKNOWN, WINDOW_FRAMES, YES, heard


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy that may be spoilt."""
    return Path(shutil.copytree(TONES, tmp_path / "tones"))


def change(folder: Path, **fields: Any) -> None:
    card = read_model_card(folder / CARD_FILE)
    write_model_card(folder / CARD_FILE, msgspec.structs.replace(card, **fields))


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as error:
        Model(folder, DEFAULT_SPEC)
    sentence = str(error.value)
    assert sentence.startswith(str(folder))
    assert sentence.endswith(".")
    assert not sentence.endswith("..")
    return sentence.removeprefix(str(folder))


def test_probabilities_are_those_of_windows_that_start_every_hop() -> None:
    model = Model(TONES, DEFAULT_SPEC)
    levels = heard((SILENCE, WINDOW_FRAMES), (YES, WINDOW_FRAMES), (NO, WINDOW_FRAMES))
    found = model.probabilities(levels, WINDOW_FRAMES)
    assert found.shape == (3, 4)
    assert [model.card.labels[row.argmax()] for row in found] == ["silence", "yes", "no"]
    assert found.sum(axis=1) == pytest.approx(np.ones(3), abs=0.02)
    assert len(model.probabilities(levels, 10)) == 20


@pytest.mark.parametrize("frames", [0, 1, WINDOW_FRAMES - 1])
def test_sound_shorter_than_a_window_has_one(frames: int) -> None:
    found = Model(TONES, DEFAULT_SPEC).probabilities(heard((UNKNOWN, frames)), 10)
    assert found.argmax(axis=1).tolist() == [1 if frames else 0]


def test_a_model_of_other_features_is_refused(folder: Path) -> None:
    change(folder, feature_spec_fingerprint=replace(DEFAULT_SPEC, levels=16).fingerprint)
    said = refusal(folder)
    assert "model tones 1 was trained on features logmel80-16k-l16" in said
    assert f"but this board makes {DEFAULT_SPEC.fingerprint}" in said


def test_a_model_of_other_bytes_is_refused(folder: Path) -> None:
    content = (folder / MODEL_FILE).read_bytes()
    (folder / MODEL_FILE).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "the file is not that of model tones 1, to which the card belongs" in refusal(folder)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"name": "tones"}', b"\xff"])
def test_a_card_that_is_none_is_refused(folder: Path, content: bytes) -> None:
    (folder / CARD_FILE).write_bytes(content)
    said = refusal(folder)
    assert said.startswith("/card.json: not a model card: ")
    assert said.count(CARD_FILE) == 1


@pytest.mark.parametrize("point", [{"hop_frames": 0}, {"smoothing_windows": -3}, {"smoothing_windows": 10**30}])
def test_a_card_with_an_operating_point_that_cannot_be_is_refused(folder: Path, point: dict[str, int]) -> None:
    default = msgspec.structs.replace(read_model_card(folder / CARD_FILE).operating_points["default"], **point)
    change(folder, operating_points={"default": default})
    assert refusal(folder).startswith("/card.json: not a model card: Expected `int` ")


@pytest.mark.parametrize("name", [CARD_FILE, MODEL_FILE])
def test_what_is_missing_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert refusal(folder) == f"/{name}: No such file or directory."


def test_a_model_with_another_window_than_its_card_says_is_refused(folder: Path) -> None:
    change(folder, window_frames=100)
    assert "does not take (1, 100, 80, 1) levels as they are on the wire" in refusal(folder)


def test_a_model_with_other_labels_than_its_card_says_is_refused(folder: Path) -> None:
    change(folder, labels=("silence", "unknown", "yes"))
    assert "does not tell 3 labels apart" in refusal(folder)


def test_files_are_judged_where_no_interpreter_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.local.interpreter.MODULES", ())
    assert read_model(folder, DEFAULT_SPEC).card.name == "tones"
    assert "No TFLite interpreter works here" in refusal(folder)
