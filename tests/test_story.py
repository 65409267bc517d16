"""The story in its short form: few whistles for people, and a board's ear that hears them all."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import story, story_page, story_sounds, story_steps
from benchmarks.longest_utterance import Cut
from benchmarks.story_world import Sizes, World
from benchmarks.whistles import whistle
from cloud.drift import board as drift_board
from edge.sound.source import Samples
from edge.speech.utterance import EndReason, UtteranceEnd
from models.data.mixing import RATE_HZ
from models.data.sound_file import write_sound
from protos.feature_spec import DEFAULT_SPEC

NO_LEVELS = np.zeros((0, DEFAULT_SPEC.bands), np.uint8)
PITCHES_HZ = {"yes": 400.0, "no": 1500.0, "unknown": 3000.0}
EACH = {"base": (3, 8), "household": (5, 8), "judges": (2, 4), "dev": (2, 4)}
"""People, and whistles of each pitch by each of them."""
SIZES = Sizes(
    before=80, after=40, judged=24, dev=24, first_labels=40, labels=20, versions=1, stem=4, channels=16, blocks=1,
    epochs=3, utterances_max=60,
)  # fmt: skip
HEARD_S = (1.2, 3.0)


def cut(samples: Samples) -> Cut:
    """Always the middle, with what a board measures of it."""
    start, end = (round(seconds * RATE_HZ) for seconds in HEARD_S)
    floor_db, level_db = (
        float(10 * np.log10(np.square(part / 32768).mean() + 1e-12))
        for part in (samples[: RATE_HZ // 2].astype(np.float64), samples[start:end].astype(np.float64))
    )
    measured = (level_db, level_db + 3, floor_db, level_db - floor_db, 0.0, 0, 0)
    return Cut(NO_LEVELS, samples[start:end], UtteranceEnd(EndReason.ENDPOINT, 1800, 400, 1400, 0.0, 0.0, *measured))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("models.training.examples.DISTURBANCES", 1)
    monkeypatch.setattr(story_sounds, "longest", cut)
    monkeypatch.setattr(drift_board, "LEARN_MAX", 60)
    data, draw = tmp_path / "data", np.random.default_rng(1)
    lines = ["path\ttext\tspeaker\tset\tsplit"]
    for group, (people, each) in EACH.items():
        for speaker in _names(group, people):
            for label, hz in PITCHES_HZ.items():
                for number in range(each):
                    part = "dev" if group == "dev" else "train"
                    path = f"commands/{part}/{label}/{speaker}_{number}.wav"
                    (data / path).parent.mkdir(parents=True, exist_ok=True)
                    write_sound(data / path, whistle(hz, draw), RATE_HZ)
                    lines.append(f"{path}\t\t{speaker}\tcommands\t{part}")
    (data / "index.tsv").write_text("\n".join(lines) + "\n")
    for name in ("noise/doing_the_dishes", "noise/running_tap", "noise/exercise_bike", "rooms/rir1", "rooms/rir3"):
        (data / name).parent.mkdir(exist_ok=True)
        write_sound(data / f"{name}.flac", (0.05 * draw.standard_normal(2 * RATE_HZ)).astype(np.float32), RATE_HZ)
    return World(data, tmp_path / "work", SIZES)


def _names(group: str, count: int) -> list[str]:
    """Of people who are drawn for that."""
    names = (f"s{number}" for number in range(1000))
    if group == "dev":
        return [f"d{number}" for number in range(count)]
    return [name for name in names if story_sounds._group(name) == group][:count]


def test_the_whole_story_is_told_step_by_step_and_once(world: World) -> None:
    pytest.importorskip("tensorflow")
    told: list[str] = []
    found = story.tell_story(world, told.append)
    assert list(found) == list(story.STEPS)
    um = found["um"]
    assert um["caught"]
    assert not um["trained"]
    assert "labels of bea break what is agreed on fillers" in um["finding"]
    drift = found["drift"]
    assert (drift["found"], drift["cause"], drift["false alarms"]) == (True, "noise", 0)
    assert found["retrain"]["serving"][0]["clips"] > 0
    assert world.promoted.name == "kitchen-2"
    assert len(list(story_page.lines(found))) == len(story.STEPS)
    page = (world.work / "story.html").read_text()
    assert page.count("<svg") == 7
    assert len(story.marks(found)) == 7

    told.clear()
    assert story.tell_story(world, told.append) == found
    assert told == [f"{name}: done before" for name in story.STEPS]


def test_half_a_line_of_a_killed_run_is_recorded_again(world: World) -> None:
    some = story_sounds.recordings(world.data)["judges"][:3]
    first = story_sounds.kept(world.heard, "x", some, world.data, story_sounds.DISHES, "test", lambda line: None)
    file = world.heard / "x.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    again = story_sounds.kept(world.heard, "x", some, world.data, story_sounds.DISHES, "test", lambda line: None)
    assert again == first
    assert file.read_bytes() == whole


def test_of_the_new_transcribers_labels_a_part_breaks_the_agreement(world: World) -> None:
    some = [story_sounds.Utterance(f"u{number}", "yes", "yes", "s", None) for number in range(80)]
    texts = {who: [text for _, text, by in story_steps._mixed(some) if by == who] for who in ("ann", "bea")}
    assert set(texts["ann"]) == {"Yes.", "Um, yes."}
    assert {"Um yes.", "Yes.", "Yes, uh."} & {*texts["bea"]}
