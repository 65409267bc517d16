"""Is the board's pitch right: beside Praat's, on real recordings, in quiet and over noise; and what it costs.

    scripts/bench pitch --data DIR [--half tuning]

Each recording goes through the board's gate and segmenter. Praat (Boersma 1993; `pip install praat-parselmouth`)
listens to the same stretch without the noise, as closely as it can. All choices were made on --half tuning.
"""

import csv
import hashlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from benchmarks import corpus, drift_sounds
from benchmarks.drift_places import order_recordings
from benchmarks.drift_sounds import Condition, Half
from benchmarks.longest_utterance import longest
from edge.sound.source import BLOCK_SAMPLES, SAMPLE_RATE_HZ, Samples
from edge.speech.pitch import PITCH_HZ, PitchMeter
from edge.speech.utterance import UtteranceEnd

CONDITIONS = (Condition("quiet"), Condition("busy"), Condition("busy", "dishes"), Condition("busy", "bike"))
COMMANDS_MAX = 120
OCTAVE_SEMITONES = 8
CYCLES = 200


class Pair(NamedTuple):
    """Semitones over 100 Hz of one recording, by the board and by Praat: median, low, high; None: no voice."""

    board: tuple[float, ...] | None
    praat: tuple[float, ...] | None


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--half", type=click.Choice(["test", "tuning"]), default="test", show_default=True)
def main(data: Path, half: Half) -> None:
    """Differences in semitones."""
    of = drift_sounds.material(data, half)
    print(
        "| recordings | condition | both heard a voice | only Praat | only the board | difference of medians, typical "
        "| 90 % within | an octave off | typical difference of low | of high |"
    )
    print("|---" * 10 + "|")
    for name, files in recordings(data, half).items():
        for condition in CONDITIONS:
            print_row(name, condition, list(pairs(files, data, condition, of)))
    print(f"\n{cost_us():.0f} µs of this processor a second of speech", flush=True)


def recordings(data: Path, half: Half) -> dict[str, list[Path]]:
    """One-second words, each of another speaker as far as they go, and orders and sentences."""
    with (data / "index.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    split = "dev" if half == "test" else "train"
    words = [row for row in rows if row["set"] == "commands" and row["split"] == split and "silence" not in row["path"]]
    words.sort(key=lambda row: hashlib.md5(row["path"].encode()).digest())
    return {
        "commands": [data / row["path"] for row in words[:COMMANDS_MAX]],
        "orders and sentences": [one.file for one in order_recordings(data, half)],
    }


def pairs(files: Sequence[Path], data: Path, condition: Condition, of: drift_sounds.Material) -> Iterator[Pair]:
    """Of the recordings in which the board hears speech."""
    for file in files:
        name = str(file.relative_to(data))
        still, heard = (
            longest(drift_sounds.heard(corpus.read(file), name, one, of)) for one in (Condition("quiet"), condition)
        )
        if still is not None and heard is not None:
            yield Pair(_semitones(_told(heard.end)), _semitones(praat(still.samples, still.end)))


def praat(samples: Samples, end: UtteranceEnd) -> tuple[float, ...] | None:
    """What Praat makes of the speech in an utterance."""
    try:
        import parselmouth  # Only this file wants it.
    except ImportError as error:
        raise click.ClickException("Praat is missing: .venv/bin/pip install praat-parselmouth") from error
    first, last = (ms * SAMPLE_RATE_HZ // 1000 for ms in (end.speech_start_ms, end.speech_end_ms))
    sound: Any = parselmouth.Sound(samples[first:last] / 32768, SAMPLE_RATE_HZ)
    if sound.duration < 0.1:
        return None
    hz = sound.to_pitch_ac(time_step=0.01, pitch_floor=PITCH_HZ[0], pitch_ceiling=500).selected_array["frequency"]
    voiced = hz[hz > 0]
    return tuple(np.percentile(voiced, (50, 10, 90)).tolist()) if len(voiced) >= 8 else None


def print_row(name: str, condition: Condition, found: Sequence[Pair]) -> None:
    """Of one set in one condition."""
    both = np.array([np.subtract(one.board, one.praat) for one in found if one.board and one.praat])
    off = np.abs(both)
    only = [
        sum(bool(one.praat) and not one.board for one in found),
        sum(bool(one.board) and not one.praat for one in found),
    ]
    cells = [
        name,
        str(condition),
        f"{len(both)}",
        *map(str, only),
        f"{np.median(off[:, 0]):.2f}",
        f"{np.quantile(off[:, 0], 0.9):.2f}",
        f"{np.mean(off[:, 0] > OCTAVE_SEMITONES):.3f}",
        f"{np.median(off[:, 1]):.2f}",
        f"{np.median(off[:, 2]):.2f}",
    ]
    print("".join(f"| {cell} " for cell in cells) + "|", flush=True)


def cost_us() -> float:
    """Of the meter, a second of speech."""
    sound = np.random.default_rng(1).normal(0, 3000, SAMPLE_RATE_HZ).astype(np.int16).reshape(-1, BLOCK_SAMPLES)
    began_s = time.process_time()
    for _ in range(CYCLES):
        meter = PitchMeter()
        for block in sound:
            meter.push(block, True)
        meter.pitch()
    return (time.process_time() - began_s) / CYCLES * 1e6


def _told(end: UtteranceEnd) -> tuple[float, ...] | None:
    if end.pitch_hz is None or end.pitch_low_hz is None or end.pitch_high_hz is None:
        return None
    return end.pitch_hz, end.pitch_low_hz, end.pitch_high_hz


def _semitones(hz: tuple[float, ...] | None) -> tuple[float, ...] | None:
    return None if hz is None else tuple((12 * np.log2(np.array(hz) / 100)).tolist())


if __name__ == "__main__":
    main()
