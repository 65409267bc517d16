"""A board's log, labels and sound, a base and a model that serves, all of whistles: what a retraining is given, small
enough to be done in seconds."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from models.data.clip import Clip, Split
from models.data.manifest import write_manifest
from models.data.mixing import RATE_HZ, Sound
from models.data.sound_file import write_sound
from models.retraining.given import Given
from models.training.making import make_model
from models.training.recipe import read_recipe

RECIPE = """
name = "whistles"
version = "{version}"
labels = ["low", "high", "silence"]
licence = "Apache-2.0"
limits = "Whistles only."
mixing = {{ versions = 1 }}
network = {{ stem = 4, channels = 16, blocks = 1 }}
training = {{ epochs = 2, batch = 8, shift_frames = 2, masks = 0, mixup = 0.0 }}

[commands.low]
text = "low"

[commands.high]
text = "high"
"""
PITCHES_HZ = {"low": 300.0, "high": 2000.0}
BOARDS, EACH = 4, 6


def given(folder: Path, **others: Any) -> Given:
    """Everything, written into a folder; as the command's options would have it."""
    draw = np.random.default_rng(1)
    _base(folder, draw)
    _utterances(folder, draw)
    for version in ("1", "2"):
        (folder / f"recipe-{version}.toml").write_text(RECIPE.format(version=version), encoding="utf-8")
    return msgspec.structs.replace(_given(folder), **others)


def _given(folder: Path) -> Given:
    return Given(
        log=folder / "log.jsonl",
        base=folder / "base.jsonl",
        recipe_file=folder / "recipe-2.toml",
        serving=folder / "serving",
        work=folder / "work",
        labels=folder / "labels.jsonl",
        sound=folder / "kept",
        each_utterance=True,
    )


def serve(of: Given) -> None:
    """Trains the model that serves."""
    make_model(read_recipe(of.base.with_name("recipe-1.toml")), of.base, None, None, of.serving, lambda line: None)


def write_labels(of: Given, texts: dict[str, tuple[str, str]]) -> None:
    """By utterance: its text and who wrote it."""
    assert of.labels is not None
    lines = [
        {"device_id": f"board-{int(key[1:]) % BOARDS}", "utterance_id": key, "text": text, "transcriber": who}
        for key, (text, who) in texts.items()
    ]
    of.labels.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


def said() -> dict[str, tuple[str, str]]:
    """What ann wrote of each utterance, as it is agreed."""
    return {f"u{number}": ("High." if number % 2 else "Low.", "ann") for number in range(BOARDS * EACH)}


def whistle(hz: float, draw: np.random.Generator) -> Sound:
    """A second of it, over a little noise."""
    time_s = np.arange(RATE_HZ) / RATE_HZ
    return (0.1 * np.sin(2 * np.pi * hz * time_s) + 0.001 * draw.standard_normal(RATE_HZ)).astype(np.float32)


def _base(folder: Path, draw: np.random.Generator) -> None:
    (folder / "base").mkdir()
    clips = []
    for number in range(24):
        label = ("low", "high", "silence")[number % 3]
        write_sound(folder / "base" / f"{number}.wav", whistle(PITCHES_HZ.get(label, 0), draw), RATE_HZ)
        part: Split = ("test" if number >= 21 else "tune") if number >= 18 else "train"
        speaker = None if label == "silence" else f"s{number // 3}"
        clips.append(Clip(path=f"base/{number}.wav", label=label, speaker=speaker, split=part, source="base"))
    write_manifest(folder / "base.jsonl", clips)


def _utterances(folder: Path, draw: np.random.Generator) -> None:
    """Each with silence around, as a board cuts it; none was understood."""
    (folder / "kept").mkdir()
    lines = []
    for number in range(BOARDS * EACH):
        sound = whistle(PITCHES_HZ["high" if number % 2 else "low"], draw)
        quiet = [(0.001 * draw.standard_normal(round(seconds * RATE_HZ))).astype(np.float32) for seconds in (0.3, 0.9)]
        write_sound(folder / "kept" / f"u{number}.wav", np.concatenate([quiet[0], sound, quiet[1]]), RATE_HZ)
        lines.append({"device_id": f"board-{number % BOARDS}", "utterance_id": f"u{number}", "transcript": "low"})
    (folder / "log.jsonl").write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    write_labels(_given(folder), said())
