"""What features cost: processor time for a minute of sound, the board's beside what others would use.

    scripts/bench features --data DIR               without --data, the sentence of the tests again and again

All are given 16-bit samples. Ours are levels at the end, ready for a codec; the others' are floats, log-mel of 80 bands
(pymicro-features: 40). faster-whisper's extractor and asrfront want the whole sound; asrfront's features of Kaldi's
kind need no more than a frame's window, so they are measured as a stream, too, with the rest of each block kept by the
caller.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

# Before numpy: as on the board, where edge/__main__.py does it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import click
import numpy as np

from benchmarks import corpus
from benchmarks.instructions import SPOKEN, looped
from edge.sound.source import SAMPLE_RATE_HZ, Samples
from edge.speech.log_mel import LogMel, log_mel
from protos.feature_spec import DEFAULT_SPEC, Levels

BLOCKS_MS = (10, 20, 100, None)
"""None: all at once."""

MARK_BLOCK_MS, MARK_RATIO = 100, 1.5

DRAWN_CUTS = 20
SEED = 1

Extractor = Callable[[Samples, int], int]
"""Takes sound in blocks of so many samples, makes features, and says how many frames."""


class Way(NamedTuple):
    """A way to make features."""

    name: str
    streams: bool
    is_c: bool
    start: Callable[[], Extractor]
    """Imports what it needs; ImportError if that is not installed."""


class Row(NamedTuple):
    """What was measured of a way."""

    way: Way
    ms: dict[int | None, float]
    """Milliseconds a minute, by the block's milliseconds."""

    @property
    def marked_ms(self) -> float:
        """In blocks as the board makes them, or of the whole where that is all it can do."""
        return self.ms[MARK_BLOCK_MS if self.way.streams else None]


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), help="Folder of recordings, with sentences/.")
@click.option("--seconds", type=int, default=60, show_default=True, help="How much sound.")
@click.option("--repeats", type=int, default=9, show_default=True, help="Medians of so many, in turns.")
def main(data: Path | None, seconds: int, repeats: int) -> None:
    """Measure features in blocks of several sizes; the levels must be the same in all of them."""
    samples = joined(data, seconds) if data else np.resize(looped(SPOKEN), seconds * SAMPLE_RATE_HZ)
    check_sameness(samples)
    print(f"\nMilliseconds of processor time a minute of sound, medians of {repeats} over {seconds} s\n")
    print("| features | streams | " + " | ".join(map(block_name, BLOCKS_MS)) + " | beside ours |")
    print("|---" * (3 + len(BLOCKS_MS)) + "|")
    started = {}
    for way in WAYS:
        try:
            started[way] = way.start()
        except ImportError as error:
            print(f"| {way.name} (not installed: {error.name}) |" + " |" * (2 + len(BLOCKS_MS)))
    rows = measure(started, samples, repeats)
    for row in rows:
        print_row(row, rows[0].marked_ms)
    print_marks(rows)


def joined(data: Path, seconds: int) -> Samples:
    """Sentences one after the other, again and again if there are too few."""
    sounds: list[Samples] = []
    count = seconds * SAMPLE_RATE_HZ
    for clip in corpus.sentences(data):
        if sum(map(len, sounds)) < count:
            sounds.append(np.clip(np.rint(corpus.read(clip.file) * 32768), -32768, 32767).astype(np.int16))
    return np.resize(np.concatenate(sounds), count)


