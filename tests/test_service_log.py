"""What people said of answers, as labels: last words, contradictions, kept sound, and the classes of a recipe."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from cloud.outcomes import outcome
from models.data.clip import Clip
from models.data.manifest import read_manifest
from models.importing.feedback import LABELLED_BY
from models.importing.service_log import CHANCE, wrote
from tests.test_importing import clips_of, imported, put

RECIPE = """
name = "games"
version = "1"
labels = ["jazz", "chess", "light_up", "unknown"]
other = "unknown"

[commands.jazz]
text = "play jazz"
id = "music-jazz"

[commands.chess]
text = "Play chess!"
id = "game-chess"
"""


def line(number: int, *feedback: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "device_id": "kitchen",
        "utterance_id": f"u{number}",
        "transcript": "play jazz",
        "results": ["music-jazz", "game-chess"],
        "choices": [{"transcript": "play jets", "name": "play"}, {"transcript": "play chess", "name": "game"}],
        "feedback": feedback,
    } | fields


def said(at: int = 1, by: str | None = "ann", **fields: Any) -> dict[str, Any]:
    return {"feedback_id": f"f{at}", "given_at_unix_us": at, "given_by": by} | fields


def taken(folder: Path, *lines: dict[str, Any], options: tuple[str, ...] = ()) -> tuple[Result, dict[str, Clip]]:
    """What came of a log, by the names of the sound, which is kept of each."""
    put(*(folder / "sound" / "deep" / f"{one['utterance_id']}.flac" for one in lines))
    put(folder / "sound" / ".hidden.wav")
    (folder / "log.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    (folder / "recipe.toml").write_text(RECIPE)
    manifest = folder / "data" / "m.jsonl"
    sound = ("--sound", str(folder / "sound"), *options)
    result = imported("log", folder / "log.jsonl", manifest, *sound)
    clips = clips_of(manifest) if manifest.exists() else []
    return result, {Path(clip.path).stem: clip for clip in clips}


def test_sound_is_found_by_the_utterance_that_it_is_of(tmp_path: Path) -> None:
    put(tmp_path / "kept" / "a.flac")
    named = line(1, said(verdict="right"), audio="kept/a.flac")
    result, clips = taken(tmp_path, line(0, said(verdict="right")), named)
    assert result.stderr == ""
    assert [clip.path for clip in clips.values()] == ["../sound/deep/u0.flac", "../kept/a.flac"]
    one = Clip(
        path="../sound/deep/u0.flac",
        text="play jazz",
        transcriber="feedback",
        speaker="kitchen",
        source="log",
        slices={"feedback": "right", "board": "kitchen"},
    )
    assert clips["u0"] == one


def test_of_a_person_the_last_word_counts(tmp_path: Path) -> None:
    changed = line(0, said(2, verdict="wrong", said="play chess"), said(1, verdict="right"))
    same_time = line(1, said(1, said="one") | {"feedback_id": "b"}, said(1, said="two") | {"feedback_id": "a"})
    taken_back = line(2, said(1, verdict="right"), said(2))
    nobody_knows_who = line(3, said(1, None, verdict="right"), said(2, None, said="play chess"))
    result, clips = taken(tmp_path, changed, same_time, taken_back, nobody_knows_who)
    assert result.stderr == ""
    assert {name: clip.text for name, clip in clips.items()} == {"u0": "play chess", "u1": "one", "u3": "play chess"}
    assert clips["u0"].slices == {"feedback": "said", "board": "kitchen"}


AGREE = [
    # The same words, by the agreement on labels.
    (said(1, "ann", said="Ten minutes."), said(2, "bob", said="10 minutes")),
    (said(1, "ann", verdict="right"), said(2, "bob", said="Play jazz.")),
    (said(1, "ann", verdict="wrong"), said(2, "bob", verdict="wrong", said="play chess")),
    # The result was wrong, and nobody said that the words were.
    (said(1, "ann", verdict="wrong", result_id="game-chess"), said(2, "bob", said="play jazz")),
    (said(1, "ann", verdict="right"), said(2, "bob")),
    # A person may call an answer right whose words were not.
    (said(1, "ann", verdict="right", said="play chess"),),
]

DISAGREE = [
    ((said(1, "ann", verdict="right"), said(2, "bob", verdict="wrong")), 'ann: right, said "play jazz"'),
    ((said(1, "ann", said="play chess"), said(2, "bob", said="play jets")), 'bob: said "play jets"'),
    ((said(1, "ann", verdict="right"), said(2, "bob", said="play chess")), 'bob: said "play chess"'),
    ((said(1, "ann", verdict="wrong"), said(2, "bob", said="Play jazz")), 'ann: wrong, not "play jazz"'),
    ((said(1, "ann", result_id="game-chess"), said(2, None, result_id="music-jets")), "somebody: meant music-jets"),
    ((said(1, "ann", verdict="right"), said(2, "bob", result_id="game-chess")), "bob: meant game-chess"),
    ((said(1, "ann", choice=0), said(2, "bob", choice=1)), 'ann: meant "play jets"'),
    ((said(1, "ann", verdict="right", of="play jets"), said(2, "bob", verdict="right")), 'said "play jets"'),
]


@pytest.mark.parametrize("feedback", AGREE)
def test_people_who_agree_are_believed(tmp_path: Path, feedback: tuple[dict[str, Any], ...]) -> None:
    result, clips = taken(tmp_path, line(0, *feedback))
    assert (result.stderr, len(clips)) == ("", 1)


def test_who_labelled_it_is_the_transcriber(tmp_path: Path) -> None:
    by_label = said(by=LABELLED_BY + "ben", verdict="wrong", said="play chess")
    _, clips = taken(tmp_path, line(0, said(verdict="wrong"), by_label), line(1, said(verdict="right")))
    assert [(clip.transcriber, clip.text) for clip in clips.values()] == [
        ("ben", "play chess"),
        ("feedback", "play jazz"),
    ]
    assert LABELLED_BY == outcome.LABELLED_BY


def by_label(name: str, at: int = 2, **fields: Any) -> dict[str, Any]:
    return said(at, LABELLED_BY + name, **fields)


def test_who_labelled_it_is_believed_before_who_said_something_in_passing(tmp_path: Path) -> None:
    heard = line(0, said(verdict="right"), by_label("ben", said="Play chess."))
    same_words = line(1, said(said="10 minutes"), by_label("ben", said="Ten minutes."))
    only_wrong = line(2, said(verdict="wrong", said="play chess"), by_label("ben", verdict="wrong"))
    nobody_knows = line(3, said(verdict="right"), by_label("ben", verdict="wrong"))
    result, clips = taken(tmp_path, heard, same_words, only_wrong, nobody_knows)
    assert result.stderr == ""
    assert {name: (clip.text, clip.transcriber) for name, clip in clips.items()} == {
        "u0": ("Play chess.", "ben"),
        "u1": ("Ten minutes.", "ben"),
        "u2": ("play chess", "feedback"),
    }
    assert [wrote(clip) for clip in clips.values()] == [True, True, False]


def test_what_was_drawn_for_a_label_and_got_one_says_with_which_chance(tmp_path: Path) -> None:
    labelled = line(0, by_label("ben", said="Play chess."), label_chance=0.125)
    waits_still = line(1, said(verdict="right"), label_chance=0.5)
    picked = line(2, by_label("ben", said="Play chess."))
    put(*(tmp_path / "kept" / f"u{number}.flac" for number in range(3)))
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(one) + "\n" for one in (labelled, waits_still, picked)))
    assert imported("log", log, tmp_path / "m.jsonl", "--sound", tmp_path / "kept").exit_code == 0
    clips = read_manifest(tmp_path / "m.jsonl").clips
    assert [clip.measured.get(CHANCE) for clip in clips] == [0.125, None, None]


def test_labellers_who_contradict_each_other_are_told_and_left_out(tmp_path: Path) -> None:
    both = by_label("ben", said="Play chess."), by_label("cid", 3, said="Play jazz.")
    result, clips = taken(tmp_path, line(0, said(verdict="right"), *both), line(1, said(verdict="right")))
    assert "u0 of kitchen: people do not agree" in result.stderr
    assert [*clips] == ["u1"]


def test_whose_writing_a_text_is(tmp_path: Path) -> None:
    confirmed, typed = by_label("ben", verdict="right"), by_label("ben", verdict="right", said="Play jazz.")
    _, clips = taken(tmp_path, line(0, confirmed), line(1, typed), line(2, said(said="play jazz")))
    assert {name: (clip.transcriber, clip.slices["feedback"], wrote(clip)) for name, clip in clips.items()} == {
        "u0": ("ben", "right", False),
        "u1": ("ben", "said", True),
        "u2": ("feedback", "said", False),
    }


@pytest.mark.parametrize(("feedback", "words"), DISAGREE)
def test_people_who_contradict_each_other_are_told_and_left_out(
    tmp_path: Path, feedback: tuple[dict[str, Any], ...], words: str
) -> None:
    result, clips = taken(tmp_path, line(0, *feedback), line(1, said(verdict="right")))
    assert [*clips] == ["u1"]
    (told,) = result.stderr.replace(f"{tmp_path}/", "").splitlines()
    assert told.startswith("log.jsonl:1: sound/deep/u0.flac: u0 of kitchen: people do not agree: ")
    assert words in told
    assert "; " in told
    assert result.stdout.endswith("1 clips; 1 left out\n")


def test_logs_of_two_services_that_had_one_utterance_are_one(tmp_path: Path) -> None:
    """Each has its own words; what was right is what the person saw."""
    seen = said(1, verdict="right", of="play chess")
    of_cloud = line(0, seen, transcript="play chess", results=["game-chess"])
    of_house = line(0, seen, said(2, "bob", said="play chess"))
    of_garage = line(0, said(3, said="stop"), device_id="garage")
    result, clips = taken(tmp_path, of_cloud, of_house, options=("--recipe", str(tmp_path / "recipe.toml")))
    assert (result.stderr, clips["u0"].text, clips["u0"].label) == ("", "play chess", "chess")
    (tmp_path / "data" / "m.jsonl").unlink()
    result, clips = taken(tmp_path, of_house, of_garage)
    assert [clip.text for clip in clips.values()] == ["play chess"]
    assert "the same clip as in" in result.stderr
    newer = line(0, said(2, verdict="wrong"), said(1, verdict="right"))
    (tmp_path / "data" / "m.jsonl").unlink()
    result, _ = taken(tmp_path, line(0, said(1, verdict="right")), newer)
    # She changed her mind; one of the services has not been told yet.
    assert result.stderr.endswith("holds no recording that can be used.\n")


@pytest.mark.parametrize(
    ("feedback", "label", "text"),
    [
        (said(said="PLAY CHESS"), "chess", "PLAY CHESS"),
        (said(said="light up"), "light_up", "light up"),
        # Nobody knows whether these are other words for a command.
        (said(said="a game of chess"), None, "a game of chess"),
        (said(verdict="right"), "jazz", "play jazz"),
        (said(verdict="wrong", result_id="game-chess"), "chess", None),
        (said(said="a game of chess", result_id="game-chess"), "chess", "a game of chess"),
        (said(verdict="wrong", choice=1), "chess", None),
        # What is right about another answer says nothing of what was found for this one.
        (said(verdict="right", of="something"), None, "something"),
    ],
)
def test_what_is_a_command_of_a_recipe_has_its_label(
    tmp_path: Path, feedback: dict[str, Any], label: str | None, text: str | None
) -> None:
    result, clips = taken(tmp_path, line(0, feedback), options=("--recipe", str(tmp_path / "recipe.toml")))
    assert result.stderr == ""
    assert (clips["u0"].label, clips["u0"].text, clips["u0"].transcriber) == (label, text, "feedback")
    assert "label" not in taken(tmp_path / "plain", line(0, said(verdict="right")))[1]["u0"].slices


def test_what_nobody_spoke_of_is_the_service_s_word_where_that_is_wanted(tmp_path: Path) -> None:
    options = ("--unheard", "--recipe", str(tmp_path / "recipe.toml"))
    unheard, wrong, silent = line(0), line(1, said(verdict="wrong")), line(2, transcript="")
    result, clips = taken(tmp_path, unheard, wrong, silent, options=options)
    assert result.stderr == ""
    assert [(clip.transcriber, clip.label, clip.slices) for clip in clips.values()] == [
        ("service", "jazz", {"board": "kitchen"})
    ]


def test_where_no_sound_is_told_of_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(json.dumps(line(1, said(verdict="right"))) + "\n")
    result = imported("log", tmp_path / "log.jsonl", tmp_path / "m.jsonl")
    assert result.exit_code == 2
    assert "holds no recording that can be used. A log has no sound: --sound says where" in result.stderr


def test_a_folder_that_is_none_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text("")
    result = imported("log", tmp_path / "log.jsonl", tmp_path / "m.jsonl", "--sound", tmp_path / "no")
    assert (result.exit_code, result.stderr) == (2, f"{tmp_path}/no: is no folder.\n")
