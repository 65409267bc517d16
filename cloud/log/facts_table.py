"""Facts as a table: a column for each, so that what 200,000 utterances were like is looked through in a moment.

Bands are half-precision numbers one after the other: a tenth of a decibel is all that anybody asks.
"""

from collections.abc import Callable, Sequence
from typing import Any, get_args

import msgspec
import numpy as np

from cloud.drift.facts import Facts
from cloud.drift.shape import Bands

HALVES = np.dtype("<f2")

NOT_HERE = ("utterance_id",)
"""The answer has it."""

FIELDS = tuple(field for field in msgspec.structs.fields(Facts) if field.name not in NOT_HERE)
COLUMNS = tuple(field.name for field in FIELDS)

_BANDS = frozenset(field.name for field in FIELDS if field.type == Bands or Bands in get_args(field.type))
_BOOLS = frozenset(field.name for field in FIELDS if field.type is bool or bool in get_args(field.type))

WITHOUT_BANDS = ", ".join("NULL" if name in _BANDS else f"facts.{name}" for name in COLUMNS)
"""As columns of `facts`, for who asks many and needs none."""

PLACEHOLDERS = ", ".join("?" for _ in COLUMNS)


def row(facts: Facts) -> tuple[Any, ...]:
    """Values of COLUMNS."""
    return tuple(
        None if (value := getattr(facts, name)) is None else _halves(value) if name in _BANDS else value
        for name in COLUMNS
    )


def facts(utterance_id: str, values: Sequence[Any]) -> Facts:
    """Of what `row` gave."""
    told = dict(zip(COLUMNS, values, strict=True))
    for name, read in _READ.items():
        if (value := told[name]) is not None:
            told[name] = read(value)
    return Facts(utterance_id=utterance_id, **told)


def _read_halves(value: bytes) -> Bands:
    return tuple(np.frombuffer(value, HALVES).tolist())


_READ: dict[str, Callable[[Any], Any]] = dict.fromkeys(_BANDS, _read_halves) | dict.fromkeys(_BOOLS, bool)


def _halves(bands: Bands) -> bytes:
    return np.asarray(bands, HALVES).tobytes()
