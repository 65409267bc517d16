"""From a handful of made sounds to a model that the board runs."""

import shutil
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner, Result

from common.errors import DataError, InputError
from models.__main__ import main
from models.data.clip import Clip
from models.data.manifest import read_manifest, write_manifest
from models.data.mixing import RATE_HZ, Sound
from models.data.sound_file import write_sound
from models.training import examples
from models.training.batches import batches
from models.training.examples import Backgrounds
from models.training.making import make_model
from models.training.recipe import Training, read_recipe
from protos.model_card import read_model_card

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


@pytest.fixture(autouse=True)
def little_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.training.examples.DISTURBANCES", 1)


def write_damaged(file: Path) -> None:
    """A FLAC that is damaged in its midst: its head and its end are good."""
    noise = np.random.default_rng(1).integers(-9000, 9000, 2 * RATE_HZ).astype(np.int16)
    write_sound(file, noise, RATE_HZ)
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(200)
    file.write_bytes(content)


def whistle(hz: float, draw: np.random.Generator) -> Sound:
    time_s = np.arange(RATE_HZ) / RATE_HZ
    return (0.1 * np.sin(2 * np.pi * hz * time_s) + 0.001 * draw.standard_normal(RATE_HZ)).astype(np.float32)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Of a folder of recordings by class, by the way that the README tells."""
    draw = np.random.default_rng(1)
    for number in range(45):
        label, hz = (("low", 300), ("high", 2000), ("silence", 0))[number % 3]
        (tmp_path / "recordings" / label).mkdir(parents=True, exist_ok=True)
        speaker = f"s{number // 3}" if hz else "_noise_"
        write_sound(tmp_path / "recordings" / label / f"{speaker}_{number}.wav", whistle(hz, draw), RATE_HZ)
    everything, divided = (str(tmp_path / name) for name in ("all.jsonl", "divided.jsonl"))
    for words in (
        (
            "import",
            "folders",
            str(tmp_path / "recordings"),
            everything,
            "--speaker-in-name",
            "^[^_]+",
            "--source",
            "made",
        ),
        ("split", everything, divided, "--tune", "0.2", "--test", "0.1"),
    ):
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, result.output
    return Path(divided)


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


@pytest.mark.parametrize(
    ("line", "slip", "sentence"),
    [
        ("batch = 8", "batch = 0", ">= 1"),
        ("epochs = 1", "epochs = 0", ">= 1"),
        ("stem = 4", "stem = 100000000000", "<= 100000"),
        ("noise_share = 0.2", "noise_share = 20", "<= 1"),
        ("noise_share = 0.2", "noise_snr_db = [20, 10]", "noise_snr_db goes from 20 down to 10"),
        ("noise_share = 0.2", "speed = [0, 1]", "speed begins at 0"),
        ('"low", "high"', '"low", "low"', "a label is there twice"),
        ("mixup = 0.0", "weights = { middle = 2.0 }", "middle has a command or a weight, but is none of the labels"),
    ],
)
def test_what_no_model_can_be_made_by_is_refused(tmp_path: Path, line: str, slip: str, sentence: str) -> None:
    file = recipe_file(tmp_path, 1)
    file.write_text(file.read_text(encoding="utf-8").replace(line, slip), encoding="utf-8")
    with pytest.raises(DataError, match=sentence):
        read_recipe(file)


def test_of_few_clips_there_is_a_batch_as_well() -> None:
    draw = np.random.default_rng(1)
    levels, targets = np.zeros((3, 1, 20, 80), np.int8), np.eye(3, dtype=np.float32)
    made = list(batches(levels, targets, np.full(3, 1 / 3), Training(batch=8), draw))
    assert [(seen.shape, wanted.shape) for seen, wanted in made] == [((8, 20, 80, 1), (8, 3))]


def test_sound_that_was_mixed_for_one_set_is_not_mixed_again_for_another(
    tmp_path: Path, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = read_recipe(recipe_file(tmp_path, 1))
    clips = read_manifest(manifest).clips[:3]
    made: list[str] = []

    def counted(folder: Path, some: list[Clip], *others: object) -> npt.NDArray[np.int8]:
        made.extend(clip.path for clip in some)
        return np.stack([np.full((2, 4, 80), number, np.int8) for number in range(len(made) - len(some), len(made))])

    monkeypatch.setattr(examples, "make", counted)

    def levels(*some: Clip, seed: int = 1) -> list[int]:
        how = msgspec.structs.replace(recipe, seed=seed)
        found = examples.cached(tmp_path / "cache", tmp_path, some, how, Backgrounds([], []), 2)
        return [int(one) for one in found[:, 0, 0, 0]]

    assert levels(*clips[:2]) == [0, 1]
    # Whatever else is said of a clip: its sound is what counts.
    assert levels(msgspec.structs.replace(clips[1], label="low", speaker=None), clips[2], clips[0]) == [1, 2, 0]
    assert len(made) == 3
    assert levels(msgspec.structs.replace(clips[0], end_ms=500), clips[0]) == [3, 0]
    assert levels(clips[0], seed=2) == [4]
    write_sound(clips[0].file(tmp_path), np.zeros(RATE_HZ // 2, np.float32), RATE_HZ)
    assert levels(*clips) == [5, 1, 2]
    for file in (tmp_path / "cache").iterdir():
        file.write_bytes(file.read_bytes()[:100])
    assert levels(*clips[1:]) == [6, 7]
    clips[0].file(tmp_path).unlink()
    with pytest.raises(InputError, match="No such file"):
        levels(*clips)


def trained(*words: str | Path) -> Result:
    pytest.importorskip("tensorflow")
    return CliRunner().invoke(main, ["train", *map(str, words)])


def test_what_cannot_be_learnt_from_is_told_in_a_sentence(tmp_path: Path, manifest: Path) -> None:
    recipe = recipe_file(tmp_path, 1)
    (tmp_path / "empty").mkdir()
    silent = trained(recipe, "--data", manifest, "--out", tmp_path / "out", "--noise", tmp_path / "empty")
    assert (silent.exit_code, silent.stderr) == (2, f"{tmp_path / 'empty'}: holds no sound.\n")
    not_there = trained(recipe, "--data", manifest, "--out", manifest / "out")
    assert (not_there.exit_code, not_there.stderr) == (2, f"{manifest}/out: cannot be used: Not a directory.\n")

    clips = [Clip(path="recordings/low/s0_0.wav", label="low", split="train", start_ms=2000)]
    write_manifest(tmp_path / "beyond.jsonl", clips)
    beyond = trained(recipe, "--data", tmp_path / "beyond.jsonl", "--out", tmp_path / "out")
    assert (beyond.exit_code, beyond.stderr) == (
        2,
        f"{tmp_path}/recordings/low/s0_0.wav: has no sound from 2000 ms on.\n",
    )
    assert f"{tmp_path}/beyond.jsonl: has nothing to learn from for high, unknown.\n" in beyond.stdout

    write_damaged(tmp_path / "damaged.flac")
    write_manifest(tmp_path / "half.jsonl", [Clip(path="damaged.flac", label="low", split="train")])
    half = trained(recipe, "--data", tmp_path / "half.jsonl", "--out", tmp_path / "half")
    assert half.exit_code == 2
    assert half.stderr.startswith(f"{tmp_path}/damaged.flac: ends or is damaged after ")
    assert "was used" not in half.stderr

    gone = next(clip for clip in read_manifest(manifest).clips if clip.split == "train").file(tmp_path)
    gone.unlink()
    lost = trained(recipe, "--data", manifest, "--out", tmp_path / "lost")
    assert (lost.exit_code, lost.stderr) == (2, f"{gone}: No such file or directory.\n")


class Stopped(Exception):
    """As if somebody had pulled the plug."""


def test_a_model_is_made_and_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path: Path, manifest: Path) -> None:
    pytest.importorskip("tensorflow")
    from edge.local.model import Model
    from models.training.begun import data_hash
    from models.training.making import make_model
    from protos.feature_spec import DEFAULT_SPEC

    recipe = read_recipe(recipe_file(tmp_path, 2))
    straight, killed = tmp_path / "straight", tmp_path / "killed"

    def keep_what_a_kill_would_leave(line: str) -> None:
        if line.startswith("epoch 1"):
            shutil.copytree(straight, killed)
        if line.startswith("epoch 2"):
            raise Stopped

    with pytest.raises(Stopped):
        make_model(recipe, manifest, None, None, straight, keep_what_a_kill_would_leave)
    told: list[str] = []
    made = make_model(recipe, manifest, None, None, killed, told.append)

    assert [line.split(":")[0] for line in told if line.startswith("epoch")] == ["epoch 2 of 2"]
    assert (killed / "history.json").read_bytes() == (straight / "history.json").read_bytes()
    with np.load(killed / "epoch-2.npz") as one, np.load(straight / "epoch-2.npz") as other:
        assert len(one.files) > 20
        assert all(np.array_equal(one[name], other[name]) for name in other.files)
    card = Model(killed, DEFAULT_SPEC).card
    assert (card.labels, card.sources) == (("low", "high", "unknown"), ("made",))
    assert card.data_sha256 == data_hash(
        recipe, tmp_path, [clip for clip in read_manifest(manifest).clips if clip.split == "train"]
    )
    assert made.int8 is not None
    assert made.float is not None
    assert (killed / "loss.svg").exists()

    result = CliRunner().invoke(main, ["evaluate", str(killed), str(manifest), "--split", "tune", "--json"])
    assert result.exit_code == 0, result.output
    assert msgspec.json.decode(result.output)["accuracy"] == pytest.approx(made.int8)

    # To the byte, though names of layers count on in a process.
    make_model(recipe, manifest, None, None, straight, told.append)
    assert (killed / "model.tflite").read_bytes() == (straight / "model.tflite").read_bytes()

    with pytest.raises(DataError, match="holds a training by another recipe, or from other recordings"):
        make_model(msgspec.structs.replace(recipe, seed=2), manifest, None, None, killed, told.append)
    (straight / "history.json").write_bytes(b"[[")
    with pytest.raises(DataError, match=r"damaged; without history.json it starts anew"):
        make_model(recipe, manifest, None, None, straight, told.append)


def test_a_short_training_is_worth_its_last_steps_and_compiles_one(
    tmp_path: Path, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is averaged over hundreds of steps, of fewer, knows next to nothing."""
    pytest.importorskip("tensorflow")
    import keras

    compiled = 0
    step = keras.Model.train_step

    def counted(*arguments: object) -> object:
        nonlocal compiled
        compiled += 1
        return step(*arguments)

    monkeypatch.setattr(keras.Model, "train_step", counted)
    recipe = read_recipe(recipe_file(tmp_path, 25))
    assert recipe.training.average == 0.998
    made = make_model(recipe, manifest, None, None, tmp_path / "model", lambda line: None)
    assert made.float == made.int8 == 1.0
    assert compiled == 1


