"""Recordings through the board's code and pocketsphinx, with what is right about each: what reasks, error_rate and
drift_lab_concept draw their streams from.

Each recording is heard in several noises, and as two takes: the second is spoken a little faster or slower and lies in
another stretch of the noise, as somebody says it again. What was heard is kept in --work, a line a recording, so that a
run goes on where it was. Halves are by recording, as in benchmarks/orders.py; of commands by speaker.
"""

import csv
import hashlib
import sys
import zlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import numpy as np
import soundfile
import soxr

from benchmarks import corpus, orders
from benchmarks.kept_lines import kept_lines
from benchmarks.longest_utterance import longest
from benchmarks.scenes import as_samples
from cloud import arbiter
from cloud.decoders import Task
from cloud.decoders.pocketsphinx import PocketSphinx
from cloud.drift.facts import Facts, facts_of
from cloud.final import final
from cloud.finding.served_domain import DomainVersion, ServedDomain
from cloud.settings import Storage
from cloud.understanding.understand import understand
from edge.asking import wire
from edge.sound.source import Samples
from edge.speech.utterance import UtteranceEnd
from protos import speech_pb2
from protos.feature_spec import DEFAULT_SPEC, Levels

VERSION = 1
"""Raised when what is kept would be another today."""

FASTER = {"a": 1.0, "b": 1.07}
"""How fast each take is."""
SECONDS_MAX = 12.0
CLIPS_OF_A_COMMAND = 12
"""In each half."""
COMMANDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes")

Half = Literal["tuning", "test"]
Set = Literal["orders", "sentences", "commands"]


class Condition(NamedTuple):
    """How a recording is heard."""

    noise: str | None = None
    snr_db: int | None = None
    take: str = "a"

    def __str__(self) -> str:
        return f"{self.noise or 'clean'}-{self.snr_db or 0}-{self.take}"


class Recording(NamedTuple):
    """What somebody said."""

    name: str
    file: Path
    words: str
    """Small letters; empty: nobody wrote them down."""
    slots: dict[str, str] | None
    """What it orders, or the command; None: it orders nothing."""


class Heard(msgspec.Struct, frozen=True):
    """What a service answered, and what would have been right."""

    name: str
    condition: str
    words: str
    slots: dict[str, str] | None
    facts: Facts | None
    """None: the board heard no speech in it."""
    transcript: str = ""
    understood: dict[str, str] | None = None
    """Slots of the intent, where one was understood."""
    choices: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()
    """The other ones."""

    @property
    def is_right(self) -> bool:
        """Intent and every slot; what orders nothing is right where nothing was understood."""
        return self.understood == self.slots

    @property
    def truth(self) -> tuple[tuple[str, str], ...]:
        """Equal where the same is wanted."""
        return tuple(sorted((self.slots or {"words": self.words}).items()))


CONDITIONS = (
    Condition(),
    Condition(take="b"),
    Condition("doing_the_dishes", 20),
    Condition("doing_the_dishes", 20, "b"),
    Condition("doing_the_dishes", 12),
    Condition("doing_the_dishes", 12, "b"),
    Condition("running_tap", 20),
    Condition("running_tap", 14),
    Condition("running_tap", 14, "b"),
    Condition("exercise_bike", 14),
    Condition("pink_noise", 16),
)
CONDITIONS_OF: dict[Set, tuple[Condition, ...]] = {
    "orders": CONDITIONS,
    "commands": (CONDITIONS[0], CONDITIONS[1], CONDITIONS[2], CONDITIONS[5]),
    # Open speech takes long.
    "sentences": CONDITIONS[:3],
}


def listen(name: Set, half: Half, data: Path, work: Path, wanted: Sequence[Condition] | None = None) -> list[Heard]:
    """All recordings of a set in these conditions, else all of its own; from the cache, as far as they are."""
    folder = work / f"outcomes-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Heard] = []
    service: _Service | None = None
    recordings = RECORDINGS[name](data, half)
    try:
        for condition in wanted or CONDITIONS_OF[name]:
            file = folder / f"{name}-{half}-{condition}.jsonl"
            kept = {one.name: one for one in kept_lines(file, Heard)}
            missing = [one for one in recordings if one.name not in kept]
            if missing:
                service = service or _Service(name, work)
                noises = {kind: orders.half_of(noise, half) for kind, noise in corpus.noises(data).items()}
                with file.open("ab") as lines:
                    for number, one in enumerate(missing, 1):
                        kept[one.name] = _hear(service, one, condition, noises)
                        lines.write(msgspec.json.encode(kept[one.name]) + b"\n")
                        if sys.stderr.isatty():
                            print(f"\r{name} {condition}: {number} of {len(missing)} ", end="", file=sys.stderr)
            found += [kept[one.name] for one in recordings]
    finally:
        if service is not None:
            service.close()
    return found


def _order_recordings(data: Path, half: Half) -> list[Recording]:
    return [
        Recording(one.file.name, one.file, "", one.slots)
        for one in corpus.orders(data)
        if orders.in_half(one.file, half)
    ]


def _sentence_recordings(data: Path, half: Half) -> list[Recording]:
    """Those that people said and no machine."""
    return [
        Recording(Path(row["path"]).name, data / row["path"], row["text"].lower(), None)
        for row in _index(data)
        if row["path"].startswith("sentences/") and not row["speaker"].startswith("TTS")
        if orders.in_half(data / row["path"], half) and soundfile.info(data / row["path"]).duration <= SECONDS_MAX
    ]


