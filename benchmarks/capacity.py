"""How many people a service listens to at a time, and how it sends the others away.

    scripts/bench capacity --data DIR

Streams as boards send them, in real time, more and more of them until the 95th percentile of endpoint → final passes
500 ms: of orders by the grammar, of open speech by pocketsphinx alone, and by both engines. Beside it, in the same run,
the engines in plain processes, fed the same frames as fast as they go. Then half as many boards again as the service
bears: those that it refuses must hear so at once, and the others must notice nothing.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from benchmarks import corpus, path
from benchmarks.boards import Clip, Counted, Crowd, clip_of
from benchmarks.domains import bundle
from benchmarks.figures import p50_p95
from benchmarks.idle import cpu_s
from benchmarks.plain_engines import cpu_share
from cloud.decoders.weights import usable
from cloud.settings import CloudSettings
from cloud.workers.worker import WorkerOptions

WAIT_MS_MAX = 500
"""Of the 95th percentile: more is beyond the bound."""

SHARE_MIN, REFUSED_MS_MAX, SLOWER_MAX = 0.85, 50, 1.10
"""The marks: work done for the processor time, beside plain decoders; refusals; waits beyond the bound."""

REFUSED_SHARE_MAX = 0.02
"""More utterances sent away at first, and a service does not bear so many boards."""

BEYOND = 1.5
BOARDS_FIRST = 4
FINENESS = 1.15
"""The search ends when the bound is known to 15 %."""

WARM_S = 8.0
"""Until the boards are out of step."""
WARM_BOARDS = 16
"""Speak first, unmeasured: decoders are loaded when they are first needed."""

SEED = 1


class Way(NamedTuple):
    """A way to answer, and what is said to it."""

    name: str
    files: Callable[[Path], list[Path]]
    domain: str
    engines: tuple[str, ...]


WAYS = {
    way.name: way
    for way in (
        Way("grammar", corpus.order_files, "coffee", ("pocketsphinx",)),
        Way("pocketsphinx", corpus.sentence_files, "home", ("pocketsphinx",)),
        Way("whisper", corpus.sentence_files, "home", ("pocketsphinx", "whisper")),
    )
}


class Point(NamedTuple):
    """So many boards, and what they cost."""

    said: Counted
    cpu_s: float
    """Of all processes of the service."""

    @property
    def bears(self) -> bool:
        """Whether nobody waited too long, and hardly anybody was sent away."""
        said = self.said
        refused_max = REFUSED_SHARE_MAX * (len(said.waits_ms) + len(said.refused_ms))
        return said.p(95) <= WAIT_MS_MAX and not said.failed and len(said.refused_ms) <= refused_max

    @property
    def cpu_share(self) -> float:
        """Processor seconds for a second of speech."""
        return self.cpu_s / self.said.heard_s


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--way", "names", multiple=True, type=click.Choice(list(WAYS)), help="All if none.")
@click.option("--clips", type=int, default=40, show_default=True, help="Clips of each kind, evenly spread.")
@click.option("--seconds", type=int, default=40, show_default=True, help="How long each number of boards speaks.")
@click.option("--boards", type=int, multiple=True, help="Try these numbers instead of searching for the bound.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw waits against boards into this SVG or PNG file.")
def main(
    data: Path, names: tuple[str, ...], clips: int, seconds: int, boards: tuple[int, ...], plot: Path | None
) -> None:
    """Measure how many boards a service bears; `--data` is a folder with sentences/ and orders/."""
    print(f"\n{os.cpu_count()} cores; p50 / p95 in milliseconds\n")
    print(
        "| answered by | boards | utterances | endpoint to final | refused | to the refusal | speech a second | cores |"
    )
    print("|---" * 8 + "|", flush=True)
    curves, marks = {}, []
    for way in [WAYS[name] for name in names or WAYS]:
        spoken = speech(way.files(data), clips)
        with serving(way) as service:
            warm(service, way, spoken, 2 * WARM_S)
            points = list(points_of(service, way, spoken, seconds, boards))
            bound = max((point for point in points if point.bears), key=lambda point: point.said.boards, default=None)
            if bound is not None:
                beyond = point_of(service, way, spoken, round(BEYOND * bound.said.boards), seconds)
        if bound is not None:
            marks += marks_of(way, bound, beyond, plain_share(way, spoken))
        curves[way.name] = sorted(points, key=lambda point: point.said.boards)
    print_marks(marks)
    if plot is not None:
        draw(curves, plot)


def speech(files: list[Path], limit: int) -> list[Clip]:
    """So many clips, evenly spread."""
    random = np.random.default_rng(SEED)
    clips = [clip_of(file, random) for file in files[:: max(1, len(files) // limit)][:limit]]
    return [clip for clip in clips if clip is not None]


@contextmanager
def serving(way: Way) -> Iterator[path.Service]:
    """A service of its own for a way to answer."""
    with (
        tempfile.TemporaryDirectory() as folder,
        path.service(Path(folder), decoding_whisper=str("whisper" in way.engines).lower()) as service,
    ):
        yield service


def warm(service: path.Service, way: Way, spoken: list[Clip], seconds: float) -> None:
    """A service that has been up for a while."""
    asyncio.run(Crowd(service.address, way.domain, spoken).speak(WARM_BOARDS, 0, seconds, lambda: None))


def points_of(
    service: path.Service, way: Way, spoken: list[Clip], seconds: float, boards: Sequence[int]
) -> Iterator[Point]:
    """These numbers of boards; if none are given twice as many each time until it is too much, then between."""
    for number in boards:
        yield point_of(service, way, spoken, number, seconds)
    borne, too_many = 0, 0
    number = 0 if boards else BOARDS_FIRST
    while number:
        yield (point := point_of(service, way, spoken, number, seconds))
        if point.bears:
            borne = number
        else:
            too_many = number
        number = next_number(borne, too_many)


def next_number(borne: int, too_many: int) -> int:
    """Of boards, to try next; 0 when the bound is known closely enough."""
    if not too_many:
        return 2 * borne
    return (borne + too_many) // 2 if too_many > max(FINENESS * borne, borne + 1) else 0


def point_of(service: path.Service, way: Way, spoken: list[Clip], boards: int, seconds: float) -> Point:
    """Measures and prints one number of boards."""
    pids = [service.process.pid, *service.workers()]
    crowd = Crowd(service.address, way.domain, spoken)
    costs_s: list[float] = []
    said = asyncio.run(crowd.speak(boards, WARM_S, seconds, lambda: costs_s.append(sum(map(cpu_s, pids)))))
    point = Point(said, costs_s[1] - costs_s[0])
    waits, refused = p50_p95(said.waits_ms), p50_p95(said.refused_ms)
    print(
        f"| {way.name} | {boards} | {len(said.waits_ms)} | {waits} | {len(said.refused_ms)} | {refused} | "
        f"{said.heard_s / said.elapsed_s:.1f} s | {point.cpu_s / said.elapsed_s:.2f} |",
        flush=True,
    )
    return point


def plain_share(way: Way, spoken: list[Clip]) -> float:
    """Processor seconds for a second of speech, of the engines in plain processes."""
    weights = str(usable("tiny.en", CloudSettings().storage.weights_dir)) if "whisper" in way.engines else None
    domain = bundle(way.domain)
    share = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        for engine in way.engines:
            options = WorkerOptions(engine, weights, (domain,), alone=weights is None)
            file = Path(scratch) / "clips.npz"
            share += cpu_share(options, domain, spoken, processes=os.cpu_count() or 1, file=file)
    return share


def marks_of(way: Way, bound: Point, beyond: Point, plain: float) -> list[tuple[str, str, str, bool]]:
    """What was to be shown: where, what, how much, whether it is so."""
    name = f"{way.name}, {bound.said.boards} boards"
    share = plain / bound.cpu_share
    marks = [
        (
            name,
            f"work for the processor time, of plain decoders' (≥ {SHARE_MIN:.0%})",
            f"{share:.0%}",
            share >= SHARE_MIN,
        )
    ]
    name = f"{way.name}, {beyond.said.boards} boards"
    if beyond.said.refused_ms:
        refused = float(np.percentile(beyond.said.refused_ms, 95))
        marks.append((name, f"refusals, p95 (≤ {REFUSED_MS_MAX} ms)", f"{refused:.0f} ms", refused <= REFUSED_MS_MAX))
    slower = beyond.said.p(95) / bound.said.p(95)
    marks.append((name, f"p95 beside that at the bound (≤ {SLOWER_MAX:.2f})", f"{slower:.2f}", slower <= SLOWER_MAX))
    return marks


def print_marks(marks: list[tuple[str, str, str, bool]]) -> None:
    print("\n| where | what (mark) | measured | reached |\n|---|---|---|---|")
    for where, what, measured, reached in marks:
        print(f"| {where} | {what} | {measured} | {'yes' if reached else 'no'} |")


def draw(curves: dict[str, list[Point]], file: Path) -> None:
    """How long the slowest twentieth waits."""
    from models.plot import figure

    with figure(file, x="boards", y="endpoint to final, 95th percentile, ms") as axes:
        for name, points in curves.items():
            counts = [point.said.boards for point in points]
            axes.plot(counts, [point.said.p(95) for point in points], marker="o", label=name)
        axes.axhline(WAIT_MS_MAX, color="grey", linestyle="dotted")
        axes.set_xlim(left=0)
        axes.set_ylim(0, 2 * WAIT_MS_MAX)
        axes.legend()


if __name__ == "__main__":
    main()
