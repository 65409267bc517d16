"""parrotlet-models check: what is wrong is found where it is, told, and its exit status says so."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from benchmarks import path
from benchmarks.planted import judged, plant, written
from models.__main__ import main
from models.labels.duplicates import is_near, near_duplicates
from models.labels.slips import is_one_edit, slips
from tests.conftest import Built, Speech

Line = dict[str, Any]


def checked(tmp_path: Path, lines: list[Line], *options: str) -> Result:
    """What check says of a manifest; each clip has a file of its own unless it names one that is there."""
    for number, line in enumerate(lines):
        sound = tmp_path / line.setdefault("path", f"{number}.flac")
        if not sound.exists() and not line.pop("no_file", False):
            sound.write_text(f"{number}")
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return CliRunner().invoke(main, ["check", str(manifest), *options])


def found(tmp_path: Path, lines: list[Line], kind: str) -> list[Line]:
    said = checked(tmp_path, lines, "--json", "--only", kind)
    return [json.loads(line) for line in said.stdout.splitlines()]


def test_planted_faults_are_found_and_little_else(tmp_path: Path) -> None:
    """The short form of the benchmark, on the patterns that it is tuned with."""
    planted = plant(400, "tune", 5)
    scores = judged(planted, written(planted, tmp_path))
    assert len(scores) == 14
    assert {kind for kind, score in scores.items() if score.recall < 0.8 or score.precision < 0.8} == set()
    assert sum(score.found for score in scores.values()) >= 0.95 * sum(score.planted for score in scores.values())


def test_a_set_without_a_fault_has_status_0_and_its_ways(tmp_path: Path) -> None:
    said = checked(tmp_path, [{"text": "Um, today's weather."}, {"text": "Today's weather."}], "--no-listen")
    assert said.exit_code == 0
    assert "note fillers: comma 50%, not written 50%." in said.stdout
    assert "2 clips: " in said.stdout
    definition = tmp_path / "data-definition.toml"
    assert f"parrotlet-models definition init {definition}" in said.stderr
    assert CliRunner().invoke(main, ["definition", "init", str(definition)]).exit_code == 0
    assert checked(tmp_path, [{"text": "Today's weather."}], "--no-listen").stderr == ""


def test_who_writes_otherwise_is_told(tmp_path: Path) -> None:
    lines = [{"text": f"Um, number {at}", "transcriber": "ann"} for at in "abcdef"]
    lines += [{"text": f"Um… number {at}", "transcriber": "bob"} for at in "abcdef"]
    said = checked(tmp_path, lines, "--only", "fillers")
    assert "comma 50%, ellipsis 50%; transcriber ann: comma 100%; transcriber bob: ellipsis 100%." in said.stdout
    assert said.exit_code == 1


def test_an_unknown_kind_and_a_file_that_is_none_have_status_2(tmp_path: Path) -> None:
    assert checked(tmp_path, [{"text": "Hello."}], "--only", "filler").exit_code == 2
    assert CliRunner().invoke(main, ["check", str(tmp_path / "nowhere.jsonl")]).exit_code == 2


def test_a_normalisation_that_the_board_does_not_have_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "data-definition.toml").write_text("[loudness]\nnormalise_to_lufs = -23.0")
    (finding,) = found(tmp_path, [{"text": "Hello."}], "definition")
    assert finding["severity"] == "error"
    assert "normalisation that the board does not have" in finding["sentence"]


def test_the_same_sound_with_other_words_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_text("the same")
    (tmp_path / "b.flac").write_text("the same")
    lines = [{"path": "a.flac", "text": "Stop."}, {"path": "b.flac", "text": "Go."}, {"text": "Wait."}]
    (finding,) = found(tmp_path, lines, "same_audio")
    assert (finding["line"], finding["severity"]) == (2, "error")
    assert '"Go.", but "Stop." for the same sound in line 1' in finding["sentence"]


def test_a_speaker_in_two_splits_and_a_mix_in_another_are_leaks(tmp_path: Path) -> None:
    lines: list[Line] = [
        {"path": "a.flac", "speaker": "ann", "split": "train"},
        {"path": "b.flac", "speaker": "ann", "split": "test"},
        {"path": "c.flac", "split": "test", "made_from": "a.flac"},
        {"path": "d.flac", "split": "train", "made_from": "a.flac"},
        {"path": "e.flac", "made_from": "a.flac"},
    ]
    assert [(finding["line"], finding["sentence"]) for finding in found(tmp_path, lines, "leaks")] == [
        (2, "The speaker ann is in train (a.flac, line 1) and in test (b.flac, line 2)."),
        (3, "A clip and what was made from it is in train (a.flac, line 1) and in test (c.flac, line 3)."),
        (5, "A clip and what was made from it is in train (a.flac, line 1) and in no part (e.flac, line 5)."),
    ]


def test_missing_sound_is_named_by_line(tmp_path: Path) -> None:
    lines: list[Line] = [{"text": "Hello."}, {"text": "Go.", "path": "gone.flac", "no_file": True}]
    assert [finding["line"] for finding in found(tmp_path, lines, "missing")] == [2]


def test_class_names_that_differ_by_capitals_are_one_class(tmp_path: Path) -> None:
    lines = [{"label": "light on"}, {"label": "light on"}, {"label": "Light_On"}]
    assert [finding["line"] for finding in found(tmp_path, lines, "classes")] == [3]


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("timer", "tiemr", True),
        ("timer", "timr", True),
        ("timer", "timmer", True),
        ("timer", "tiner", True),
        ("timer", "timer", False),
        ("timer", "tinre", False),
        ("timer", "time rs", False),
    ],
)
def test_one_edit(one: str, other: str, near: bool) -> None:
    assert is_one_edit(one, other) is near
    assert is_one_edit(other, one) is near


def test_a_slip_is_rare_unknown_and_near_a_usual_word() -> None:
    counts = {"timer": 9, "tiemr": 1, "tamer": 1, "tinmer": 5, "zzyzx": 1}
    assert [(slip.written, slip.meant) for slip in slips(counts, {"timer", "tamer"})] == [("tiemr", "timer")]


def test_near_duplicates_are_of_long_sentences_in_different_splits() -> None:
    long = ["please", "remind", "me", "to", "call", "the", "old", "doctor", "on", "friday"]
    changed = [*long[:5], "young", *long[6:]]
    assert is_near(long, changed)
    assert not is_near(["set", "a", "timer", "for", "ten", "minutes"], ["set", "a", "timer", "for", "two", "minutes"])
    assert list(near_duplicates([long, changed], ["train", "train"])) == []
    assert list(near_duplicates([long, changed], ["train", "test"])) == [(0, 1)]


def test_the_page_names_nothing_from_elsewhere_and_runs_no_label(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    evil = '</script><img src=x onerror=alert(1)>" autofocus onfocus="alert(2)'
    checked(tmp_path, [{"text": evil, "path": "a b#c.flac", "transcriber": evil}], "--html", str(page))
    content = page.read_text(encoding="utf-8")
    assert "<img" not in content
    assert '" autofocus' not in content
    assert 'src="a%20b%23c.flac"' in content
    assert "http:" not in content
    assert "https:" not in content


def test_whether_an_um_was_said_is_asked_of_the_sound(tmp_path: Path, speech: Speech) -> None:
    pytest.importorskip("pocketsphinx")
    for name in ("weather", "timer", "lights"):
        (tmp_path / f"{name}.flac").write_bytes(speech.path(name).read_bytes())
    lines = [
        {"path": "weather.flac", "text": "Today's weather."},
        {"path": "timer.flac", "text": "Um, set a timer for ten minutes."},
        {"path": "lights.flac", "text": "Turn on the kitchen lights."},
    ]
    findings = found(tmp_path, lines, "spoken_fillers")
    assert [finding["line"] for finding in findings] == [1, 2]
    assert 'Not written though spoken: "um" at 0.' in findings[0]["sentence"]
    assert "Written though not spoken" in findings[1]["sentence"]


@pytest.mark.parametrize(
    ("aligned", "recognised", "said"),
    [
        (True, None, True),
        (True, False, True),
        (False, True, True),
        (None, True, True),
        (False, False, False),
        (None, False, None),
        (None, None, None),
    ],
)
def test_a_recogniser_may_add_a_filler_and_takes_none_away(
    aligned: bool | None, recognised: bool | None, said: bool | None
) -> None:
    spoken_fillers = pytest.importorskip("models.labels.spoken_fillers")
    place = spoken_fillers.Place("um", 10, 40)
    heard = None if aligned is None else spoken_fillers.Heard([place] * aligned)
    assert spoken_fillers.said_by(heard, recognised) is said


def test_a_service_says_what_it_hears_too(tmp_path: Path, speech: Speech, built: Built) -> None:
    pytest.importorskip("pocketsphinx")
    (tmp_path / "weather.flac").write_bytes(speech.path("weather").read_bytes())
    lines = [{"path": "weather.flac", "text": "Today's weather."}]
    with path.service(built(tmp_path / "state"), decoding_whisper="false") as service:
        result = checked(tmp_path, lines, "--only", "spoken_fillers", "--service", service.address)
    assert 'Not written though spoken: "um" at 0.' in result.stdout
    assert "; the service hears" in result.stdout


def test_a_service_that_does_not_answer_is_told(tmp_path: Path, speech: Speech) -> None:
    pytest.importorskip("pocketsphinx")
    (tmp_path / "weather.flac").write_bytes(speech.path("weather").read_bytes())
    lines = [{"path": "weather.flac", "text": "Today's weather."}]
    result = checked(tmp_path, lines, "--only", "spoken_fillers", "--service", "127.0.0.1:1")
    assert (result.exit_code, "127.0.0.1:1 answered nothing; " in result.stderr) == (2, True), result.output


def test_a_page_of_classes_has_no_ways_of_writing(tmp_path: Path) -> None:
    for line, there in (({"label": "yes", "path": "1.flac"}, False), ({"text": "Um, yes.", "path": "1.flac"}, True)):
        page = tmp_path / "page.html"
        checked(tmp_path, [line], "--no-listen", "--html", str(page))
        assert ("Ways of writing" in page.read_text(encoding="utf-8")) is there
