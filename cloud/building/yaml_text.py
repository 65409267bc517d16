"""YAML as a person writes settings: mappings, lists and words, with their lines. Pure.

Anchors and aliases (of which a few lines make gigabytes), tags and several documents in a file are refused. A word is
a word: `on`, `no`, `5` and `12:30` stay what was written, and who wants a number makes one of it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import yaml

from cloud.building.fault import Faults, quoted

EVENTS_MAX = 600_000
"""Pieces of a file: a word, a list's or a mapping's beginning, its end."""

NESTED_MAX = 20


class Word(str):
    """A word or text, and the line that it stands in."""

    __slots__ = ("is_plain", "line")

    line: int
    is_plain: bool
    """Not in quotation marks."""

    def __new__(cls, text: str, line: int = 0, *, is_plain: bool = True) -> "Word":
        word = super().__new__(cls, text)
        word.line, word.is_plain = line, is_plain
        return word

    @property
    def is_none(self) -> bool:
        """Nothing was written."""
        return self.is_plain and self in ("", "~", "null")


class Many(NamedTuple):
    """A list."""

    line: int
    items: list["Node"]


class Keyed(NamedTuple):
    """A mapping."""

    line: int
    items: dict[Word, "Node"]


Node = Word | Many | Keyed


class _Refused(Exception):
    """Raised where reading makes no sense any more."""


def read_yaml(text: str, file: Path, faults: Faults) -> Node | None:
    """The file's one document; None where there is none, or a fault that ends the reading. Two keys of one name are
    faults, too; the first counts."""
    try:
        reader = _Reader(text, file, faults)
        return reader.document()
    except _Refused:
        return None
    except yaml.MarkedYAMLError as error:
        # What is never closed is told where it was opened.
        unclosed = "end of stream" in (error.problem or "")
        mark = error.context_mark if unclosed and error.context_mark else error.problem_mark
        what = " ".join(part for part in (error.problem, error.context) if part)
        faults.fault(file, mark.line + 1 if mark else None, f"not YAML: {what}. {_advice(error)}")
    except yaml.YAMLError as error:
        faults.fault(file, None, f"not YAML: {error}.")
    return None


def _advice(error: yaml.MarkedYAMLError) -> str:
    if "start any token" in (error.problem or ""):
        return "Indent with spaces, and put a text that begins with a sign into quotation marks."
    return "Look at the indentation, and put a text with [ { : # or quotation marks in it into quotation marks."


class _Reader:
    def __init__(self, text: str, file: Path, faults: Faults) -> None:
        self._events: Iterator[Any] = iter(yaml.parse(text, yaml.CSafeLoader))
        self._file = file
        self._faults = faults
        self._seen = 0

    def document(self) -> Node | None:
        self._next()
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        node = self._node(self._next(), 0)
        self._next()
        after = self._next()
        if not isinstance(after, yaml.StreamEndEvent):
            self._refuse(after, "a second document (---) begins, but a file is one. Put them together.")
        return node

    def _next(self) -> Any:
        event = next(self._events)
        self._seen += 1
        if self._seen > EVENTS_MAX:
            self._refuse(event, f"there are more than {EVENTS_MAX:,} words and lists up to here, and no more are read.")
        return event

    def _refuse(self, event: Any, sentence: str) -> NoReturn:
        self._faults.fault(self._file, event.start_mark.line + 1, sentence)
        raise _Refused

    def _node(self, event: Any, depth: int) -> Node:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self._refuse(event, "anchors (&name) and aliases (*name) are not used here. Write it out, or put it into "
                         "quotation marks.")  # fmt: skip
        if event.tag is not None:
            self._refuse(event, f"the tag {quoted(event.tag)} is not used here. Take it out, or put it into "
                         "quotation marks.")  # fmt: skip
        if depth > NESTED_MAX:
            self._refuse(event, f"is nested deeper than {NESTED_MAX} levels. Look at the brackets and the indentation.")
        if isinstance(event, yaml.ScalarEvent):
            return Word(event.value, line, is_plain=event.style not in ("'", '"', "|", ">"))
        if isinstance(event, yaml.SequenceStartEvent):
            return self._many(line, depth)
        return self._keyed(line, depth)

    def _many(self, line: int, depth: int) -> Many:
        items: list[Node] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return Many(line, items)

    def _keyed(self, line: int, depth: int) -> Keyed:
        items: dict[Word, Node] = {}
        lines: dict[str, int] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key, Word):
                self._refuse(event, "a key must be a word. Text with [ or { in it wants quotation marks.")
            value = self._node(self._next(), depth + 1)
            if key in lines:
                self._faults.fault(
                    self._file,
                    key.line,
                    f"the key {quoted(key)} stands in line {lines[key]} already. Put them together.",
                )
            else:
                lines[key] = key.line
                items[key] = value
        return Keyed(line, items)
