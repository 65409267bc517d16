"""Which TFLite interpreter runs a model, and which files none can run."""

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from common.errors import ModelError
from edge.local import interpreter
from edge.local.interpreter import Interpreter
from protos.model_card import MODEL_FILE
from tests.tones import TONES, WINDOW_FRAMES, YES, heard

CONTENT = (TONES / MODEL_FILE).read_bytes()


class Runner:
    """As TFLite's."""

    dtype: Any = np.int8

    def __init__(self, model_content: bytes, num_threads: int) -> None:
        self.model_content = model_content

    def allocate_tensors(self) -> None:
        pass

    def get_input_details(self) -> list[dict[str, Any]]:
        return [{"dtype": self.dtype, "index": 0, "shape": np.array([1, 98, 80, 1]), "quantization": (1.0, 0)}]

    def get_output_details(self) -> list[dict[str, Any]]:
        return [{"dtype": self.dtype, "index": 1, "shape": np.array([1, 4]), "quantization": (1 / 256, -128)}]


class Halves(Runner):
    dtype = np.float32


class Twofold(Runner):
    def get_input_details(self) -> list[dict[str, Any]]:
        return 2 * super().get_input_details()


class Breaking(Runner):
    def set_tensor(self, index: int, values: Any) -> None:
        pass

    def invoke(self) -> None:
        raise RuntimeError("no memory")


class BesideNumpy2(Runner):
    """tflite-runtime 2.14 is imported beside numpy 2, and fails when it is asked for an interpreter."""

    def __init__(self, model_content: bytes, num_threads: int) -> None:
        raise AttributeError("_ARRAY_API not found")


@pytest.fixture
def older(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """tflite-runtime, as if it were installed."""
    package, module = ModuleType("tflite_runtime"), ModuleType("tflite_runtime.interpreter")
    monkeypatch.setitem(sys.modules, "tflite_runtime", package)
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", module)
    yield module


def test_a_model_runs_on_what_is_installed_here() -> None:
    model = Interpreter(CONTENT)
    assert (model.shape, model.output_shape) == ((1, WINDOW_FRAMES, 80, 1), (1, 4))
    assert model.input == (1.0, 0)
    output = model.run(heard((YES, WINDOW_FRAMES)))
    assert output.shape == (1, 4)
    assert output.argmax() == 2


def test_tflite_runtime_is_taken_where_it_is_installed_and_works(older: ModuleType) -> None:
    older.Interpreter = Runner  # type: ignore[attr-defined]
    assert isinstance(Interpreter(CONTENT)._runner, Runner)


def test_one_that_fails_at_its_first_interpreter_is_passed_over(older: ModuleType) -> None:
    older.Interpreter = BesideNumpy2  # type: ignore[attr-defined]
    assert Interpreter(CONTENT).run(heard((YES, WINDOW_FRAMES))).argmax() == 2


def test_where_none_works_one_sentence_says_why_and_what_to_type(
    older: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    older.Interpreter = BesideNumpy2  # type: ignore[attr-defined]
    monkeypatch.setattr(interpreter, "MODULES", ("tflite_runtime.interpreter", "no_such_module.interpreter"))
    with pytest.raises(ModelError) as error:
        Interpreter(CONTENT)
    assert str(error.value) == (
        "No TFLite interpreter works here (tflite_runtime: _ARRAY_API not found; "
        "no_such_module: No module named 'no_such_module'); type scripts/setup --edge."
    )


@pytest.mark.parametrize("content", [b"", b"no model", CONTENT[:500], bytes(2000)])
def test_other_bytes_are_no_model(content: bytes) -> None:
    with pytest.raises(ModelError, match="This is no model that can be run"):
        Interpreter(content)


def test_a_model_of_floats_is_refused(older: ModuleType) -> None:
    older.Interpreter = Halves  # type: ignore[attr-defined]
    with pytest.raises(ModelError, match="does not take and give int8"):
        Interpreter(CONTENT)


def test_a_model_of_two_inputs_is_refused(older: ModuleType) -> None:
    older.Interpreter = Twofold  # type: ignore[attr-defined]
    with pytest.raises(ModelError, match="does not have one input and one output"):
        Interpreter(CONTENT)


def test_a_model_that_breaks_while_it_runs_is_a_sentence(older: ModuleType) -> None:
    older.Interpreter = Breaking  # type: ignore[attr-defined]
    with pytest.raises(ModelError, match=r"cannot be computed here: no memory\."):
        Interpreter(CONTENT).run(heard((YES, WINDOW_FRAMES)))
