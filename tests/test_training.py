"""From a handful of made sounds to a model that the board runs."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from common.errors import DataError
from models.__main__ import main
from models.data.clip import Clip
from models.data.manifest import write_manifest
from models.data.mixing import RATE_HZ, Sound
from models.data.sound_file import write_sound
from models.training.recipe import read_recipe

RECIPE = """
name = "whistles"
version = "1"
labels = ["low", "high", "unknown"]
other = "unknown"
licence = "Apache-2.0"
limits = "Whistles only."

[mixing]
versions = 2
noise_share = 0.2

[network]
stem = 4
channels = 16
blocks = 1

[training]
epochs = {epochs}
batch = 8
shift_frames = 2
masks = 0
mixup = 0.0
"""


def whistle(hz: float, draw: np.random.Generator) -> Sound:
    time_s = np.arange(RATE_HZ) / RATE_HZ
    return (0.1 * np.sin(2 * np.pi * hz * time_s) + 0.001 * draw.standard_normal(RATE_HZ)).astype(np.float32)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    draw = np.random.default_rng(1)
    clips = []
    for number in range(30):
        label, hz = (("low", 300), ("high", 2000), ("hiss", 0))[number % 3]
        write_sound(tmp_path / f"{number}.wav", whistle(hz, draw), RATE_HZ)
        split = "tune" if number >= 24 else "train"
        clips.append(Clip(path=f"{number}.wav", label=label, speaker=str(number), source="made", split=split))
    write_manifest(tmp_path / "manifest.jsonl", clips)
    return tmp_path / "manifest.jsonl"


def recipe_file(folder: Path, epochs: int) -> Path:
    file = folder / f"{epochs}.toml"
    file.write_text(RECIPE.format(epochs=epochs), encoding="utf-8")
    return file


def test_a_recipe_with_a_slip_is_refused_by_the_name_of_the_field(tmp_path: Path) -> None:
    file = recipe_file(tmp_path, 1)
    file.write_text(file.read_text(encoding="utf-8").replace("batch = 8", "bach = 8"), encoding="utf-8")
    with pytest.raises(DataError, match="bach"):
        read_recipe(file)
    file.write_text(RECIPE.format(epochs=1).replace('other = "unknown"', 'other = "else"'), encoding="utf-8")
    with pytest.raises(DataError, match="else"):
        read_recipe(file)


def test_the_shipped_recipes_can_be_read() -> None:
    files = sorted((Path(__file__).parent.parent / "models" / "recipes").glob("*.toml"))
    assert [read_recipe(file).name for file in files] == [file.stem for file in files]
    assert files


class Stopped(Exception):
    """As if somebody had pulled the plug."""


def test_a_model_is_made_and_a_killed_run_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorflow")
    monkeypatch.setattr("models.training.examples.DISTURBANCES", 1)
    from edge.local.model import Model
    from models.training.making import make_model
    from protos.feature_spec import DEFAULT_SPEC

    recipe = read_recipe(recipe_file(tmp_path, 2))
    told: list[str] = []

    def stop_after_one(line: str) -> None:
        told.append(line)
        if line.startswith("epoch 1"):
            raise Stopped

    with pytest.raises(Stopped):
        make_model(recipe, manifest, None, None, tmp_path / "killed", stop_after_one)
    made = make_model(recipe, manifest, None, None, tmp_path / "killed", told.append)
    straight = make_model(recipe, manifest, None, None, tmp_path / "straight", lambda line: None)

    assert [line.split(":")[0] for line in told if line.startswith("epoch")] == [
        "epoch 1 of 2",
        "epoch 2 of 2",
    ]
    histories = [(tmp_path / run / "history.json").read_bytes() for run in ("killed", "straight")]
    assert histories[0] == histories[1]
    cards = [Model(tmp_path / run, DEFAULT_SPEC).card for run in ("killed", "straight")]
    assert cards[0].data_sha256 == cards[1].data_sha256
    assert cards[0].labels == ("low", "high", "unknown")
    assert cards[0].sources == ("made",)
    assert made.int8 is not None and made.float == straight.float
    assert (tmp_path / "killed" / "loss.svg").exists()

    result = CliRunner().invoke(
        main, ["evaluate", str(tmp_path / "killed"), str(manifest), "--split", "tune", "--json"]
    )
    assert result.exit_code == 0, result.output
    assert msgspec.json.decode(result.output)["accuracy"] == pytest.approx(made.int8)
