"""How sure a meaning is, from the evidence for it: logistic functions (Platt 1999, "Probabilistic outputs for support
vector machines"), fitted on recordings that no figure is measured with.
"""

import math
from typing import NamedTuple


class Evidence(NamedTuple):
    """What speaks for a meaning, and against it."""

    fit: float | None
    """How much less likely each of the sentence's words is than what the engine would hear freely, a natural logarithm,
    mostly negative; None: no engine can tell. One wrong word is as bad in a short sentence as many in a long one."""
    likelihood: float
    """Of each of its words, a natural logarithm: what is foreign or no speech at all is hardly likely in any words."""
    missing: int
    """Words that the free reading has more: the end of what was said may not be the sentence's."""
    share: float
    """Of all sentences of the domain that the engine heard, the share of this meaning, 0 to 1."""
    likeness: float | None
    """Of a sentence heard by an engine that knows nothing else: how well its sounds fit (Reading.score of
    cloud/decoders/sphinx_reading.py); None: there is none of this meaning."""
    contradicted: bool
    """Another engine heard another meaning."""


FIT_MIN = -5.0
"""Beyond, nothing gets less likely."""

LIKELY_MIN, UNLIKELY = -2.5, 2.9
"""Of 730 right sentences none was less likely, down to 6 dB."""

COMPARED, FIT, MISSING, AGREED, CONTRADICTED = 7.4, 4.5, -0.63, 1.5, -1.7
"""Where an engine compares with what it would hear freely; others may have heard the same, or something else."""

ALONE, LIKENESS = 6.78, 0.206
"""Where the only one compares with nothing."""


def confidence(evidence: Evidence) -> float:
    """Probability that intent and slots are right, 0 to 1."""
    if evidence.fit is not None:
        total = COMPARED + FIT * min(0.0, max(evidence.fit, FIT_MIN)) + MISSING * evidence.missing
        total += UNLIKELY * min(0.0, max(evidence.likelihood, LIKELY_MIN + FIT_MIN) - LIKELY_MIN)
        total += AGREED * (evidence.likeness is not None) + CONTRADICTED * evidence.contradicted
    else:
        total = ALONE + LIKENESS * (evidence.likeness or 0.0)
    return evidence.share / (1 + math.exp(-total))
