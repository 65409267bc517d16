"""Search by voice: is the place that was asked for the first of 20,000, or among the first five?

    scripts/bench spoken_queries --data DIR --cache DIR

`--data` is a folder with noise/. The queries are said by synthesisers (benchmarks/spoken_query_set.py), in quiet and
with noise. Beside the whole, in the same run: Whisper's best transcript in a plain FTS5 table, and in our search. What
was heard is kept in --cache, so that only the search runs again.
"""

import os

# Before numpy, as in cloud/workers/worker.py.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import re
import resource
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import msgspec
import numpy as np

from benchmarks import spoken_query_set as queries
from benchmarks.spoken_query_set import plain
from cloud.building.build import build_bundle
from cloud.building.bundle import read_bundle
from cloud.building.domain import load_domain
from cloud.decoders import Hypothesis, Task
from cloud.decoders.weights import usable
from cloud.decoders.whisper import Whisper
from cloud.finding.heard import find
from cloud.finding.index import SqliteIndex, open_index
from cloud.finding.search import Found, search
from cloud.finding.sounding import Sounding
from cloud.pronouncing.pronouncer import Pronouncer
from cloud.settings import CloudSettings
from models.training.examples import frames
from protos.feature_spec import DEFAULT_SPEC

FIRST = 5
MARK_FIRST, MARK_AMONG = 0.85, 0.95


class Decoded(msgspec.Struct, frozen=True):
    """A clip, as an engine heard it."""

    name: str
    text: str
    voice: str
    condition: str
    heard: Hypothesis
    cpu_s: float


class Way(NamedTuple):
    """To answer what was heard."""

    name: str
    titles: Callable[[Hypothesis], list[str]]


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder with noise/.")
@click.option("--part", type=click.Choice(["tune", "test"]), default="test", show_default=True)
@click.option("--cache", type=click.Path(path_type=Path), required=True, help="Keeps sounds and what was heard.")
@click.option("--model", default="tiny.en", show_default=True, help="Weights of Whisper.")
@click.option("--snr", "snrs", multiple=True, type=int, help="Only these, beside quiet.")
def main(data: Path, part: str, cache: Path, model: str, snrs: tuple[int, ...]) -> None:
    """Measure search by voice over 20,000 places."""
    folder = cache / "places"
    queries.write_domain(folder)
    domain = load_domain(str(folder))
    before_mib = memory_mib()
    began_s = time.monotonic()
    bundle = build_bundle(domain, cache).resolve()
    index = open_index(domain, cache)
    before_sounds_mib = memory_mib()
    sounding = Sounding(read_bundle(bundle).names, Pronouncer())
    print(f"names by sound: {memory_mib() - before_sounds_mib:.0f} MiB")
    print(f"{len(domain.entries)} places; built or opened in {time.monotonic() - began_s:.1f} s")
    print(f"index {size_mib(cache, '.sqlite')} MiB, bundle {size_mib(cache, '.bundle')} MiB on the disk")
    kept = cache / f"heard-{part}-{model}.jsonl"
    wanted = [None, *snrs] if snrs else list(queries.SNRS_DB)
    with kept.open("ab") as file:
        known = {(one.text, one.voice, one.condition) for one in read(kept)}
        clips = (
            clip for clip in queries.clips(part, data, cache / "sounds", wanted)
            if (clip.query.text, clip.query.voice, condition(clip)) not in known
        )  # fmt: skip
        for decoded in decode(clips, model, str(bundle)):
            file.write(msgspec.json.encode(decoded) + b"\n")
            file.flush()
    print(f"this process with everything: {memory_mib() - before_mib:.0f} MiB more at its largest")
    report(list(read(kept)), ways(index, sounding, [entry.title for entry in domain.entries]))


def decode(clips: Iterator[queries.Clip], model: str, bundle: str) -> Iterator[Decoded]:
    """Hears clips, the weights loaded with the first."""
    whisper: Whisper | None = None
    for number, clip in enumerate(clips):
        whisper = whisper or Whisper(str(usable(model, CloudSettings().storage.weights_dir)), bundles=[bundle])
        decoding = whisper.begin(Task("bench", f"{number}", DEFAULT_SPEC, bundle))
        began_s = time.process_time()
        decoding.feed(frames(clip.sound))
        heard = decoding.finish()
        decoding.close()
        query = clip.query
        yield Decoded(query.name, query.text, query.voice, condition(clip), heard, time.process_time() - began_s)


