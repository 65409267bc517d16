"""What is kept of an utterance beside its final: what its board said of it, what it was like, and some frames."""

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from cloud.drift.facts import Facts, facts_of
from cloud.log import kept_features
from cloud.utterance import Utterance
from protos import speech_pb2

DEVICES_MAX = 10_000
"""Boards whose utterance before is remembered."""

KnowsWord = Callable[[str], bool]


class Record(NamedTuple):
    """Of one utterance."""

    facts: Facts
    transcript: str
    config: bytes
    """An UtteranceConfig."""
    end: bytes
    """An UtteranceEnd."""
    features: bytes | None
    """See kept_features.py; None: they are not kept."""


class Recorder:
    """Makes records. One thread's."""

    def __init__(self, features_share: float = 0.0) -> None:
        """features_share: of the utterances whose frames are kept, from 0 to 1."""
        self._features_share = features_share
        self._before: OrderedDict[str, Facts] = OrderedDict()

    def record(self, utterance: Utterance, final: speech_pb2.Final, answered_at_unix_us: int) -> Record:
        """Of an utterance that has ended, and its final."""
        config, end = utterance.config, utterance.end
        assert end is not None
        levels = np.concatenate(utterance.levels) if utterance.levels else np.zeros((0, utterance.spec.bands), np.int8)
        facts = facts_of(
            levels,
            utterance.spec,
            config,
            end,
            final,
            answered_at_unix_us=answered_at_unix_us,
            before=self._before.get(config.device_id),
            knows_word=utterance.knows_word,
            endpoint_to_final_ms=_ms(utterance.ended_s, utterance.answered_s),
            onset_to_partial_ms=_ms(utterance.began_s, utterance.words_s),
        )
        self._remember(facts)
        keeps = kept_features.is_drawn(config.device_id, config.utterance_id, self._features_share)
        return Record(
            facts,
            final.transcript,
            config.SerializeToString(),
            end.SerializeToString(),
            kept_features.pack(levels, utterance.spec) if keeps and len(levels) else None,
        )

    def _remember(self, facts: Facts) -> None:
        if not facts.replayed:
            self._before[facts.device_id] = facts
            self._before.move_to_end(facts.device_id)
            if len(self._before) > DEVICES_MAX:
                self._before.popitem(last=False)


def _ms(from_s: float | None, to_s: float | None) -> int | None:
    return None if from_s is None or to_s is None else round(1000 * (to_s - from_s))
