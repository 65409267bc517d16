"""What people said of a made log's answers, and labels: of some words, boards and noise more is wrong."""

from contextlib import closing
from pathlib import Path

import numpy as np

from cloud.labelling.label_queue import FILE_NAME as QUEUE
from cloud.labelling.label_queue import LabelQueue
from cloud.labelling.labelling import Candidate, uncertainty
from cloud.log.answer_log import FILE_NAME
from cloud.log.answer_store import AnswerStore, FeedbackRow, Key
from cloud.log.reader import Entry, LogReader
from cloud.log.wanted import Wanted
from cloud.outcomes.outcome import LABELLED_BY
from protos import speech_pb2

WRONG = 0.03
"""Of answers."""
OF_FLAT_WHITE, OF_NOISE, OF_UNSURE = 0.25, 0.3, 0.15
SAYS = 0.3
"""Who is answered wrong."""
WRITES = 0.5
"""Of them, who says what it was."""
LABELS_A_DAY, DRAWS = 10.0, 4
MEANT = (
    ("flat white", "flat black"),
    ("ten minutes", "two minutes"),
    ("oat milk", "goat milk"),
    ("the kitchen", "the kitten"),
)
"""What is heard, and what was said where that is wrong."""


def make_said(folder: Path, now_us: int, seed: int = 3) -> int:
    """How many said something, or labelled."""
    rng = np.random.default_rng(seed)
    with closing(LogReader(folder / FILE_NAME)) as reader:
        entries = list(reader.every(Wanted()))
    wrong = [bool(rng.random() < _chance(one)) for one in entries]
    labelled = _drawn(folder, entries, now_us)
    said = 0
    with closing(AnswerStore(folder / FILE_NAME)) as store:
        for one, is_wrong in zip(entries, wrong, strict=True):
            is_label = one.facts.utterance_id in labelled
            if not is_label and not (is_wrong and rng.random() < SAYS):
                continue
            said += 1
            _give(store, one, is_wrong, is_label, writes=is_label or bool(rng.random() < WRITES))
    with closing(LabelQueue(folder / QUEUE)) as queue:
        for drawn in queue.of_state("waiting"):
            queue.settle(drawn.device_id, drawn.utterance_id, "labelled", "ann", now_us)
    return said


def _chance(one: Entry) -> float:
    facts = one.facts
    return (
        WRONG
        + (OF_FLAT_WHITE if "flat white" in one.transcript else 0.0)
        + (OF_NOISE if (facts.snr_db or 30) < 18 else 0.0)
        + (OF_UNSURE if (facts.confidence or 1.0) < 0.6 else 0.0)
    )


def _drawn(folder: Path, entries: list[Entry], now_us: int) -> set[str]:
    with closing(LabelQueue(folder / QUEUE)) as queue:
        for part in range(DRAWS):
            of_part = entries[part * len(entries) // DRAWS : (part + 1) * len(entries) // DRAWS]
            batch = [
                Candidate(
                    one.facts.device_id,
                    one.facts.utterance_id,
                    uncertainty(one.facts.confidence, was_empty=not one.transcript, asked_back=False),
                )
                for one in of_part
            ]
            at_us = now_us - (DRAWS - part - 1) * 7 * 86_400_000_000
            queue.draw(batch, LABELS_A_DAY, at_us, at_us)
        return {one.utterance_id for one in queue.of_state("waiting")}


def _give(store: AnswerStore, one: Entry, is_wrong: bool, is_label: bool, *, writes: bool) -> None:
    request = speech_pb2.FeedbackRequest(
        device_id=one.facts.device_id,
        utterance_id=one.facts.utterance_id,
        feedback_id=f"s-{one.facts.utterance_id}",
        given_at_unix_us=(one.facts.at_unix_us or 0) + 4_000_000,
        given_by=f"{LABELLED_BY}ann" if is_label else "phone",
        verdict="VERDICT_WRONG" if is_wrong else "VERDICT_RIGHT",
    )
    if writes:
        request.transcript = _said(one.transcript) if is_wrong else one.transcript
    said_us = request.given_at_unix_us
    key = Key(one.facts.device_id, one.facts.utterance_id)
    store.give(FeedbackRow(key, request.feedback_id, said_us, said_us, request.SerializeToString()), 1_000_000)


def _said(heard: str) -> str:
    for found, meant in MEANT:
        if found in heard:
            return heard.replace(found, meant)
    return f"{heard} please"
