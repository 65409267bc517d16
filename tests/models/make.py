"""Made tests/models/tones once: .venv/bin/python tests/models/make.py (wants TensorFlow, which the tests do not).

A model of known behaviour, without training: what lies deep in the spectrum is "no", what lies high is "yes", anything
else that is heard is "unknown".
"""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from common import VERSION
from protos.feature_spec import DEFAULT_SPEC
from protos.model_card import (
    CARD_FILE,
    MODEL_FILE,
    Command,
    ModelCard,
    OperatingPoint,
    sha256,
    write_model_card,
)

FOLDER = Path(__file__).with_name("tones")
LABELS = ("silence", "unknown", "yes", "no")
FRAMES, BANDS = 98, DEFAULT_SPEC.bands
LOW, MIDDLE, HIGH = slice(0, 27), slice(27, 53), slice(53, 80)
EXAMPLES = 50


def network() -> keras.Model:
    """The mean over all frames of a sum of bands for each label."""
    sums = keras.layers.Conv2D(len(LABELS), (1, BANDS))
    model = keras.Sequential(
        [
            keras.Input((FRAMES, BANDS, 1), batch_size=1),
            sums,
            keras.layers.AveragePooling2D((FRAMES, 1)),
            keras.layers.Reshape((len(LABELS),)),
            keras.layers.Softmax(),
        ]
    )
    weights = np.zeros((1, BANDS, 1, len(LABELS)), np.float32)
    silence, yes, no = LABELS.index("silence"), LABELS.index("yes"), LABELS.index("no")
    weights[0, :, 0, silence] = -6 / BANDS
    for label, bands in ((yes, HIGH), (no, LOW)):
        weights[0, bands, 0, label] = 4 / 27
        weights[0, MIDDLE, 0, label] = -4 / 26
    sums.set_weights([weights, np.array([6, 2, 0, 0], np.float32)])
    return model


def examples() -> list[list[np.ndarray]]:
    """Levels up to 11. A few more reach from -128 to 127, so that a level is a level, and sum up to little."""
    dice = np.random.default_rng(1)
    usual = [
        np.clip(dice.normal(dice.uniform(0, 8, (1, 1, 1, 1)), 2, (1, FRAMES, BANDS, 1)), 0, 11).round()
        for _ in range(EXAMPLES)
    ]
    ends = np.zeros((1, FRAMES, BANDS, 1))
    ends[0, 0, 4:6, 0] = (-128, 127)
    return [[levels.astype(np.float32)] for levels in [*usual, ends]]


def converted(model: keras.Model) -> bytes:
    """As int8, in and out."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = examples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    content: bytes = converter.convert()
    return content


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    content = converted(network())
    (FOLDER / MODEL_FILE).write_bytes(content)
    card = ModelCard(
        name="tones",
        version="1",
        kind="commands",
        feature_spec_fingerprint=DEFAULT_SPEC.fingerprint,
        labels=LABELS,
        window_frames=FRAMES,
        model_sha256=sha256(content),
        commands={
            "yes": Command(text="yes", id="answer-yes", title="Yes", snippet="Agrees.", action="answer.yes"),
            "no": Command(text="no"),
        },
        operating_points={"default": OperatingPoint(threshold=0.8, label_thresholds={"no": 0.9}, smoothing_windows=2)},
        licence="Apache-2.0",
        sources=("none: its weights were set by hand",),
        data_sha256=sha256(b""),
        code_version=VERSION,
        limits="Knows nothing of speech.",
        created="2026-11-24",
    )
    write_model_card(FOLDER / CARD_FILE, card)


if __name__ == "__main__":
    main()
