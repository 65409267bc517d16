"""How long a person waits: clips in a quiet room, played in real time through the whole path on loopback.

    scripts/bench latency --data DIR

One long recording a way to answer: clips, cut to their speech, with drawn pauses over pink noise of -60 dBFS. Waits are
told twice: from the last block that the gate called speech, and from where the speech of the clean clip ends. A split
utterance is a wait that ended too soon, so splits are counted, beside Home Assistant's segmenter with Silero VAD on the
same recording. Then the same by the engine that answered, and what the workers took of a core for a second of speech.
"""

import os
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import soundfile

from benchmarks import corpus, path, speech_marks
from benchmarks.detectors import SILERO, HomeAssistant, Utterance, utterances
from benchmarks.endpoint_counts import Counts, count
from benchmarks.figures import p50_p95
from benchmarks.scenes import SPEECH_DBFS, Scene, Spoken, hears_speech, part_of, scene, trimmed
from edge.sound.source import SAMPLE_RATE_HZ

SEED = 1


class Way(NamedTuple):
    """A way to answer, and what is said to it."""

    name: str
    files: Callable[[Path], list[Path]]
    domain: str
    wait_ms_max: int
    """The mark for the median of last sound to final; twice that for the 95th percentile."""
    settings: dict[str, str] = {}


WAYS = {
    way.name: way
    for way in (
        Way("grammar", corpus.order_files, "coffee", 500),
        Way("pocketsphinx", corpus.sentence_files, "home", 500, {"decoding_whisper": "false"}),
        Way("whisper", corpus.sentence_files, "home", 650),
    )
}

FIGURES = {
    "last sound to final": "last_sound_to_final",
    "last sound to endpoint": "last_sound_to_endpoint",
    "endpoint to final": "endpoint_to_final",
    "onset to first partial": "onset_to_first_partial",
    "search": "searching",
}


class Heard(NamedTuple):
    """What came of a recording."""

    lines: list[dict[str, Any]]
    waits_ms: list[float]
    """From the true end of speech to the final, of clips that are an utterance of their own."""
    counts: Counts
    cpu_s: float
    """Processor time of the service and its workers, since they were ready."""


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--way", "names", multiple=True, type=click.Choice(list(WAYS)), help="All if none.")
@click.option("--clips", type=int, default=40, show_default=True, help="Clips of each kind, evenly spread.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the waits into this SVG or PNG file.")
def main(data: Path, names: tuple[str, ...], clips: int, plot: Path | None) -> None:
    """Measure waits, in milliseconds, p50 / p95; `--data` is a folder with sentences/ and orders/."""
    waits: dict[str, list[float]] = {}
    engines: dict[str, Heard] = {}
    print("\nMilliseconds, p50 / p95, clips in real time in a quiet room\n")
    print(
        "| answered by | utterances | true end to final | " + " | ".join(FIGURES) + " | split | split by HA, Silero |"
    )
    print("|---" * (len(FIGURES) + 5) + "|", flush=True)
    for way in [WAYS[name] for name in names or WAYS]:
        recording = room(way.files(data), clips)
        heard = hear(way, recording)
        waits[way.name] = heard.waits_ms
        peer = count(recording.spoken, list(utterances(recording.sound, SILERO, HomeAssistant)), len(recording.sound))
        cells = [p50_p95(heard.waits_ms)] + [p50_p95(_values(heard.lines, field)) for field in FIGURES.values()]
        print(
            f"| {way.name} | {len(heard.lines)} | " + " | ".join(cells) + f" | {heard.counts.split} of "
            f"{heard.counts.clips} | {peer.split} |",
            flush=True,
        )
        print_marks(way, heard)
        engines[way.name] = heard
    print_engines(engines)
    if plot is not None:
        draw(waits, plot)


