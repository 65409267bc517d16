"""Answers of the utterance log with what is known of each: what people said, labels, and who asked again.

All that was said is read, up to a bound, and of the rest an even sample: of a log of any size it takes as long.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from cloud.drift.facts import Facts
from cloud.labelling.label_queue import FILE_NAME as QUEUE_FILE
from cloud.labelling.label_queue import LabelQueue
from cloud.log.answer_log import FILE_NAME as LOG_FILE
from cloud.log.reader import Logged
from cloud.log.sample import LogSample
from cloud.outcomes.outcome import Answered, Outcome, outcome, said_of
from cloud.outcomes.reask import WITHIN_S, reask, turn_of
from common.errors import SettingsError
from protos import speech_pb2

SAID_MAX = 1500
"""Words of people and labels, the newest; then only the time is looked at since which they are all."""
SAMPLE = 800
"""Answers of which nobody said anything."""
NEXT_WITHIN_US = round((WITHIN_S + 40) * 1e6)
"""From the first word to that of a re-ask: with the longest utterance and a slow answer between."""

TELLING = frozenset({"label", "said", "verdict", "meant", "reask"})
"""Sources by which an answer is known to be right or wrong; that another model agrees or not is no more than a hint."""


class Judged(NamedTuple):
    """An answer."""

    facts: Facts
    transcript: str
    entry: str | None
    """Id of the result that stood first."""
    title: str
    """Of that; "": there is none."""
    stands_for: int
    """Answers of which nobody said anything, this one among them; 1 where somebody did."""
    known: Outcome | None = None
    is_complained: bool = False
    """Whether who asked said, or showed, that it was wrong; a label is no complaint."""
    chance: float | None = None
    """With which it was drawn for the label that it has; None: it has none, or was picked."""
    truth: str | None = None
    """What was said, as somebody wrote it down."""

    @property
    def is_known(self) -> bool:
        """Whether it is known to be right or wrong."""
        return self.known is not None and self.known.source in TELLING and not self.known.is_disputed

    @property
    def is_wrong(self) -> bool:
        """Whether it is known to be wrong."""
        return _is_wrong(self.known)


class Known(NamedTuple):
    """What is known of a log."""

    since_unix_us: int
    answers: list[Judged]


def judged(state_dir: Path, since_unix_us: int) -> Known:
    """Of a service, since then or, where people said more than is read, later. SettingsError where a file cannot be
    read."""
    chances = _chances(state_dir / QUEUE_FILE)
    with closing(LogSample(state_dir / LOG_FILE)) as sample:
        said = sample.said(since_unix_us, SAID_MAX)
        if sum(len(one.feedback) for one in said) >= SAID_MAX:
            since_unix_us = min(one.facts.at_unix_us or since_unix_us for one in said)
        drawn = sample.answers(since_unix_us, SAMPLE, NEXT_WITHIN_US)
    numbers = {one.number for one in said}
    found = [_said(one, chances) for one in said]
    found += [_unsaid(one, following, drawn.stride) for one, following in drawn.answers if one.number not in numbers]
    return Known(since_unix_us, found)


def labelled(state_dir: Path, since_unix_us: int) -> list[Judged]:
    """Of those since then the ones that were drawn for a label and have it, the newest if they are too many.
    SettingsError where a file cannot be read."""
    if not (chances := _chances(state_dir / QUEUE_FILE)):
        return []
    with closing(LogSample(state_dir / LOG_FILE)) as sample:
        said = [_said(one, chances) for one in sample.said(since_unix_us, SAID_MAX)]
    return [one for one in said if one.chance is not None and one.is_known]


def _said(one: Logged, chances: dict[tuple[str, str], float]) -> Judged:
    said = said_of(one.feedback)
    answered = Answered(one.final.transcript, [result.id for result in one.final.results])
    known, told = outcome(answered, said), outcome(answered, [each for each in said if not each.is_label])
    # Who labels knows best.
    texts = sorted((each for each in said if each.text), key=lambda each: (each.is_label, each.at_unix_us))
    is_label = known is not None and known.source == "label"
    chance = chances.get((one.facts.device_id, one.facts.utterance_id)) if is_label else None
    return _of(one, 1)._replace(
        known=known, is_complained=_is_wrong(told), chance=chance, truth=texts[-1].text if texts else None
    )


def _unsaid(one: Logged, following: Logged | None, stride: int) -> Judged:
    again = None
    if following is not None:
        first, second = turn_of(one.facts, one.final), turn_of(following.facts, following.final)
        again = reask(first, second) if first is not None and second is not None else None
    agreed = {"shadow_agrees": one.facts.shadow_agrees, "local_agrees": one.facts.local_agrees}
    known = outcome(Answered(one.final.transcript), (), reask=again, **agreed)
    return _of(one, stride)._replace(known=known, is_complained=_is_wrong(known))


def _is_wrong(known: Outcome | None) -> bool:
    return known is not None and known.source in TELLING and not known.is_disputed and known.wrong > 0.5


def _of(one: Logged, stands_for: int) -> Judged:
    result: speech_pb2.SearchResult | None = one.final.results[0] if one.final.results else None
    entry, title = (None, "") if result is None else (result.id, result.title)
    return Judged(one.facts, one.final.transcript, entry, title, stands_for)


def _chances(file: Path) -> dict[tuple[str, str], float]:
    """Of what was drawn for a label and has one."""
    if not file.exists():
        return {}
    try:
        with closing(LabelQueue(file)) as queue:
            drawn = [*queue.of_state("labelled")]
    except (sqlite3.Error, OSError) as error:
        raise SettingsError(f"{file}: what was drawn for labels cannot be read ({error}).") from error
    return {(one.device_id, one.utterance_id): one.probability for one in drawn if one.probability is not None}
