"""Messages that hypothesis builds from what protos/ declares: of each field what it usually holds, and what it may hold
at the most, at the least, and not at all."""

from collections.abc import Mapping
from typing import Any, TypeVar

import hypothesis
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")

Usual = Mapping[str, SearchStrategy[Any]]
"""What fields hold that are in order, by their full names."""

TEXT_LONG = 5000

_BOUNDS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_ENUM: (-(2**31), 2**31 - 1),
}
_TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", " ", "\0", "\n", "\x1b[2J\x1b]0;x\x07", "\u202e", "é" * 64, "../../etc/passwd", "%s%n{0}"]),
    st.sampled_from([64, 65, TEXT_LONG]).map(lambda length: "x" * length),
)
_BYTES = st.one_of(st.binary(max_size=64), st.sampled_from([b"", b"\0" * 800, b"\xff" * 1000]))


def messages(kind: Descriptor, usual: Usual) -> SearchStrategy[Message]:
    """Of this kind, any of its fields left out."""
    alone = {field.name: _values(field, usual) for field in kind.fields if not _is_choice(field)}
    made = st.fixed_dictionaries({}, optional=alone)
    for oneof in kind.oneofs:
        if any(_is_choice(field) for field in oneof.fields):
            chosen = st.one_of([_named(field.name, _values(field, usual)) for field in oneof.fields])
            made = st.builds(lambda first, second: first | second, made, st.just({}) | chosen)
    new: Any = GetMessageClass(kind)
    return made.map(lambda fields: new(**fields))


def examples(strategy: SearchStrategy[T], number: int, seed: int) -> list[T]:
    """So many; the same for the same seed."""
    found: list[T] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategy)
    def collect(example: T) -> None:
        found.append(example)

    collect()
    return found


def _is_choice(field: FieldDescriptor) -> bool:
    """Whether it is of a oneof that was declared, not of what `optional` stands for."""
    oneof = field.containing_oneof
    return oneof is not None and not oneof.name.startswith("_")


def _named(name: str, values: SearchStrategy[Any]) -> SearchStrategy[dict[str, Any]]:
    return values.map(lambda value: {name: value})


def _values(field: FieldDescriptor, usual: Usual) -> SearchStrategy[Any]:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        return st.dictionaries(_TEXTS, _TEXTS, max_size=3)
    one = messages(kind, usual) if kind is not None else _scalars(field)
    if field.full_name in usual:
        # Mostly in order: of what is wrong everywhere, only the first fault is ever looked at.
        one = st.one_of(*[usual[field.full_name]] * 7, one)
    return st.lists(one, max_size=12) if field.is_repeated else one


def _scalars(field: FieldDescriptor) -> SearchStrategy[Any]:
    if field.cpp_type in _BOUNDS:
        least, most = _BOUNDS[field.cpp_type]
        return st.one_of(st.sampled_from([least, most, 0, 1]), st.integers(least, most), st.integers(0, 100))
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_BOOL:
            return st.booleans()
        case FieldDescriptor.CPPTYPE_FLOAT | FieldDescriptor.CPPTYPE_DOUBLE:
            return st.floats(width=32)
        case _:
            return _BYTES if field.type == FieldDescriptor.TYPE_BYTES else _TEXTS
