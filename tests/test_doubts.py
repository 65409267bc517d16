"""Labels that models doubt: asked by others' voices alone, ranked, told by check, and left out where a person wants."""

import json
from itertools import product
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result

from benchmarks.doubts import KINDS, PAIRS, SHARE, plant
from models.__main__ import main
from models.data.clip import Clip, Judgement
from models.data.manifest import read_manifest, write_manifest
from models.data.mixing import RATE_HZ
from models.data.sound_file import write_sound
from models.doubts.confident import thresholds, verdicts
from models.doubts.folds import HELD_OUT, folds
from models.doubts.held_out import Plan, parts_of
from models.training.recipe import Network, Training
from tests.test_training import recipe_file, whistle, write_damaged

VOICES = 6
WRONG = {"low/s1_0.wav": "high", "high/s4_1.wav": "low", "low/s5_1.wav": "unknown"}


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def spoken(voices: int, each: int, label: str = "yes") -> list[Clip]:
    return [
        Clip(path=f"{label}/{voice}-{number}.flac", label=label, speaker=f"s{voice}")
        for voice, number in product(range(voices), range(each))
    ]


def test_no_speaker_is_on_both_sides_and_the_folds_are_alike() -> None:
    clips = [
        *spoken(13, 7),
        *spoken(5, 3, "no"),
        Clip(path="n.flac", label="no"),
        Clip(path="m.flac", made_from="n.flac"),
    ]
    places = folds(clips, 4, "0")
    for speaker in {clip.speaker for clip in clips if clip.speaker}:
        assert len({place for place, clip in zip(places, clips, strict=True) if clip.speaker == speaker}) == 1
    assert places[-1] == places[-2]
    counts = np.bincount(places, minlength=4)
    assert counts.max() - counts.min() <= 7
    assert not np.array_equal(places, folds(clips, 4, "1"))
    assert np.array_equal(places, folds(clips, 4, "0"))


def test_nobody_learns_from_whoever_speaks_in_the_test_part() -> None:
    clips = spoken(6, 2)
    clips[0] = msgspec.structs.replace(clips[0], split="test")
    places = folds(clips, 3, "0")
    assert places[:2].tolist() == [HELD_OUT, HELD_OUT]
    assert HELD_OUT not in places[2:]
    for part in parts_of(clips, np.zeros(12, np.int64), Plan(3)):
        assert not {0, 1} & {*part.learnt.tolist()}
        assert {0, 1} < {*part.asked.tolist()}


def test_silence_that_goes_by_one_name_is_in_all_folds_even_where_some_of_it_is_mislabelled() -> None:
    nobody = [Clip(path=f"{n}.flac", label="silence" if n > 1 else "yes", speaker="_noise_") for n in range(12)]
    places = folds([*nobody, *spoken(8, 2)], 4, "0")
    assert {*places[:12].tolist()} == {0, 1, 2, 3}


def test_a_class_that_one_speaker_alone_has_is_not_asked_about() -> None:
    clips = [*spoken(4, 2), Clip(path="odd.flac", label="odd", speaker="s1")]
    labels = np.array([0] * 8 + [1])
    assert all(8 not in part.asked for part in parts_of(clips, labels, Plan(2, 2)))


def test_the_verdicts_are_those_of_the_definition() -> None:
    """Confident learning by loops, as Northcutt et al. define it."""
    for seed in range(30):
        draw = np.random.default_rng(seed)
        said = draw.dirichlet(np.full(4, 0.3), 200)
        labels = np.where(draw.random(200) < 0.7, said.argmax(axis=1), draw.integers(0, 4, 200))
        limits = [np.mean([row[k] for row, label in zip(said, labels, strict=True) if label == k]) for k in range(4)]
        found = verdicts(said, labels)
        for row, label, surely, quality in zip(said, labels, found.surely, found.quality, strict=True):
            sure = [k for k in range(4) if row[k] >= limits[k]]
            meant = sure[0] if len(sure) == 1 else int(row.argmax())
            assert surely == (bool(sure) and meant != label and row.argmax() != label)
            other = max(row[k] for k in range(4) if k != label)
            assert quality == pytest.approx(row[label] / (row[label] + other))


