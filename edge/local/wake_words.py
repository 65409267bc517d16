"""The wake word that the settings ask for."""

from common.errors import ModelError
from edge.local.micro_wake_word import PHRASES, MicroWakeWord
from edge.local.model import is_missing
from edge.local.own_wake_word import OwnWakeWord
from edge.settings import EdgeSettings
from edge.speech.wake import WakeWord
from protos.feature_spec import FeatureSpec


def open_wake_word(settings: EdgeSettings, spec: FeatureSpec) -> WakeWord:
    """ModelError, a sentence, if there is none of that name or it does not work here."""
    phrase, threshold = settings.wake.phrase, settings.wake.threshold
    if phrase in PHRASES:
        return MicroWakeWord(phrase, threshold)
    folder = settings.local.model_dir / phrase
    if is_missing(folder):
        raise ModelError(
            f"There is no wake word {phrase!r}: there are {', '.join(PHRASES)}, and the folders of "
            f"{settings.local.model_dir} with a model of kind wake."
        )
    return OwnWakeWord(folder, spec, threshold)
