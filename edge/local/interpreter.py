"""The TFLite interpreter: tflite-runtime where it is installed and works, ai-edge-litert elsewhere.

32-bit ARM has only the former, Python 3.12 and later only the latter. Both read the same files and speak alike.
"""

from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from common.errors import ModelError
from common.quiet_stderr import quiet_stderr

MODULES = ("tflite_runtime.interpreter", "ai_edge_litert.interpreter")

Int8 = npt.NDArray[np.int8]


class Quantisation(NamedTuple):
    """A number is scale * (level - zero_point)."""

    scale: float
    zero_point: int


class Interpreter:
    """Runs one model with one input and one output, both int8. Belongs to one thread."""

    def __init__(self, content: bytes) -> None:
        """ModelError if nothing here can run it."""
        self._runner = _runner(content)
        takes, gives = self._runner.get_input_details(), self._runner.get_output_details()
        if len(takes) != 1 or len(gives) != 1:
            raise ModelError("The model does not have one input and one output.")
        (taken,), (given,) = takes, gives
        if {taken["dtype"], given["dtype"]} != {np.int8}:
            raise ModelError("The model does not take and give int8.")
        self._taken, self._given = taken["index"], given["index"]
        self.shape: tuple[int, ...] = tuple(int(size) for size in taken["shape"])
        self.output_shape: tuple[int, ...] = tuple(int(size) for size in given["shape"])
        self.input = Quantisation(*taken["quantization"])
        self.output = Quantisation(*given["quantization"])

    def run(self, values: Int8) -> Int8:
        """Output of one input, of the shape that the model has. ModelError if it cannot be computed here."""
        self._runner.set_tensor(self._taken, values.reshape(self.shape))
        try:
            self._runner.invoke()
        except RuntimeError as error:
            raise ModelError(f"The model cannot be computed here: {error}.") from error
        output: Int8 = self._runner.get_tensor(self._given)
        return output


def _runner(content: bytes) -> Any:
    reasons = []
    for name in MODULES:
        try:
            # It greets on standard error.
            with quiet_stderr():
                runner = import_module(name).Interpreter(model_content=content, num_threads=1)
                runner.allocate_tensors()
            return runner
        except (ImportError, AttributeError) as error:
            # tflite-runtime imports beside numpy 2, and fails only when it is asked for an interpreter.
            reasons.append(f"{name.partition('.')[0]}: {error}")
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"This is no model that can be run: {error}.") from error
    raise ModelError(f"No TFLite interpreter works here ({'; '.join(reasons)}); type scripts/setup --edge.")
