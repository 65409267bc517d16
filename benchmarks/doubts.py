"""How many planted faults of class labels are among the labels that held-out models doubt most.

    scripts/bench doubts --data DIR

`--data` is a folder with commands/train/CLASS/ and its index.tsv. In 5 % of the clips the class is made another: any,
or one that sounds like it. The rankings are compared on the same probabilities, cleanlab's beside ours.
"""

import csv
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from models.data.clip import Clip
from models.doubts.confident import Numbers, Probabilities
from models.doubts.doubting import examples_of, judgements
from models.doubts.held_out import Plan, held_out
from models.doubts.short_form import short_form
from models.training.begun import begin, data_hash
from models.training.examples import Backgrounds, drawn_noises
from models.training.recipe import Recipe, read_recipe

RECIPE = Path("models/recipes/commands-v1.toml")
SHARE = 0.05
TOPS = (0.05, 0.1)
MARK = 0.9
PAIRS = (("go", "no"), ("go", "down"), ("on", "off"), ("off", "up"), ("yes", "left"), ("left", "right"))
"""Classes that sound alike, or in which the same vowel is."""
KINDS = ("any", "alike")

Quality = npt.NDArray[np.float64]
"""Of each label, (clips,): the lowest is doubted most."""


class Planted(NamedTuple):
    clips: list[Clip]
    """All of them, some with another class than before."""
    before: dict[int, str]
    """The class that was right, by the clip's place."""


class Asked(NamedTuple):
    """What models said, all by the clip's place."""

    probabilities: Probabilities
    labels: Numbers
    quality: Quality
    surely: npt.NDArray[np.bool_]
    likelier: list[str]


