"""Are planted weak slices found, and is nothing found where nothing was planted?

    scripts/bench weak_slices

Test sets are drawn: clips with a speaker, a class, noise, room and figures as `parrotlet-models measure` makes them,
and errors at 6 %, but for three slices: a class at 20 %, little SNR at 30 %, and the quiet ones in a kitchen, which is
a conjunction, at 35 %.
"""

import click
import numpy as np

from models.errors.condition import Condition
from models.errors.outcome import Outcome
from models.errors.slices import Slice, weak_slices

USUAL = 0.06
AMONG = 5


@click.command()
@click.option("--sets", default=20, show_default=True, help="Test sets of each size, and as many without weak slices.")
@click.option("--clips", "sizes", multiple=True, type=int, default=(1500, 4000), show_default=True)
def main(sets: int, sizes: tuple[int, ...]) -> None:
    """Print how often each planted slice is among the first five."""
    print("| clips | sets | class | low SNR | kitchen and quiet | all three | others told | told without any |")
    print("|---|---|---|---|---|---|---|---|")
    for clips in sizes:
        found = [planted(weak_slices(drawn(seed, clips, weak=True))) for seed in range(sets)]
        alone = sum(bool(weak_slices(drawn(1000 + seed, clips, weak=False))) for seed in range(sets))
        cells = [f"{sum(one[name] for one in found)} / {sets}" for name in ("class", "snr", "kitchen", "all")]
        print(f"| {clips} | {sets} | {' | '.join(cells)} | {sum(one['others'] for one in found)} | {alone} / {sets} |")


def drawn(seed: int, clips: int, *, weak: bool) -> list[Outcome]:
    """A test set."""
    draw = np.random.default_rng(seed)
    outcomes = []
    for number in range(clips):
        properties: dict[str, str | float] = {
            "speaker": f"speaker {draw.integers(40)}",
            "label": f"word {draw.integers(12)}",
            "noise": str(draw.choice(["none", "kitchen", "street", "tap"])),
            "room": str(draw.choice(["dry", "hall", "bath"])),
            "snr_db": float(draw.normal(22, 8)),
            "level_dbfs": float(draw.normal(-28, 7)),
            "pitch_hz": float(draw.normal(160, 40)),
            "speech_ms": float(draw.normal(500, 120)),
            "before_ms": float(draw.uniform(0, 400)),
        }
        rate = _rate(properties) if weak else USUAL
        outcomes.append(Outcome(path=f"{number}", errors=float(draw.random() < rate), properties=properties))
    return outcomes


def planted(told: list[Slice]) -> dict[str, int]:
    """Which of the planted ones are among the first, each as what it is, and how many others there are."""
    kinds = [_kind(one.conditions) for one in told[:AMONG]]
    hits = {name: int(name in kinds) for name in ("class", "snr", "kitchen")}
    return {**hits, "all": int(all(hits.values())), "others": sum(_kind(one.conditions) == "other" for one in told)}


def _rate(properties: dict[str, str | float]) -> float:
    quiet = float(properties["level_dbfs"]) < -33
    if properties["noise"] == "kitchen" and quiet:
        return 0.35
    if float(properties["snr_db"]) < 10:
        return 0.3
    return 0.2 if properties["label"] == "word 3" else USUAL


def _kind(conditions: tuple[Condition, ...]) -> str:
    """A slice counts as the planted one if it names it; a further condition beside makes another of it."""
    match sorted(f"{one.property}{one.relation}" for one in conditions):
        case ["label="] if conditions[0].value == "word 3":
            return "class"
        case ["snr_db<"]:
            return "snr"
        case ["level_dbfs<", "noise="] if "kitchen" in (one.value for one in conditions):
            return "kitchen"
    return "other"


if __name__ == "__main__":
    main()
