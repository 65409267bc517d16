"""fix and apply: a new manifest, what is safe alone, and a way back."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from models.__main__ import main
from models.data.clip import Clip
from models.data.manifest import read_manifest, write_manifest
from tests.conftest import Speech

TEXTS = ["um… set 10 timers", "Go to Berlin.", "Why so", "Set the colors."]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    file = tmp_path / "manifest.jsonl"
    lines = [json.dumps({"path": f"clips/{at}.flac", "text": text}) for at, text in enumerate(TEXTS)]
    file.write_text("\n".join([*lines, "nonsense"]), encoding="utf-8")
    return file


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def texts(file: Path) -> list[str | None]:
    return [clip.text for clip in read_manifest(file).clips]


def test_what_is_safe_is_fixed_and_the_old_manifest_stays(manifest: Path) -> None:
    before, new = manifest.read_bytes(), manifest.with_name("new.jsonl")
    said = run("fix", manifest, new)
    assert said.exit_code == 0
    assert "2 of 4 labels changed; 1 lines are no clips and are left out" in said.stderr
    assert texts(new) == ["Um, set ten timers.", "Go to Berlin.", "Why so", "Set the colours."]
    assert manifest.read_bytes() == before
    assert run("fix", manifest, new).exit_code == 2


def test_a_place_that_is_no_folder_is_one_sentence(manifest: Path) -> None:
    for words in (("fix", manifest), ("import", "table", manifest.with_name("t.csv"))):
        manifest.with_name("t.csv").write_text("path\nmanifest.jsonl\n")
        said = run(*words, manifest / "new.jsonl", *["--no-look"] * (words[0] == "import"))
        assert said.exit_code == 2
        assert "cannot be written: " in said.stderr


def test_a_dry_run_shows_a_diff_and_writes_nothing(manifest: Path) -> None:
    said = run("fix", manifest, manifest.with_name("new.jsonl"), "--policy", "numbers", "--dry-run")
    assert said.stdout.splitlines()[1:] == ["-um… set 10 timers", "+um… set ten timers"]
    assert [file.name for file in manifest.parent.iterdir()] == ["manifest.jsonl"]


def test_a_policy_alone_changes_nothing_else(manifest: Path) -> None:
    new = manifest.with_name("new.jsonl")
    run("fix", manifest, new, "--policy", "spelling")
    assert texts(new) == [*TEXTS[:3], "Set the colours."]
    said = run("fix", manifest, manifest.with_name("other.jsonl"), "--policy", "speling")
    assert said.exit_code == 2
    assert "Did you mean spelling?" in said.stderr


def test_undo_gives_back_every_label_also_in_another_folder(manifest: Path, tmp_path: Path) -> None:
    new, restored = tmp_path / "deep" / "er" / "new.jsonl", tmp_path / "restored.jsonl"
    assert run("fix", manifest, new).exit_code == 0
    assert read_manifest(new).clips[0].path == "../../clips/0.flac"
    assert run("fix", "--undo", new, restored).exit_code == 0
    assert read_manifest(restored).clips == read_manifest(manifest).clips


def test_undo_refuses_a_manifest_that_was_changed_since(manifest: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.jsonl"
    run("fix", manifest, new)
    new.write_text(new.read_text(encoding="utf-8").replace("ten timers", "two timers"), encoding="utf-8")
    said = run("fix", "--undo", new, tmp_path / "restored.jsonl")
    assert said.exit_code == 2
    assert "new.jsonl:1: was changed after its journal was written" in said.stderr


def test_corrections_of_a_person_are_taken_alone(manifest: Path, tmp_path: Path) -> None:
    corrections, new = tmp_path / "corrections.jsonl", tmp_path / "new.jsonl"
    correction = {"path": "clips/2.flac", "before": "Why so", "text": "Why so?"}
    corrections.write_text(json.dumps(correction) + "\n")
    assert run("fix", manifest, new, "--corrections", corrections).exit_code == 0
    assert texts(new) == [*TEXTS[:2], "Why so?", TEXTS[3]]


@pytest.mark.parametrize(
    ("correction", "words"),
    [
        ({"path": "clips/9.flac", "text": "x"}, "has no clip clips/9.flac"),
        ({"path": "clips/2.flac", "before": "Why", "text": "x"}, 'the text is "Why so", and was "Why"'),
        ({"path": "clips/2.flac"}, "this is no correction"),
    ],
)
def test_a_correction_that_does_not_fit_is_refused(
    manifest: Path, tmp_path: Path, correction: dict[str, str], words: str
) -> None:
    corrections = tmp_path / "corrections.jsonl"
    corrections.write_text(json.dumps(correction))
    said = run("fix", manifest, tmp_path / "new.jsonl", "--corrections", corrections)
    assert said.exit_code == 2
    assert words in said.stderr
    assert not (tmp_path / "new.jsonl").exists()


def test_a_newer_agreement_moves_what_it_changes_and_lists_what_a_person_must(manifest: Path, tmp_path: Path) -> None:
    definition, new = tmp_path / "next.toml", tmp_path / "new.jsonl"
    definition.write_text('[agreement]\nversion = 2\n[numbers]\nwrite = "digits"\n[spelling]\nenglish = "american"')
    with manifest.open("a", encoding="utf-8") as file:
        file.write('\n{"path": "a.flac", "text": "Nineteen ninety colours."}\n{"path": "b.flac", "text": "Um… ten."}')
    said = run("apply", definition, manifest, new)
    assert said.exit_code == 0
    assert "Version 1 to 2; changed: numbers, spelling." in said.stderr
    assert "manifest.jsonl:6: numbers: a person must decide: Nineteen ninety colours." in said.stderr
    assert texts(new) == [*TEXTS, "Nineteen ninety colors.", "Um… 10."]
    assert (tmp_path / "new.definition.toml").read_bytes() == definition.read_bytes()
    assert run("apply", definition, new, tmp_path / "again.jsonl").exit_code == 2


def test_too_much_silence_is_left_out_by_the_manifest_and_comes_back(tmp_path: Path, speech: Speech) -> None:
    said = soundfile.read(speech.path("lights"), dtype="int16")[0]
    room = np.random.default_rng(1).normal(0, 4, 3 * 16_000).astype(np.int16)
    soundfile.write(tmp_path / "a.flac", np.concatenate([room, said, room]), 16_000)
    (tmp_path / "b.flac").write_bytes((tmp_path / "a.flac").read_bytes()[:-4000])
    manifest, new, restored = (tmp_path / f"{name}.jsonl" for name in ("manifest", "new", "restored"))
    write_manifest(manifest, [Clip(path=path, text="Turn it on.") for path in ("a.flac", "b.flac", "gone.flac")])
    shown = run("fix", manifest, new, "--policy", "silence", "--dry-run").stdout.splitlines()
    assert shown[0].endswith("new.jsonl:1 silence @@")
    assert shown[1] == "-Turn it on. (from 0 ms to the end)"
    assert run("fix", manifest, new, "--policy", "silence").exit_code == 0
    clip, *others = read_manifest(new).clips
    assert clip.start_ms is not None
    assert clip.end_ms is not None
    said_ms = len(said) // 16
    # A second before it and a second and a half after it are agreed.
    assert 1900 < clip.start_ms < 2000 + said_ms
    assert clip.start_ms + 2500 < clip.end_ms < 3000 + said_ms + 1600
    assert shown[2:] == [f"+Turn it on. (from {clip.start_ms} ms to {clip.end_ms} ms)"]
    assert [other.start_ms for other in others] == [None, None]
    assert run("fix", "--undo", new, restored).exit_code == 0
    assert read_manifest(restored).clips == read_manifest(manifest).clips
    new.write_text(new.read_text(encoding="utf-8").replace(f":{clip.start_ms},", ":7,"), encoding="utf-8")
    assert "was changed after" in run("fix", "--undo", new, tmp_path / "again.jsonl").stderr
