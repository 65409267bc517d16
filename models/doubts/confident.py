"""Confident learning: which labels are likely wrong, by probabilities from models that did not learn the clip
(Northcutt, Jiang and Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels").

The verdicts are those of cleanlab's `find_label_issues(filter_by="confident_learning")`, without the hundred megabytes
that it needs.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Probabilities = npt.NDArray[np.float64]
"""(clips, classes), from 0 to 1."""
Numbers = npt.NDArray[np.int64]
"""(clips,): classes, from 0."""

TOLERANCE = 1e-6
NEVER = 2.0
"""A threshold that no probability reaches: of classes that no clip has."""


class Verdicts(NamedTuple):
    """On the label of each clip, all of shape (clips,)."""

    likelier: Numbers
    """The class that it sounds most like; its own, where that is it."""
    quality: Probabilities
    """Of the label, from 0 (surely wrong) to 1: its share of its own probability and that of the likeliest other. It
    ranks faults of any kind as well as its probability does, and classes that sound alike better."""
    surely: npt.NDArray[np.bool_]
    """Whether another class is likelier, and one as sure as it is on average where it is the label."""


def verdicts(probabilities: Probabilities, labels: Numbers) -> Verdicts:
    """Of clips with these labels."""
    rows = np.arange(len(labels))
    own = probabilities[rows, labels]
    others = probabilities.copy()
    others[rows, labels] = -1.0
    other = others.max(axis=1)
    surely = _confidently_others(probabilities, labels) & (own - other < -TOLERANCE)
    return Verdicts(probabilities.argmax(axis=1), own / (own + other), surely)


def thresholds(probabilities: Probabilities, labels: Numbers) -> Probabilities:
    """Of each class, (classes,): how probable it is on average where it is the label."""
    found = [
        probabilities[labels == number, number].mean() if (labels == number).any() else NEVER
        for number in range(probabilities.shape[1])
    ]
    return np.maximum(found, 2 * TOLERANCE)


def _confidently_others(probabilities: Probabilities, labels: Numbers) -> npt.NDArray[np.bool_]:
    """Those off the diagonal of the confident joint: of the classes that reach their threshold the likeliest is
    another."""
    sure = probabilities >= thresholds(probabilities, labels) - TOLERANCE
    # Where several reach it, the likeliest of all classes counts, as in cleanlab.
    meant = np.where(sure.sum(axis=1) > 1, probabilities.argmax(axis=1), sure.argmax(axis=1))
    others: npt.NDArray[np.bool_] = sure.any(axis=1) & (meant != labels)
    return others
