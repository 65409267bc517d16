"""What is different in each cell of an ablation, what is trained for it, and what its table says."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from common.errors import DataError
from models.__main__ import main
from models.ablation.plan import Learnt, plan_of_curve, read_plan
from models.ablation.sets import learnt_by, read_sets
from models.ablation.table import Row, lines, points_of_curve, table
from models.ablation.trial import Trial, recipe_of
from models.ablation.trials import Folders, run
from models.data.clip import Clip, Split
from models.data.manifest import read_manifest, write_manifest
from models.data.mixing import RATE_HZ
from models.data.sound_file import write_sound
from models.errors.curve import Point, read_curve, write_curve
from models.training.recipe import read_recipe
from tests.test_training import write_damaged

RECIPE = """
name = "whistles"
version = "1"
labels = ["low", "high", "unknown"]
other = "unknown"
learn_from_tune = true
mixing = { versions = 2, room_share = 0.0 }
network = { stem = 4, channels = 16, blocks = 1 }
training = { epochs = 4, batch = 8, masks = 0, shift_frames = 2 }
"""
PLAN = """
recipe = "recipe.toml"
seeds = [1]
snr_db = [10]
shortened.training.epochs = 1

[[cells]]
name = "wider"
recipe.network.channels = 24

[[cells]]
name = "the same again"

[[cells]]
name = "half"
learnt.speakers = 0.5
"""
WIDER = '[[cells]]\nname = "wider"\nrecipe.network.channels = 24\n'


@pytest.fixture(autouse=True)
def little_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.training.examples.DISTURBANCES", 1)


def plan_file(folder: Path, text: str = PLAN) -> Path:
    (folder / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    file = folder / "plan.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A manifest of whistles: ten speakers who whistle low and high, silence; two of them, and some silence, tune."""
    draw = np.random.default_rng(1)
    time_s = np.arange(RATE_HZ) / RATE_HZ
    clips = []
    for number in range(30):
        label, hz = (("low", 300), ("high", 2000), ("silence", 0))[number % 3]
        sound = 0.1 * np.sin(2 * np.pi * hz * time_s) + 0.001 * draw.standard_normal(RATE_HZ)
        write_sound(tmp_path / f"{number}.wav", sound.astype(np.float32), RATE_HZ)
        speaker = f"s{number // 3}" if hz else None
        part: Split = "tune" if number >= 24 else "train"
        source = "old" if number < 6 else "new"
        clips.append(Clip(path=f"{number}.wav", label=label, speaker=speaker, split=part, source=source))
    write_manifest(tmp_path / "data.jsonl", clips)
    for name in ("learnt", "judged"):
        (tmp_path / name).mkdir()
        noise = (0.05 * draw.standard_normal(RATE_HZ)).astype(np.float32)
        write_sound(tmp_path / name / "noise.wav", noise, RATE_HZ)
    return tmp_path / "data.jsonl"


def test_the_shipped_plans_can_be_read() -> None:
    files = sorted((Path(__file__).parent.parent / "models" / "recipes" / "ablations").glob("*.toml"))
    assert files
    for file in files:
        plan = read_plan(file)
        assert plan.cells[0].recipe.name == file.stem
        assert len(plan.parts_of_speakers) > 2


@pytest.mark.parametrize(
    ("line", "slip", "sentence"),
    [
        ("recipe.network.channels", "recipe.network.chanels", r"wider: .*chanels"),
        ("recipe.network.channels = 24", "recipe.mixing.noise_share = 2", r"wider: .*<= 1"),
        ("recipe.network.channels = 24", "recipe.mixing.speed = [0, 1]", "wider: speed begins at 0"),
        ("learnt.speakers = 0.5", "learnt.speakers = 0", r"plan.toml: no plan of an ablation: .*> 0"),
        ("learnt.speakers", "learnt.speaker", "speaker"),
        ('"half"', '"wider"', "two cells are called wider"),
        ('"half"', '"base"', "two cells are called base"),
        ("seeds = [1]", "seeds = [1, 1]", "a seed is there twice"),
        ("shortened.training.epochs", "shortened.training.epoch", r"shortened: .*epoch"),
        ("recipe.network.channels = 24", "recipe.window_frames = 50", "wider: has other labels or another window"),
        ('"recipe.toml"', '"other.toml"', "other.toml: No such file"),
    ],
)
def test_a_plan_with_a_slip_is_refused_by_what_is_wrong(tmp_path: Path, line: str, slip: str, sentence: str) -> None:
    assert line in PLAN
    with pytest.raises(DataError, match=sentence):
        read_plan(plan_file(tmp_path, PLAN.replace(line, slip)))


