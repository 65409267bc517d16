"""Common wake words, by the models inside pymicro-wakeword, which has features and an interpreter of its own."""

from typing import NamedTuple

from common.errors import ModelError
from edge.sound.source import Samples


class Known(NamedTuple):
    """A phrase that the library has a model of."""

    name: str
    """As the library calls it."""
    lag_ms: int
    """Median of synthesised phrases, from their last sound until they count as heard."""


PHRASES = {
    "okay nabu": Known("okay_nabu", 120),
    "hey jarvis": Known("hey_jarvis", 140),
    "hey mycroft": Known("hey_mycroft", 60),
    "alexa": Known("alexa", 220),
}


class MicroWakeWord:
    """A WakeWord."""

    def __init__(self, phrase: str, threshold: float) -> None:
        """`phrase` is one of PHRASES; a `threshold` of 0 is the model's own. ModelError if the library is not here."""
        known = PHRASES[phrase]
        self.phrase = phrase
        self.lag_ms = known.lag_ms
        self.probability = 0.0
        try:
            from pymicro_wakeword import MicroWakeWord as Detector
            from pymicro_wakeword import MicroWakeWordFeatures, Model

            self._detector = Detector.from_builtin(Model(known.name))
            self._features = MicroWakeWordFeatures()
        except (ImportError, OSError, ValueError) as error:
            raise ModelError(
                f"The wake word {phrase!r} wants pymicro-wakeword, which does not work here ({error}); "
                "type: pip install pymicro-wakeword, or set activation.mode to always or button."
            ) from error
        self._threshold = threshold or float(self._detector.probability_cutoff)

    def hear(self, samples: Samples) -> bool:
        """See WakeWord."""
        heard = False
        for features in self._features.process_streaming(samples.tobytes()):
            self.probability = float(self._detector.process_streaming_prob(features) or 0.0)
            heard = heard or self.probability > self._threshold
        return heard

    def reset(self) -> None:
        """See WakeWord."""
        self._features.reset()
        self._detector.reset()
        self.probability = 0.0
