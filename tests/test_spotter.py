"""Labels that are heard while frames come."""

import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import ModelError
from edge.local.model import Model
from edge.local.spotter import Spotted, Spotter, likeliest
from protos.feature_spec import DEFAULT_SPEC, Levels
from protos.model_card import CARD_FILE, Command, OperatingPoint, read_model_card, write_model_card
from tests.tones import NO, SILENCE, TONES, UNKNOWN, YES, heard


def spotter(tmp_path: Path, **fields: Any) -> Spotter:
    folder = Path(shutil.copytree(TONES, tmp_path / "tones"))
    card = read_model_card(folder / CARD_FILE)
    write_model_card(folder / CARD_FILE, msgspec.structs.replace(card, **fields))
    return Spotter(Model(folder, DEFAULT_SPEC))


@pytest.fixture(scope="module")
def tones() -> Spotter:
    """Smooths two windows; "no" takes 0.9, "yes" 0.8."""
    return Spotter(Model(TONES, DEFAULT_SPEC))


def spot(spotter: Spotter, levels: Levels, piece: int = 10) -> Spotted | None:
    spotter.reset()
    found = [spotter.push(levels[start : start + piece]) for start in range(0, len(levels), piece)]
    return likeliest([*found, spotter.finish()])


@pytest.mark.parametrize(("kind", "label"), [(YES, "yes"), (NO, "no"), (UNKNOWN, None), (SILENCE, None)])
def test_a_command_is_heard_and_anything_else_is_not(
    tones: Spotter, kind: tuple[int, int, int], label: str | None
) -> None:
    found = spot(tones, heard((SILENCE, 40), (kind, 110), (SILENCE, 70)))
    assert (found.label if found else None) == label


@given(piece=st.integers(1, 300))
def test_how_frames_are_cut_into_pieces_changes_nothing(tones: Spotter, piece: int) -> None:
    levels = heard((SILENCE, 33), (YES, 80), (NO, 90), (UNKNOWN, 61))
    assert spot(tones, levels, piece) == spot(tones, levels, 300)


def test_the_likeliest_of_two_commands_wins(tones: Spotter) -> None:
    # The first is there for less than a window.
    found = spot(tones, heard((YES, 60), (NO, 120)))
    assert found is not None
    assert found.label == "no"


def test_a_stretch_shorter_than_a_window_is_looked_at_once(tones: Spotter) -> None:
    tones.reset()
    assert tones.push(heard((YES, 50))) is None
    found = tones.finish()
    assert found is not None
    assert found.label == "yes"
    tones.reset()
    assert tones.finish() is None


def test_one_window_alone_is_smoothed_away(tmp_path: Path) -> None:
    levels = heard((UNKNOWN, 98), (YES, 98), (UNKNOWN, 98))
    point = OperatingPoint(threshold=0.8, hop_frames=98)
    for smoothing, label in ((1, "yes"), (2, None)):
        better = msgspec.structs.replace(point, smoothing_windows=smoothing)
        found = spot(spotter(tmp_path / str(smoothing), operating_points={"default": better}), levels)
        assert (found.label if found else None) == label


def test_smoothed_probabilities_are_means_of_what_the_model_says(tones: Spotter) -> None:
    levels = heard((SILENCE, 40), (YES, 30), (NO, 90))
    told = Model(TONES, DEFAULT_SPEC).probabilities(levels, 10)[:, 2:]
    tones.reset()
    seen = []
    for start in range(0, len(levels), 10):
        tones.probability = -1.0
        tones.push(levels[start : start + 10])
        seen += [tones.probability] if tones.probability >= 0 else []
    means = [told[max(0, row - 1) : row + 1].mean(axis=0).max() for row in range(len(told))]
    assert seen == pytest.approx(means)


def test_a_label_has_a_threshold_of_its_own(tmp_path: Path) -> None:
    strict = OperatingPoint(threshold=0.8, label_thresholds={"yes": 0.999})
    found = spotter(tmp_path, operating_points={"default": strict})
    assert spot(found, heard((YES, 120))) is None
    assert spot(found, heard((NO, 120))) is not None


def test_a_label_without_a_command_is_never_heard(tmp_path: Path) -> None:
    found = spotter(tmp_path, commands={"no": Command(text="no")})
    assert spot(found, heard((YES, 120))) is None
    assert np.isclose(found.probability, 0, atol=0.05)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"operating_points": {}}, "The card of model tones 1 has no operating point 'default'."),
        (
            {"operating_points": {"default": OperatingPoint(threshold=0.8, hop_frames=99)}},
            "The card of model tones 1 leaves frames out between its windows.",
        ),
        ({"commands": {}}, "The card of model tones 1 has no commands."),
        (
            {"commands": {"maybe": Command(text="maybe")}},
            "The card of model tones 1 speaks of maybe, which its model does not know.",
        ),
    ],
)
def test_a_card_that_cannot_be_spotted_by_is_refused(tmp_path: Path, fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ModelError) as error:
        spotter(tmp_path, **fields)
    assert str(error.value) == why
