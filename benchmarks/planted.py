"""How many planted label faults the linter finds, and how much of what it finds was planted.

    scripts/bench planted

Transcripts made from patterns that the linter was not tuned with (--part tune: those it was), with the sentences of
tests/speech; faults of every kind at known places. Then how long many labels take.
"""

import csv
import random
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks.planted_texts import TEST, TUNE, texts
from benchmarks.plants import PLANTS, TWICE
from models.check.checkers import findings
from models.data.clip import Clip, Split
from models.data.manifest import Manifest, read_manifest, write_manifest
from models.finding import Severity
from models.labels.agreement import agreement_on
from models.labels.definition import Definition

SEED = 1
MARK = 0.9
SPOKEN = Path(__file__).parent.parent / "tests" / "speech" / "sentences.tsv"
SECONDS_MAX = 60.0
"""The mark for 100,000 labels."""


class Planted(NamedTuple):
    """A set with faults in it."""

    clips: list[Clip]
    faults: dict[int, str]
    """Kind by line, from 1."""
    right: dict[int, str]
    """What stood there before, by line."""
    twins: set[int]
    """Lines beside which a fault is one: found there is found too."""


class Score(NamedTuple):
    planted: int
    found: int
    """Of the planted ones."""
    told: int
    """Findings of the kind, worse than notes."""
    true: int
    """Of these, at a planted place."""
    restored: int
    """Fixes that give what stood there before."""

    @property
    def recall(self) -> float:
        return self.found / self.planted if self.planted else 1.0

    @property
    def precision(self) -> float:
        return self.true / self.told if self.told else 1.0


@click.command()
@click.option("--count", type=click.IntRange(min=200), default=2000, show_default=True, help="Transcripts.")
@click.option("--part", type=click.Choice(["test", "tune"]), default="test", show_default=True)
@click.option("--labels", type=int, default=100_000, show_default=True, help="For the time; 0: leave it out.")
@click.option("--seed", type=int, default=SEED, show_default=True)
def main(count: int, part: str, labels: int, seed: int) -> None:
    """Measure recall and precision by kind of fault, and the time of many labels."""
    with tempfile.TemporaryDirectory() as folder:
        planted = plant(count, part, seed)
        scores = judged(planted, written(planted, Path(folder)))
    print(f"\n{count} transcripts ({part} patterns), {len(planted.faults)} of them with a planted fault\n")
    print("| fault | planted | recall | told | precision | put right |")
    print("|---|---|---|---|---|---|")
    for kind, score in scores.items():
        right = f"{score.restored / score.planted:.0%}" if score.restored else "-"
        print(f"| {kind} | {score.planted} | {score.recall:.1%} | {score.told} | {score.precision:.1%} | {right} |")
    reached = all(score.recall >= MARK and score.precision >= MARK for score in scores.values())
    print(f"\nRecall and precision of each kind at least {MARK:.0%}: {'reached' if reached else 'NOT reached'}")
    if labels:
        measure_time(labels, seed)


def plant(count: int, part: str, seed: int) -> Planted:
    """Texts under the example's agreement, about a quarter of them with a fault."""
    draw = random.Random(seed)
    patterns = TEST if part == "test" else TUNE
    with SPOKEN.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    lines = texts(patterns, count, draw, [text for _, *spoken in rows for text in spoken])
    draw.shuffle(lines)
    each = count // (4 * len(PLANTS))
    clips: list[Clip] = []
    places: list[tuple[str | None, str]] = []
    left = iter(lines)
    for kind, make in PLANTS.items():
        done = 0
        while done < each:
            text = next(left)
            wrong = make(text, draw)
            done += wrong is not None
            clips += [
                _clip(text, len(clips) + at, "train") for at in range(TWICE.get(kind, 0) if wrong is not None else 1)
            ]
            places += [(None, text)] * (len(clips) - len(places))
            if wrong is not None:
                sound = clips[-1].path if kind == "same_audio" else f"clips/{len(clips)}.flac"
                clips.append(_clip(wrong, len(clips), "test" if kind == "near_duplicates" else "train", sound))
                places.append((kind, text))
        if len(clips) > count:
            raise AssertionError("too few texts")
    for text in list(left)[: count - len(clips)]:
        clips.append(_clip(text, len(clips), draw.choice(["train", "test"])))
        places.append((None, text))
    faults = {line: kind for line, (kind, _) in enumerate(places, 1) if kind}
    twins = {line - 1 for line, kind in faults.items() if kind in TWICE}
    return Planted(clips, faults, {line: places[line - 1][1] for line in faults}, twins)


