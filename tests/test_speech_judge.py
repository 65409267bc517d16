"""The gate's judge, by the model that ships."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from common.errors import ModelError
from edge.local.model import Model
from edge.local.speech_judge import SPEECH, SpeechJudge
from edge.settings import MODELS_DIR
from edge.sound.source import BLOCK_SAMPLES, Samples
from models.speech.data_set import WINDOW_BLOCKS
from models.training.examples import frames
from protos.feature_spec import DEFAULT_SPEC
from protos.model_card import CARD_FILE, MODEL_FILE, read_model_card, write_model_card
from tests.conftest import Speech
from tests.test_vad import noise, spoken, voice

FOLDER = MODELS_DIR / "speech-v1"


def probabilities(judge: SpeechJudge, sound: Samples) -> list[float]:
    """Asked after each block."""
    told = []
    for block in sound.reshape(-1, BLOCK_SAMPLES):
        judge.push(block)
        told.append(judge.probability())
    return told


def test_it_knows_speech_from_noise(speech: Speech) -> None:
    judge = SpeechJudge(FOLDER, 2)
    told = probabilities(judge, np.concatenate([noise(2, -50), spoken(speech, -30), noise(2, -30)]))
    assert max(told[:100]) < judge.start_probability
    assert np.mean(np.array(told[110:-110]) > judge.start_probability) > 0.5
    assert max(told[-50:]) < judge.start_probability


@pytest.mark.parametrize("asked_every", [1, 3, 37, 40, 41, 42, 90])
def test_it_does_not_matter_when_it_was_asked_before(asked_every: int) -> None:
    sound = np.concatenate([noise(1, -40), voice(2.02), noise(0.3, -30), voice(0.3)])
    asked_often, asked_once = SpeechJudge(FOLDER, 2), SpeechJudge(FOLDER, 2)
    for number, block in enumerate(sound.reshape(-1, BLOCK_SAMPLES)):
        asked_often.push(block)
        asked_once.push(block)
        if number % asked_every == 0:
            asked_often.probability()
    asked_often.push(sound[:BLOCK_SAMPLES])
    asked_once.push(sound[:BLOCK_SAMPLES])
    assert asked_often.probability() == asked_once.probability()


def test_it_hears_what_it_was_trained_on() -> None:
    """A window of the set ends with the block that it tells of."""
    sound = np.concatenate([noise(1, -40), voice(1)])
    told = probabilities(SpeechJudge(FOLDER, 2), sound)
    model = Model(FOLDER, DEFAULT_SPEC)
    for last in (45, 70, 99):
        window = sound[(last + 1 - WINDOW_BLOCKS) * BLOCK_SAMPLES : (last + 1) * BLOCK_SAMPLES]
        levels = frames(window.astype(np.float32) / 32768)
        assert len(levels) == model.card.window_frames
        assert model.probabilities(levels, 1)[0, model.card.labels.index(SPEECH)] == told[last]


def test_after_forgetting_it_is_as_new() -> None:
    judge = SpeechJudge(FOLDER, 2)
    sound = np.concatenate([voice(0.5), noise(0.5, -30)])
    first = probabilities(judge, sound)
    judge.forget()
    assert probabilities(judge, sound) == first


def test_it_eats_the_wires_levels_and_is_small() -> None:
    card = read_model_card(FOLDER / CARD_FILE)
    assert (card.kind, card.feature_spec_fingerprint) == ("speech", DEFAULT_SPEC.fingerprint)
    assert (FOLDER / MODEL_FILE).stat().st_size <= 30_000
    assert card.metrics
    assert card.licence
    thresholds = [SpeechJudge(FOLDER, mode).start_probability for mode in range(4)]
    assert thresholds == sorted(thresholds)
    assert len(SpeechJudge(FOLDER, 3).name) <= 32


def test_a_card_without_the_operating_point_is_refused(tmp_path: Path) -> None:
    card = read_model_card(FOLDER / CARD_FILE)
    (tmp_path / MODEL_FILE).write_bytes((FOLDER / MODEL_FILE).read_bytes())
    write_model_card(tmp_path / CARD_FILE, msgspec.structs.replace(card, operating_points={}))
    with pytest.raises(ModelError, match="the card has no operating point 'mode-2'"):
        SpeechJudge(tmp_path, 2)
