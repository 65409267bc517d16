"""From the trained network to the file that the board runs: int8 throughout, eating the wire's levels as they are."""

import warnings
from collections.abc import Iterator

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from models.training.quiet_tensorflow import quiet_tensorflow

CALIBRATION_WINDOWS = 400


def to_int8(model: keras.Model, levels: npt.NDArray[np.int8]) -> bytes:
    """A TFLite file with one window as its input; `levels` (windows, frames, bands) show how large numbers get.

    Its input is told to reach from -128 to 127, so that its scale is 1 and its zero point 0: a level is a number.
    """

    @tf.function(input_signature=[tf.TensorSpec((1, *levels.shape[1:], 1), tf.float32, "levels")])  # type: ignore[untyped-decorator]
    def run(window: tf.Tensor) -> tf.Tensor:
        return model(tf.quantization.fake_quant_with_min_max_args(window, -128.0, 127.0, 8), training=False)

    def shown() -> Iterator[list[npt.NDArray[np.float32]]]:
        for window in levels[:: max(1, len(levels) // CALIBRATION_WINDOWS)]:
            yield [window[np.newaxis, ..., np.newaxis].astype(np.float32)]

    frozen = convert_variables_to_constants_v2(run.get_concrete_function())
    with warnings.catch_warnings(), quiet_tensorflow():
        # It looks for statistics that only its older way of quantising has.
        warnings.filterwarnings("ignore", "Statistics for quantized inputs", UserWarning)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = shown
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        content: bytes = converter.convert()
    return content
