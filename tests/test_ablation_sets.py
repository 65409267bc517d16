"""The sets that an ablation compares hold nobody who is judged by, and differ in what they are called after."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.ablation_sets import LABELS, OTHERS, divided, halves, one_loudness, wrong_labels
from models.data.manifest import Manifest, read_manifest, write_manifest
from models.data.mixing import RATE_HZ, speech_db
from models.data.sound_file import read_sound, write_sound
from models.training.examples import read

SPEAKERS = 40


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Of forty speakers with two commands and another word each; two more are in dev."""
    rows = ["path\ttext\tspeaker"]
    for number in range(SPEAKERS):
        for label in ("yes", "no"):
            rows.append(f"commands/train/{label}/{number}.wav\t{label}\ts{number}")
        rows.append(f"words/bed/{number}.wav\tbed\ts{number}")
    rows += [rows[-1], "commands/train/silence/1.wav\t\t_noise_", "commands/dev/yes/1.wav\tyes\tdev"]
    (tmp_path / "index.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


def manifest(data: Path) -> Manifest:
    write_manifest(data / "base.jsonl", divided(data, data))
    return read_manifest(data / "base.jsonl")


def test_nobody_is_on_both_sides_and_what_is_judged_by_is_commands(data: Path) -> None:
    read_back = manifest(data)
    assert not read_back.findings
    clips = read_back.clips
    speakers = {part: {clip.speaker for clip in clips if clip.split == part} for part in ("train", "tune")}
    assert not speakers["train"] & speakers["tune"] - {None}
    assert "dev" not in speakers["train"] | speakers["tune"]
    assert 2 < len(speakers["tune"]) < SPEAKERS / 2
    assert {clip.source for clip in clips if clip.split == "tune"} == {"commands"}
    assert {clip.source for clip in clips if clip.split == "train"} == {"commands", "words"}
    assert [clip.speaker for clip in clips if clip.label == "silence"] == [None]


def test_some_labels_are_wrong_and_nothing_else(data: Path) -> None:
    learnt = manifest(data)
    wrong_labels(learnt, data / "wrong.jsonl")
    pairs = list(zip(learnt.clips, read_manifest(data / "wrong.jsonl").clips, strict=True))
    changed = [(one, other) for one, other in pairs if one != other]
    assert 0 < len(changed) < len(pairs) / 4
    for one, other in changed:
        assert other.label in (*LABELS, *OTHERS)
        assert (other.path, other.speaker, other.text) == (one.path, one.speaker, other.label)
        assert other.label != (one.label if one.label != "bed" else "unknown")


def test_noise_is_halved_and_clips_are_brought_to_one_loudness(data: Path) -> None:
    (data / "noise").mkdir()
    noise = np.arange(1280, dtype=np.int16)
    write_sound(data / "noise" / "tap.flac", noise, RATE_HZ)
    halves(data / "noise", data)
    parts = [read_sound(data / f"noise-{name}" / "tap.flac") for name in ("first", "second")]
    assert np.array_equal(np.concatenate(parts), noise)
    assert len(parts[0]) == len(parts[1])

    learnt = manifest(data)
    learnt = learnt._replace(entries=learnt.entries[:2])
    for number, clip in enumerate(learnt.clips):
        clip.file(data).parent.mkdir(parents=True, exist_ok=True)
        sound = 0.01 * (1 + number) * np.sin(np.arange(RATE_HZ) / 5)
        write_sound(clip.file(data), sound.astype(np.float32), RATE_HZ)
    one_loudness(learnt, data / "loud.jsonl")
    loud = read_manifest(data / "loud.jsonl").clips
    assert [clip.label for clip in loud] == [clip.label for clip in learnt.clips]
    assert [speech_db(read(clip, data)) for clip in loud] == pytest.approx([-20, -20], abs=0.1)
