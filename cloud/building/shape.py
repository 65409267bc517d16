"""From YAML to the structs that it should be: what is not of their shape is told by its line, and left out."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from cloud.building.fault import Faults, quoted
from cloud.building.near import did_you_mean
from cloud.building.yaml_text import Keyed, Many, Node, Word

_Made = TypeVar("_Made", bound="Placed")
_NUMBER = re.compile(r"[-+]?\d{1,15}(\.\d{1,15})?")
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A struct that knows where it stood; its texts are `Word`s, which know it too."""

    lines: Mapping[str, int] = {}
    """Of its keys; that of "" is its own."""
    is_partial: bool = False
    """A part of it was faulty and is left out."""

    def line(self, key: str = "") -> int | None:
        """Where a key stands, or else the whole; None: it was not read from a file."""
        return self.lines.get(key) or self.lines.get("")


class _Wrong(Exception):
    """Raised for a node that is left out; why was told."""


def shaped(node: Node | None, kind: type[_Made], file: Path, faults: Faults) -> _Made | None:
    """The struct; None where too little is there. Every fault is told."""
    try:
        made = _Shaper(file, faults).struct(node or Word(""), kind, "")
    except _Wrong:
        return None
    assert isinstance(made, kind)
    return made


class _Shaper:
    def __init__(self, file: Path, faults: Faults) -> None:
        self._file = file
        self._faults = faults

    def _wrong(self, node: Node, sentence: str) -> _Wrong:
        self._faults.fault(self._file, node.line or None, sentence)
        return _Wrong()

    def convert(self, node: Node, kind: inspect.Type, where: str) -> Any:
        """The node as that type; _Wrong where it is none."""
        match kind:
            case inspect.UnionType():
                return self._union(node, kind, where)
            case inspect.StructType():
                return self.struct(node, kind.cls, where)
            case inspect.DictType():
                return self._mapping(node, kind, where)
            case inspect.VarTupleType() | inspect.FrozenSetType():
                items = self._list(node, kind.item_type, where)
                return tuple(items) if isinstance(kind, inspect.VarTupleType) else frozenset(items)
        if isinstance(node, Word) and not node.is_none and (value := _scalar(node, kind)) is not None:
            return value
        raise self._wrong(node, f"{where} must be {_described(kind)}, {_is_instead(node)}")

    def struct(self, node: Node, cls: type, where: str) -> Any:
        """The node as that struct, without its faulty keys; _Wrong where one that it must have is missing."""
        if not isinstance(node, Keyed):
            raise self._wrong(node, f"{where or 'the file'} must have keys, {_is_instead(node)}")
        fields = _fields(cls)
        found: dict[str, Any] = {}
        whole, faults_before = True, self._faults.count
        for key, value in node.items.items():
            if key not in fields:
                self._unknown(key, list(fields), where)
                continue
            try:
                found[fields[key].name] = self.convert(value, fields[key].type, f"{where}.{key}" if where else key)
            except _Wrong:
                whole = whole and not fields[key].required
        for name in [name for name, field in fields.items() if field.required and name not in node.items]:
            self._faults.fault(self._file, node.line, f"{where or 'the file'} must have a key {name}, and has none.")
            whole = False
        if not whole:
            raise _Wrong
        lines = {str(key): key.line for key in node.items} | {"": node.line}
        return cls(**found, lines=lines, is_partial=self._faults.count > faults_before)

    def _unknown(self, key: Word, known: list[str], where: str) -> None:
        hint = did_you_mean(key, known, "The keys here are")
        self._faults.fault(self._file, key.line, f"there is no key {quoted(key)} in {where or 'the file'}. {hint}")

    def _union(self, node: Node, kind: inspect.UnionType, where: str) -> Any:
        kinds = kind.types
        if isinstance(node, Word) and node.is_none and any(isinstance(one, inspect.NoneType) for one in kinds):
            return None
        wanted = inspect.StructType if isinstance(node, Keyed) else inspect.StrType
        for one in kinds:
            if isinstance(one, wanted):
                return self.convert(node, one, where)
        return self.convert(node, next(one for one in kinds if not isinstance(one, inspect.NoneType)), where)

    def _mapping(self, node: Node, kind: inspect.DictType, where: str) -> dict[Word, Any]:
        if not isinstance(node, Keyed):
            raise self._wrong(node, f"{where} must have names with what they stand for, {_is_instead(node)}")
        found = {}
        for key, value in node.items.items():
            try:
                found[key] = self.convert(value, kind.value_type, f"{where}.{key[:64]}")
            except _Wrong:
                continue
        return found

    def _list(self, node: Node, kind: inspect.Type, where: str) -> list[Any]:
        if not isinstance(node, Many):
            raise self._wrong(node, f'{where} must be a list, a line with "- " for each, {_is_instead(node)}')
        found = []
        for number, item in enumerate(node.items, 1):
            try:
                found.append(self.convert(item, kind, f"number {number} of {where}"))
            except _Wrong:
                continue
        return found


@cache
def _fields(cls: type) -> dict[str, inspect.Field]:
    """By the keys that stand for them."""
    kind = inspect.type_info(cls)
    assert isinstance(kind, inspect.StructType)
    return {field.encode_name: field for field in kind.fields if field.name not in Placed.__struct_fields__}


def _scalar(word: Word, kind: inspect.Type) -> Word | float | bool | None:
    """None: it is no such thing."""
    if isinstance(kind, inspect.StrType):
        return word
    if isinstance(kind, inspect.BoolType):
        return _FLAGS.get(word.lower())
    match = _NUMBER.fullmatch(word)
    if not match or not isinstance(kind, inspect.IntType | inspect.FloatType):
        return None
    number = float(word) if isinstance(kind, inspect.FloatType) else int(word) if match[1] is None else None
    least, most = kind.ge, kind.le
    if number is None or (least is not None and number < least) or (most is not None and number > most):
        return None
    return number


def _described(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        number = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
        return number if kind.ge is None or kind.le is None else f"{number} from {kind.ge:g} to {kind.le:g}"
    return "true or false" if isinstance(kind, inspect.BoolType) else "text"


def _is_instead(node: Node) -> str:
    match node:
        case Word():
            return "but nothing is there." if node.is_none else f"but is {quoted(node)}."
        case Many():
            return "but is a list. A text that begins with [ wants quotation marks."
        case Keyed():
            return "but has keys of its own. A text with { or a colon in it wants quotation marks."
