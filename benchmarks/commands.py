"""The command model by the board's interpreter: as recorded, at many levels, in noise; its cost.

    scripts/bench commands --data DIR

`--data` is a folder with commands/dev/CLASS/ and noise/; `--without` a model that learnt from the same without noise,
`--second` halves of the noises, where the models learnt from the first.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import msgspec
import numpy as np

from benchmarks import corpus
from edge.local.model import Model
from models.data import mixing
from models.data.mixing import Sound
from models.evaluation.evaluation import METRIC_DECIMALS, Share, clips_of, wilson
from models.plot import figure
from models.training.examples import Examples, frames, windowed
from protos.feature_spec import DEFAULT_SPEC, Levels
from protos.model_card import CARD_FILE, MODEL_FILE, read_model_card, write_model_card

SHIPPED = Path("models/files/commands-v1")
LEVELS_DBFS = (-50, -45, -40, -30, -20, -12, -6)
SNRS_DB = (30, 20, 15, 10, 5, 0)
SEED = 5
INVOCATIONS = 300
HOP_FRAMES = 10
FRAMES_A_SECOND = 100


class Recording(NamedTuple):
    """A clip and the number of its class."""

    sound: Sound
    label: int


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--model", "folder", type=click.Path(path_type=Path), default=SHIPPED, show_default=True)
@click.option("--without", type=click.Path(path_type=Path), help="A model without the noise step, to compare.")
@click.option("--run", type=click.Path(exists=True, path_type=Path), help="Where it was trained: float beside int8.")
@click.option("--clips", type=int, help="Only so many, evenly spread.")
@click.option("--second", is_flag=True, help="Only the second half of each noise.")
@click.option("--record", is_flag=True, help="Write accuracies by level and noise into the model's card.")
@click.option("--plot", "drawn", type=click.Path(path_type=Path), help="File of the noise curve, such as .svg.")
def main(
    data: Path,
    folder: Path,
    without: Path | None,
    run: Path | None,
    clips: int | None,
    second: bool,
    record: bool,
    drawn: Path | None,
) -> None:
    """Measure the command model on commands/dev, which it never learnt from."""
    model = Model(folder, DEFAULT_SPEC)
    recordings = read(data / "commands" / "dev", model.card.labels, clips)
    noises = [np.array_split(noise, 2)[1] if second else noise for noise in corpus.noises(data).values()]
    print(f"{model.card.name} {model.card.version}, {len(recordings)} clips\n")
    print("| condition | right | accuracy (95 %) |\n|---|---|---|")
    row("as recorded", accuracy(model, recordings))
    by_level = {f"{dbfs} dBFS": accuracy(model, recordings, at(dbfs)) for dbfs in LEVELS_DBFS}
    for name, share in by_level.items():
        row(name, share)
    curves = {"with noise learnt": curve("noise", model, recordings, noises)}
    if record:
        told = {name: share.accuracy for name, share in by_level.items()}
        told |= {f"noise {snr_db} dB": one for snr_db, one in zip(SNRS_DB, curves["with noise learnt"], strict=True)}
        put_into_card(folder, told)
    if without is not None:
        other = Model(without, DEFAULT_SPEC)
        row("as recorded, without noise learnt", accuracy(other, recordings))
        curves["without"] = curve("noise, without noise learnt", other, recordings, noises)
    if drawn is not None:
        draw_curves(drawn, curves)
    if run is not None:
        float_beside_int8(run, model, recordings)
    ms = invocation_ms(model, frames(recordings[0].sound))
    size = (folder / MODEL_FILE).stat().st_size
    per_second = ms * FRAMES_A_SECOND / HOP_FRAMES
    print(f"\n{size} bytes; {ms:.2f} ms of CPU an invocation, {per_second:.1f} ms a second of sound")


def put_into_card(folder: Path, accuracies: dict[str, float]) -> None:
    """Beside what is there."""
    card = read_model_card(folder / CARD_FILE)
    new = {f"accuracy/{name}": round(one, METRIC_DECIMALS) for name, one in accuracies.items()}
    write_model_card(folder / CARD_FILE, msgspec.structs.replace(card, metrics=card.metrics | new))


def read(folder: Path, labels: Sequence[str], count: int | None) -> list[Recording]:
    """Recordings of a folder by class."""
    _, clips, _ = clips_of(folder, None)
    some = clips if count is None else clips[:: max(1, len(clips) // count)]
    return [Recording(corpus.read(folder / clip.path), labels.index(str(clip.label))) for clip in some]


def at(dbfs: float) -> Callable[[Sound], Sound]:
    return lambda sound: mixing.at_level(sound, dbfs)


def accuracy(model: Model, recordings: Sequence[Recording], change: Callable[[Sound], Sound] | None = None) -> Share:
    """How many are heard as what they are."""
    right = 0
    for sound, label in recordings:
        levels = windowed(frames(change(sound) if change else sound), model.card.window_frames)
        right += int(model.probabilities(levels, 1)[0].argmax() == label)
    return wilson(right, len(recordings))


def float_beside_int8(run: Path, model: Model, recordings: Sequence[Recording]) -> None:
    """Accuracy of both, by class."""
    from models.training.making import FLOAT_FILE, RECIPE_FILE
    from models.training.recipe import Recipe
    from models.training.train import predicted, restored

    recipe = msgspec.json.decode((run / RECIPE_FILE).read_bytes(), type=Recipe)
    levels = np.stack([windowed(frames(sound), model.card.window_frames) for sound, _ in recordings])
    labels = np.array([label for _, label in recordings])
    examples = Examples(levels[:, np.newaxis], labels, labels)
    by_float = predicted(restored(recipe, run / FLOAT_FILE, DEFAULT_SPEC.bands), examples) == labels
    by_int8 = np.array([model.probabilities(window, 1)[0].argmax() for window in levels]) == labels
    print("\n| class | clips | float | int8 |\n|---|---|---|---|")
    for number, name in enumerate(model.card.labels):
        some = labels == number
        if some.any():
            print(f"| {name} | {some.sum()} | {by_float[some].mean():.3f} | {by_int8[some].mean():.3f} |")
    print(f"| all | {len(labels)} | {by_float.mean():.4f} | {by_int8.mean():.4f} |", flush=True)


def curve(name: str, model: Model, recordings: Sequence[Recording], noises: Sequence[Sound]) -> list[float]:
    """Accuracies by SNRS_DB, each clip over a drawn noise, the same for every model."""
    accuracies = []
    for snr_db in SNRS_DB:
        draw = np.random.default_rng(SEED)

        def noisy(sound: Sound, snr_db: float = snr_db, draw: np.random.Generator = draw) -> Sound:
            return mixing.with_noise(sound, noises[int(draw.integers(len(noises)))], snr_db, draw)

        share = accuracy(model, recordings, noisy)
        row(f"{name}, {snr_db} dB", share)
        accuracies.append(share.accuracy)
    return accuracies


def row(name: str, share: Share) -> None:
    interval = f"{share.accuracy:.3f} ({share.low:.3f} to {share.high:.3f})"
    print(f"| {name} | {share.right} of {share.of} | {interval} |", flush=True)


def draw_curves(file: Path, curves: dict[str, list[float]]) -> None:
    with figure(file, x="signal to noise, dB", y="accuracy") as axes:
        for name, accuracies in curves.items():
            axes.plot(SNRS_DB, accuracies, marker="o", label=name)
        axes.invert_xaxis()
        axes.set_ylim(0, 1)
        axes.legend()


def invocation_ms(model: Model, levels: Levels) -> float:
    """CPU of one window, the median of ten series."""
    window = windowed(levels, model.card.window_frames)
    series = []
    for _ in range(10):
        started = time.process_time()
        for _ in range(INVOCATIONS // 10):
            model.probabilities(window, 1)
        series.append((time.process_time() - started) * 1000 / (INVOCATIONS // 10))
    return float(np.median(series))


if __name__ == "__main__":
    main()