def test_a_cell_differs_from_the_base_in_what_it_says_and_nothing_else(tmp_path: Path) -> None:
    base, wider, again, half = read_plan(plan_file(tmp_path)).cells
    assert base.recipe.training.epochs == 1
    assert wider.recipe == msgspec.structs.replace(
        base.recipe, network=msgspec.structs.replace(base.recipe.network, channels=24)
    )
    assert (again.recipe, again.learnt) == (base.recipe, base.learnt)
    assert (half.recipe, half.learnt) == (base.recipe, Learnt(speakers=0.5))


def test_as_many_batches_are_learnt_from_by_fewer_clips_unless_the_cell_says_how_long(tmp_path: Path) -> None:
    plan = read_plan(plan_file(tmp_path, PLAN + '[[cells]]\nname = "long"\nrecipe.training.epochs = 5\n'))
    base, *_, half, long = plan.cells
    assert recipe_of(base, 3, 160, 160).training.epochs == 1
    assert recipe_of(half, 3, 160, 80).training.epochs == 2
    assert recipe_of(long, 3, 160, 80).training.epochs == 5
    one, other = recipe_of(base, 3, 160, 160), recipe_of(base, 4, 160, 160)
    assert (one.seed, other.seed) == (3, 4)
    # Sound is mixed once for both, as the recipe would have it.
    assert one.mixing_seed == other.mixing_seed == base.recipe.seed
    assert not one.learn_from_tune


def test_what_is_learnt_from_is_what_the_cell_says(tmp_path: Path, data: Path) -> None:
    clips = read_manifest(data).clips
    learnt = [clip for clip in clips if clip.split == "train"]
    wrong = [msgspec.structs.replace(clip, label="low") for clip in learnt]
    machine = Clip(path="29.wav", label="low", speaker="robot", synthetic=True)
    (tmp_path / "there").mkdir()
    write_manifest(tmp_path / "wrong.jsonl", wrong)
    write_sound(tmp_path / "there" / "robot.wav", np.zeros(RATE_HZ, np.float32), RATE_HZ)
    write_manifest(tmp_path / "there" / "machine.jsonl", [msgspec.structs.replace(machine, path="robot.wav")])
    cells = [Learnt(manifest="wrong.jsonl"), Learnt(add=("there/machine.jsonl",))]
    sets = read_sets(data, tmp_path, cells, pytest.fail)

    assert list(sets.tuned) == [clip for clip in clips if clip.split == "tune"]
    assert learnt_by(Learnt(), sets, 1) == learnt
    assert learnt_by(cells[0], sets, 1) == wrong
    added = learnt_by(cells[1], sets, 1)
    assert added[:-1] == learnt
    assert added[-1] == msgspec.structs.replace(machine, path="there/robot.wav", split="train")
    assert learnt_by(Learnt(add=cells[1].add, leave_out={"synthetic": "yes"}), sets, 1) == learnt
    left = learnt_by(Learnt(leave_out={"source": "old"}), sets, 1)
    assert left == [clip for clip in learnt if clip.source == "new"]
    write_manifest(tmp_path / "again.jsonl", learnt)
    again = read_sets(data, tmp_path, [Learnt(add=("again.jsonl",))], pytest.fail)
    assert learnt_by(Learnt(add=("again.jsonl",)), again, 1) == learnt
    with pytest.raises(DataError, match="no clip has sorce = old, so none is left out"):
        learnt_by(Learnt(leave_out={"sorce": "old"}), sets, 1)
    old = sets._replace(learnt=tuple(clip for clip in learnt if clip.source == "old"))
    with pytest.raises(DataError, match="nothing is left to learn from without source = old"):
        learnt_by(Learnt(leave_out={"source": "old"}), old, 1)


def test_a_clip_that_is_damaged_is_told_by_its_line_and_left_out(tmp_path: Path, data: Path) -> None:
    clips = read_manifest(data).clips
    write_damaged(tmp_path / "midst.flac")
    damaged = Clip(path="midst.flac", label="low", speaker="s99", split="train")
    more = [damaged, msgspec.structs.replace(damaged, path="gone.wav", split="tune")]
    write_manifest(tmp_path / "more.jsonl", [*clips, *more])
    told: list[str] = []
    sets = read_sets(tmp_path / "more.jsonl", tmp_path, [Learnt(add=("more.jsonl",))], told.append)
    assert (*sets.learnt, *sets.tuned) == tuple(clips)
    assert len(sets.others["more.jsonl"]) == len(sets.learnt)
    assert told[0].startswith(f"{tmp_path}/more.jsonl:31: midst.flac: ends or is damaged after ")
    assert told[1] == f"{tmp_path}/more.jsonl:32: gone.wav: there is no such file; it is left out."


