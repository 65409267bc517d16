"""Commands of one's own: what is typed, what is nearly said, who says it, and the folder that comes of it."""

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result

from common.errors import DataError
from edge.__main__ import main as edge_main
from models.__main__ import main
from models.data.clip import Clip, Split
from models.data.manifest import read_manifest, write_manifest
from models.data.mixing import RATE_HZ
from models.data.sound_file import write_sound
from models.own.making import commands_of, name_of
from models.own.near import alike, distance, near, spoken_words
from models.own.people import divide, people
from models.own.recipe_text import recipe_text
from models.own.rooms import in_rooms
from models.own.speaking import Texts, planned
from models.own.voices import TEST, TUNE, divided
from models.own.wanted import says, slug, wanted
from models.synthesis.engine import Voice
from models.training.recipe import read_recipe
from protos.model_card import CARD_FILE, read_model_card
from tests.test_synthesise import Parrot
from tests.test_training import write_damaged

LIGHTS = wanted(["lights on=light.on", "Lights off"])


def test_a_command_is_typed_with_its_action_or_without() -> None:
    on, off = LIGHTS
    assert (on.text, on.action, on.label) == ("lights on", "light.on", "lights_on")
    assert (off.command.text, off.command.action, off.command.id) == ("Lights off", None, "lights-off")
    assert slug("What's the café's time?") == "whats_the_cafes_time"


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (["…"], "is nothing that could be said"),
        (["=light.on"], "is nothing that could be said"),
        (["x" * 81], "is nothing that could be said"),
        (["Unknown"], "every model has unknown for what is none"),
        (["lights on", "Lights on!"], "are the same command"),
        (["lumi\udce8re"], "has characters that nobody can read or say"),
        (["lights\x7f on"], "has characters that nobody can read or say"),
    ],
)
def test_what_can_be_no_command_is_refused(told: list[str], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        wanted(told)


def test_a_command_is_found_in_a_text_by_whole_words() -> None:
    assert says("Turn the lights on, please", "lights on")
    assert not says("The lights once were on", "lights on")
    assert not says("lights", "lights on")


def test_near_a_command_are_its_parts_and_what_sounds_like_it_but_no_command() -> None:
    dictionary = {
        "lights": ("L", "AY", "T", "S"),
        "nights": ("N", "AY", "T", "S"),
        "light": ("L", "AY", "T"),
        "flights": ("F", "L", "AY", "T", "S"),
        "lites": ("L", "AY", "T", "S"),
        "kites": ("K", "AY", "T"),
        "the": ("DH", "AH"),
        "thee": ("DH", "IY"),
        "on": ("AA", "N"),
    }
    assert alike("lights", dictionary) == ["flights", "light", "nights", "kites"]
    assert alike("on", dictionary) == []
    assert alike("zzz", dictionary) == []
    assert distance(tuple("kitten"), tuple("sitting")) == 3
    said = spoken_words(["The flights!", "nights", "zzz"], dictionary)
    assert [*said] == ["flights", "nights", "the"]
    found = near([*LIGHTS, *wanted(["the blinds up"])], dictionary)
    assert {"lights", "on", "the blinds on", "lights up", "on lights", "nights on", "flights off"} <= {*found}
    assert not {"lights on", "lights off", "the blinds up", "thee blinds up"} & {*found}
    assert len(found) == len({*found})


def test_nobody_speaks_in_two_parts() -> None:
    names = ["en+m1", "en+m2", *(name.partition("/")[2] for name in (*TUNE, *TEST) if name.startswith("espeak-ng"))]
    espeak = Parrot(*(Voice("espeak-ng", name, None, True) for name in names))
    parts = divided([(espeak, voice) for voice in espeak.voices()])
    assert {voice.full_name for _, voice in parts["tune"]} == {name for name in TUNE if name.startswith("espeak")}
    assert {voice.name for _, voice in parts["train"]} == {"en+m1", "en+m2"}
    few = [(espeak, voice) for voice in espeak.voices()[:1]]
    others = [(espeak, Voice("other", name, None, True)) for name in ("a", "b")]
    assert all(len(some) == 1 for some in divided([*few, *others]).values())
    with pytest.raises(DataError, match="2 voices are too few"):
        divided(others)


def test_other_texts_are_said_in_one_part_and_near_ones_in_all() -> None:
    engine = Parrot(*(Voice("parrot", name, None, True) for name in "abc"))
    voices = divided([(engine, voice) for voice in engine.voices()])
    others = [f"text {number}" for number in range(100)]
    plan = planned(Texts(LIGHTS, ["light"], others), voices)
    said: dict[Split, set[str]] = {"train": set(), "tune": set(), "test": set()}
    for part, todo in plan:
        said[part] |= {text.words for task in todo for text in task.texts}
    assert {"lights on", "Lights off", "light"} <= said["train"] & said["tune"] & said["test"]
    assert sum(len(said[part] & {*others}) for part in said) == 100
    assert len(said["tune"] & {*others}) > 5


def test_the_recipe_that_is_written_is_one_that_is_read(tmp_path: Path) -> None:
    for wake in (False, True):
        text = recipe_text("own", wanted(['say "hi" \\ there=a.b', "stop"]), 120, ["CC0-1.0"], wake=wake)
        (tmp_path / "recipe.toml").write_text(text)
        recipe = read_recipe(tmp_path / "recipe.toml")
        assert recipe.kind == ("wake" if wake else "commands")
        assert recipe.labels == ("say_hi_there", "stop", "unknown", "silence")
        assert recipe.commands["say_hi_there"].text == 'say "hi" \\ there'
        assert recipe.commands["say_hi_there"].action == "a.b"
        assert recipe.commands["stop"].action is None
        assert recipe.training.people > 1


def test_how_many_are_in_rooms_is_told_of_what_is_learnt_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.own.rooms.DISTURBANCES", 1)
    monkeypatch.setattr("models.own.rooms.PER_TASK", 2)
    (tmp_path / "recipe.toml").write_text(recipe_text("own", LIGHTS, 100, []))
    noise = np.random.default_rng(1).uniform(-0.1, 0.1, 8 * RATE_HZ).astype(np.float32)
    write_sound(tmp_path / "talk.wav", noise, RATE_HZ)
    # Each is longer than a window, so that more is made of it than one.
    clips = [Clip(path="talk.wav", label="unknown", split="train", start_ms=ms) for ms in (0, 1000, 2000)]
    told: list[str] = []
    made = in_rooms(clips, tmp_path, read_recipe(tmp_path / "recipe.toml"), told.append)
    assert told == ["placed in rooms: 2 of 3", "placed in rooms: 3 of 3"]
    assert len(made) == 3 * 3 + 1


def recorded(label: str, speaker: str | None, count: int) -> list[Clip]:
    return [Clip(path=f"{label}/{speaker}_{number}.flac", label=label, speaker=speaker) for number in range(count)]


def test_of_few_recordings_all_are_learnt_from() -> None:
    clips, told = divide([*recorded("stop", "ann", 9), *recorded("go", "ann", 20)])
    assert {clip.split for clip in clips} == {"train"}
    assert "10 of each command" in told


def test_of_one_person_recordings_are_set_aside_and_of_several_people_people() -> None:
    clips, told = divide([*recorded("stop", "ann", 10), *recorded("silence", "ann", 3)])
    counts = {part: sum(clip.split == part for clip in clips) for part in ("train", "tune", "test")}
    assert counts == {"train": 9, "tune": 2, "test": 2}
    assert "people who are learnt from as well" in told
    clips, told = divide([clip for name in "abcdef" for clip in recorded("stop", name, 2)])
    assert all(len({clip.split for clip in clips if clip.speaker == name}) == 1 for name in "abcdef")
    assert {clip.split for clip in clips} == {"train", "tune", "test"}


def test_what_was_made_from_a_recording_is_on_its_side() -> None:
    clips = recorded("stop", "ann", 12)
    made = [msgspec.structs.replace(clip, path=f"made/{clip.path}", made_from=clip.path) for clip in clips]
    parts = {clip.path: clip.split for clip in divide([*clips, *made])[0]}
    assert set(parts.values()) == {"train", "tune", "test"}
    assert all(parts[clip.path] == parts[f"made/{clip.path}"] for clip in clips)


def test_what_is_divided_already_stays_so() -> None:
    given = [Clip(path="a.wav", label="stop", split="test"), Clip(path="b.wav", label="stop")]
    assert divide(given)[0] == given[:1]


def test_recordings_are_found_by_folder_and_by_manifest(tmp_path: Path) -> None:
    tone = (0.1 * np.sin(np.arange(RATE_HZ) * 0.1)).astype(np.float32)
    for name in ("Lights on/ann_1.wav", "dog/bob_1.wav", "noise/x.wav"):
        (tmp_path / "said" / name).parent.mkdir(parents=True, exist_ok=True)
        write_sound(tmp_path / "said" / name, tone, RATE_HZ)
    found = people(tmp_path / "said", {"lights_on"}, tmp_path / "own")
    assert [(clip.path, clip.label, clip.speaker) for clip in found.clips] == [
        ("../said/Lights on/ann_1.wav", "lights_on", "ann"),
        ("../said/dog/bob_1.wav", "unknown", "bob"),
        ("../said/noise/x.wav", "silence", None),
    ]
    assert {clip.source for clip in found.clips} == {"recordings of 2 people: 3 clips"}
    assert not found.unread
    there = Clip(path="said/dog/bob_1.wav", text="lights on", split="tune", source="ours")
    write_manifest(tmp_path / "m.jsonl", [there, Clip(path="gone.wav", text="lights on", split="tune")])
    found = people(tmp_path / "m.jsonl", {"lights_on"}, tmp_path / "own")
    assert found.unread == {"gone.wav": "there is no such file"}
    (clip,) = found.clips
    assert (clip.label, clip.split, clip.source) == ("lights_on", "tune", "ours")
    write_damaged(tmp_path / "said" / "dog" / "bob_2.flac")
    assert "is damaged after" in people(tmp_path / "said", {"lights_on"}, tmp_path / "own").unread["dog/bob_2.flac"]
    with pytest.raises(DataError, match=r"has no recording of a command: there are stop\."):
        people(tmp_path / "said", {"stop"}, tmp_path)


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, words)])


