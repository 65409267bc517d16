"""The text of a sentence template, looked through before hassil's parser gets it: that one goes down as deep as a text
is nested, looks at what is left of it again and again, and says little of what is wrong.
"""

import re

from hassil import parse_sentence
from hassil.expression import Expression, ListReference, TextChunk
from hassil.parser import ParseError

from cloud.building.fault import quoted
from common.errors import DomainError

LETTERS_MAX = 5_000
NESTED_MAX = 12
RANGE_MAX = 10_000
"""Numbers of a range."""

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)
"""Of a slot, a list, a rule."""

_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
_REFERENCE = re.compile(rf"(?P<list>{NAME.pattern})(?::(?P<slot>{NAME.pattern}))?", re.ASCII)
_RANGE = re.compile(rf"\d{{1,9}}\.\.\d{{1,9}}(?:,\d{{1,9}})?(?::{NAME.pattern})?", re.ASCII)


def is_template(text: str) -> bool:
    """Whether it has more than words in it."""
    return not set("()[]{}<>|;\\").isdisjoint(text)


def parse_template(text: str) -> Expression:
    """What hassil makes of a template. DomainError without the place: what is wrong with it, and where in it."""
    if len(text) > LETTERS_MAX:
        raise DomainError(f"has {len(text):,} characters, but {LETTERS_MAX:,} are the most: write several.")
    if not is_template(text):
        return TextChunk(text)
    _look_through(text)
    try:
        return parse_sentence(text).expression
    except (ParseError, AssertionError, ValueError, RecursionError) as error:
        raise DomainError(f"{quoted(text)} is no template: look at its brackets.") from error


def range_of(reference: ListReference) -> tuple[int, int, int] | None:
    """First and last number and step of a range that stands in the template itself; None: it is a list."""
    return reference.get_inline_range() if reference.is_inline_range else None


def range_fault(first: int, last: int, step: int) -> str | None:
    """What is wrong with such numbers; None: nothing."""
    if step < 1:
        return f"goes on by {step}, but 1 is the least step."
    if last < first:
        return f"has no numbers: it goes from {first} to {last}. Write the smaller one first."
    if first < 0 or last >= 10**9:
        return f"goes from {first} to {last}, but whole numbers from 0 to 999,999,999 can be listened for."
    if (last - first) // step >= RANGE_MAX:
        return f"has {(last - first) // step + 1:,} numbers, but {RANGE_MAX:,} are the most. Take a larger step."
    return None


def _look_through(text: str) -> None:
    """DomainError at brackets that do not fit, and at what stands in { } or < > and is no name."""
    opened: list[int] = []
    escaped = False
    for at, char in enumerate(text):
        if escaped or char == "\\":
            escaped = not escaped
        elif char in _CLOSING:
            opened.append(at)
            if len(opened) > NESTED_MAX:
                raise _at(text, at, f"is nested deeper than {NESTED_MAX} brackets. Put a part of it into a rule")
            if char in "{<":
                _must_be_reference(text, at)
        elif char in _CLOSING.values():
            if not opened or _CLOSING[text[opened[-1]]] != char:
                raise _at(text, at, f"closes a bracket with {char} that is not open")
            if at == opened.pop() + 1:
                raise _at(text, at - 1, f"has nothing in {text[at - 1]}{char}")
    if opened:
        raise _at(text, opened[-1], f"opens a bracket with {text[opened[-1]]} and does not close it")
    if escaped:
        raise _at(text, len(text) - 1, "ends with a backslash")


def _must_be_reference(text: str, at: int) -> None:
    end = text.find(_CLOSING[text[at]], at)
    inside = text[at + 1 : end] if end >= 0 else ""
    if end < 0 or not inside or any(char in _CLOSING for char in inside):
        # Its bracket is told.
        return
    if text[at] == "<":
        if not NAME.fullmatch(inside):
            raise _at(text, at, f"{quoted(inside)} is no name of a rule: letters, digits, _ and - make one")
    elif _RANGE.fullmatch(inside):
        if ":" not in inside:
            raise _at(
                text, at, f"the range {inside} fills no slot. Write {{{inside}:number}}, if that is the slot's name"
            )
    elif not _REFERENCE.fullmatch(inside):
        raise _at(text, at, f"{quoted(inside)} is no list: write {{list}}, {{list:slot}} or {{1..10:slot}}")


def _at(text: str, at: int, what: str) -> DomainError:
    around = text[max(0, at - 20) : at + 20]
    return DomainError(f"{what}, at character {at + 1}, in {quoted(around)}.")