def test_a_share_of_the_speakers_is_of_all_their_clips_and_of_every_larger_share(tmp_path: Path, data: Path) -> None:
    sets = read_sets(data, tmp_path, [], pytest.fail)
    quarter, half = ({clip.path for clip in learnt_by(Learnt(speakers=share), sets, 1)} for share in (0.25, 0.5))
    voices = {clip.speaker or clip.path for clip in sets.learnt}
    for share, kept in ((0.25, quarter), (0.5, half)):
        speakers = {clip.speaker or clip.path for clip in sets.learnt if clip.path in kept}
        assert len(speakers) == share * len(voices)
        assert kept == {clip.path for clip in sets.learnt if (clip.speaker or clip.path) in speakers}
    assert quarter < half
    assert half != {clip.path for clip in learnt_by(Learnt(speakers=0.5), sets, 2)}


def test_nobody_who_is_judged_by_is_learnt_from(tmp_path: Path, data: Path) -> None:
    clips = read_manifest(data).clips
    judged = next(clip for clip in clips if clip.split == "tune" and clip.speaker)
    write_manifest(tmp_path / "more.jsonl", [msgspec.structs.replace(judged, path="0.wav", split=None)])
    with pytest.raises(DataError, match=r"more.jsonl: would learn from 0.wav, whose speaker is judged by"):
        read_sets(data, tmp_path, [Learnt(add=("more.jsonl",))], pytest.fail)
    write_manifest(tmp_path / "alone.jsonl", [clip for clip in clips if clip.split == "train"])
    write_manifest(tmp_path / "mixed.jsonl", [Clip(path="0.wav", label="low", made_from=judged.path)])
    with pytest.raises(DataError, match="would learn from 0.wav"):
        read_sets(data, tmp_path, [Learnt(manifest="mixed.jsonl")], pytest.fail)
    judged_mix = msgspec.structs.replace(judged, speaker=None, made_from="0.wav")
    write_manifest(tmp_path / "of-mixes.jsonl", [judged_mix, *(clip for clip in clips if clip.split == "train")])
    with pytest.raises(DataError, match="would learn from 0.wav"):
        read_sets(tmp_path / "of-mixes.jsonl", tmp_path, [], pytest.fail)
    with pytest.raises(DataError, match="has no clip of the split tune"):
        read_sets(tmp_path / "alone.jsonl", tmp_path, [], pytest.fail)


def test_noise_that_is_learnt_with_is_not_judged_in(tmp_path: Path, data: Path) -> None:
    plan = read_plan(plan_file(tmp_path))
    with pytest.raises(DataError, match="--judge-noise"):
        run(plan, Folders(data, tmp_path / "learnt", None, None, tmp_path / "out"), pytest.fail)
    with pytest.raises(DataError, match="holds noise that is learnt from"):
        run(plan, Folders(data, tmp_path / "learnt", None, tmp_path / "learnt", tmp_path / "out"), pytest.fail)


JUDGED = [Clip(path=f"{number}.wav", speaker=f"s{number // 2}", split="tune") for number in range(40)]


def trial(cell: str, seed: int, wrong: set[int], clips: int = 100) -> Trial:
    return Trial(cell, seed, Path(cell), clips, 1000, {"as recorded": [number in wrong for number in range(40)]})


def test_the_table_compares_each_seed_with_the_same_seed_of_the_base() -> None:
    trials = [
        trial("base", 1, {0, 1, 2, 3}),
        trial("base", 2, {0, 1}),
        trial("better", 1, {0, 1}),
        trial("better", 2, {0}),
        trial("worse", 1, {*range(20)}),
        trial("worse", 2, {*range(24)}),
        trial("mixed", 1, {0, 1, 2}),
        trial("mixed", 2, {0, 1, 2, 3}),
    ]
    base, better, worse, mixed = table(trials, JUDGED)
    assert [row.name for row in (base, better, worse, mixed)] == ["base", "better", "worse", "mixed"]
    assert base.measured["as recorded"].accuracies == (0.9, 0.95)
    assert base.measured["as recorded"].difference == 0
    told = better.measured["as recorded"]
    assert told.differences == pytest.approx((0.05, 0.025))
    assert told.difference == pytest.approx(0.0375)
    assert told.low <= 0.0375 <= told.high
    assert told.is_luck  # Two speakers of twenty.
    low = worse.measured["as recorded"]
    assert low.difference == pytest.approx(-0.475)
    assert low.low < -0.475 < low.high < 0
    assert not low.is_luck
    assert mixed.measured["as recorded"].is_luck


