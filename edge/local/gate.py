"""The gate that the settings ask for: a margin, and a judge behind it."""

import logging
from collections.abc import Callable
from pathlib import Path

from common.errors import ModelError
from edge.local.model import is_missing
from edge.local.speech_judge import SpeechJudge
from edge.settings import MODELS_DIR, EdgeSettings
from edge.speech.gate_model import GateModel
from edge.speech.vad import Gate, JudgedGate

logger = logging.getLogger(__name__)


def open_gate(settings: EdgeSettings, warn: Callable[[str], None] = logger.warning) -> Gate:
    """Where the model that is asked for does not work here, `warn` is told why, and the gate's own network judges: a
    board that hears a little worse is better than one that hears nothing."""
    aggressiveness = settings.vad.aggressiveness
    if not settings.vad.model:
        return JudgedGate(GateModel(aggressiveness))
    try:
        return JudgedGate(SpeechJudge(_folder(settings), aggressiveness))
    except ModelError as error:
        warn(f"The gate judges by its own small network: {error}")
        return JudgedGate(GateModel(aggressiveness))


def _folder(settings: EdgeSettings) -> Path:
    """Who keeps models of their own in another folder has those that came with the code, all the same."""
    own, shipped = (folder / settings.vad.model for folder in (settings.local.model_dir, MODELS_DIR))
    return shipped if is_missing(own) and not is_missing(shipped) else own
