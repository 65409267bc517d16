"""What can be wrong with the lists of a commands.yaml: one function a kind."""

from collections.abc import Collection, Iterator

from cloud.building.commands_text import ListText, ValueText
from cloud.building.fault import quoted
from cloud.building.near import did_you_mean
from cloud.building.spoken_text import words_of
from cloud.building.template_facts import facts_of, lists_in, rules_in
from cloud.building.template_text import NAME, is_template, parse_template, range_fault
from common.errors import DomainError

Told = tuple[int | None, str]
"""A line and a sentence."""


def list_faults(name: str, text: ListText, tags: Collection[str] | None) -> Iterator[Told]:
    """Of a list that is called so. `tags`: of the catalogue, None: they are not known."""
    if not NAME.fullmatch(name):
        yield text.line(), f"{quoted(name)} is no name of a list: letters, digits, _ and - make one."
    kinds = [key for key in ("values", "range", "catalogue") if key in text.lines]
    if len(kinds) != 1:
        what = " and ".join(kinds) or "nothing"
        yield text.line(), f"the list {name} has {what}, but a list is one of values, range, catalogue."
        return
    yield from _empty(name, text)
    yield from _range(name, text)
    yield from _catalogue(name, text, tags)
    for value in text.values:
        yield from _value(name, value)
    yield from _twice(name, text)


def _empty(name: str, text: ListText) -> Iterator[Told]:
    if "values" in text.lines and not text.values and not text.is_partial:
        yield text.line("values"), f"the list {name} is empty: no sentence with it can be said. Write values into it."


def _range(name: str, text: ListText) -> Iterator[Told]:
    if text.range is not None:
        wrong = range_fault(text.range.start, text.range.to, text.range.step)
        if wrong:
            yield text.range.line(), f"the range of {name} {wrong}"


def _catalogue(name: str, text: ListText, tags: Collection[str] | None) -> Iterator[Told]:
    tag = text.catalogue
    if tag is not None and tags is not None and tag != "*" and tag not in tags:
        hint = did_you_mean(tag, tags, "The tags are")
        yield (
            text.line("catalogue"),
            f"the list {name} takes entries with the tag {quoted(tag)}, and no entry of the catalogue has it. {hint}",
        )


def _value(name: str, value: str | ValueText) -> Iterator[Told]:
    said, line = _said(value)
    try:
        parsed = parse_template(said)
    except DomainError as error:
        yield line, f"a value of {name} {error}"
        return
    if lists_in(parsed) or rules_in(parsed):
        yield (
            line,
            f"a value of {name}, {quoted(said)}, refers to a list or a rule, but values are words. Write them out.",
        )
    elif not (its := facts_of(parsed)).is_spoken:
        yield line, f"a value of {name}, {quoted(said)}, has no words. Write what is said."
    elif its.is_silent:
        yield (
            line,
            f"a value of {name}, {quoted(said)}, can be nothing at all. Put the brackets [ ] into the sentences.",
        )


def _twice(name: str, text: ListText) -> Iterator[Told]:
    """The same words again. Templates are compared as they are written."""
    seen: dict[str, tuple[int | None, str]] = {}
    for value in text.values:
        said, line = _said(value)
        words = said if is_template(said) else " ".join(words_of(said)).lower()
        meant = str(value.value) if isinstance(value, ValueText) and value.value is not None else words
        if words in seen:
            first, before = seen[words]
            what = "stands in" if before == meant else f"is {quoted(before)} in"
            rest = "already. Take one out" if before == meant else f"and {quoted(meant)} here. Choose one"
            yield line, f"{quoted(said)} {what} line {first} of {name} {rest}."
        elif words:
            seen[words] = line, meant


def _said(value: str | ValueText) -> tuple[str, int | None]:
    if isinstance(value, ValueText):
        return value.said, value.line("in")
    return value, getattr(value, "line", None)