def room(files: list[Path], limit: int) -> Scene:
    """So many clips of the half that nothing was tuned on, one after the other in a quiet room."""
    files = [file for file in files if part_of(file.name) == "test"]
    clips = []
    for file in files[:: max(1, len(files) // limit)][:limit]:
        sound = corpus.read(file)
        marks = speech_marks.find(sound, hears_speech)
        if marks is not None and (clip := trimmed(sound, marks)) is not None:
            clips.append(clip)
    return scene(clips, SPEECH_DBFS, None, 0, np.random.default_rng(SEED))


def hear(way: Way, recording: Scene) -> Heard:
    """Plays the recording to a service of its own."""
    with tempfile.TemporaryDirectory() as folder, path.service(Path(folder), **way.settings) as service:
        file = Path(folder) / "room.wav"
        soundfile.write(file, recording.sound, SAMPLE_RATE_HZ)
        before_s = cpu_s(service)
        lines = path.hear(service.address, [file], "--realtime", "--domain", way.domain)[file]
        took_s = cpu_s(service) - before_s
    cut = [Utterance(_sample(line["start_s"]), _sample(line["end_s"])) for line in lines]
    waits = []
    for clip in recording.spoken:
        own = [line for line, utterance in zip(lines, cut, strict=True) if _overlap(clip, utterance) > 0]
        if len(own) == 1 and (wait := own[0]["timing_ms"]["last_sound_to_final"]) is not None:
            last_sound_s = own[0]["start_s"] + own[0]["speech_end_ms"] / 1000
            waits.append(wait + 1000 * (last_sound_s - clip.end / SAMPLE_RATE_HZ))
    return Heard(lines, waits, count(recording.spoken, cut, len(recording.sound)), took_s)


def cpu_s(service: path.Service) -> float:
    """Processor time that a service and its workers have taken so far."""
    stats = [Path(f"/proc/{pid}/stat").read_text() for pid in (service.process.pid, *service.workers())]
    ticks = [sum(map(int, stat.rpartition(")")[2].split()[11:13])) for stat in stats]
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def print_engines(ways: dict[str, Heard]) -> None:
    """Who answered how soon, and how much of a core the service took for a second of speech."""
    print("\n| what was said | answered by | utterances | last sound to final | endpoint to final |")
    print("|---|---|---|---|---|")
    for way, heard in ways.items():
        answered: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for line in heard.lines:
            answered[line["engine"] or "nobody"].append(line)
        for engine, lines in sorted(answered.items()):
            cells = [p50_p95(_values(lines, field)) for field in ("last_sound_to_final", "endpoint_to_final")]
            print(f"| {way} | {engine} | {len(lines)} of {len(heard.lines)} | " + " | ".join(cells) + " |")
    for way, heard in ways.items():
        speech_s = sum(line["audio_s"] for line in heard.lines)
        print(
            f"{way}: the service took {heard.cpu_s / speech_s:.2f} of a core for a second of speech ({speech_s:.0f} s)"
        )


def print_marks(way: Way, heard: Heard) -> None:
    """What is too slow."""
    waits = _values(heard.lines, "last_sound_to_final")
    partials = _values(heard.lines, "onset_to_first_partial")
    checks = [
        ("last sound to final, median", waits, 50, way.wait_ms_max),
        ("last sound to final, 95th percentile", waits, 95, 2 * way.wait_ms_max),
        ("onset to first partial, median", partials, 50, 500),
    ]
    for name, values, percentile, mark in checks:
        if values and (reached := np.percentile(values, percentile)) > mark:
            click.echo(f"not reached: {way.name}, {name}: {reached:.0f} ms, mark {mark}", err=True)


def draw(waits: dict[str, list[float]], file: Path) -> None:
    """How many have their answer after so long."""
    from models.plot import figure

    with figure(file, x="ms from the end of speech to the answer", y="share of utterances answered, %") as axes:
        for name, values in waits.items():
            axes.step(np.sort(values), 100 * np.arange(1, len(values) + 1) / len(values), where="post", label=name)
        axes.set_xlim(left=0)
        axes.legend()


def _values(lines: list[dict[str, Any]], field: str) -> list[float]:
    return [line["timing_ms"][field] for line in lines if line["timing_ms"][field] is not None]


def _sample(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE_HZ)


def _overlap(clip: Spoken, utterance: Utterance) -> int:
    return min(clip.end, utterance.end) - max(clip.start, utterance.start)


if __name__ == "__main__":
    main()
