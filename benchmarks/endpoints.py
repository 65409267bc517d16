"""Where utterances begin and end in long recordings, ours beside what others cut by.

    scripts/bench endpoints --data DIR              measured: the half of the recordings that nothing was tuned on
    scripts/bench endpoints --data DIR --part dev   the half to tune on

`sentences` and `orders` over a quiet room (pink noise), over the noises of `noise/`, by a quiet speaker, from afar
(`rooms/`); then the noises with nobody in them. Each system hears each recording from its first block, as if it had
just been switched on; ours has its default settings. TEN VAD needs Debian's `libc++1`.
"""

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from msgspec import structs

from benchmarks import corpus, speech_marks
from benchmarks.detectors import (
    MICRO,
    SILERO,
    TEN,
    WEBRTC,
    Cutter,
    Detector,
    HangOver,
    HomeAssistant,
    Utterance,
    utterances,
)
from benchmarks.endpoint_counts import Counts, count
from benchmarks.instructions import Memory
from benchmarks.scenes import CONDITIONS, Material, Part, Scene, Trimmed, hears_speech, part_of, scenes, trimmed
from edge import settings
from edge.sound.source import BLOCK_SAMPLES, SAMPLE_RATE_HZ, Samples
from edge.speech.hearing import hear
from edge.speech.utterance import UtteranceEnd, UtteranceHead
from edge.speech.vad import Gate

DEFAULT = settings.Segmenter()
VOICE_UNHEARD = structs.replace(DEFAULT, hang_over_ms_min=DEFAULT.hang_over_ms)
"""Every hang-over is the usual one, so that nobody asks how the voice goes."""


class System(NamedTuple):
    """What cuts utterances out of a recording."""

    name: str
    cut: Callable[[Samples], Iterator[Utterance]]


class Result(NamedTuple):
    """Of a system in a condition."""

    counts: Counts
    cpu_s: float
    sound_s: float