def test_without_commands_there_has_to_be_a_folder(tmp_path: Path) -> None:
    result = run("new-commands", tmp_path / "own")
    assert (result.exit_code, result.stderr) == (
        2,
        f"{tmp_path}/own: has no recipe.toml yet: say which commands it is to have.\n",
    )


def test_a_model_is_called_like_its_folder_in_letters_that_a_name_can_have(tmp_path: Path) -> None:
    assert [name_of(tmp_path / name) for name in ("My lights", "日本")] == ["my_lights", "own"]


def test_a_folder_is_gone_on_with_as_its_recipe_says(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(recipe_text("own", LIGHTS, 100, [], wake=True))
    assert commands_of(tmp_path, [], wake=False) == (LIGHTS, True)
    with pytest.raises(DataError, match="is there already, for lights on, Lights off; change it by hand"):
        commands_of(tmp_path, wanted(["stop"]), wake=False)
    with pytest.raises(DataError, match="has another action for 'lights on'"):
        commands_of(tmp_path, wanted(["lights on=elsewhere", "Lights off"]), wake=True)
    recipe.write_text(recipe_text("own", LIGHTS, 100, []))
    with pytest.raises(DataError, match="of no wake word"):
        commands_of(tmp_path, [], wake=True)
    recipe.write_text(recipe.read_text().replace('text = "lights on"', 'text = "lamp on"'))
    with pytest.raises(DataError, match="the label of 'lamp on' has to be lamp_on"):
        commands_of(tmp_path, [], wake=False)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder whose other texts are few, so that little is spoken."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "near.txt").write_text("lights\n")
    (folder / "other.txt").write_text("dinner is ready\nseven\nwhere are my keys\ngood morning\nyellow\nhello\n")
    return folder


VOICES = ("--voice", "espeak-ng/en+m[1-3]")


def test_from_two_phrases_to_a_command_that_the_board_answers(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tensorflow")
    monkeypatch.setattr("models.own.rooms.DISTURBANCES", 8)
    monkeypatch.setattr("models.training.examples.DISTURBANCES", 1)
    made = run("new-commands", own, "lights on=light.on", "open the door", *VOICES)
    assert made.exit_code == 0, made.output
    assert made.stdout.splitlines()[-3:] == [
        f"{own}/set-1.jsonl: {len(read_manifest(own / 'set-1.jsonl').clips)} clips",
        f"next: parrotlet-models train {own}/recipe.toml --data {own}/set-1.jsonl --out {own}/model-1",
        f"then: parrotlet-models evaluate {own}/model-1 {own}/set-1.jsonl --choose",
    ]
    clips = read_manifest(own / "set-1.jsonl").clips
    assert {clip.label for clip in clips} == {"lights_on", "open_the_door", "unknown", "silence"}
    assert len({(clip.split, clip.speaker) for clip in clips if clip.speaker}) == 3

    quick = {"versions = 3": "versions = 1", "stem = 16": "stem = 6", "channels = 64": "channels = 24"}
    quick["epochs = 30\naverage = 0.995"] = "epochs = 16\nbatch = 8\naverage = 0.5"
    recipe = own / "recipe.toml"
    for usual, instead in quick.items():
        recipe.write_text(recipe.read_text().replace(usual, instead))
    trained = run("train", recipe, "--data", own / "set-1.jsonl", "--out", own / "model-1")
    assert trained.exit_code == 0, trained.output

    chosen = run("evaluate", own / "model-1", own / "set-1.jsonl", "--choose", "--json")
    assert chosen.exit_code == 0, chosen.output
    told = msgspec.json.decode(chosen.stdout)
    point = read_model_card(own / "model-1" / CARD_FILE).operating_points["default"]
    assert told["point"]["threshold"] == point.threshold
    assert point.missed is not None

    learnt = next(clip for clip in clips if clip.label == "lights_on" and clip.split == "train")
    answered = CliRunner().invoke(
        edge_main,
        ["test", "--offline", "--json", "--model-dir", str(own), "--local-model", "model-1", str(own / learnt.path)],
    )
    line = msgspec.json.decode(answered.stdout)
    assert (line["path"], line["transcript"]) == ("local", "lights on")
    assert line["results"][0]["action"] == "light.on"
