"""A phrase of one's own, by a model that looks at the board's own frames."""

from pathlib import Path

from common.errors import ModelError
from edge.local.model import Model
from edge.local.spotter import Spotter, operating_point
from edge.sound.source import Samples
from edge.speech.log_mel import LogMel
from protos.feature_spec import FeatureSpec

LAG_MS = 200
"""Where the card does not say: its window ends after the phrase, and it is smoothed."""


class OwnWakeWord:
    """A WakeWord."""

    def __init__(self, folder: Path, spec: FeatureSpec, threshold: float) -> None:
        """A `threshold` of 0 is the card's own. ModelError, a sentence, if there is no such model or it does not
        fit."""
        self._model = Model(folder, spec)
        if self._model.card.kind != "wake":
            raise ModelError(f"{folder}: this is a model for {self._model.card.kind}, not for a wake word.")
        self._spec = spec
        self._threshold = threshold
        self._spotter = Spotter(self._model)
        self.phrase = " or ".join(command.text for command in self._model.card.commands.values())
        lag_ms = operating_point(self._model.card).lag_ms
        self.lag_ms = LAG_MS if lag_ms is None else lag_ms
        self.reset()

    @property
    def probability(self) -> float:
        """See WakeWord."""
        return self._spotter.probability

    def hear(self, samples: Samples) -> bool:
        """See WakeWord."""
        levels = self._spec.quantise(self._log_mel.push(samples))
        spotted = self._spotter.push(levels)
        return self.probability >= self._threshold if self._threshold else spotted is not None

    def reset(self) -> None:
        """See WakeWord."""
        self._log_mel = LogMel(self._spec)
        self._spotter.reset()