def ours(
    samples: Samples, segmenter: settings.Segmenter = DEFAULT, gate: Callable[[], Gate] | None = None
) -> Iterator[Utterance]:
    """edge/speech/hearing.py, by default with its own settings; frames are made, but sent nowhere."""
    whole = samples[: len(samples) // BLOCK_SAMPLES * BLOCK_SAMPLES]
    heard_blocks = 0

    def tally(block: Samples, is_speech: bool) -> None:
        nonlocal heard_blocks
        heard_blocks += 1

    start = 0
    for heard in hear(Memory(whole), gate=gate() if gate else None, segmenter=segmenter, on_block=tally):
        if isinstance(heard, UtteranceHead):
            start = heard.stream_start_ms * SAMPLE_RATE_HZ // 1000
        elif isinstance(heard, UtteranceEnd):
            yield Utterance(start, heard_blocks * BLOCK_SAMPLES)


def peer(name: str, detector: Detector, cutter: Callable[[float], Cutter]) -> System:
    return System(name, lambda samples: utterances(samples, detector, cutter))


SYSTEMS = (
    System("parrotlet", ours),
    System("parrotlet, the voice unheard", partial(ours, segmenter=VOICE_UNHEARD)),
    peer("Home Assistant, Silero VAD", SILERO, HomeAssistant),
    peer("Home Assistant, microVAD", MICRO, HomeAssistant),
    peer("Silero VAD, 0.7 s", SILERO, HangOver),
    peer("TEN VAD, 0.7 s", TEN, HangOver),
    peer("webrtcvad 2, 0.7 s", WEBRTC, HangOver),
)
NAMES = [system.name for system in SYSTEMS]


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--part", type=click.Choice(["test", "dev"]), default="test", show_default=True, help="Half of them.")
@click.option("--condition", "conditions", multiple=True, type=click.Choice(CONDITIONS), help="All if none.")
@click.option("--system", "names", multiple=True, type=click.Choice(NAMES), help="All if none.")
@click.option("--clips", type=int, help="Only so many clips, evenly spread.")
def main(data: Path, part: Part, conditions: tuple[str, ...], names: tuple[str, ...], clips: int | None) -> None:
    """Count clipped, split, joined and missed utterances and false starts; `--data` is a folder as corpus.py has it."""
    found = material(data, part, clips)
    print(f"\nPart {part}: {len(found.clips)} clips, {len(found.noises)} noises, {len(found.rooms)} rooms")
    systems = [system for system in SYSTEMS if (not names or system.name in names) and is_usable(system)]
    results: dict[str, list[Result]] = {system.name: [] for system in systems}
    for condition in conditions or CONDITIONS:
        recordings = list(scenes(condition, found))
        print_heading(condition, recordings)
        for system in systems:
            results[system.name].append(measure(system, recordings))
            print_row(system.name, results[system.name][-1])
    print_heading("all of these", [])
    for name, some in results.items():
        counts, cpu_s, sound_s = zip(*some, strict=True)
        print_row(name, Result(sum(counts, Counts()), sum(cpu_s), sum(sound_s)))


def material(data: Path, part: Part, limit: int | None = None) -> Material:
    """That half of the clips, of each noise and of the rooms. A clip in which speech has no clear place is left out."""
    files = [clip.file for clip in corpus.sentences(data)] + [order.file for order in corpus.orders(data)]
    files = [file for file in files if part_of(file.name) == part]
    clips: list[Trimmed] = []
    for number, file in enumerate(files if limit is None else files[:: max(1, len(files) // limit)][:limit]):
        if sys.stderr.isatty():
            print(f"\rlooking for speech: {number + 1} of {len(files)}", end="", file=sys.stderr)
        sound = corpus.read(file)
        marks = speech_marks.find(sound, hears_speech)
        if marks is not None and (clip := trimmed(sound, marks)) is not None:
            clips.append(clip)
    which = 1 if part == "test" else 0
    noises = {name: np.array_split(noise, 2)[which] for name, noise in corpus.noises(data).items()}
    rooms = [corpus.read(file) for file in sorted((data / "rooms").glob("*.flac"))]
    return Material(clips, noises, rooms[which::2])


def measure(system: System, recordings: list[Scene]) -> Result:
    """Lets it hear all of them."""
    counts = Counts()
    cpu_s, sound_s = 0.0, 0.0
    for recording in recordings:
        began_s = time.process_time()
        cut = list(system.cut(recording.sound))
        cpu_s += time.process_time() - began_s
        sound_s += len(recording.sound) / SAMPLE_RATE_HZ
        counts += count(recording.spoken, cut, len(recording.sound))
    return Result(counts, cpu_s, sound_s)


def is_usable(system: System) -> bool:
    """Says so if a peer is not installed, or lacks a library of the system's."""
    try:
        list(system.cut(np.zeros(SAMPLE_RATE_HZ, np.int16)))
    except (ImportError, OSError) as error:
        print(f"\n{system.name}: not measured: {error}")
        return False
    return True


def print_heading(condition: str, recordings: list[Scene]) -> None:
    minutes = sum(len(recording.sound) for recording in recordings) / SAMPLE_RATE_HZ / 60
    print(f"\n{condition}" + (f" ({minutes:.0f} minutes)" if recordings else "") + "\n")
    print(
        "| system | clips | missed | split | joined | onsets clipped | ends clipped | false starts an hour "
        "| end to endpoint, ms: median | 95th percentile | CPU, ms a second |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|", flush=True)


def print_row(name: str, result: Result) -> None:
    counts = result.counts
    delays = [counts.delay_ms(percentile) for percentile in (50, 95)]
    cells = [
        counts.clips,
        counts.missed,
        counts.split,
        counts.joined,
        counts.onsets_clipped,
        counts.ends_clipped,
        f"{counts.false_starts_per_hour:.0f}",
        *("-" if delay is None else f"{delay:.0f}" for delay in delays),
        f"{1000 * result.cpu_s / result.sound_s:.1f}",
    ]
    print(f"| {name} | " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
