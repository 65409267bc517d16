"""A domain over pocketsphinx's general model: what each way hears of it, what other speech loses, what it costs.

    scripts/bench language_models --data DIR

`--data` is a folder with sentences/, orders/ and noise/. Sentences are said to domain `home`, which knows some of them,
orders to `coffee`, which listens for open speech here as well; titles of both are said by machines. Each clip is read
once by each decoder, and ways to combine these are worked out from that. Seconds are of the processor.
"""

import os

# Before numpy, as in cloud/workers/worker.py.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click
import jiwer
import msgspec
import numpy as np

from benchmarks.accuracy import normalise
from benchmarks.domain_speech import Clip, orders, sentences, titles
from cloud.building.build import build_bundle
from cloud.building.bundle import read_bundle
from cloud.building.commands_text import CommandsText
from cloud.building.domain import load_domain
from cloud.building.spoken_text import words_of
from cloud.decoders.cepstral_mean import GENERAL_MEAN, CepstralMean
from cloud.decoders.pocketsphinx import SHOWN_SCORE_MIN, Kind, load
from cloud.decoders.sphinx_features import Cepstra
from cloud.decoders.sphinx_phrases import JOINT
from cloud.decoders.sphinx_reading import FRAME_MS, Reading, transcript
from cloud.understanding.network import Following
from cloud.understanding.parse import parse

PIECE_FRAMES = 10
READINGS_MAX = 50
"""Of the general model's lattice, that are read strictly."""


class Read(NamedTuple):
    """What a decoder made of a clip."""

    words: str
    score: float
    cpu_s: float
    """While it was spoken."""
    end_s: float
    """After its end."""
    lattice_s: float
    others: Sequence[str]
    """Readings of its lattice, the likelier first."""

    @property
    def all_s(self) -> float:
        return self.cpu_s + self.end_s


class Heard(NamedTuple):
    """What a way makes of a clip."""

    words: str
    """Of open speech."""
    sentences: Sequence[str]
    """That may be the domain's, the likelier first."""
    cpu_s: float
    late_s: float
    """How long after the end of speech it is there."""


Readings = Mapping[str, Read]
"""By decoder: "graph", "general", "phrases"."""


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--half", type=click.Choice(["test", "tuning"]), default="test", show_default=True)
@click.option("--clips", type=int, default=40, show_default=True, help="So many of each part.")
def main(data: Path, half: str, clips: int) -> None:
    """Compare ways to hear a domain and everything else."""
    with tempfile.TemporaryDirectory() as folder:
        home, coffee = [Ear(name, Path(folder)) for name in ("home", "coffee")]
    said = {
        home: [*sentences(data, half, clips, home.following), *titles("home", half, clips)],
        coffee: [*orders(data, half, clips), *titles("coffee", half, clips)],
    }
    print_table([(clip, ear, ear.read(clip)) for ear, its in said.items() for clip in its])


class Ear:
    """All that listens for a domain."""

    def __init__(self, name: str, folder: Path) -> None:
        """Builds and loads it, for open speech as well; tells what that takes."""
        domain = load_domain(name)
        commands = msgspec.structs.replace(domain.commands or CommandsText({}), open_speech=True)
        began_s = time.process_time()
        file = str(build_bundle(msgspec.structs.replace(domain, commands=commands), folder))
        bundle = read_bundle(Path(file))
        self.following = Following(bundle.network)
        self.vocabulary = bundle.network.words()
        print(f"{name}: {len(bundle.phrases)} phrases, bundle built in {time.process_time() - began_s:.1f} s")
        kinds = {"graph": Kind(file, sentences=True), "general": Kind(""), "phrases": Kind(file)}
        self._decoders = {decoder: loaded(f"{name}, {decoder}", kind) for decoder, kind in kinds.items()}

    def read(self, clip: Clip) -> dict[str, Read]:
        """By each decoder."""
        return {name: read(decoder, clip.cepstra, lattice=name != "graph") for name, decoder in self._decoders.items()}

    def slots(self, readings: Sequence[str]) -> Mapping[str, str] | None:
        """Those of the first reading that is a sentence of the domain."""
        meant = (parse(self.following, words.split()) for words in readings if words)
        return next((found[0].slots for found in meant if found), None)


def loaded(name: str, kind: Kind) -> Any:
    """A decoder; tells what it takes, and what a further one does."""
    second_pass = not kind.sentences
    before_mib, began_s = memory_mib(), time.process_time()
    decoder = load(kind, second_pass=second_pass)
    took_s, took_mib = time.process_time() - began_s, memory_mib() - before_mib
    another = load(kind, second_pass=second_pass)
    print(f"{name}: {took_s:.2f} s, {took_mib:.0f} MiB; a further one {memory_mib() - before_mib - took_mib:.0f} MiB")
    del another
    return decoder


