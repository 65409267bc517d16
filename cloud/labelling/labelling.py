"""Which utterances somebody is asked to label: a few a day, each with a known probability. Pure.

Half of the budget goes to all alike, half to those that the service was unsure of, where a label says most. Since each
utterance's probability is known, and none is 0, rates over all stay unbiased (Horvitz and Thompson 1952): error_rate.py
counts each label by its inverse. Who is drawn depends on nothing but its key and the batch it is in.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

UNIFORM_SHARE = 0.5
"""Of the budget, for all alike."""
CHANCE_MIN = 1e-4


class Candidate(NamedTuple):
    """An utterance that may be labelled."""

    device_id: str
    utterance_id: str
    uncertainty: float
    """0 to 1: how unsure the service was."""


class Chosen(NamedTuple):
    """One that shall be."""

    device_id: str
    utterance_id: str
    probability: float
    """With which it was drawn."""
    is_unsure: bool
    """Rather for its uncertainty than by chance."""


def uncertainty(confidence: float | None, *, was_empty: bool, asked_back: bool) -> float:
    """0: as sure as can be; 1: nobody can be less so. An answer without words may be as wrong as one by half."""
    if was_empty or asked_back or confidence is None:
        return 1.0
    sure = min(max(confidence, 0.0), 1.0)
    return 4 * sure * (1 - sure) if sure > 0.5 else 1.0


def draw(batch: Sequence[Candidate], budget: float, salt: str = "") -> list[Chosen]:
    """About `budget` of the batch, in its order; of each its probability. `salt`: another one draws others."""
    if budget <= 0:
        return []
    found = []
    for one, chance, is_unsure in zip(batch, *_chances(batch, budget), strict=True):
        if _at_random(one, salt) < chance:
            found.append(Chosen(one.device_id, one.utterance_id, chance, is_unsure))
    return found


def _chances(batch: Sequence[Candidate], budget: float) -> tuple[list[float], list[bool]]:
    uniform = UNIFORM_SHARE * budget / max(1, len(batch))
    unsure = (1 - UNIFORM_SHARE) * budget / max(1e-9, sum(one.uncertainty for one in batch))
    chances = [min(1.0, max(CHANCE_MIN, uniform + unsure * one.uncertainty)) for one in batch]
    return chances, [unsure * one.uncertainty > uniform for one in batch]


def _at_random(one: Candidate, salt: str) -> float:
    """0 to below 1, always the same of the same utterance."""
    text = f"{salt} {one.device_id} {one.utterance_id}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") / 2**64