def check_sameness(samples: Samples) -> None:
    """The levels may not depend on how the sound was cut."""
    draw = np.random.default_rng(SEED)
    whole = levels(samples, [])
    cuts = [list(range(0, len(samples), block_samples(ms, samples))) for ms in BLOCKS_MS]
    cuts += [sorted(draw.integers(0, len(samples), len(samples) // 800).tolist()) for _ in range(DRAWN_CUTS)]
    different = sum(not np.array_equal(levels(samples, cut), whole) for cut in cuts)
    if different:
        raise click.ClickException(f"The levels are others in {different} of {len(cuts)} ways to cut the sound.")
    print(f"\n{whole.size} levels, the same bits in all of {len(cuts)} ways to cut the sound")


def measure(started: dict[Way, Extractor], samples: Samples, repeats: int) -> list[Row]:
    """Medians; all take turns, so that a busy moment meets them all alike."""
    took_ms: dict[tuple[Way, int | None], list[float]] = {}
    for _ in range(1 + repeats):
        for way, extract in started.items():
            for ms in BLOCKS_MS if way.streams else (None,):
                began_s = time.process_time()
                frames = extract(samples, block_samples(ms, samples))
                took_s = time.process_time() - began_s
                if frames < len(samples) // DEFAULT_SPEC.hop_samples - 4:
                    raise click.ClickException(f"{way.name} made {frames} frames only.")
                took_ms.setdefault((way, ms), []).append(1000 * took_s * 60 * SAMPLE_RATE_HZ / len(samples))
    # The first time, tables are made.
    medians = {key: statistics.median(times[1:]) for key, times in took_ms.items()}
    return [Row(way, {ms: medians[other, ms] for other, ms in medians if other == way}) for way in started]


def block_samples(ms: int | None, samples: Samples) -> int:
    return len(samples) if ms is None else ms * SAMPLE_RATE_HZ // 1000


def blocks(samples: Samples, size: int) -> Iterator[Samples]:
    return (samples[start : start + size] for start in range(0, len(samples), size))


def levels(samples: Samples, cuts: list[int]) -> Levels:
    """All levels of sound that is cut at these places."""
    stream = LogMel(DEFAULT_SPEC)
    return np.concatenate([DEFAULT_SPEC.quantise(stream.push(piece)) for piece in np.split(samples, cuts)])


def ours() -> Extractor:
    def extract(samples: Samples, size: int) -> int:
        if size == len(samples):
            return len(DEFAULT_SPEC.quantise(log_mel(samples, DEFAULT_SPEC)))
        stream = LogMel(DEFAULT_SPEC)
        return sum(len(DEFAULT_SPEC.quantise(stream.push(block))) for block in blocks(samples, size))

    return extract


def kaldi_native_fbank() -> Extractor:
    import kaldi_native_fbank as knf

    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.mel_opts.num_bins = DEFAULT_SPEC.bands

    def extract(samples: Samples, size: int) -> int:
        stream, frames = knf.OnlineFbank(options), 0
        for block in blocks(samples, size):
            # A list is what its binding takes quickest.
            stream.accept_waveform(SAMPLE_RATE_HZ, block.tolist())
            ready = stream.num_frames_ready
            made = [stream.get_frame(number) for number in range(frames, ready)]
            frames += len(made)
            stream.pop(ready)
        return frames

    return extract


def pymicro_features() -> Extractor:
    from pymicro_features import MicroFrontend

    def extract(samples: Samples, size: int) -> int:
        stream, frames = MicroFrontend(), 0
        for block in blocks(samples, size):
            # A call takes what completes one frame.
            sound = block.tobytes()
            while sound:
                made = stream.process_samples(sound)
                sound = sound[2 * made.samples_read :]
                frames += bool(made.features)
        return frames

    return extract


def faster_whisper() -> Extractor:
    from faster_whisper.feature_extractor import FeatureExtractor

    extractor = FeatureExtractor()

    def extract(samples: Samples, _: int) -> int:
        return int(extractor(samples.astype(np.float32) / 32768).shape[1])

    return extract


def asrfront_whisper() -> Extractor:
    from asrfront import whisper

    return lambda samples, _: int(whisper.log_mel(samples, pad_or_trim=False).shape[1])


def asrfront_kaldi() -> Extractor:
    from asrfront import sensevoice

    def extract(samples: Samples, size: int) -> int:
        rest, frames = samples[:0], 0
        for block in blocks(samples, size):
            sound = np.concatenate([rest, block])
            made = len(sensevoice.fbank_raw(sound)) if len(sound) >= DEFAULT_SPEC.window_samples else 0
            rest = sound[made * DEFAULT_SPEC.hop_samples :]
            frames += made
        return frames

    return extract


WAYS = (
    Way(f"Parrotlet, {DEFAULT_SPEC.levels} levels", True, False, ours),
    Way("kaldi-native-fbank", True, True, kaldi_native_fbank),
    Way("pymicro-features", True, True, pymicro_features),
    Way("faster-whisper's extractor", False, False, faster_whisper),
    Way("asrfront, Whisper's kind", False, True, asrfront_whisper),
    Way("asrfront, Kaldi's kind, as a stream", True, True, asrfront_kaldi),
)
"""Ours first."""


def block_name(ms: int | None) -> str:
    return "all at once" if ms is None else f"{ms} ms blocks"


def print_row(row: Row, ours_ms: float) -> None:
    cells = [f"{row.ms[ms]:.1f}" if ms in row.ms else "-" for ms in BLOCKS_MS]
    streams = "yes" if row.way.streams else "no"
    print(f"| {row.way.name} | {streams} | " + " | ".join(cells) + f" | {row.marked_ms / ours_ms:.2f} |", flush=True)


def print_marks(rows: list[Row]) -> None:
    """Beside the quickest that streams, and beside the quickest C."""
    ours_row, *others = rows
    streaming = [row for row in others if row.way.streams]
    for mark, ratio_max, peers in (
        ("ahead of all that stream", 1.0, streaming),
        (f"within {MARK_RATIO:g} × of the best C", MARK_RATIO, [row for row in others if row.way.is_c]),
    ):
        if peers:
            best = min(peers, key=lambda row: row.marked_ms)
            ratio = ours_row.marked_ms / best.marked_ms
            verdict = "reached" if ratio <= ratio_max else "NOT reached"
            print(f"\n{mark}: {ratio:.2f} × {best.way.name}: {verdict}")


if __name__ == "__main__":
    main()