def test_a_class_that_no_clip_has_is_never_meant() -> None:
    said = np.array([[0.1, 0.9], [0.2, 0.8]])
    assert thresholds(said, np.array([0, 0]))[1] > 1
    assert not verdicts(said, np.array([0, 0])).surely.any()


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Whistles of several voices; WRONG are labelled as something else, and two recordings are damaged."""
    draw = np.random.default_rng(3)
    clips = []
    for voice, number, (label, hz) in product(
        range(VOICES), range(2), (("low", 300), ("high", 2000), ("unknown", 900))
    ):
        path = f"{label}/s{voice}_{number}.wav"
        (tmp_path / label).mkdir(exist_ok=True)
        write_sound(tmp_path / path, whistle(hz + 10 * voice, draw), RATE_HZ)
        clips.append(Clip(path=path, label=WRONG.get(path, label), speaker=f"s{voice}", split="train"))
    (tmp_path / "damaged.wav").write_bytes(b"RIFF")
    write_damaged(tmp_path / "midst.flac")
    damaged = [Clip(path=path, label="low", speaker="s1") for path in ("damaged.wav", "midst.flac")]
    write_manifest(tmp_path / "all.jsonl", [*clips, *damaged])
    return tmp_path / "all.jsonl"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tensorflow")
    monkeypatch.setattr("models.training.examples.DISTURBANCES", 1)
    monkeypatch.setattr("models.doubts.short_form.NETWORK", Network(stem=4, channels=16, blocks=1, dropout=0.0))
    how = Training(batch=12, rate=2e-2, masks=0, mixup=0.0, average=0.5, shift_frames=1)
    monkeypatch.setattr("models.doubts.short_form.TRAINING", how)
    monkeypatch.setattr("models.doubts.short_form.CLIPS_SEEN", 36 * 12)


@pytest.mark.usefixtures("small")
def test_planted_faults_are_doubted_first_and_a_killed_run_goes_on(tmp_path: Path, manifest: Path) -> None:
    before, new, out = manifest.read_bytes(), tmp_path / "judged.jsonl", tmp_path / "work"
    words = ("doubt", manifest, new, "--recipe", recipe_file(tmp_path, 1), "--folds", 2, "--out", out)
    first = run(*words)
    assert first.exit_code == 0, first.output
    told = [line for line in first.stdout.splitlines() if "is labelled" in line]
    assert {line.split(" ")[1] for line in told[:3]} == WRONG.keys()
    assert "s1_0.wav is labelled 'high', sounds like 'low' (" in first.stdout
    assert "of 36 clips sound more like another class" in first.stdout
    assert f"{manifest}:37: damaged.wav: " in first.stderr
    assert f"{manifest}:38: midst.flac: ends or is damaged after " in first.stderr
    assert [clip.path for clip in read_manifest(new).clips if clip.judged is None] == ["damaged.wav", "midst.flac"]
    assert manifest.read_bytes() == before
    assert "training 2 of 2, epoch" in first.stderr

    # As if it had been killed in its second training.
    judged = new.read_bytes()
    new.unlink()
    (out / "round-1-fold-2-of-2.npy").unlink()
    again = run(*words)
    assert again.exit_code == 0, again.output
    assert "training 1 of 2" not in again.stderr
    assert new.read_bytes() == judged

    new.unlink()
    (out / "round-1-fold-1-of-2.npy").write_bytes(b"half")
    assert "is damaged; without it this part is trained again." in run(*words).stderr
    lines = [json.loads(line) for line in before.splitlines()]
    lines[0]["label"] = "unknown"
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert "holds a training by another recipe, or from other recordings" in run(*words).stderr
    manifest.write_bytes(before)

    # What is kept goes by place: in another order it would be of other clips.
    (out / "round-1-fold-1-of-2.npy").unlink()
    manifest.write_bytes(b"".join(reversed(before.splitlines(keepends=True))))
    assert "holds a training by another recipe, or from other recordings" in run(*words).stderr
    assert not new.exists()


def judged(tmp_path: Path) -> Path:
    """Clips that sound right, wrong in the test part, surely wrong, relabelled since, and perhaps wrong."""
    said = Judgement(label="left", likelier="Right", probability=0.97, quality=0.01, surely=True)
    clips = [
        Clip(path="0.wav", label="left", split="train", judged=msgspec.structs.replace(said, likelier="left")),
        Clip(path="1.wav", label="left", split="test", judged=msgspec.structs.replace(said, quality=0.2)),
        Clip(path="2.wav", label="left", split="train", judged=said),
        Clip(path="3.wav", label="Right", split="train", judged=said),
        Clip(
            path="4.wav", label="left", split="train", judged=msgspec.structs.replace(said, quality=0.4, surely=False)
        ),
    ]
    draw = np.random.default_rng(1)
    for clip in clips:
        write_sound(tmp_path / clip.path, whistle(500, draw), RATE_HZ)
    write_manifest(tmp_path / "judged.jsonl", clips)
    return tmp_path / "judged.jsonl"


def test_check_tells_doubts_the_worst_first_with_a_player(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    said = run("check", judged(tmp_path), "--only", "doubts", "--json", "--html", page)
    found = [json.loads(line) for line in said.stdout.splitlines()]
    assert [(one["line"], one["severity"]) for one in found] == [(3, "warning"), (2, "warning"), (5, "warning")]
    assert found[0]["sentence"] == "Is labelled 'left', sounds like 'Right' (0.97)."
    written = page.read_text()
    assert written.index('src="2.wav"') < written.index('src="1.wav"')
    assert "take “Right”" in written
    assert 'value="left"' in written


def test_what_is_doubted_is_left_out_of_training_where_asked_for_and_comes_back(tmp_path: Path) -> None:
    file, new, restored = judged(tmp_path), tmp_path / "new.jsonl", tmp_path / "restored.jsonl"
    assert "0 of 5 labels changed" in run("fix", file, new).stderr
    new.unlink()
    new.with_name("new.jsonl.journal").unlink()
    dry = run("fix", file, new, "--policy", "doubts", "--dry-run")
    assert dry.stdout.splitlines()[1:] == ["- [left]", "+ [no class]"]
    assert not new.exists()
    assert run("fix", file, new, "--policy", "doubts").exit_code == 0
    assert [clip.label for clip in read_manifest(new).clips] == ["left", "left", None, "Right", "left"]
    assert run("fix", "--undo", new, restored).exit_code == 0
    assert restored.read_bytes() == file.read_bytes()
    assert run("fix", "--undo", restored, tmp_path / "again.jsonl").exit_code == 0
    assert (tmp_path / "again.jsonl").read_bytes() == new.read_bytes()


def test_a_class_that_a_person_corrected_is_taken(tmp_path: Path) -> None:
    file, new, corrections = judged(tmp_path), tmp_path / "new.jsonl", tmp_path / "corrections.jsonl"
    corrections.write_text('{"path": "2.wav", "before": "left", "label": "Right"}\n')
    assert run("fix", file, new, "--corrections", corrections).exit_code == 0
    assert [clip.label for clip in read_manifest(new).clips] == ["left", "left", "Right", "Right", "left"]
    for wrong, sentence in (
        ('{"path": "2.wav", "before": "up", "label": "right"}', '2.wav: the class is "left", and was "up"'),
        ('{"path": "2.wav"}', "this is no correction: it has neither text nor label"),
    ):
        corrections.write_text(wrong)
        said = run("fix", file, tmp_path / "other.jsonl", "--corrections", corrections)
        assert said.exit_code == 2
        assert sentence in said.stderr


@pytest.mark.parametrize(
    ("clips", "sentence"),
    [
        ([Clip(path="low/s0_0.wav", text="low")], "no clip has a label, and transcripts are not judged"),
        ([Clip(path="low/s0_0.wav", label="low")], "has only low of the recipe's classes"),
        (
            [Clip(path=f"{label}/s0_0.wav", label=label, speaker="ann") for label in ("low", "high")],
            "1 speaker outside of the test part are too few for 4 folds",
        ),
    ],
)
@pytest.mark.usefixtures("small")
def test_what_cannot_be_judged_is_a_sentence(tmp_path: Path, manifest: Path, clips: list[Clip], sentence: str) -> None:
    file = tmp_path / "few.jsonl"
    write_manifest(file, clips)
    said = run("doubt", file, tmp_path / "new.jsonl", "--recipe", recipe_file(tmp_path, 1))
    assert (said.exit_code, said.stdout) == (2, "")
    assert sentence in said.stderr
    assert not (tmp_path / "new.jsonl").exists()


def test_of_what_the_benchmark_plants_nothing_but_the_sound_tells() -> None:
    clean = [
        msgspec.structs.replace(clip, text=f"word {number % 2}" if label == "unknown" else label)
        for label in (*sorted({label for pair in PAIRS for label in pair}), "unknown")
        for number, clip in enumerate(spoken(10, 4, label))
    ]
    for kind in KINDS:
        planted = plant(clean, kind, 1)
        changed = [place for place, clip in enumerate(planted.clips) if clip != clean[place]]
        assert (len(changed), changed) == (round(SHARE * len(clean)), sorted(planted.before))
        for place in changed:
            clip = planted.clips[place]
            assert planted.before[place] == clean[place].label != clip.label
            assert any((clip.label, clip.text) == (one.label, one.text) for one in clean)
            assert kind == "any" or {clip.label, clean[place].label} in map(set, PAIRS)


@pytest.mark.usefixtures("small")
def test_a_set_that_cannot_be_divided_leaves_nothing_behind_that_the_next_try_is_refused_by(
    tmp_path: Path, manifest: Path
) -> None:
    said = run("doubt", manifest, tmp_path / "new.jsonl", "--recipe", recipe_file(tmp_path, 1), "--folds", VOICES + 1)
    assert "are too few for 7 folds" in said.stderr
    assert not (tmp_path / "new-doubts").exists()


def test_a_set_of_which_no_model_was_asked_is_not_told_to_be_without_doubt(tmp_path: Path) -> None:
    write_manifest(tmp_path / "set.jsonl", [Clip(path="1.wav", label="left", split="train")])
    for words in (("check", "--only", "doubts"), ("fix", tmp_path / "new.jsonl", "--policy", "doubts")):
        said = run(words[0], tmp_path / "set.jsonl", *words[1:])
        assert (said.exit_code, "no model was asked" in said.stderr) == (2, True), said.output
    assert not (tmp_path / "new.jsonl").exists()