def _clip(text: str, number: int, split: Split, sound: str | None = None) -> Clip:
    # One file for two clips is told by its name, so the second has another name for the same bytes.
    return Clip(
        path=f"clips/{number}.flac",
        text=text,
        split=split,
        transcriber=f"t{number % 5}",
        slices={"sound": sound or f"clips/{number}.flac"},
    )


def written(planted: Planted, folder: Path) -> Manifest:
    """As a manifest with files beside it; what they hold is not sound, and nobody here listens."""
    (folder / "clips").mkdir()
    for clip in planted.clips:
        (folder / clip.path).write_text(f"{clip.slices['sound']:40}")
    write_manifest(folder / "manifest.jsonl", planted.clips)
    return read_manifest(folder / "manifest.jsonl")


def judged(planted: Planted, manifest: Manifest) -> dict[str, Score]:
    """A score a kind."""
    definition = Definition()
    told: defaultdict[str, set[int]] = defaultdict(set)
    for found in findings(manifest, definition, listen=False):
        if found.severity is not Severity.NOTE and found.line is not None:
            told[found.kind].add(found.line)
    agreement = agreement_on(manifest, definition)
    restored = Counter(
        kind
        for line, kind in planted.faults.items()
        if kind not in TWICE and agreement.final(planted.clips[line - 1].text or "") == planted.right[line]
    )
    scores = {}
    for kind in PLANTS:
        places = {line for line, planted_kind in planted.faults.items() if planted_kind == kind}
        # A pair is told once, at either of its places.
        near = places | ({line - 1 for line in places} if kind in TWICE else set())
        found_places = {line for line in places if line in told[kind] or (kind in TWICE and line - 1 in told[kind])}
        scores[kind] = Score(len(places), len(found_places), len(told[kind]), len(told[kind] & near), restored[kind])
    return scores


def measure_time(count: int, seed: int) -> None:
    """Processor seconds of all checks of what is written on so many different labels, a third of them with a fault."""
    draw = random.Random(seed)
    lines = texts(TEST, min(count, 4000), draw)
    makers = [make for kind, make in PLANTS.items() if kind not in (*TWICE, "empty")]
    clips = []
    for number in range(count):
        # Numbered, so that no two labels are the same and nothing is found by having seen it before.
        text = lines[number % len(lines)].replace(" ", f" {_name(number)} ", 1)
        faulty = draw.choice(makers)(text, draw) if draw.random() < 1 / 3 else None
        clips.append(_clip(faulty or text, number, draw.choice(["train", "test"])))
    with tempfile.TemporaryDirectory() as folder:
        write_manifest(Path(folder) / "manifest.jsonl", clips)
        began_s, began_cpu_s = time.monotonic(), time.process_time()
        found = sum(1 for _ in findings(read_manifest(Path(folder) / "manifest.jsonl"), Definition(), listen=False))
        cpu_s, wall_s = time.process_time() - began_cpu_s, time.monotonic() - began_s
    mark = "reached" if cpu_s <= SECONDS_MAX * count / 100_000 else "NOT reached"
    print(f"\n{count} labels: {cpu_s:.1f} s of CPU, {wall_s:.1f} s by the clock, {found} findings")
    print(f"At most {SECONDS_MAX:g} s of CPU for 100,000: {mark}")


def _name(number: int) -> str:
    """A made-up name of four syllables, another for each number."""
    syllables = [
        "ba",
        "ko",
        "mi",
        "lu",
        "ta",
        "re",
        "so",
        "ni",
        "va",
        "du",
        "pe",
        "fi",
        "go",
        "za",
        "he",
        "jo",
        "ly",
        "wu",
    ]
    parts = []
    for _ in range(4):
        number, at = divmod(number, len(syllables))
        parts.append(syllables[at])
    return "".join(parts).capitalize()


if __name__ == "__main__":
    main()