def test_seeds_that_tell_the_opposite_are_luck_whatever_the_interval() -> None:
    everyone = {*range(40)}
    trials = [
        trial("base", 1, everyone),
        trial("base", 2, {0}),
        trial("cell", 1, set()),
        trial("cell", 2, {0, 1, 2}),
    ]
    measured = table(trials, JUDGED)[1].measured["as recorded"]
    assert measured.low > 0
    assert measured.is_luck


def test_the_table_is_told_in_points_with_spread_and_interval() -> None:
    rows = table([trial("base", 1, {0}), trial("worse", 1, {*range(21)})], JUDGED)
    told = [*lines(rows)]
    assert len({len(line) for line in told[:-1]}) == 1
    head, _, base, worse = ([cell.strip() for cell in line.split("|")] for line in told[:-1])
    assert head[1] == "as recorded"
    assert base[1:5] == ["base", "100", "1.0", "0.975 (0.975 to 0.975)"]
    assert worse[5] == "-50.0 (-50.0 to -50.0)"
    assert worse[7] == ""
    low, high = map(float, worse[6].split(" to "))
    assert low < -50 < high < 0
    assert msgspec.json.decode(msgspec.json.encode(rows[1]), type=Row) == rows[1]


def test_a_curve_is_of_the_cells_that_differ_in_speakers_alone(tmp_path: Path) -> None:
    text = PLAN + '[[cells]]\nname = "wider half"\nlearnt.speakers = 0.5\nrecipe.network.channels = 24\n'
    plan = read_plan(plan_file(tmp_path, text))
    assert plan.parts_of_speakers == ["base", "the same again", "half"]
    trials = [trial("base", 1, {0}, 200), trial("half", 1, {0, 1}), trial("wider half", 1, set())]
    assert [(one.clips, one.error_rate) for one in points_of_curve(trials, ["base", "half"])] == [
        (100, 0.05),
        (200, 0.025),
    ]
    assert plan_of_curve(plan.cells[0].recipe, (0.25,), (1, 2)).parts_of_speakers == ["base", "0.25 of the speakers"]


class Stopped(Exception):
    """As if somebody had pulled the plug."""


def test_a_killed_ablation_goes_on_in_the_middle_of_a_cell_and_trains_nothing_twice(tmp_path: Path, data: Path) -> None:
    pytest.importorskip("tensorflow")
    file = plan_file(tmp_path, PLAN.replace(WIDER, ""))
    plan = read_plan(file)
    folders = Folders(data, tmp_path / "learnt", None, tmp_path / "judged", tmp_path / "out")
    told: list[str] = []

    def killed(line: str) -> None:
        told.append(line)
        if len(epochs(told)) == 2:
            raise Stopped

    with pytest.raises(Stopped):
        run(plan, folders, killed)
    assert epochs(told) == ["epoch 1 of 1", "epoch 1 of 3"]
    told.clear()
    trials, judged = run(plan, folders, told.append)

    # The rest of "half", which has one batch where the base has three.
    assert epochs(told) == ["epoch 2 of 3", "epoch 3 of 3"]
    base, again, half = trials
    assert [one.cell for one in trials] == ["base", "the same again", "half"]
    assert (again.folder, again.errors, again.is_new) == (base.folder, base.errors, False)
    assert half.folder != base.folder
    assert half.clips < base.clips == 24
    assert {name: len(wrong) for name, wrong in base.errors.items()} == {"as recorded": 6, "10 dB SNR": 6}
    assert len(judged) == 6
    assert told[-1].startswith("half, seed 1: as recorded ")
    assert told[-1].endswith("that was the last")
    # Sound was mixed once for all: that of the training parts, and that of the tuning part as it is.
    assert len([*(tmp_path / "out" / "levels").glob("*.npz")]) == 2

    # All is there: nothing is trained for the table, the plot and the curve.
    words = ["ablate", file, "--data", data, "--noise", folders.noise, "--judge-noise", folders.judged_noise]
    words += ["--out", folders.out, "--plot", tmp_path / "plot.svg", "--curve", tmp_path / "curve.jsonl"]
    result = CliRunner().invoke(main, [*map(str, words)])
    assert result.exit_code == 0, result.output
    assert "epoch" not in result.stderr
    rows = [line.split("|")[1].strip() for line in result.stdout.splitlines() if line.startswith("|")]
    assert rows[:5] == ["as recorded", "--------------", "base", "the same again", "half"]
    assert rows[5] == "10 dB SNR"
    assert "<svg" in (tmp_path / "plot.svg").read_text(encoding="utf-8")
    points = [msgspec.json.decode(line) for line in (tmp_path / "curve.jsonl").read_bytes().splitlines()]
    assert [point["clips"] for point in points] == [half.clips, 24, 24]
    result = CliRunner().invoke(main, [*map(str, words), "--json"])
    told_rows = [msgspec.json.decode(line, type=Row) for line in result.stdout.splitlines() if line.startswith("{")]
    assert told_rows == table(trials, judged)


