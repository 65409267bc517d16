"""Error rates that are estimated without labels, and with fifty, against the true ones of drifted streams.

    scripts/bench error_rate --data DIR --work DIR

Twenty streams of 400 utterances of real recordings as pocketsphinx heard them (outcomes_heard.py): orders, where an
answer is wrong unless the intent and every slot are right, and sentences, where it is as wrong as its words are. Each
drifts from what the reference was like: noises that it has not heard, more of them, faster speech, other drinks. The
reference is of other recordings (--half tuning: both from the half that is for choosing), in quiet and a little noise.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from benchmarks import outcomes_heard, reasks
from benchmarks.outcomes_heard import Condition, Heard, Set
from cloud.drift.facts import Facts
from cloud.labelling.labelling import Candidate, draw, uncertainty
from cloud.outcomes.error_rate import Estimate, Label, Reference, estimate, reference

SEED = 41
UTTERANCES, LABELS = 400, 50
DRAWS = 10
"""Of each stream anew, so that how often intervals hold is not a matter of twenty."""

DISHES, TAP = "doing_the_dishes", "running_tap"
USUAL = (Condition(), Condition(take="b"), Condition(DISHES, 20), Condition(TAP, 20))
NOISIER = (Condition(DISHES, 12), Condition(TAP, 14), Condition("exercise_bike", 14), Condition("pink_noise", 16))
SENTENCES_USUAL = (Condition(),)


class Stream(NamedTuple):
    """What it is drawn from."""

    name: str
    of: Set
    drifted: Sequence[Condition]
    share: float
    """Of the utterances; the others are as usual."""
    drinks: Sequence[str] = ()
    """All of the drifted ones are about these; empty: any."""


STREAMS = (
    *(Stream(f"{one.noise}", "orders", (one,), share) for one in NOISIER for share in (0.3, 0.6, 1.0)),
    Stream("faster", "orders", (Condition(take="b"),), 1.0),
    Stream("faster, in noise", "orders", (Condition(DISHES, 12, "b"), Condition(TAP, 14, "b")), 0.8),
    Stream("all noises", "orders", NOISIER, 0.5),
    Stream("other drinks", "orders", USUAL, 0.8, ("espresso", "latte")),
    Stream("other drinks, in noise", "orders", NOISIER, 0.5, ("americano", "coffee")),
    Stream("dishes", "sentences", (Condition(DISHES, 20),), 0.5),
    Stream("dishes", "sentences", (Condition(DISHES, 20),), 1.0),
    Stream("faster", "sentences", (Condition(take="b"),), 1.0),
)


class Trial(NamedTuple):
    """One draw of a stream."""

    stream: Stream
    truth: float
    without: Estimate
    labelled: Estimate
    labels_alone: float
    """Mean of as many labels that are drawn evenly, for comparison."""
    as_promised: float
    """Mean of 1 - confidence, for comparison."""


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Keeps what was heard.")
@click.option("--half", type=click.Choice(["test", "tuning"]), default="test", show_default=True)
@click.option("--reference", "most", type=click.IntRange(min=2), help="Of so many outcomes, as of labels; else of all.")
def main(data: Path, work: Path, half: str, most: int | None) -> None:
    """Mean absolute error of the estimates, and how often intervals hold the truth."""
    trials = []
    for of in dict.fromkeys(stream.of for stream in STREAMS):
        first, second = parts(of, half, data, work)
        usual = USUAL if of == "orders" else SENTENCES_USUAL
        calm = [one for one in first if is_in(one, usual)]
        for number, stream in enumerate(STREAMS):
            if stream.of == of:
                seeds = [[SEED, number, again] for again in range(DRAWS)]
                trials += [trial(stream, usual, second, reference_of(few(calm, most, seed)), seed) for seed in seeds]
    print("| stream | share | true errors | estimated without labels | with 50 |\n|---|---|---|---|---|")
    for one in trials[::DRAWS]:
        print(
            f"| {one.stream.of}: {one.stream.name} | {one.stream.share:.1f} | {100 * one.truth:.1f} % | "
            f"{one.without} | {one.labelled} |"
        )
    print("\n| | mean absolute error, 20 streams | each drawn 10 times | intervals that hold | mean width |")
    print("|---|---|---|---|---|")
    for name, those in (
        ("without labels", [one.without for one in trials]),
        ("50 labels", [one.labelled for one in trials]),
    ):
        print_summary(name, trials, those)
    print_plain("1 - confidence", trials, [one.as_promised for one in trials])
    print_plain("mean of 50 labels", trials, [one.labels_alone for one in trials])


def parts(of: Set, half: str, data: Path, work: Path) -> tuple[list[Heard], list[Heard]]:
    """What the reference is made of and the streams; no recording is in both."""
    tuning = outcomes_heard.listen(of, "tuning", data, work)
    if half == "test":
        return tuning, outcomes_heard.listen(of, "test", data, work)
    names = sorted({one.name for one in tuning})
    firsts = set(names[::2])
    return [one for one in tuning if one.name in firsts], [one for one in tuning if one.name not in firsts]


def is_in(one: Heard, conditions: Sequence[Condition]) -> bool:
    """Whether it was heard in any of them, at all."""
    return one.facts is not None and one.condition in map(str, conditions)


def few(heard: Sequence[Heard], most: int | None, seed: list[int]) -> Sequence[Heard]:
    """So many of them, drawn evenly; None: all."""
    if most is None or most >= len(heard):
        return heard
    return [heard[place] for place in np.random.default_rng([*seed, most]).choice(len(heard), most, replace=False)]


def reference_of(heard: Sequence[Heard]) -> Reference:
    """All that is known of the reference."""
    return reference([facts_of(one) for one in heard], [wrong(one) for one in heard])


def facts_of(one: Heard) -> Facts:
    """Of what was heard at all."""
    assert one.facts is not None
    return one.facts


def wrong(one: Heard) -> float:
    """0 to 1."""
    return float(not one.is_right) if one.slots is not None else reasks.errors(one)


def trial(
    stream: Stream, usual: Sequence[Condition], heard: Sequence[Heard], known: Reference, seed: list[int]
) -> Trial:
    """The same at each run."""
    at_random = np.random.default_rng(seed)
    calm = [one for one in heard if is_in(one, usual)]
    drifted = [one for one in heard if is_in(one, stream.drifted) and _is_of(one, stream.drinks)]
    said = [
        of[int(at_random.integers(len(of)))]
        for of in (drifted if at_random.random() < stream.share else calm for _ in range(UTTERANCES))
    ]
    facts, truth = [facts_of(one) for one in said], np.array([wrong(one) for one in said])
    candidates = [Candidate("board", str(number), _uncertainty(one)) for number, one in enumerate(facts)]
    chosen = draw(candidates, LABELS, salt=str(seed))
    labels = [Label(int(one.utterance_id), truth[int(one.utterance_id)], one.probability) for one in chosen]
    evenly = at_random.choice(UTTERANCES, LABELS, replace=False)
    return Trial(
        stream,
        float(truth.mean()),
        estimate(known, facts),
        estimate(known, facts, labels),
        float(truth[evenly].mean()),
        float(np.mean([1 - (one.confidence or 0.0) for one in facts])),
    )


def _is_of(one: Heard, drinks: Sequence[str]) -> bool:
    return not drinks or (one.slots or {}).get("coffeeDrink") in drinks


def _uncertainty(one: Facts) -> float:
    return uncertainty(one.confidence, was_empty=bool(one.was_empty), asked_back=bool(one.choices_count))


def print_summary(name: str, trials: Sequence[Trial], those: Sequence[Estimate]) -> None:
    """How far off, how often the interval holds, how wide it is."""
    off = [abs(one.truth - estimated.rate) for one, estimated in zip(trials, those, strict=True)]
    holds = [estimated.low <= one.truth <= estimated.high for one, estimated in zip(trials, those, strict=True)]
    width = np.mean([one.high - one.low for one in those])
    print(
        f"| {name} | {100 * np.mean(off[::DRAWS]):.1f} points | {100 * np.mean(off):.1f} points | "
        f"{sum(holds[::DRAWS])} of {len(holds[::DRAWS])}; {np.mean(holds):.3f} of {len(holds)} | "
        f"{100 * width:.0f} points |"
    )


def print_plain(name: str, trials: Sequence[Trial], rates: Sequence[float]) -> None:
    """How far off what has no interval is."""
    off = [abs(one.truth - rate) for one, rate in zip(trials, rates, strict=True)]
    print(f"| {name} | {100 * np.mean(off[::DRAWS]):.1f} points | {100 * np.mean(off):.1f} points | | |", flush=True)


if __name__ == "__main__":
    main()
