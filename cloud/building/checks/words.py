"""What can be told of a domain's words: which nobody can say, which are guessed, which sound alike."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from pathlib import Path

from hassil.expression import Alternative, Expression, Group, Permutation, TextChunk

from cloud.building.commands import NAMES_MAX
from cloud.building.commands_text import BlockText, CommandsText, ListText, ValueText
from cloud.building.domain import Domain
from cloud.building.fault import Faults, quoted
from cloud.building.folder import CATALOGUE, COMMANDS
from cloud.building.spoken_text import can_be_said, words_of
from cloud.building.template_facts import parts_of
from cloud.building.template_text import parse_template
from cloud.pronouncing.phones import Phones, names
from cloud.pronouncing.pronouncer import Pronouncer, Pronunciation
from cloud.pronouncing.sounding_alike import sounding_alike
from common.errors import DomainError

EXPANDED_MAX = 20
"""Ways to say a value that are compared."""

Where = tuple[Path, int | None]


def tell_unsayable(domain: Domain, words: Iterable[str], faults: Faults) -> None:
    """Faults for words of the commands that nobody can say, and warnings for names of the catalogue."""
    unsayable = sorted(word for word in words if not can_be_said(word, domain.lexicon))
    where = _where(domain) if unsayable else {}
    for word in unsayable:
        file, line = where.get(word, (domain.folder / COMMANDS, None))
        told = f"{quoted(word)} cannot be read out in English. Write how it sounds into lexicon.txt, as in"
        faults.fault(file, line, f"{told} {quoted(f'{word} = wah goo')}.")
    for entry, line in zip(domain.entries, domain.entry_lines, strict=True):
        for name in entry.names:
            if not name.isascii() and not all(can_be_said(word, domain.lexicon) for word in words_of(name)):
                told = (
                    f"{quoted(name)} cannot be read out in English, so it is not listened for. Add an alias that can."
                )
                faults.warn(domain.folder / CATALOGUE, line, told)


def warn_of_guesses(domain: Domain, words: Iterable[str], pronouncer: Pronouncer, faults: Faults) -> None:
    """Of words that are in no dictionary: how they are thought to be said."""
    said = pronouncer.pronounce(sorted(set(words)))
    guessed = {word: its for word, its in said.items() if its.source == "guess" and its.variants}
    where = _where(domain) if guessed else {}
    found: dict[Path, list[tuple[int | None, str]]] = {}
    for word, its in guessed.items():
        file, line = where.get(word, (domain.folder / COMMANDS, None))
        phones = names(its.variants[0])
        told = f"{quoted(word)} is in no dictionary, and is listened for as {phones}. Put {quoted(f'{word} {phones}')} "
        told += f"into lexicon.txt if people say it so, else {quoted(f'{word} = ')} and how it sounds."
        found.setdefault(file, []).append((line, told))
    for file, its_words in found.items():
        faults.warn_many(file, sorted(its_words, key=lambda told: told[0] or 0))


def warn_of_alike(domain: Domain, pronouncer: Pronouncer, faults: Faults) -> None:
    """Of values of one list that sound alike and are not the same, and of entries with names that sound the same."""
    faults.warn_many(domain.folder / CATALOGUE, _names_alike(domain, pronouncer))
    if domain.commands is None:
        return
    lists = dict(domain.commands.lists)
    for block in _blocks(domain.commands):
        lists |= block.lists
    for name, text in lists.items():
        faults.warn_many(domain.folder / COMMANDS, _values_alike(name, text, pronouncer))


def _names_alike(domain: Domain, pronouncer: Pronouncer) -> Iterator[tuple[int | None, str]]:
    lines = zip(domain.entries, domain.entry_lines, strict=True)
    # Names of the same words were told of already.
    named = {" ".join(words_of(name)).lower(): (name, entry.id, line) for entry, line in lines for name in entry.names}
    if len(named) > NAMES_MAX:
        return
    said = pronouncer.pronounce(named)
    owners = list(named.values())
    for alike in sounding_alike([_variants(said, words) for words in named], near=0):
        (first, one, line), (second, other, its_line) = owners[alike.first], owners[alike.second]
        if one != other:
            told = f"{quoted(first)} of {one} (line {line}) and {quoted(second)} of {other} sound the same."
            yield its_line, f"{told} Give one of them another name."


def _values_alike(name: str, text: ListText, pronouncer: Pronouncer) -> Iterator[tuple[int | None, str]]:
    values = list(_values(text))
    said = pronouncer.pronounce({way for _, ways, _ in values for way in ways})
    phrases = [[phones for way in ways for phones in _variants(said, way)] for _, ways, _ in values]
    for alike in sounding_alike(phrases):
        (first, _, meant), (second, _, other) = values[alike.first], values[alike.second]
        if meant != other:
            how = "sound the same" if alike.distance == 0 else "sound much alike"
            told = f"{quoted(first)} and {quoted(second)} of {name} {how}. Give one of them another name."
            yield getattr(second, "line", None) or text.line(), told


def _variants(said: Mapping[str, Pronunciation], way: str) -> Sequence[Phones]:
    return said[way].variants if way in said else ()


def _values(text: ListText) -> Iterator[tuple[str, list[str], str]]:
    """Values as they are written, the ways to say each, and what it is in one form."""
    for value in text.values:
        said = value.said if isinstance(value, ValueText) else value
        try:
            ways = [" ".join(words_of(way)) for way in islice(_ways(parse_template(said)), EXPANDED_MAX)]
        except DomainError:
            continue
        meant = str(value.value) if isinstance(value, ValueText) and value.value is not None else str(said)
        yield said, ways, meant


def _ways(expression: Expression) -> Iterator[str]:
    """The texts that a template without lists and rules stands for."""
    match expression:
        case TextChunk():
            yield expression.original_text
        case Alternative():
            for item in expression.items:
                yield from _ways(item)
        case Permutation():
            for item, rest in expression.iterate_permutations():
                yield from (f"{one} {other}" for one in _ways(item) for other in _ways(rest))
            if not expression.items:
                yield ""
        case Group():
            ways = (list(islice(_ways(item), EXPANDED_MAX)) for item in expression.items)
            yield from map("".join, product(*ways))


def _where(domain: Domain) -> dict[str, Where]:
    """Where each word stands first."""
    found: dict[str, Where] = {}
    if domain.commands is not None:
        for text in _texts(domain.commands):
            for word in _plain_words(text):
                found.setdefault(word, (domain.folder / COMMANDS, getattr(text, "line", None)))
    for entry, line in zip(domain.entries, domain.entry_lines, strict=True):
        for name in entry.names:
            for word in words_of(name):
                found.setdefault(word.lower(), (domain.folder / CATALOGUE, line))
    return found


def _plain_words(text: str) -> Iterator[str]:
    try:
        parts = list(parts_of(parse_template(text)))
    except DomainError:
        return
    for part in parts:
        if isinstance(part, TextChunk):
            yield from (word.lower() for word in words_of(part.original_text))


def _texts(commands: CommandsText) -> Iterator[str]:
    yield from commands.expansion_rules.values()
    yield from _said(commands.lists)
    for block in _blocks(commands):
        yield from block.sentences
        yield from block.expansion_rules.values()
        yield from _said(block.lists)


def _said(lists: Mapping[str, ListText]) -> Iterator[str]:
    for text in lists.values():
        yield from (value.said if isinstance(value, ValueText) else value for value in text.values)


def _blocks(commands: CommandsText) -> list[BlockText]:
    return [block for intent in commands.intents.values() for block in intent.data]