def epochs(told: list[str]) -> list[str]:
    return [line.strip().split(":")[0] for line in told if line.startswith("  epoch")]


def test_a_curve_that_was_written_is_what_errors_reads(tmp_path: Path) -> None:
    file = tmp_path / "curve.jsonl"
    write_curve(file, [Point(100, 0.2), Point(400, 0.1)])
    assert read_curve(file) == pytest.approx((2.0, 0.5, 100, 400))
    with pytest.raises(DataError, match="cannot be written: No such file"):
        write_curve(tmp_path / "nowhere" / "curve.jsonl", [])


def test_a_plan_without_parts_of_the_speakers_has_no_curve(tmp_path: Path, data: Path) -> None:
    file = plan_file(tmp_path, PLAN[: PLAN.index('[[cells]]\nname = "the same')])
    words = ["ablate", file, "--data", data, "--out", tmp_path / "out", "--curve", tmp_path / "curve.jsonl"]
    result = CliRunner().invoke(main, [*map(str, words)])
    assert (result.exit_code, result.stderr) == (
        2,
        f"{file}: has no cell that differs in speakers alone, so there is no curve to write.\n",
    )


def test_what_cannot_be_carried_out_is_told_before_anything_is_trained(tmp_path: Path, data: Path) -> None:
    clips = read_manifest(data).clips
    bare = [msgspec.structs.replace(clip, label=None if clip.split == "tune" else clip.label) for clip in clips]
    write_manifest(tmp_path / "bare.jsonl", bare)
    write_manifest(tmp_path / "tuned.jsonl", [clip for clip in clips if clip.split == "tune"])
    left_out = '[[cells]]\nname = "slip"\nlearnt.leave_out = { sorce = "old" }\n'
    for name, more, sentence in (
        ("data.jsonl", left_out, "no clip has sorce = old"),
        ("bare.jsonl", "", "no clip of the split tune has one of the labels"),
        ("tuned.jsonl", "", "nothing is left to learn from: no clip is of the split train."),
    ):
        plan = read_plan(plan_file(tmp_path, PLAN.replace("snr_db = [10]", "") + more))
        with pytest.raises(DataError, match=sentence):
            run(plan, Folders(tmp_path / name, None, None, None, tmp_path / "out"), pytest.fail)


def test_a_curve_is_not_written_over_anything_else(tmp_path: Path, data: Path) -> None:
    plan_file(tmp_path)
    before = data.read_bytes()
    (tmp_path / "folder").mkdir()
    for new, sentence in ((data, "is no learning curve"), (tmp_path / "folder", "cannot be written: Is a directory")):
        words = ["curve", tmp_path / "recipe.toml", new, "--data", data]
        result = CliRunner().invoke(main, [*map(str, words)])
        assert (result.exit_code, sentence in result.stderr) == (2, True), result.output
    assert data.read_bytes() == before


def test_a_curve_without_an_ending_does_not_lie_where_its_models_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Path] = []

    def ran(_: object, folders: Folders, tell: object) -> tuple[list[Trial], list[Clip]]:
        found.append(folders.out)
        return [], []

    monkeypatch.setattr("models.ablation.trials.run", ran)
    plan_file(tmp_path)
    for new in ("curve", "curve.jsonl"):
        words = ["curve", tmp_path / "recipe.toml", tmp_path / new, "--data", tmp_path / "data.jsonl"]
        CliRunner().invoke(main, [*map(str, words)])
    assert found == [tmp_path / "curve-models", tmp_path / "curve"]


def test_a_plan_that_is_no_utf_8_is_a_sentence(tmp_path: Path) -> None:
    for read, file in ((read_recipe, tmp_path / "recipe.toml"), (read_plan, tmp_path / "plan.toml")):
        file.write_bytes(b'recipe = "caf\xe9"')
        with pytest.raises(DataError, match="utf-8"):
            read(file)
