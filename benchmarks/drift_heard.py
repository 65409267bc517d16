"""Recordings through the board's code and a service's engines, to facts: what the streams of drift_lab are drawn from.

What was heard is kept by place and condition in --work, a line a recording, so that a run goes on where it was.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
import numpy as np

from benchmarks import corpus, drift_sounds
from benchmarks.drift_places import Place, Recording
from benchmarks.drift_sounds import Condition, Half, Material
from cloud import arbiter
from cloud.decoders import Engine, Hypothesis, Task
from cloud.decoders.pocketsphinx import PocketSphinx
from cloud.drift.facts import Facts, facts_of
from cloud.final import final
from cloud.finding.served_domain import DomainVersion, ServedDomain
from cloud.settings import Storage
from cloud.understanding.understand import understand
from edge.asking import wire
from edge.local.model import Model
from edge.local.spotter import Spotter, heard_in
from edge.settings import MODELS_DIR
from edge.sound.source import Block, Samples, rechunk
from edge.speech.hearing import hear
from edge.speech.utterance import UtteranceEnd, UtteranceFrames
from protos import speech_pb2
from protos.feature_spec import DEFAULT_SPEC, Levels

VERSION = 1
"""Raised when what is kept would be another today."""


class Heard(msgspec.Struct, frozen=True):
    """What a service knew of a recording in a condition."""

    name: str
    speaker: str
    label: str
    facts: Facts | None
    """None: the board heard no speech in it."""
    transcript: str = ""


class OneRecording:
    """A source of one recording."""

    name = "recording"

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def blocks(self) -> Iterator[Block]:
        yield from map(Block, rechunk([self._samples]))

    def close(self) -> None:
        pass


class Service:
    """The engines of a service in this process."""

    def __init__(self, domain: DomainVersion, *, has_whisper: bool, weights: Path) -> None:
        bundles = (str(domain.bundle_file),)
        self.domain = domain
        self._engines: list[Engine] = [PocketSphinx(bundles=bundles, alone=not has_whisper)]
        if has_whisper:
            from cloud.decoders.whisper import Whisper  # Half a second that only the menu needs.

            self._engines.append(Whisper(str(weights), bundles=bundles))
        self._known = domain.bundle.network.words()

    def facts(self, device_id: str, utterance_id: str, levels: Levels, end: UtteranceEnd) -> tuple[Facts, str]:
        """Of an utterance, and its transcript."""
        answer = self._answer(Task(device_id, utterance_id, DEFAULT_SPEC, str(self.domain.bundle_file)), levels)
        config = speech_pb2.UtteranceConfig(device_id=device_id, utterance_id=utterance_id)
        made = facts_of(levels, DEFAULT_SPEC, config, wire.end(end), answer, knows_word=self._known.__contains__)
        return made, answer.transcript

    def _answer(self, task: Task, levels: Levels) -> speech_pb2.Final:
        """As cloud/recognition.py has it, one engine after the other and without the search."""
        hypotheses: list[Hypothesis] = []
        bundle = self.domain.bundle
        outcome = understand(self.domain.following, bundle.blocks, hypotheses)
        for engine in self._engines:
            decoding = engine.begin(task)
            decoding.feed(levels)
            hypotheses.append(decoding.finish())
            outcome = understand(self.domain.following, bundle.blocks, hypotheses)
            if arbiter.decides_alone(hypotheses[-1], outcome, has_commands=bundle.has_commands):
                break
        chosen = arbiter.choose(hypotheses, outcome)
        return final(
            chosen, outcome, [], self.domain.describe(), waiting_ms=0, decoding_ms=0, searching_ms=0, explain=False
        )


def listen(place: Place, half: Half, data: Path, work: Path, conditions: Sequence[Condition]) -> dict[str, list[Heard]]:
    """All recordings of a place in these conditions, by the condition's name; from the cache, as far as they are."""
    folder = work / f"heard-{VERSION}" / half
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[Heard]] = {}
    with ExitStack() as held:
        service: Service | Board | None = None
        of: Material | None = None
        for condition in conditions:
            file = folder / f"{place.name}-{condition}.jsonl"
            kept = {one.name: one for one in _read(file)}
            missing = [one for one in place.recordings if one.name not in kept]
            if missing:
                of = of or drift_sounds.material(data, half)
                service = service or held.enter_context(_service(place, work))
                with file.open("ab") as lines:
                    for number, one in enumerate(missing):
                        kept[one.name] = _hear(service, one, condition, of)
                        lines.write(msgspec.json.encode(kept[one.name]) + b"\n")
                        if sys.stderr.isatty():
                            print(
                                f"\r{place.name} {condition}: {number + 1} of {len(missing)} ", end="", file=sys.stderr
                            )
            found[str(condition)] = [kept[one.name] for one in place.recordings]
    return found


