"""How often answers like these are wrong: a logistic function of facts, fitted where the truth is known. Pure.

Fitted on the reference of a model (utterances with outcomes), it says for another what its confidence promises, in its
noise. Where what comes in has shifted, the reference's utterances that are like today's count more (importance
weighting, Shimodaira 2000), as far as there are any: what has never been seen widens the interval instead.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cloud.drift.facts import Facts

Floats = npt.NDArray[np.float64]

RIDGE = 1.0
RIDGE_SHARE = 0.1
"""Where nothing was seen, the weights are not known to be 0 but held there."""
SHIFT_RIDGE = 10.0
RATIO_MAX = 8.0
"""More than so much none of the reference counts for, however much it is like today's."""
FLATTENED = 0.5
"""The ratio's exponent: 1 is what the mean wants, 0 what is surest; a function that is nearly right wants a half."""
STEPS = 30

SURE_MIN, SURE_MAX = 0.02, 0.99
SNR_DB, SNR_SPAN_DB = 20.0, 10.0
NOISE_DBFS, NOISE_SPAN_DB = -55.0, 15.0
LENGTH_MS = 2000.0


class Calibration(NamedTuple):
    """P(wrong) of an utterance is the logistic function of its features by `weights`."""

    weights: Floats
    """(features,)"""
    covariance: Floats
    """(features, features) of the weights."""

    def wrong(self, rows: Floats) -> Floats:
        """(utterances,) of their features."""
        return _logistic(rows @ self.weights)

    def mean_variance(self, rows: Floats) -> float:
        """Of the mean of `wrong`, as far as the weights are not known exactly (delta method)."""
        likely = self.wrong(rows)
        slope = (likely * (1 - likely)) @ rows / len(rows)
        return float(slope @ self.covariance @ slope)


def features(facts: Sequence[Facts]) -> Floats:
    """(utterances, features); what was not measured is as usual."""
    return np.array([_row(one) for one in facts])


def fit(rows: Floats, wrong: Floats, counts: Floats | None = None) -> Calibration:
    """`wrong`: 0 to 1 of each; `counts`: how much each counts for."""
    counts = np.ones(len(rows)) if counts is None else counts
    weights, inverse = _newton(rows, wrong, counts, RIDGE)
    likely = _logistic(rows @ weights)
    # What counts twice was still seen once (Huber 1967).
    scores = rows.T @ (rows * (counts**2 * likely * (1 - likely))[:, None])
    return Calibration(weights, inverse @ scores @ inverse + RIDGE_SHARE * inverse)


def likeness(reference: Floats, now: Floats) -> Floats:
    """(reference,) how much each counts for, so that together they are like `now`: the ratio of the densities by a
    logistic function that tells the two apart; 1 in the mean."""
    rows = np.concatenate([reference, now])
    is_now = np.repeat([0.0, 1.0], [len(reference), len(now)])
    even = np.where(is_now, len(rows) / 2 / len(now), len(rows) / 2 / len(reference))
    weights, _ = _newton(rows, is_now, even, SHIFT_RIDGE)
    ratio = np.exp(FLATTENED * np.clip(reference @ weights, -math.log(RATIO_MAX), math.log(RATIO_MAX)))
    return np.asarray(ratio / ratio.mean())


def sureness(facts: Facts) -> float:
    """Log odds of the confidence; 0 where there is none."""
    if facts.confidence is None or facts.was_empty:
        return 0.0
    sure = min(max(facts.confidence, SURE_MIN), SURE_MAX)
    return math.log(sure / (1 - sure))


def _row(one: Facts) -> list[float]:
    is_sure = one.confidence is not None and not one.was_empty
    snr = ((one.snr_db if one.snr_db is not None else SNR_DB) - SNR_DB) / SNR_SPAN_DB
    noise = ((one.noise_floor_dbfs if one.noise_floor_dbfs is not None else NOISE_DBFS) - NOISE_DBFS) / NOISE_SPAN_DB
    length = (one.speech_ms or one.duration_ms or LENGTH_MS) / LENGTH_MS - 1
    asked_back = bool(one.choices_count) and one.intent is None
    not_understood = float(not is_sure)
    return [
        1.0,
        not_understood,
        float(asked_back),
        sureness(one),
        min(one.margin if one.margin is not None else 1.0, 1.0) if is_sure else 0.0,
        _bounded(snr) * (1 - not_understood),
        _bounded(snr) * not_understood,
        _bounded(noise),
        _bounded(length) * not_understood,
        one.unknown_share or 0.0,
    ]


def _bounded(value: float) -> float:
    return min(max(value, -2.0), 2.0)


def _newton(rows: Floats, truth: Floats, counts: Floats, ridge: float) -> tuple[Floats, Floats]:
    """Weights of the likeliest logistic function, and the inverse of the information."""
    weights: Floats = np.zeros(rows.shape[1])
    penalty = ridge * np.eye(rows.shape[1])
    # The bias is not held back.
    penalty[0, 0] = 1e-3
    inverse: Floats = penalty
    for _ in range(STEPS):
        likely = _logistic(rows @ weights)
        information = rows.T @ (rows * (counts * likely * (1 - likely))[:, None]) + penalty
        inverse = np.asarray(np.linalg.inv(information), np.float64)
        step = inverse @ (rows.T @ (counts * (truth - likely)) - penalty @ weights)
        weights = weights + step / max(1.0, float(np.abs(step).max()) / 2)
        if float(np.abs(step).max()) < 1e-6:
            break
    return weights, inverse


def _logistic(values: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -30, 30))))
