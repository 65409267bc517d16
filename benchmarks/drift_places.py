"""Where boards of drift_lab stand, and what is said to them: real recordings, the domains that understand them.

kiosk: coffee orders by many people, and other talk. household: ten commands, each board by three people of its own, and
answered by the board's own model (which learnt from some of these clips: how right it is, is not what is measured).
menu: the kiosk whose domain lacks a drink, with Whisper beside the domain's sentences, so that words come out that the
domain does not know. Half of the people or recordings are for tuning, the other half for measuring.
"""

import csv
import hashlib
import shutil
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import soundfile

from benchmarks import corpus, orders
from benchmarks.drift_sounds import Half

ORDERS_MAX, OTHERS_MAX = 40, 8
SPEAKERS, CLIPS_MAX, OTHER_WORDS_MAX = 9, 12, 2
"""Of a half's household boards together; and of each speaker."""
SECONDS_MAX = 12.0
LACKING = "mocha"
"""The drink that the menu's domain lacks."""
COMMANDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes")
OTHER = "other"


class Recording(NamedTuple):
    """What somebody said."""

    name: str
    file: Path
    speaker: str
    """Empty: nobody knows."""
    label: str
    """The drink or the command; OTHER: none."""


class Place(NamedTuple):
    """A kind of place."""

    name: str
    domain: str | None
    """Name or folder, for pocketsphinx; None: the board's own model answers."""
    has_whisper: bool
    recordings: list[Recording]


def places(data: Path, half: Half, work: Path) -> list[Place]:
    """All kinds."""
    ordered = order_recordings(data, half)
    return [
        Place("kiosk", "coffee", False, ordered),
        Place("household", None, False, command_recordings(data, half)),
        Place("menu", str(menu_domain(work)), True, ordered),
    ]


def order_recordings(data: Path, half: Half) -> list[Recording]:
    """Orders, and sentences that people said and no machine."""
    said = [
        Recording(order.file.name, order.file, "", order.slots.get("coffeeDrink", OTHER))
        for order in corpus.orders(data)
        if orders.in_half(order.file, half)
    ]
    others = [
        Recording(row["path"], data / row["path"], row["speaker"], OTHER)
        for row in _index(data)
        if row["set"] == "sentences" and not row["speaker"].startswith("TTS")
        if orders.in_half(data / row["path"], half) and _seconds(data / row["path"]) <= SECONDS_MAX
    ]
    return said[:ORDERS_MAX] + others[:OTHERS_MAX]


def command_recordings(data: Path, half: Half) -> list[Recording]:
    """Of the speakers who said most, the same number of clips each."""
    by_speaker: dict[str, list[Recording]] = defaultdict(list)
    for row in _index(data):
        label = Path(row["path"]).parent.name
        if row["set"] == "commands" and label != "silence" and _in_half(row["speaker"], half):
            one = label if label in COMMANDS else OTHER
            by_speaker[row["speaker"]].append(Recording(row["path"], data / row["path"], row["speaker"], one))
    most = sorted(by_speaker, key=lambda speaker: (-_commands(by_speaker[speaker]), speaker))[:SPEAKERS]
    return [one for speaker in most for one in _some(by_speaker[speaker])]


def _some(said: list[Recording]) -> list[Recording]:
    """Not those of one command first."""
    shuffled = sorted(said, key=lambda one: hashlib.md5(one.name.encode()).hexdigest())
    commands = [one for one in shuffled if one.label != OTHER][:CLIPS_MAX]
    return commands + [one for one in shuffled if one.label == OTHER][:OTHER_WORDS_MAX]


def _commands(said: list[Recording]) -> int:
    return sum(one.label != OTHER for one in said)


def _in_half(speaker: str, half: Half) -> bool:
    return (hashlib.md5(speaker.encode()).digest()[0] % 2 == 0) == (half == "tuning")


def _index(data: Path) -> list[dict[str, str]]:
    with (data / "index.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def _seconds(file: Path) -> float:
    return float(soundfile.info(file).duration)


def menu_domain(work: Path) -> Path:
    """The coffee domain without a drink, in its commands as in its catalogue."""
    folder = work / "domains" / "menu"
    folder.mkdir(parents=True, exist_ok=True)
    shipped = Path(__file__).parent.parent / "cloud" / "domains" / "coffee"
    for name in ("commands.yaml", "catalogue.jsonl"):
        lines = (shipped / name).read_text().splitlines(keepends=True)
        (folder / name).write_text("".join(line for line in lines if LACKING not in line.lower()))
    shutil.copyfile(shipped / "lexicon.txt", folder / "lexicon.txt")
    return folder
