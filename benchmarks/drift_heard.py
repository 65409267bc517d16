"""Recordings through the board's code and a service's engines, to facts: what the streams of drift_lab are drawn from.

What was heard is kept by place and condition in --work, a line a recording, so that a run goes on where it was.
"""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from benchmarks import corpus, drift_sounds
from benchmarks.drift_places import Place, Recording
from benchmarks.drift_sounds import Condition, Half, Material
from benchmarks.kept_lines import kept_lines
from benchmarks.longest_utterance import longest
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
from edge.speech.utterance import UtteranceEnd
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
            kept = {one.name: one for one in kept_lines(file, Heard)}
            missing = [one for one in place.recordings if one.name not in kept]
            if missing:
                of = of or drift_sounds.material(data, half)
                service = service or held.enter_context(_service(place, work))
                with file.open("ab") as lines:
                    for number, one in enumerate(missing, 1):
                        kept[one.name] = _hear(service, one, condition, of)
                        lines.write(msgspec.json.encode(kept[one.name]) + b"\n")
                        _progress(f"{place.name} {condition}: {number} of {len(missing)}")
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
    facts, transcript = service.facts(str(condition), one.name.replace("/", "_"), found.levels, found.end)
    return Heard(one.name, one.speaker, one.label, facts, transcript)


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text} ", end="", file=sys.stderr)