Tried = list[tuple[str, int, Planted, Asked]]
"""By kind and seed."""


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--recipe", "recipe_file", type=click.Path(path_type=Path), default=RECIPE, show_default=True)
@click.option("--seed", "seeds", type=int, multiple=True, default=(1, 2), show_default=True, help="Draws the faults.")
@click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, default=KINDS, show_default=True)
@click.option("--folds", default=4, show_default=True)
@click.option("--rounds", default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Keep trainings there; a killed run goes on.")
def main(
    data: Path,
    recipe_file: Path,
    seeds: tuple[int, ...],
    kinds: tuple[str, ...],
    folds: int,
    rounds: int,
    out: Path | None,
) -> None:
    """Plant faults, doubt labels, and print how many of the faults are among the first."""
    with tempfile.TemporaryDirectory() as own:
        measure(data, recipe_file, seeds, kinds, Plan(folds, rounds), out or Path(own))


def measure(data: Path, recipe_file: Path, seeds: Sequence[int], kinds: Sequence[str], plan: Plan, out: Path) -> None:
    """A table by ranking, one by verdict, one by class."""
    recipe, clean = read_recipe(recipe_file), read(data)
    print(f"{len(clean)} clips, {SHARE:.0%} of them with a planted fault; {plan.folds} folds, rounds: {plan.rounds}\n")
    print(f"| kind | seed | ranking | {' | '.join(f'recall in the first {top:.0%}' for top in TOPS)} |")
    print("|---|---|---|---|---|")
    tried: Tried = []
    for kind in kinds:
        for seed in seeds:
            planted = plant(clean, kind, seed)
            asked = ask(recipe, data, planted.clips, plan, out, f"{kind}-{seed}")
            for name, quality in rankings(asked):
                cells = (f"{first(quality, planted, top).mean():.1%}" for top in TOPS)
                print(f"| {kind} | {seed} | {name} | {' | '.join(cells)} |", flush=True)
            tried.append((kind, seed, planted, asked))
    verdicts_table(tried)
    classes_table(tried)
    worst = min(first(asked.quality, planted, TOPS[-1]).mean() for *_, planted, asked in tried)
    mark = "reached" if worst >= MARK else "NOT reached"
    print(f"\nRecall of each set at least {MARK:.0%} in the first {TOPS[-1]:.0%}: {mark} ({worst:.1%} at least)")


def read(data: Path) -> list[Clip]:
    """The clips of commands/train, in the index's order."""
    with (data / "index.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        Clip(path=row["path"], label=row["path"].split("/")[2], text=row["text"] or None, speaker=row["speaker"])
        for row in rows
        if row["path"].startswith("commands/train/")
    ]


def plant(clean: list[Clip], kind: str, seed: int) -> Planted:
    """Some of them with the class of others, and with a text of it: nothing but the sound tells."""
    draw = np.random.default_rng(seed)
    labels = sorted({str(clip.label) for clip in clean})
    texts = {label: sorted({clip.text or "" for clip in clean if clip.label == label}) for label in labels}
    others = {label: [other for other in labels if other != label] for label in labels}
    if kind == "alike":
        others = {
            label: [other for pair in PAIRS if label in pair for other in pair if other != label] for label in labels
        }
    able = [place for place, clip in enumerate(clean) if others[str(clip.label)]]
    clips, before = list(clean), {}
    for place in draw.choice(able, round(SHARE * len(clean)), replace=False).tolist():
        before[place] = str(clean[place].label)
        label = str(draw.choice(others[before[place]]))
        clips[place] = replace(clean[place], label=label, text=str(draw.choice(texts[label])) or None)
    return Planted(clips, before)


def ask(recipe: Recipe, data: Path, clips: list[Clip], plan: Plan, out: Path, name: str) -> Asked:
    """What `parrotlet-models doubt` finds of these clips."""
    short = short_form(recipe, len(clips))
    backgrounds = Backgrounds(drawn_noises(short.seed), [])
    begin(out / name, data_hash(short, data, clips), backgrounds)
    # Sound alone, so that all sets have the same.
    seen = examples_of(short, data, clips, backgrounds, out / "cache")
    found = held_out(short, clips, seen, plan, out / name, lambda line: click.echo(f"{name}: {line}", err=True))
    judged = [judgement for judgement in judgements(short, clips, found) if judgement is not None]
    assert len(judged) == len(clips), "each class has many speakers"
    quality = np.array([one.quality for one in judged])
    surely = np.array([one.surely for one in judged])
    return Asked(found.probabilities, seen.labels, quality, surely, [one.likelier for one in judged])


def rankings(asked: Asked) -> Iterator[tuple[str, Quality]]:
    """By name: ours, by plain loss, which is cleanlab's "self_confidence", and its two others."""
    from cleanlab.rank import get_label_quality_scores

    yield "ours", asked.quality
    yield "loss", np.log(asked.probabilities[np.arange(len(asked.labels)), asked.labels] + 1e-12)
    for method in ("normalized_margin", "confidence_weighted_entropy"):
        yield f"cleanlab, {method}", get_label_quality_scores(asked.labels, asked.probabilities, method=method)


def first(quality: Quality, planted: Planted, top: float) -> npt.NDArray[np.bool_]:
    """Which of the planted faults are in this share of the list."""
    order = np.argsort(quality, kind="stable")[: round(top * len(quality))]
    return np.isin(list(planted.before), order)


def verdicts_table(tried: Tried) -> None:
    """The clips that are told to a person, those that surely are another class, and cleanlab's."""
    from cleanlab.filter import find_label_issues

    print("\n| kind | seed | told | planted among them | right class told | surely | planted | cleanlab's | planted |")
    print("|---|---|---|---|---|---|---|---|---|")
    for kind, seed, planted, asked in tried:
        places = list(planted.before)
        theirs = find_label_issues(asked.labels, asked.probabilities, n_jobs=1)
        told = asked.probabilities.argmax(axis=1) != asked.labels
        named = sum(asked.likelier[place] == planted.before[place] for place in places)
        cells = [told.sum(), f"{told[places].sum()} of {len(places)}", named]
        cells += [count for found in (asked.surely, theirs) for count in (found.sum(), found[places].sum())]
        print(f"| {kind} | {seed} | {' | '.join(map(str, cells))} |")


def classes_table(tried: Tried) -> None:
    """Recall by the class that was planted, and by the one that was right."""
    of: Counter[tuple[str, str]] = Counter()
    found: Counter[tuple[str, str]] = Counter()
    for _, _, planted, asked in tried:
        for (place, right), hit in zip(planted.before.items(), first(asked.quality, planted, TOPS[-1]), strict=True):
            for key in ((str(planted.clips[place].label), "as"), (right, "was")):
                of[key] += 1
                found[key] += int(hit)
    print(
        f"\n| class | labelled as it: in the first {TOPS[-1]:.0%} | is it: in the first {TOPS[-1]:.0%} |\n|---|---|---|"
    )
    for label in sorted({label for label, _ in of}):
        print(f"| {label} | {' | '.join(f'{found[label, way]} of {of[label, way]}' for way in ('as', 'was'))} |")


if __name__ == "__main__":
    main()