def memory_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def read(decoder: Any, said: Cepstra, *, lattice: bool) -> Read:
    """One reading, 100 ms at a time; with those of its lattice."""
    reading = Reading(decoder, CepstralMean(GENERAL_MEAN), lambda _: None)
    times_s = [time.process_time()]
    for start in range(0, len(said), PIECE_FRAMES):
        reading.feed(said[start : start + PIECE_FRAMES])
    times_s.append(time.process_time())
    reading.end()
    words, score = transcript(reading.words()), reading.score()
    times_s.append(time.process_time())
    others = lattice_readings(decoder) if lattice and words else ()
    times_s.append(time.process_time())
    reading.close()
    spoken_s, end_s, lattice_s = np.diff(times_s).tolist()
    return Read(words, score, spoken_s, end_s, lattice_s, others)


def lattice_readings(decoder: Any) -> tuple[str, ...]:
    """The likeliest of them, phrases as words."""
    best = (one.hypstr for one in itertools.islice(decoder.nbest(), READINGS_MAX) if one is not None)
    return tuple(dict.fromkeys(" ".join(text.replace(JOINT, " ").split()) for text in best))


def side_by_side(model: str, one: Readings, _: Ear) -> Heard:
    """Graph and open speech at once."""
    both = one["graph"], one[model]
    return Heard(
        one[model].words, [one["graph"].words], sum(each.all_s for each in both), sum(each.end_s for each in both)
    )


def alone(model: str, one: Readings, _: Ear) -> Heard:
    """Open speech, whose best reading may be a sentence of the domain."""
    return Heard(one[model].words, [one[model].words], one[model].all_s, one[model].end_s)


def by_lattice(model: str, one: Readings, _: Ear) -> Heard:
    """Open speech, and a second pass over its lattice for a sentence of the domain."""
    read = one[model]
    return Heard(read.words, read.others, read.all_s + read.lattice_s, read.end_s + read.lattice_s)


def graph_first(model: str, one: Readings, _: Ear) -> Heard:
    """Open speech reads the same frames afterwards, where no sentence fits well."""
    graph, read = one["graph"], one[model]
    if graph.words and graph.score >= SHOWN_SCORE_MIN:
        return Heard(graph.words, [graph.words], graph.all_s, graph.end_s)
    return Heard(read.words, [graph.words], graph.all_s + read.all_s, graph.end_s + read.all_s)


def open_first(model: str, one: Readings, ear: Ear) -> Heard:
    """The graph reads the same frames afterwards, where half the words are the domain's."""
    graph, read = one["graph"], one[model]
    words = read.words.split()
    if 2 * sum(word in ear.vocabulary for word in words) < len(words):
        return Heard(read.words, [], read.all_s, read.end_s)
    return Heard(read.words, [graph.words], graph.all_s + read.all_s, read.end_s + graph.all_s)


WAYS: dict[str, Callable[[Readings, Ear], Heard]] = {
    "graph and general model at once": partial(side_by_side, "general"),
    "graph and general model with phrases at once (ships)": partial(side_by_side, "phrases"),
    "general model with phrases alone": partial(alone, "phrases"),
    "the same, its lattice read by the domain": partial(by_lattice, "phrases"),
    "graph first, then general model with phrases": partial(graph_first, "phrases"),
    "general model with phrases first, then graph": partial(open_first, "phrases"),
}


def print_table(found: Sequence[tuple[Clip, Ear, Readings]]) -> None:
    """A row a way."""
    parts = list(dict.fromkeys(clip.part for clip, _, _ in found))
    print("\n| | " + " | ".join(map(heading, parts)) + " | CPU s a second | late, ms: median | p95 |")
    print("|---" * (len(parts) + 4) + "|")
    seconds = sum(len(clip.cepstra) for clip, _, _ in found) * FRAME_MS / 1000
    for name, way in WAYS.items():
        heard = [(clip, ear, way(readings, ear)) for clip, ear, readings in found]
        cells = [judge([one for one in heard if one[0].part == part]) for part in parts]
        cpu_s = sum(one.cpu_s for _, _, one in heard)
        late_ms = [1000 * one.late_s for _, _, one in heard]
        print(
            f"| {name} | {' | '.join(cells)} | {cpu_s / seconds:.3f} | {np.percentile(late_ms, 50):.0f} | "
            f"{np.percentile(late_ms, 95):.0f} |"
        )
    counts = ", ".join(f"{sum(clip.part == part for clip, _, _ in found)} {part}" for part in parts)
    print(f"\n{counts}")


def heading(part: str) -> str:
    return f"{part}: {'WER' if part.endswith('sentences') else 'heard' if part.startswith('titles') else 'right'}"


def judge(heard: Sequence[tuple[Clip, Ear, Heard]]) -> str:
    """A cell: word error rate, or the share of orders in which every slot is right, or of titles that are heard."""
    first = heard[0][0]
    if first.slots is not None:
        return f"{np.mean([ear.slots(one.sentences) == clip.slots for clip, ear, one in heard]):.3f}"
    if first.title:
        return f"{np.mean([spoken(clip.title) in spoken(one.words) for clip, _, one in heard]):.3f}"
    said, found = [normalise(clip.text) for clip, _, _ in heard], [normalise(one.words) for _, _, one in heard]
    return f"{jiwer.wer(said, found):.3f}"


def spoken(text: str) -> str:
    """Equal where the same is said; a space at each end."""
    return f" {normalise(' '.join(words_of(text)))} "


if __name__ == "__main__":
    main()