def titles_of(found: Sequence[Found]) -> list[str]:
    return [one.title for one in found]


def ways(index: SqliteIndex, sounding: Sounding, titles: Sequence[str]) -> list[Way]:
    """What is compared."""
    table = plain_fts5(titles)
    return [
        Way("Whisper's words, plain FTS5", lambda heard: matched(table, heard.transcript)),
        Way("Whisper's words, our search", lambda heard: titles_of(search(index, heard.transcript, FIRST))),
        Way(
            "Whisper's words, our search, by sound too",
            lambda heard: titles_of(find(index, sounding, msgspec.structs.replace(heard, names=()), FIRST)[0]),
        ),
        Way("all that was heard, our search", lambda heard: titles_of(find(index, sounding, heard, FIRST)[0])),
    ]


def plain_fts5(titles: Sequence[str]) -> sqlite3.Connection:
    table = sqlite3.connect(":memory:")
    table.execute("CREATE VIRTUAL TABLE place USING fts5(title)")
    table.executemany("INSERT INTO place VALUES (?)", ((title,) for title in titles))
    return table


def matched(table: sqlite3.Connection, transcript: str) -> list[str]:
    words = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", transcript))
    sql = "SELECT title FROM place WHERE place MATCH ? ORDER BY rank LIMIT ?"
    return [title for (title,) in table.execute(sql, (words, FIRST))] if words else []


def report(heard: Sequence[Decoded], compared: Sequence[Way]) -> None:
    """Prints the tables."""
    print("\n| | " + " | ".join(f"{way.name}: first | in the first five" for way in compared) + " |")
    print("|---" * (1 + 2 * len(compared)) + "|")
    found = {way.name: [rank(way.titles(one.heard), one.name) for one in heard] for way in compared}
    for name, some in groups(heard):
        cells = [share(np.array(found[way.name])[some], most) for way in compared for most in (1, FIRST)]
        print(f"| {name}, {len(some)} | " + " | ".join(cells) + " |")
    last = np.array(found[compared[-1].name])
    reached = (last < 1).mean() >= MARK_FIRST and (last < FIRST).mean() >= MARK_AMONG
    print(f"\nmarks, {MARK_FIRST:.0%} first and {MARK_AMONG:.0%} in the first five: {'' if reached else 'NOT '}reached")
    for way in compared:
        ms = []
        for one in heard:
            # Of the processor: whatever else runs here is no part of it.
            began_s = time.process_time()
            way.titles(one.heard)
            ms.append(1000 * (time.process_time() - began_s))
        print(f"{way.name}: {np.percentile(ms, 50):.1f} ms of CPU at the median, {np.percentile(ms, 95):.1f} ms p95")
    cpu_s = [one.cpu_s for one in heard]
    print(f"CPU to hear a query: {np.mean(cpu_s):.2f} s on average, {np.percentile(cpu_s, 95):.2f} s p95")


def groups(heard: Sequence[Decoded]) -> Iterator[tuple[str, list[int]]]:
    """All, and by what may matter."""
    yield "all", list(range(len(heard)))
    for what in ("condition", "voice"):
        for value in dict.fromkeys(getattr(one, what) for one in heard):
            yield value, [number for number, one in enumerate(heard) if getattr(one, what) == value]
    for name, bare in (("bare names", True), ("within a sentence", False)):
        yield name, [number for number, one in enumerate(heard) if (one.name == one.text) == bare]


def rank(titles: Sequence[str], name: str) -> int:
    """Place of the first that is called so, from 0; as many as there are: none is."""
    return next((place for place, title in enumerate(titles) if plain(title) == plain(name)), FIRST)


def share(ranks: "np.ndarray[tuple[int], np.dtype[np.int64]]", most: int) -> str:
    return f"{(ranks < most).mean():.3f}"


def condition(clip: queries.Clip) -> str:
    return "quiet" if clip.snr_db is None else f"{clip.noise} {clip.snr_db} dB"


def read(file: Path) -> Iterator[Decoded]:
    """What was kept; a line that was cut off is heard again."""
    for line in file.read_bytes().splitlines() if file.exists() else ():
        try:
            yield msgspec.json.decode(line, type=Decoded)
        except msgspec.DecodeError:
            continue


def size_mib(folder: Path, ending: str) -> str:
    return f"{max(path.stat().st_size for path in folder.glob(f'*{ending}')) / 2**20:.1f}"


def memory_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