def test_what_tells_of_the_end_knows_it_from_the_beginning(tmp_path: Path) -> None:
    draw = np.random.default_rng(2)
    clips = []
    for number in range(80):
        label, part = (("silence", slice(0, 6_000)), ("speech", slice(-6_000, None)))[number % 2]
        sound = (0.001 * draw.standard_normal(13_120)).astype(np.float32)
        sound[part] += whistle(draw.uniform(300, 3000), draw)[:6_000]
        write_sound(tmp_path / f"{number}.flac", sound, RATE_HZ)
        clips.append(Clip(path=f"{number}.flac", label=label, split="tune" if number < 16 else "train"))
    write_manifest(tmp_path / "set.jsonl", clips)
    recipe = read_recipe(recipe_file(tmp_path, 12))
    network = msgspec.structs.replace(recipe.network, of_end=True)
    mixing = msgspec.structs.replace(recipe.mixing, versions=1)
    training = msgspec.structs.replace(recipe.training, shift_frames=0, epochs=20, average=0.8)
    recipe = msgspec.structs.replace(
        recipe,
        kind="speech",
        labels=("silence", "speech"),
        other=None,
        window_frames=80,
        network=network,
        mixing=mixing,
        training=training,
    )
    made = make_model(recipe, tmp_path / "set.jsonl", None, None, tmp_path / "run", lambda told: None)
    assert made.int8 is not None
    assert made.int8 >= 0.9
    assert read_model_card(tmp_path / "run" / "card.json").kind == "speech"
