"""Whisper's text decoder, step by step, in numpy: for whoever must say which tokens may come next.

CTranslate2 encodes and reads freely, and is fast; but its `generate` cannot be told at each step what is allowed, and
asking it again for each step computes everything again. The weights are read from its file. Radford et al. 2022,
"Robust Speech Recognition via Large-Scale Weak Supervision"; Vaswani et al. 2017, "Attention is all you need".
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from common.errors import EngineError

Floats = npt.NDArray[np.float32]

BLOCK = 64
"""Columns: as quick for 1 to 8 rows as 16, and for 16 quicker; 96 and more are copied again."""

MODEL_FILE = "model.bin"
_SPEC = "WhisperSpec"
_DTYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


class Memory(NamedTuple):
    """What the encoder heard, as one layer looks it up."""

    keys: Floats
    """(heads, head, positions)"""
    values: Floats
    """(heads, positions, head)"""


class State(NamedTuple):
    """Several readings of the same sound, all of one length."""

    length: int
    """Tokens so far."""
    keys: tuple[Floats, ...]
    """Of each layer, (readings, heads, tokens, head)."""
    values: tuple[Floats, ...]
    log_probabilities: Floats
    """(readings, vocabulary): of the next token, natural logarithms."""


class Blocks:
    """A matrix that a few rows at a time are multiplied with: in blocks so narrow that BLAS takes each as it is. A wide
    one it copies first, whatever the rows are, and that takes most of the time: of 8 rows 11 ms, in blocks 4."""

    def __init__(self, weight: Floats) -> None:
        """`weight`: (in, out)."""
        height, self._width = weight.shape
        padded = np.pad(weight, ((0, 0), (0, -self._width % BLOCK)))
        self._blocks = np.ascontiguousarray(padded.reshape(height, -1, BLOCK).transpose(1, 0, 2))

    def columns(self, numbers: Sequence[int]) -> Floats:
        """(columns, in)"""
        block, within = np.divmod(np.array(numbers), BLOCK)
        columns: Floats = self._blocks[block, :, within]
        return columns

    def __rmatmul__(self, x: Floats) -> Floats:
        """(rows, in) by this: (rows, out)."""
        y = np.empty((len(x), len(self._blocks), BLOCK), np.float32)
        np.matmul(x, self._blocks, out=y.transpose(1, 0, 2))
        return y.reshape(len(x), -1)[:, : self._width]

    # numpy leaves the product to us.
    __array_ufunc__ = None


class Linear(NamedTuple):
    weight: Blocks | Floats
    """(in, out)"""
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        y: Floats = x @ self.weight + self.bias
        return y


class Norm(NamedTuple):
    gamma: Floats
    beta: Floats

    def __call__(self, x: Floats) -> Floats:
        centred = x - x.mean(axis=-1, keepdims=True)
        y: Floats = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5) * self.gamma + self.beta
        return y


class Layer(NamedTuple):
    self_norm: Norm
    self_in: Linear
    self_out: Linear
    cross_norm: Norm
    cross_query: Linear
    cross_memory: Linear
    cross_out: Linear
    ffn_norm: Norm
    ffn_in: Linear
    ffn_out: Linear


class WhisperDecoder:
    """The decoder's weights, in single precision: 118 MB of tiny.en. EngineError if the folder holds none."""

    def __init__(self, folder: Path) -> None:
        try:
            with (folder / MODEL_FILE).open("rb") as file:
                variables = dict(_variables(file))
            # Once: a token's embedding is a column of what tells the next token.
            self._projection = Blocks(_floats(variables["decoder/embeddings/weight"]).T)
            self._positions = _floats(variables["decoder/position_encodings/encodings"])
            self._norm = _norm(variables, "decoder/layer_norm")
            self._heads = int(variables["decoder/num_heads"])
            count = len(
                {name.split("/")[1] for name in variables if name.startswith("decoder/layer_") and "/ffn/" in name}
            )
            self._layers = [_layer(variables, f"decoder/layer_{number}") for number in range(count)]
        except (OSError, KeyError, ValueError, struct.error) as error:
            raise EngineError(f"{folder / MODEL_FILE} holds no decoder that can be read: {error}.") from error

    def memory(self, encoded: Floats) -> list[Memory]:
        """Of (positions, width), the encoder's output, what each layer looks up."""
        memories = []
        for layer in self._layers:
            keys, values = np.split(self._by_head(layer.cross_memory(encoded), 2), 2, axis=1)
            memories.append(
                Memory(np.ascontiguousarray(keys.transpose(1, 2, 0)), np.ascontiguousarray(values.transpose(1, 0, 2)))
            )
        return memories

    def begin(self, memory: list[Memory], tokens: Sequence[int], *, deaf: bool = False) -> State:
        """One reading that starts with those tokens. `deaf`: and a second one that hears with the first token only, and
        then knows how people write."""
        empty = np.zeros((1, self._heads, 0, self._positions.shape[1] // self._heads), np.float32)
        state = State(0, (empty,) * len(self._layers), (empty,) * len(self._layers), np.zeros((1, 0), np.float32))
        readings = 2 if deaf else 1
        state, x = self._follow(memory, state, [0] * readings, [tokens[0]] * readings)
        for token in tokens[1:]:
            state, x = self._follow(memory, state, range(readings), [token] * readings, [True, False][:readings])
        return state._replace(log_probabilities=self._log_probabilities(x))

    def step(
        self,
        memory: list[Memory],
        state: State,
        parents: Sequence[int],
        tokens: Sequence[int],
        hears: Sequence[bool] | None = None,
    ) -> State:
        """New readings: each a parent of the state with one more token. Those that do not hear know only how people
        write."""
        state, x = self._follow(memory, state, parents, tokens, hears)
        return state._replace(log_probabilities=self._log_probabilities(x))

    def _follow(
        self,
        memory: list[Memory],
        state: State,
        parents: Sequence[int],
        tokens: Sequence[int],
        hears: Sequence[bool] | None = None,
    ) -> tuple[State, Floats]:
        """A step without what may come next, which takes most of the time, and what that would be told from."""
        x = self._projection.columns(tokens) + self._positions[state.length]
        keys, values = [], []
        for number, layer in enumerate(self._layers):
            query, key, value = np.split(self._by_head(layer.self_in(layer.self_norm(x)), 3), 3, axis=1)
            keys.append(np.concatenate([state.keys[number][list(parents)], key[:, :, None]], axis=2))
            values.append(np.concatenate([state.values[number][list(parents)], value[:, :, None]], axis=2))
            weights = _softmax((keys[-1] @ query[..., None])[..., 0] * query.shape[-1] ** -0.5)
            x = x + layer.self_out((weights[:, :, None] @ values[-1])[:, :, 0].reshape(len(x), -1))
            query = self._by_head(layer.cross_query(layer.cross_norm(x)), 1).transpose(1, 0, 2)
            weights = _softmax(query @ memory[number].keys * query.shape[-1] ** -0.5)
            looked_up = (weights @ memory[number].values).transpose(1, 0, 2).reshape(len(x), -1)
            if hears is not None:
                looked_up *= np.array(hears, np.float32)[:, None]
            x = x + layer.cross_out(looked_up)
            x = x + layer.ffn_out(_gelu(layer.ffn_in(layer.ffn_norm(x))))
        return State(state.length + 1, tuple(keys), tuple(values), state.log_probabilities), x

    def _log_probabilities(self, x: Floats) -> Floats:
        """(readings, vocabulary): of the next token."""
        logits: Floats = self._norm(x) @ self._projection
        logits -= logits.max(axis=1, keepdims=True)
        logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return logits

    def _by_head(self, x: Floats, parts: int) -> Floats:
        """(n, parts × width) as (n, parts × heads, head)."""
        return x.reshape(len(x), parts * self._heads, -1)


@lru_cache(1)
def load_decoder(folder: Path) -> WhisperDecoder:
    """The one of those weights, loaded once a process. EngineError if the folder holds none."""
    return WhisperDecoder(folder)


def _softmax(x: Floats) -> Floats:
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def _gelu(x: Floats) -> Floats:
    """x times the normal distribution's integral up to x; of that the error is below 1e-6 (Abramowitz and Stegun 1964,
    7.1.26)."""
    z = np.abs(x) * np.float32(0.5**0.5)
    t = 1 / (1 + 0.3275911 * z)
    tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    erf = np.copysign(1 - tail * np.exp(-z * z), x)
    y: Floats = 0.5 * x * (1 + erf)
    return y


def _variables(file: BinaryIO) -> "list[tuple[str, npt.NDArray[np.generic]]]":
    """Every variable of the decoder, by name. CTranslate2's file: a header, then name, shape, type, bytes of each."""

    def number(form: str) -> int:
        return int(struct.unpack("<" + form, file.read(struct.calcsize("<" + form)))[0])

    def text() -> str:
        return file.read(number("H")).rstrip(b"\0").decode()

    number("I")
    if (spec := text()) != _SPEC:
        raise ValueError(f"it is a {spec or 'strange file'}")
    number("I")
    found: list[tuple[str, npt.NDArray[np.generic]]] = []
    for _ in range(number("I")):
        name, rank = text(), number("B")
        shape = [number("I") for _ in range(rank)]
        dtype, size = number("B"), number("I")
        if name.startswith("decoder/"):
            found.append((name, np.frombuffer(file.read(size), _DTYPES[dtype]).reshape(shape)))
        else:
            file.seek(size, 1)
    return found


def _floats(variable: "npt.NDArray[np.generic]") -> Floats:
    if variable.dtype not in (np.float16, np.float32):
        raise ValueError("its weights are whole numbers; only halves and floats can be read")
    return np.ascontiguousarray(variable, np.float32)


def _linear(variables: "dict[str, npt.NDArray[np.generic]]", name: str) -> Linear:
    return Linear(Blocks(_floats(variables[f"{name}/weight"]).T), _floats(variables[f"{name}/bias"]))


def _linear_of_many(variables: "dict[str, npt.NDArray[np.generic]]", name: str) -> Linear:
    """One that takes many rows at a time, for which a copy is worth it."""
    weight = np.ascontiguousarray(_floats(variables[f"{name}/weight"]).T)
    return Linear(weight, _floats(variables[f"{name}/bias"]))


def _norm(variables: "dict[str, npt.NDArray[np.generic]]", name: str) -> Norm:
    return Norm(_floats(variables[f"{name}/gamma"]), _floats(variables[f"{name}/beta"]))


def _layer(variables: "dict[str, npt.NDArray[np.generic]]", name: str) -> Layer:
    return Layer(
        _norm(variables, f"{name}/self_attention/layer_norm"),
        _linear(variables, f"{name}/self_attention/linear_0"),
        _linear(variables, f"{name}/self_attention/linear_1"),
        _norm(variables, f"{name}/attention/layer_norm"),
        _linear(variables, f"{name}/attention/linear_0"),
        _linear_of_many(variables, f"{name}/attention/linear_1"),
        _linear(variables, f"{name}/attention/linear_2"),
        _norm(variables, f"{name}/ffn/layer_norm"),
        _linear(variables, f"{name}/ffn/linear_0"),
        _linear(variables, f"{name}/ffn/linear_1"),
    )
