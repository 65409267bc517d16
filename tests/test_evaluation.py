"""Figures of a model, counted right."""

from pathlib import Path

import pytest

from common.errors import DataError
from models.data.clip import Clip
from models.evaluation.evaluation import Heard, clips_of, error_pairs, summed_up, wilson


def test_an_interval_is_wilsons() -> None:
    share = wilson(90, 100)
    # As tables of it have it.
    assert (share.low, share.high) == (pytest.approx(0.8256, abs=1e-3), pytest.approx(0.9448, abs=1e-3))
    assert wilson(10, 10).high == pytest.approx(1.0)
    assert wilson(0, 0).high == 1.0


def test_counts_by_class_by_slice_and_what_was_taken_for_what() -> None:
    ann, bob = (Clip(path=f"{name}.wav", label="yes", speaker=name, slices={"room": "hall"}) for name in ("ann", "bob"))
    heard = [Heard(ann, "yes", "yes"), Heard(ann, "no", "yes"), Heard(ann, "no", "yes"), Heard(bob, "no", "no")]
    result = summed_up(heard, ("yes", "no", "unknown"), {"lost.wav": "there is no such file"})
    assert result.accuracy == 0.5
    assert result.by_class["no"].right == 1
    assert result.by_slice["speaker=ann"].accuracy == pytest.approx(1 / 3)
    assert result.by_slice["room=hall"].of == 4
    assert error_pairs(result) == [("no", "yes", 2)]
    assert "unknown" not in result.by_class


def test_folders_by_class_need_no_manifest(tmp_path: Path) -> None:
    for name in ("yes", "silence"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.wav").touch()
    folder, clips = clips_of(tmp_path, None)
    assert folder == tmp_path
    assert [clip.label for clip in clips] == ["silence", "yes"]
    with pytest.raises(DataError, match="no folder with sound"):
        clips_of(tmp_path / "yes", None)
