"""Watches whether answers are right: the log's answers go in, in the order of their time, what changes comes out. Pure.

An answer waits until whoever asked would have asked again. The first REFERENCE are what is usual; who starts anew
pushes the same answers of the log again, and knows the same.
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from cloud.drift.facts import Facts
from cloud.outcomes.concept import Concept, ConceptWatch, Over, Seen, keys_of
from cloud.outcomes.convention import Convention, ConventionWatch, Written
from cloud.outcomes.outcome import Answered, Outcome, Said, outcome, plain_words, said_of
from cloud.outcomes.promise import Past, Promises
from cloud.outcomes.reask import WITHIN_S, Conversations, Followed, PhonesOf, turn_of
from protos import speech_pb2

REFERENCE = 600
SETTLE_US = round(3 * WITHIN_S * 1e6)
"""After an answer: what was said at once of it has come by then."""
REPEATED = 0.5
"""What counts of an answer after which the same was said at once: how often that is meant, the reference knows."""
WAITING_MAX = 2000
"""Answers that wait, and what followed them; of more, the oldest is settled."""

Change = Concept | Over | Convention


class Answer(NamedTuple):
    """One of the log."""

    facts: Facts
    final: speech_pb2.Final
    requests: Sequence[speech_pb2.FeedbackRequest] = ()
    """What people said of it, so far."""
    is_chosen: bool = False
    """For labelling, by chance."""

    @property
    def key(self) -> tuple[str, str]:
        return self.facts.device_id, self.facts.utterance_id


class OutcomeWatch:
    """Of one domain, or of all."""

    def __init__(self, *, reference: int = REFERENCE, phones_of: PhonesOf | None = None) -> None:
        self._reference = reference
        self._talk = Conversations(phones_of)
        self._waiting: deque[Answer] = deque()
        self._followed: dict[tuple[str, str], Followed] = {}
        self._past: list[Past] = []
        self._written: list[Written] = []
        self._concepts: ConceptWatch | None = None
        self._conventions: ConventionWatch | None = None

    @property
    def knows_usual(self) -> bool:
        """Whether it has its reference."""
        return self._concepts is not None

    def push(self, answer: Answer) -> list[Change]:
        """The next answer; what is found by those that are settled now."""
        if (turn := turn_of(answer.facts, answer.final)) is not None:
            before = self._talk.push(answer.facts.utterance_id, turn)
            if before is not None:
                self._followed[answer.facts.device_id, before.utterance_id] = before
                if len(self._followed) > WAITING_MAX:
                    # Of an answer that did not wait long enough.
                    del self._followed[next(iter(self._followed))]
        self._waiting.append(answer)
        now_us = answer.facts.at_unix_us
        found: list[Change] = []
        while self._waiting and (len(self._waiting) > WAITING_MAX or _is_settled(self._waiting[0], now_us)):
            found += self._settle(self._waiting.popleft())
        return found

    def label(self, answer: Answer) -> list[Change]:
        """A label came for an answer that was pushed without one."""
        known = _outcome(answer, None)
        if known is None or known.source != "label":
            return []
        return self._learn(answer, known, 0.0)

    def _settle(self, answer: Answer) -> list[Change]:
        followed = self._followed.pop(answer.key, None)
        known = _outcome(answer, None if followed is None else followed.probability)
        complaint = 0.0 if known is None else known.complaint
        if followed is not None and followed.is_repeated:
            complaint = max(complaint, REPEATED)
        if self._concepts is None:
            return self._learn(answer, known, complaint)
        changes = [self._concepts.push(_seen(answer, complaint))]
        is_labelled = known is not None and known.source == "label"
        return [one for one in changes if one is not None] + (self._learn(answer, known, 0.0) if is_labelled else [])

    def _learn(self, answer: Answer, known: Outcome | None, complaint: float) -> list[Change]:
        """Of the reference, or of a label."""
        seen = _seen(answer, complaint)
        is_label = known is not None and known.source == "label"
        wrong = known.wrong if known is not None and is_label and answer.is_chosen else None
        texts = [_written(answer, said) for said in said_of(answer.requests) if said.labeller and said.text]
        if self._concepts is None:
            self._past.append(Past(answer.facts, keys_of(seen), complaint, wrong))
            self._written += texts
            if len(self._past) >= self._reference:
                self._concepts, self._conventions = ConceptWatch(Promises(self._past)), ConventionWatch(self._written)
                self._past, self._written = [], []
            return []
        assert self._conventions is not None
        changes: list[Change | None] = [self._conventions.push(text) for text in texts]
        if wrong is not None:
            changes.append(self._concepts.label(seen, wrong))
        return [one for one in changes if one is not None]


def _outcome(answer: Answer, asked_again: float | None) -> Outcome | None:
    return outcome(
        Answered(answer.final.transcript, [result.id for result in answer.final.results]),
        said_of(answer.requests),
        reask=asked_again,
        shadow_agrees=answer.facts.shadow_agrees,
        local_agrees=answer.facts.local_agrees,
    )


def _seen(answer: Answer, complaint: float) -> Seen:
    entry = answer.final.results[0].id if answer.final.results else None
    return Seen(answer.facts, plain_words(answer.final.transcript), entry, complaint, answer.is_chosen)


def _written(answer: Answer, said: Said) -> Written:
    return Written(said.labeller or "", said.text or "", said.at_unix_us)


def _is_settled(answer: Answer, now_us: int | None) -> bool:
    at_us = answer.facts.at_unix_us
    # What was sent later, or by a board without a clock, has nobody who asks again.
    return at_us is None or now_us is None or at_us + SETTLE_US <= now_us
