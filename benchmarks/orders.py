"""Spoken orders through the whole path: understood in every slot, in noise; and what is no order.

    scripts/bench orders --data DIR

A domain's intent and slots are compared with `orders/labels.json`. Half of the clips, and half of each noise, are for
tuning (`--half tuning`); figures are of the other half. `sentences/` are no orders: an intent for one of them is a
false one. Confidence is judged by what was right (Guo et al. 2017, "On calibration of modern neural networks").
"""

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from benchmarks import corpus, path
from models import plot as plots

NOISES = ("doing_the_dishes", "running_tap")
SNRS_DB = (24, 18, 12, 6)
SEED = 11
SECONDS_MAX = 25.0
"""Longer recordings are no single utterance."""
BINS = 10
PATIENCE_S = "120"
"""Words are judged here, not seconds."""


class Condition(NamedTuple):
    noise: str | None
    snr_db: int | None

    def __str__(self) -> str:
        return "clean" if self.noise is None else f"{self.noise} {self.snr_db} dB"


CONDITIONS = (Condition(None, None), *(Condition(noise, snr_db) for snr_db in SNRS_DB for noise in NOISES))


class Trial(NamedTuple):
    """A recording, and what was made of it."""

    condition: str
    slots: dict[str, str] | None
    """What it orders; None: it is no order."""
    utterances: list[dict[str, Any]]
    """As `parrotlet-edge test --json` tells them."""

    @property
    def understood(self) -> dict[str, Any] | None:
        return next((one for one in self.utterances if one["intent"]), None)

    @property
    def is_right(self) -> bool:
        found = self.understood
        return found is not None and self.slots is not None and found["slots"] == self.slots


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--half", type=click.Choice(["test", "tuning"]), default="test", show_default=True)
@click.option("--clips", type=int, help="Only so many orders, evenly spread.")
@click.option("--domain", default="coffee", show_default=True, help="Name or folder of the domain.")
@click.option("--whisper/--no-whisper", default=True, show_default=True)
@click.option("--save", type=click.Path(path_type=Path), help="Write what was heard, a line a trial.")
@click.option("--saved", type=click.Path(exists=True, path_type=Path), help="Judge what was saved before instead.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw risk over coverage.")
@click.option(
    "--reliability", type=click.Path(path_type=Path), help="Draw how often answers are right that are so sure."
)
def main(
    data: Path,
    half: str,
    clips: int | None,
    domain: str,
    whisper: bool,
    save: Path | None,
    saved: Path | None,
    plot: Path | None,
    reliability: Path | None,
) -> None:
    """Share of orders that are understood in every slot, false intents, calibration."""
    if saved is not None:
        trials = [Trial(**json.loads(line)) for line in saved.read_text().splitlines()]
    else:
        trials = list(hear(data, half, clips, domain, whisper=whisper))
    if save is not None:
        save.write_text("".join(json.dumps(trial._asdict()) + "\n" for trial in trials))
    print_orders([trial for trial in trials if trial.slots is not None])
    print_others([trial for trial in trials if trial.slots is None])
    print_calibration(trials)
    if plot is not None:
        draw_risk(trials, plot)
    if reliability is not None:
        draw_reliability(trials, reliability)


