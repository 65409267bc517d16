"""A third engine, as somebody else would write one: it tells a "hush" from a "hey" by how loud they are."""

import numpy as np

from cloud.decoders import Decoding, Hypothesis, Task
from cloud.workers.worker import WorkerOptions
from protos.feature_spec import FeatureSpec, Levels

LOUD_LOG10 = -3.0


class Loudness:
    """An Engine."""

    name = "loudness"
    model = "one threshold"

    def begin(self, task: Task) -> Decoding:
        return LoudnessDecoding(task.spec)


class LoudnessDecoding:
    """A Decoding."""

    def __init__(self, spec: FeatureSpec) -> None:
        self._spec = spec
        self._loudest_log10 = -np.inf

    def feed(self, levels: Levels) -> str | None:
        self._loudest_log10 = max(self._loudest_log10, float(self._spec.dequantise(levels).max()))
        return None

    def finish(self) -> Hypothesis:
        return Hypothesis(Loudness.name, Loudness.model, "hey" if self._loudest_log10 > LOUD_LOG10 else "hush")

    def close(self) -> None:
        pass


def load(options: WorkerOptions) -> Loudness:
    """What a worker calls."""
    return Loudness()
