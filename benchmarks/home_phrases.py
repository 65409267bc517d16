"""Word errors of what is said to a home, in noise: the whole path with `home` beside Whisper alone.

    scripts/bench home_phrases --data DIR

Those of `sentences/` that are commands of the domain `home` as they are written. Whisper alone is our own engine with
the same frames of the same utterances, reading freely; faster-whisper hears the whole files. Noises are the halves that
nothing was tuned on. The clips are few, so each ratio has the range that 95 of 100 draws of clips give it (Bisani and
Ney 2004, "Bootstrap estimates for confidence intervals in ASR performance evaluation").
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import jiwer
import numpy as np
import numpy.typing as npt

from benchmarks import corpus, domains, path
from benchmarks.accuracy import PATIENCE_S, by_whisper, normalise
from benchmarks.listeners import Listeners, whole
from benchmarks.orders import NOISES, Condition, half_of, in_half, write
from benchmarks.wire import utterances
from cloud.building.bundle import read_bundle
from cloud.understanding.network import Following
from cloud.understanding.parse import parse
from cloud.understanding.written import spoken_words
from protos.feature_spec import DEFAULT_SPEC

DOMAIN = "home"
SNRS_DB = (18, 12, 6)
CONDITIONS = (Condition(None, None), *(Condition(noise, snr_db) for snr_db in SNRS_DB for noise in NOISES))
PATIENCE = {
    "cloud_connect_s_max": "60",
    "cloud_reach_s_max": "120",
    "cloud_answer_s_max": PATIENCE_S,
    "cloud_words_s_max": "60",
    "cloud_final_s_max": "60",
    "local_model": "",
}
"""Words are judged here, not seconds: the board's own model must not answer because a busy machine takes its time."""
DRAWS = 2000
SEED = 5

Errors = npt.NDArray[np.int64]
"""Of each clip, by one way to hear it."""


class Row(NamedTuple):
    """What went wrong in one condition."""

    words: Errors
    """Spoken in each clip."""
    ours: Errors
    whisper: Errors
    peer: Errors
    understood: int
    """Clips in which a command was understood."""
    mistakes: tuple[str, ...]
    """Of the whole path, each as a line."""


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--half", type=click.Choice(["test", "tuning"]), help="Only clips of that half; all if none.")
@click.option(
    "--condition", "names", multiple=True, type=click.Choice([str(one) for one in CONDITIONS]), help="All if none."
)
def main(data: Path, half: str | None, names: tuple[str, ...]) -> None:
    """Word errors of smart-home phrases, clean and in two noises."""
    clips = [clip for clip in phrases(corpus.sentences(data)) if half is None or in_half(clip.file, half)]
    conditions = [one for one in CONDITIONS if not names or str(one) in names]
    print(f"\nWord errors, {len(clips)} phrases, {sum(len(normalise(clip.text).split()) for clip in clips)} words\n")
    columns = ("understood", "whole path, home", "Whisper alone, same frames", "faster-whisper", "fewer than Whisper")
    print(f"| condition | {' | '.join(columns)} |\n" + "|---" * (1 + len(columns)) + "|")
    rows = []
    listeners = Listeners()
    with (
        tempfile.TemporaryDirectory() as state,
        path.service(Path(state), "--domain", DOMAIN, decoding_answer_s_max=PATIENCE_S) as service,
    ):
        for condition in conditions:
            row = measure(data, clips, condition, service.address, listeners)
            rows += [row] if condition.noise else []
            print(line(str(condition), [row]), flush=True)
            for mistake in row.mistakes:
                print(f"  {mistake}", file=sys.stderr, flush=True)
    if rows:
        print(line("all noises", rows))


def phrases(clips: Sequence[corpus.Clip]) -> list[corpus.Clip]:
    """Those that are commands of the domain."""
    following = Following(read_bundle(Path(domains.bundle(DOMAIN))).network)
    return [clip for clip in clips if parse(following, spoken_words(clip.text))]


def measure(data: Path, clips: Sequence[corpus.Clip], condition: Condition, address: str, listeners: Listeners) -> Row:
    """Hears every clip in three ways."""
    noises = {name: half_of(noise, "test") for name, noise in corpus.noises(data).items()}
    with tempfile.TemporaryDirectory() as folder:
        files = [file for file in write([clip.file for clip in clips], condition, noises, Path(folder)) if file]
        heard = path.hear(address, files, **PATIENCE)
        frames = [[whole(DEFAULT_SPEC, messages) for messages in utterances(file)] for file in files]
        alone = [listeners.words("whisper", DEFAULT_SPEC, each) for each in frames]
        peer = by_whisper(files)
    texts = [clip.text for clip in clips]
    ours = errors(texts, [path.transcript(heard[file]) for file in files])
    return Row(
        np.array([len(normalise(text).split()) for text in texts]),
        ours,
        errors(texts, alone),
        errors(texts, peer),
        sum(any(one["intent"] for one in heard[file]) for file in files),
        tuple(f"{text}: {told(heard[file])}" for text, file, wrong in zip(texts, files, ours, strict=True) if wrong),
    )


def told(found: Sequence[dict[str, Any]]) -> str:
    """What was heard in a clip, by whom, and why by nobody better."""
    return "; ".join(f"{one['transcript']} ({one['engine'] or one['why_not_better']})" for one in found)


def errors(texts: Sequence[str], heard: Sequence[str]) -> Errors:
    """Words wrong, missing or too many in each clip."""
    compared = [jiwer.process_words(normalise(text), normalise(said)) for text, said in zip(texts, heard, strict=True)]
    return np.array([each.substitutions + each.deletions + each.insertions for each in compared])


def line(name: str, rows: Sequence[Row]) -> str:
    """Error rates of those conditions together, and how many fewer there are than by Whisper alone."""
    words, ours, whisper, peer = (
        np.concatenate([getattr(row, field) for row in rows]) for field in ("words", "ours", "whisper", "peer")
    )
    rates = [f"{wrong.sum() / words.sum():.3f} ({wrong.sum()})" for wrong in (ours, whisper, peer)]
    understood = sum(row.understood for row in rows)
    return f"| {name} | {understood} of {len(words)} | {' | '.join(rates)} | {fewer(ours, whisper, len(rows))} |"


def fewer(ours: Errors, others: Errors, conditions: int) -> str:
    """Share of the others' errors that are not made, and the range of it; clips are drawn, with all their
    conditions."""
    if not others.sum():
        return "-"
    per_clip = np.stack([each.reshape(conditions, -1).sum(axis=0) for each in (ours, others)])
    drawn = np.random.default_rng(SEED).integers(per_clip.shape[1], size=(DRAWS, per_clip.shape[1]))
    mine, its = per_clip[:, drawn].sum(axis=2)
    shares = 1 - mine[its > 0] / its[its > 0]
    low, high = np.percentile(shares, [2.5, 97.5])
    return f"{1 - ours.sum() / others.sum():.0%} ({low:.0%} to {high:.0%})"


if __name__ == "__main__":
    main()