def hear(data: Path, half: str, clips: int | None, domain: str, *, whisper: bool) -> Iterator[Trial]:
    """Every trial, in all conditions; what is no order clean and at 12 dB."""
    orders = [order for order in corpus.orders(data) if in_half(order.file, half)]
    orders = orders[:: max(1, len(orders) // clips)][:clips] if clips else orders
    others = [clip.file for clip in corpus.sentences(data) if in_half(clip.file, half)]
    noises = {name: half_of(noise, half) for name, noise in corpus.noises(data).items()}
    with tempfile.TemporaryDirectory() as folder:
        options = {"decoding_whisper": str(whisper).lower()}
        with path.service(Path(folder) / "state", "--domain", domain, **options) as service:
            for condition in CONDITIONS:
                said: dict[Path, dict[str, str] | None] = {order.file: order.slots for order in orders}
                if condition.snr_db in (None, 12):
                    said |= dict.fromkeys(others)
                files = dict(zip(said, write(said, condition, noises, Path(folder)), strict=True))
                heard = path.hear(
                    service.address, [made for made in files.values() if made], cloud_answer_s_max=PATIENCE_S
                )
                for file, made in files.items():
                    if made is not None:
                        yield Trial(str(condition), said[file], heard[made])


def write(
    files: Iterable[Path], condition: Condition, noises: dict[str, corpus.Sound], folder: Path
) -> Iterator[Path | None]:
    """The recordings in that noise, as files; None for one that is too long."""
    draw = np.random.default_rng(SEED)
    for number, file in enumerate(files):
        sound = corpus.read(file)
        if len(sound) > SECONDS_MAX * corpus.RATE_HZ:
            yield None
            continue
        if condition.noise is not None and condition.snr_db is not None:
            sound = corpus.with_noise(sound, noises[condition.noise], condition.snr_db, draw)
        made = folder / f"{number:04d}.flac"
        corpus.write(made, sound)
        yield made


def in_half(file: Path, half: str) -> bool:
    """Whether a recording is of that half; its name decides."""
    return (hashlib.md5(file.name.encode()).digest()[0] % 2 == 0) == (half == "tuning")


def half_of(noise: corpus.Sound, half: str) -> corpus.Sound:
    return noise[: len(noise) // 2] if half == "tuning" else noise[len(noise) // 2 :]


def print_orders(trials: Sequence[Trial]) -> None:
    """A row a condition, and the mean over noises."""
    print(f"\n{len({tuple(sorted(trial.slots or {})) for trial in trials})} kinds of orders\n")
    print("| condition | orders | right | wrong | asked back | not understood | by pocketsphinx |")
    print("|---|---|---|---|---|---|---|")
    shares = {}
    for condition in dict.fromkeys(trial.condition for trial in trials):
        here = [trial for trial in trials if trial.condition == condition]
        right = sum(trial.is_right for trial in here)
        wrong = sum(trial.understood is not None and not trial.is_right for trial in here)
        asked = sum(trial.understood is None and any(one["choices"] for one in trial.utterances) for trial in here)
        first = [one for trial in here if (one := trial.understood) and one["engine"] == "pocketsphinx"]
        shares[condition] = right / len(here)
        print(
            f"| {condition} | {len(here)} | {right / len(here):.3f} | {wrong} | {asked} | "
            f"{len(here) - right - wrong - asked} | {len(first) / len(here):.2f} |"
        )
    noisy = [share for condition, share in shares.items() if condition != "clean"]
    print(f"\nMean over noises: {np.mean(noisy):.3f}" if noisy else "", flush=True)


def print_others(trials: Sequence[Trial]) -> None:
    """False intents among what is no order."""
    for condition in dict.fromkeys(trial.condition for trial in trials):
        here = [trial for trial in trials if trial.condition == condition]
        false = [found for trial in here if (found := trial.understood)]
        print(f"\nNo orders, {condition}: {len(false)} of {len(here)} understood as one, {len(false) / len(here):.3f}")
        for found in false:
            print(f"  {found['transcript']} ({found['intent_confidence']:.2f})")


def confidences(trials: Sequence[Trial]) -> list[tuple[float, bool]]:
    """How sure each intent or first choice was, and whether it was right."""
    found = []
    for trial in trials:
        for one in trial.utterances:
            if one["intent"]:
                found.append((one["intent_confidence"], trial.slots == one["slots"]))
            elif one["choices"]:
                found.append((one["choices"][0]["confidence"], trial.slots == one["choices"][0]["slots"]))
    return found


class Bin(NamedTuple):
    """Answers that are about as sure."""

    number: int
    answers: int
    sure: float
    """The mean of their confidence."""
    right: float


def bins(trials: Sequence[Trial]) -> list[Bin]:
    """Ten of equal width, without the empty ones."""
    found = confidences(trials)
    kept = []
    for number in range(BINS):
        here = [(sure, right) for sure, right in found if number == min(int(sure * BINS), BINS - 1)]
        if here:
            sure, right = np.mean(here, axis=0)
            kept.append(Bin(number, len(here), float(sure), float(right)))
    return kept


def print_calibration(trials: Sequence[Trial]) -> None:
    """Expected calibration error, and the bins it is made of."""
    print("\n| confidence | answers | mean confidence | right |\n|---|---|---|---|")
    kept = bins(trials)
    for number, answers, sure, right in kept:
        print(f"| {number / BINS:.1f} to {(number + 1) / BINS:.1f} | {answers} | {sure:.3f} | {right:.3f} |")
    answers = sum(one.answers for one in kept)
    error = sum(abs(one.sure - one.right) * one.answers for one in kept) / answers
    print(f"\nExpected calibration error: {error:.3f} over {answers} answers", flush=True)


def draw_reliability(trials: Sequence[Trial], file: Path) -> None:
    """Share of right answers against their confidence; the larger a dot, the more answers."""
    kept = bins(trials)
    with plots.figure(file, x="confidence", y="share of answers that are right") as axes:
        axes.plot([0, 1], [0, 1], color="0.7")
        axes.scatter(
            [one.sure for one in kept], [one.right for one in kept], [20 + 60 * np.log10(one.answers) for one in kept]
        )


def draw_risk(trials: Sequence[Trial], file: Path) -> None:
    """Share of wrong answers against the share that is answered, the surest first."""
    found = sorted(confidences(trials), key=lambda pair: -pair[0])
    wrong = np.cumsum([not right for _, right in found])
    answered = np.arange(1, len(found) + 1)
    with plots.figure(file, x="share of utterances answered, the surest first", y="share of these wrong") as axes:
        axes.plot(answered / len(trials), wrong / answered)


if __name__ == "__main__":
    main()
