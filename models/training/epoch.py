"""What is told of an epoch of training."""

from typing import NamedTuple


class Epoch(NamedTuple):
    """How it went, on what was learnt from (as drawn, hard to hear) and on the tuning part as it is."""

    loss: float
    accuracy: float
    tune_accuracy: float | None