class Board:
    """A board that answers by its own model."""

    def __init__(self) -> None:
        model = Model(MODELS_DIR / "commands-v1", DEFAULT_SPEC)
        self._spotter = Spotter(model)
        self._card = model.card

    def facts(self, device_id: str, utterance_id: str, levels: Levels, end: UtteranceEnd) -> tuple[Facts, str]:
        """Of an utterance, and its transcript."""
        spotted = heard_in(self._spotter, [levels])
        answer = speech_pb2.Final(engine=speech_pb2.Engine(name="tflite", model=self._card.version))
        if spotted is not None:
            answer.transcript, answer.confidence = self._card.commands[spotted.label].text, spotted.probability
            answer.intent.name = spotted.label
        config = speech_pb2.UtteranceConfig(device_id=device_id, utterance_id=utterance_id)
        made = facts_of(levels, DEFAULT_SPEC, config, wire.end(end), answer)
        return msgspec.structs.replace(made, path="local"), answer.transcript


class _service:
    """Who answers at a place, as a context manager."""

    def __init__(self, place: Place, work: Path) -> None:
        self._storage = Storage(state_dir=work / "state")
        self._place = place

    def __enter__(self) -> Service | Board:
        self._served: ServedDomain | None = None
        if self._place.domain is None:
            return Board()
        self._served = ServedDomain(self._place.domain, self._storage).__enter__()
        weights = self._storage.weights_dir / "tiny.en"
        return Service(self._served.now, has_whisper=self._place.has_whisper, weights=weights)

    def __exit__(self, *error: object) -> None:
        if self._served is not None:
            self._served.__exit__(None, None, None)


def _hear(service: Service | Board, one: Recording, condition: Condition, of: Material) -> Heard:
    samples = drift_sounds.heard(corpus.read(one.file), one.name, condition, of)
    found = longest(samples)
    if found is None:
        return Heard(one.name, one.speaker, one.label, None)
    # One board a condition: an engine that learns a board's microphone learns the changed one.
    facts, transcript = service.facts(str(condition), one.name.replace("/", "_"), *found)
    return Heard(one.name, one.speaker, one.label, facts, transcript)


def longest(samples: Samples) -> tuple[Levels, UtteranceEnd] | None:
    """The levels and the end of the longest utterance in a recording, by the board's gate and segmenter."""
    best: tuple[Levels, UtteranceEnd] | None = None
    levels: list[Levels] = []
    for item in hear(OneRecording(samples)):
        match item:
            case UtteranceFrames():
                levels.append(item.levels)
            case UtteranceEnd():
                whole = np.concatenate(levels)
                if best is None or len(whole) > len(best[0]):
                    best = whole, item
                levels = []
            case _:
                pass
    return best


def _read(file: Path) -> Iterator[Heard]:
    if not file.exists():
        return
    for line in file.read_bytes().split(b"\n"):
        try:
            yield msgspec.json.decode(line, type=Heard)
        except msgspec.DecodeError:
            # The last line of a run that was killed.
            continue


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text} ", end="", file=sys.stderr)
