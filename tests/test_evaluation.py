"""Figures of a model, counted right."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from common.errors import DataError
from models.__main__ import main
from models.data.clip import Clip
from models.data.manifest import write_manifest
from models.errors.outcome import read_outcomes, write_outcomes
from models.evaluation.evaluation import Heard, clips_of, error_pairs, outcomes, record, summed_up, wilson
from protos.model_card import CARD_FILE, read_model_card

SHIPPED = Path(__file__).parents[1] / "models" / "files" / "commands-v1"


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
    folder, clips, _ = clips_of(tmp_path, None)
    assert folder == tmp_path
    assert [clip.label for clip in clips] == ["silence", "yes"]
    with pytest.raises(DataError, match="no folder with sound"):
        clips_of(tmp_path / "yes", None)
    with pytest.raises(DataError, match="a folder says of no clip that it is of the split test"):
        clips_of(tmp_path, "test")


def test_a_line_that_is_no_clip_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text('{"path": "1.wav", "label": "yes"}\nnonsense\n')
    _, clips, unread = clips_of(tmp_path / "m.jsonl", None)
    assert [clip.path for clip in clips] == ["1.wav"]
    assert [*unread] == [f"{tmp_path}/m.jsonl:2"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("no-model", "m.jsonl"), "no-model: there is no such folder of a model, and a service is HOST:PORT.\n"),
        ((str(SHIPPED), "m.jsonl"), "m.jsonl: no clip of it can be judged. 1.wav: 1.wav: there is no such file.\n"),
        ((str(SHIPPED), "m.jsonl", "--split", "test"), "m.jsonl: no clip of it can be judged.\n"),
    ],
)
def test_what_cannot_be_judged_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_manifest(Path("m.jsonl"), [Clip(path="1.wav", label="yes")])
    result = CliRunner().invoke(main, ["evaluate", *words])
    assert (result.exit_code, result.stderr) == (2, sentence)


def test_outcomes_of_classes_are_what_errors_reads(tmp_path: Path) -> None:
    clip = Clip(path="1.wav", label="yes", speaker="ann")
    write_outcomes(tmp_path / "outcomes.jsonl", outcomes([Heard(clip, "yes", "no"), Heard(clip, "yes", "yes")]))
    wrong, right = read_outcomes(tmp_path / "outcomes.jsonl")
    assert (wrong.errors, right.errors, wrong.said, wrong.properties["speaker"]) == (1, 0, "no", "ann")


def test_outcomes_that_cannot_be_written_are_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be written: No such file"):
        write_outcomes(tmp_path / "no" / "outcomes.jsonl", [])
    (tmp_path / "outcomes.jsonl").write_text('{"path": "a", "errors": 0, "units": 0}\n')
    with pytest.raises(DataError, match="outcomes.jsonl:1: this is no outcome"):
        read_outcomes(tmp_path / "outcomes.jsonl")


def test_a_card_tells_slices_of_enough_clips_and_no_speakers(tmp_path: Path) -> None:
    shutil.copy(SHIPPED / CARD_FILE, tmp_path)
    clips = [Clip(path=f"{n}.wav", label="yes", speaker="ann", slices={"room": "hall"}) for n in range(20)]
    clips[0] = Clip(path="0.wav", label="yes", speaker="ann", slices={"room": "attic"})
    heard = [Heard(clip, "yes", "yes") for clip in [*clips, Clip(path="20.wav", label="yes", slices={"room": "hall"})]]
    record(tmp_path, summed_up(heard, ("yes",), {}))
    assert read_model_card(tmp_path / CARD_FILE).metrics == {
        "accuracy": 1.0,
        "clips": 21.0,
        "accuracy/yes": 1.0,
        "accuracy/room=hall": 1.0,
    }