def _command_recordings(data: Path, half: Half) -> list[Recording]:
    found: dict[str, list[Recording]] = defaultdict(list)
    for row in sorted(_index(data), key=lambda row: _hash(row["path"])):
        command = Path(row["path"]).parent.name
        is_mine = (_hash(row["speaker"])[0] % 2 == 0) == (half == "tuning")
        if row["path"].startswith("commands/train/") and command in COMMANDS and is_mine:
            name = row["path"].replace("/", "_")
            found[command].append(Recording(name, data / row["path"], command, {"command": command}))
    return [one for command in COMMANDS for one in found[command][:CLIPS_OF_A_COMMAND]]


RECORDINGS = {"orders": _order_recordings, "sentences": _sentence_recordings, "commands": _command_recordings}


def _hash(text: str) -> bytes:
    return hashlib.md5(text.encode()).digest()


def _index(data: Path) -> list[dict[str, str]]:
    with (data / "index.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


class _Service:
    """pocketsphinx and the domain in which a set is understood, in this process."""

    def __init__(self, name: Set, work: Path) -> None:
        where = {"orders": "coffee", "sentences": "home", "commands": str(_commands_domain(work))}[name]
        storage = Storage(state_dir=work / "state")
        self._served = ServedDomain(where, storage).__enter__()
        self.domain: DomainVersion = self._served.now
        self._engine = PocketSphinx(bundles=(str(self.domain.bundle_file),), alone=True)
        self._known = self.domain.bundle.network.words()

    def close(self) -> None:
        self._served.__exit__(None, None, None)

    def answer(self, device_id: str, utterance_id: str, levels: Levels, end: UtteranceEnd) -> Heard:
        """As cloud/recognition.py has it, without the search."""
        bundle = self.domain.bundle
        decoding = self._engine.begin(Task(device_id, utterance_id, DEFAULT_SPEC, str(self.domain.bundle_file)))
        decoding.feed(levels)
        hypotheses = [decoding.finish()]
        outcome = understand(self.domain.following, bundle.blocks, hypotheses)
        chosen = arbiter.choose(hypotheses, outcome)
        told = final(
            chosen, outcome, [], self.domain.describe(), waiting_ms=0, decoding_ms=0, searching_ms=0, explain=False
        )
        config = speech_pb2.UtteranceConfig(device_id=device_id, utterance_id=utterance_id)
        facts = facts_of(levels, DEFAULT_SPEC, config, wire.end(end), told, knows_word=self._known.__contains__)
        return Heard(
            name="",
            condition="",
            words="",
            slots=None,
            facts=facts,
            transcript=told.transcript,
            understood=dict(told.intent.slots) if told.HasField("intent") else None,
            choices=tuple(choice.transcript for choice in told.choices),
            readings=tuple(other.transcript for other in told.alternatives),
        )


def _commands_domain(work: Path) -> Path:
    """Ten commands of one word."""
    folder = work / "domains" / "ten-commands"
    folder.mkdir(parents=True, exist_ok=True)
    listed = "".join(f"      - {command}\n" for command in COMMANDS).replace("- on\n", '- "on"\n')
    listed = listed.replace("- off\n", '- "off"\n').replace("- no\n", '- "no"\n').replace("- yes\n", '- "yes"\n')
    (folder / "commands.yaml").write_text(
        "language: en\nopen_speech: false\nintents:\n  command:\n    data:\n      - sentences:\n"
        f'          - "{{command}}"\nlists:\n  command:\n    values:\n{listed}'
    )
    (folder / "catalogue.jsonl").write_text(
        "".join(f'{{"id": "{command}", "title": "{command}"}}\n' for command in COMMANDS)
    )
    return folder


def _hear(service: _Service, one: Recording, condition: Condition, noises: dict[str, corpus.Sound]) -> Heard:
    samples = _sound(corpus.read(one.file), one.name, condition, noises)
    found = longest(samples)
    known = {"name": one.name, "condition": str(condition), "words": one.words, "slots": one.slots}
    if found is None:
        return Heard(**known, facts=None)  # type: ignore[arg-type]
    answered = service.answer(str(condition), hashlib.md5(one.name.encode()).hexdigest(), found.levels, found.end)
    return msgspec.structs.replace(answered, **known)


def _sound(sound: corpus.Sound, name: str, condition: Condition, noises: dict[str, corpus.Sound]) -> Samples:
    """In that condition, at the level of a voice some steps away; the same draws whenever it is made."""
    draw = np.random.default_rng(zlib.crc32(f"{name} {condition}".encode()))
    if (faster := FASTER[condition.take]) != 1.0:
        sound = np.asarray(soxr.resample(sound, corpus.RATE_HZ, corpus.RATE_HZ / faster), np.float32)
    sound = corpus.at_level(sound, -30 + 3 * float(np.clip(draw.standard_normal(), -2, 2)))
    if condition.noise is None or condition.snr_db is None:
        quiet = np.pad(sound, corpus.RATE_HZ)
        return as_samples(quiet + draw.normal(0, 10 ** (-65 / 20), len(quiet)).astype(np.float32))
    return as_samples(corpus.with_noise(sound, noises[condition.noise], condition.snr_db, draw))
