"""How soon a change of what is right can be found at all: what the best of all tests would do with what is shown of it.

Whoever tells one false alarm in 2,000 utterances tells one within any m of them with a chance of about m in 2,000
(exactly so for some m: Lai 1998). To find a change within m utterances is therefore a test of that level on m
observations, and none is better than the likelihood ratio's, with all known that a watch has to learn: which word, how
often it is said, how large the change is, when it begins; and with each label there as soon as it was asked for.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from benchmarks.drift_lab_concept import (
    CAMPAIGN,
    COMPLAINS,
    CONTENT_COMPLAINS,
    FILLED,
    LABELS_IN_BATCH,
    NUMBERED,
    REASKS,
    REPEAT_TOLD,
    SAME_TOLD,
    SLIPS,
    TWICE,
    UPDATE_BREAKS,
    WORDS,
    Pool,
    stream,
)

RUN_LENGTH = 2000
MARK = 0.95
TRIALS = 40_000
USUAL = 6000
"""Utterances that say how often a word is said, and how often its answer is wrong."""
STEP, MOST = 25, 2000

Chances = Mapping[str, tuple[float, float]]
"""Of what one utterance may show: before a change, and after."""


class Bound(NamedTuple):
    """Of a kind of change."""

    kind: str
    soon: float
    """No detector finds a larger share within so many utterances as were asked for."""
    utterances: int | None
    """None finds MARK of them within fewer; None: nor within MOST."""


def bounds(pool: Pool, soon: int) -> list[Bound]:
    """Of the three kinds that the lab plants, at once."""
    found = []
    for kind, chances in shown(pool).items():
        needed = (m for m in range(STEP, MOST, STEP) if power(chances, m) >= MARK)
        found.append(Bound(kind, power(chances, soon), next(needed, None)))
    return found


def power(chances: Chances, utterances: int, seed: int = 1) -> float:
    """Share of changes that the best test finds, with the level that a run length of RUN_LENGTH leaves it."""
    draw = np.random.default_rng(seed)
    before, after = np.array(list(chances.values())).T
    gains = np.log(after) - np.log(before)
    calm, moved = (draw.multinomial(utterances, one / one.sum(), TRIALS) @ gains for one in (before, after))
    level = min(1.0, utterances / RUN_LENGTH)
    threshold = np.quantile(calm, 1 - level)
    # What lies on the threshold is told with the chance that is left.
    above, at = (calm > threshold + 1e-9).mean(), (np.abs(calm - threshold) <= 1e-9).mean()
    share = (level - above) / at if at else 0.0
    return float((moved > threshold + 1e-9).mean() + share * (np.abs(moved - threshold) <= 1e-9).mean())


def shown(pool: Pool) -> dict[str, Chances]:
    """What an utterance shows of each kind of change, as the lab draws it."""
    usual = [said for said, _ in stream(pool, None, 0, USUAL, USUAL)]
    words = [[said for said in usual if word in said.heard.transcript.lower().split()] for word in WORDS]
    said_share = float(np.mean([len(one) for one in words])) / USUAL
    wrong = 1 - float(np.mean([said.is_right for one in words for said in one]))
    sure = [said for said in usual if said.facts.intent is not None]
    wrong_sure = 1 - float(np.mean([said.is_right for said in sure]))
    broken = wrong_sure + (1 - wrong_sure) * UPDATE_BREAKS
    return {
        "word": _outcomes(said_share, (wrong, REPEAT_TOLD), (1.0, SAME_TOLD)),
        "update": _outcomes(len(sure) / USUAL, (wrong_sure, REPEAT_TOLD), (broken, REPEAT_TOLD)),
        "convention": _conventions(),
    }


def _outcomes(share: float, before: tuple[float, float], after: tuple[float, float]) -> Chances:
    """Of answers of which so many are wrong, and so many repeats of those known, in that share of utterances."""
    label = LABELS_IN_BATCH / 100
    found: dict[str, tuple[float, float]] = {"another": (1 - share, 1 - share)}
    pairs = [_complaints(*one) for one in (before, after)]
    for says in ("nothing", "complains", "repeats"):
        for is_wrong in (False, True):
            chances = [share * one[says, is_wrong] for one in pairs]
            found[f"{says}, {is_wrong}"] = _least(chances[0] * label, chances[1] * label)
        whole = [share * (one[says, False] + one[says, True]) * (1 - label) for one in pairs]
        found[says] = _least(whole[0], whole[1])
    return found


def _complaints(wrong: float, told: float) -> dict[tuple[str, bool], float]:
    of_wrong = {"complains": COMPLAINS, "repeats": REASKS * told}
    of_right = {"complains": CONTENT_COMPLAINS, "repeats": TWICE * SAME_TOLD}
    found = {}
    for is_wrong, share, says in ((True, wrong, of_wrong), (False, 1 - wrong, of_right)):
        for what, chance in says.items():
            found[what, is_wrong] = share * chance
        found["nothing", is_wrong] = share * (1 - sum(says.values()))
    return found


def _conventions() -> Chances:
    """Of the labels of the one who writes otherwise, those that have what is written otherwise."""
    tells = CAMPAIGN / 100 / 3 * (1 - (1 - FILLED) * (1 - NUMBERED))
    return {
        "otherwise": (tells * SLIPS, tells),
        "by the agreement": _least(tells * (1 - SLIPS), 0.0),
        "nothing of it": (1 - tells, 1 - tells),
    }


def _least(before: float, after: float) -> tuple[float, float]:
    """No chance is none: a logarithm is taken."""
    return max(before, 1e-9), max(after, 1e-9)
