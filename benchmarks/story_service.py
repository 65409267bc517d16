"""The service of the story: its utterance log, who is asked for labels of what, and what it exports.

Nothing here is of the story alone: what is drawn, kept and written out is so by the service's own parts.
"""

import datetime
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks import story_sounds, story_world
from benchmarks.story_sounds import Said, Utterance
from benchmarks.story_world import BOARD, World
from cloud.drift.facts import Facts, facts_of
from cloud.labelling.label_desk import LabelDesk
from cloud.labelling.label_queue import FILE_NAME as QUEUE_NAME
from cloud.labelling.label_queue import LabelQueue
from cloud.labelling.label_session import request
from cloud.log.answer_log import FILE_NAME
from cloud.log.answer_store import AnswerStore, Key, Occasion, Row
from cloud.log.export_lines import log_lines
from cloud.log.reader import LogReader
from cloud.log.record import Record
from cloud.outcomes import error_rate
from cloud.outcomes.error_rate import Estimate, Label
from edge.asking import wire
from protos import speech_pb2
from protos.feature_spec import DEFAULT_SPEC

KEPT_MAX = 100_000
ANSWERED_US = 1_000_000
"""From the beginning of an utterance to its answer."""
DAY = datetime.timedelta(days=1)


class Heard(NamedTuple):
    """An utterance of the board, what it made of it, and when."""

    one: Utterance
    said: Said
    at_unix_us: int

    @property
    def key(self) -> Key:
        return Key(BOARD, self.one.id)

    @property
    def day(self) -> datetime.date:
        return datetime.datetime.fromtimestamp(self.at_unix_us / 1e6, datetime.UTC).date()


class Asked(NamedTuple):
    """Labels that were asked for."""

    chances: dict[str, float]
    """By utterance."""
    unsure: int
    """So many of them rather for their uncertainty."""


def heard(some: Sequence[Utterance], said: Mapping[str, Said], start: int = 0) -> list[Heard]:
    """In their order, the first one the board's utterance of that number."""
    return [Heard(one, said[one.id], story_world.at_unix_us(start + number)) for number, one in enumerate(some)]


def facts(world: World, spoken: Heard) -> Facts:
    """As the service makes them, of a board's own answer."""
    levels = story_sounds.levels(world.heard, spoken.one)
    assert spoken.one.end is not None
    made = facts_of(levels, DEFAULT_SPEC, _config(spoken), wire.end(spoken.one.end), _final(spoken.said))
    return msgspec.structs.replace(made, path="local")


def ask(world: World, before: Sequence[Heard], after: Sequence[Heard], labels: int, who: Sequence[str]) -> Asked:
    """Keeps what was answered, asks for about so many labels of what came after, some each day, and has them labelled
    in turns: whether the answer was right, and what was said."""
    days = sorted({one.day for one in after})
    by_id = {one.one.id: one for one in after}
    file = world.service / FILE_NAME
    with closing(AnswerStore(file)) as store, closing(LogReader(file)) as reader, closing(_queue(world)) as queue:
        store.add([_row(world, one) for one in before], KEPT_MAX)
        # Nobody asked for labels yet.
        LabelDesk(store, reader, queue, 0, KEPT_MAX).draw(_midnight(days[0]))
        desk = LabelDesk(store, reader, queue, labels / len(days), KEPT_MAX)
        for day in days:
            store.add([_row(world, one) for one in after if one.day == day], KEPT_MAX)
            desk.draw(now := _midnight(day + DAY))
            for number, shown in enumerate(desk.waiting()):
                labeller, said = who[number % len(who)], by_id[shown.key.utterance_id]
                is_right = not said.said.errs(said.one)
                text = f"{said.one.word.capitalize()}."
                desk.take(shown, request(shown, labeller, now, verdict=is_right, text=text), labeller, now)
        unsure = sum(one.is_unsure for one in queue.of_state("labelled"))
        return Asked({key[1]: chance for key, chance in queue.chances().items()}, unsure)


def export(world: World, file: Path) -> None:
    """As `parrotlet-cloud log export` does."""
    with closing(AnswerStore(world.service / FILE_NAME)) as store, closing(_queue(world)) as queue:
        file.write_bytes(b"".join(log_lines(store, chances=queue.chances())))


def estimate(world: World, known: Sequence[Heard], now: Sequence[Heard], asked: Asked) -> Estimate:
    """How many of the answers are wrong now, by what was known when the model was new, and by labels."""
    reference = error_rate.reference([facts(world, one) for one in known], [one.said.errs(one.one) for one in known])
    labels = [
        Label(place, one.said.errs(one.one), chance)
        for place, one in enumerate(now)
        if (chance := asked.chances.get(one.one.id)) is not None
    ]
    return error_rate.estimate(reference, [facts(world, one) for one in now], labels)


def _queue(world: World) -> LabelQueue:
    return LabelQueue(world.service / QUEUE_NAME)


def _midnight(day: datetime.date) -> int:
    """The day's beginning."""
    return int(datetime.datetime.combine(day, datetime.time(), datetime.UTC).timestamp() * 1e6)


def _row(world: World, spoken: Heard) -> Row:
    assert spoken.one.end is not None
    final, end = _final(spoken.said), wire.end(spoken.one.end)
    record = Record(
        facts(world, spoken), final.transcript, _config(spoken).SerializeToString(), end.SerializeToString(), None
    )
    answered_at = spoken.at_unix_us + ANSWERED_US
    return Row(spoken.key, final.SerializeToString(), answered_at, Occasion(spoken.at_unix_us), record)


def _final(said: Said) -> speech_pb2.Final:
    final = speech_pb2.Final(engine=speech_pb2.Engine(name="tflite", model="kitchen-1"))
    if said.label is not None:
        final.transcript, final.confidence, final.intent.name = said.label, said.probability, said.label
    return final


def _config(spoken: Heard) -> speech_pb2.UtteranceConfig:
    return speech_pb2.UtteranceConfig(
        device_id=BOARD,
        utterance_id=spoken.one.id,
        started_at_unix_us=spoken.at_unix_us,
        clock_synchronised=True,
    )
