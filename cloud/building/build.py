"""Builds a domain's bundle: what the engines need of it."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cloud.building.bundle import Bundle, bundle_file, read_bundle, write_bundle
from cloud.building.checks.examples import tell_strange
from cloud.building.checks.two_meanings import tell_shared
from cloud.building.checks.words import tell_unsayable
from cloud.building.commands import NAMES_MAX, Commands, Named, compile_commands
from cloud.building.commands_text import CommandsText
from cloud.building.domain import Domain
from cloud.building.fault import Faults
from cloud.building.folder import COMMANDS
from cloud.building.sampling import examples
from cloud.building.spoken_text import can_be_said, words_of
from cloud.building.unused import is_there
from cloud.pronouncing.dictionary import dictionary
from cloud.pronouncing.phones import Phones
from cloud.pronouncing.phones import names as names_of
from cloud.pronouncing.pronouncer import Pronouncer
from cloud.understanding.network import Network
from cloud.understanding.word_graph import TooLarge, WordGraph, word_graph
from common.errors import DomainError

EXPANDED_MAX, TRANSITIONS_MAX = 500_000, 60_000
"""Of the graph of a domain's commands, before and after what is there twice is merged. A larger domain is left to
engines that need no graph."""

EXAMPLES, EXAMPLES_MAX = 3, 10

SAID_MAX = 2
"""Ways to say a name that are kept."""


PHRASES_MAX = 5_000
"""Names that are words of open speech. With 3,504 it costs no more than without; more were not measured."""


def build_bundle(domain: Domain, directory: Path) -> Path:
    """The bundle of this version of the domain, built if need be. DomainError where it cannot be."""
    path = bundle_file(directory, domain.name, domain.version)
    if is_there(path):
        try:
            read_bundle(path)
        except DomainError:
            # Of another format, or damaged: built anew.
            read_bundle.cache_clear()
        else:
            return path
    return write_bundle(make_bundle(domain), directory)


def make_bundle(domain: Domain, faults: Faults | None = None) -> Bundle:
    """What the engines need of a domain. DomainError where its commands make no sense; `faults` gets what is wrong
    with a bundle that could be made, and is raised where nobody takes it."""
    found = faults or Faults()
    file = domain.folder / COMMANDS
    names = list(_names(domain))
    commands = compile_commands(domain.commands or CommandsText({}), names, file)
    if domain.commands is not None:
        tell_shared(domain.commands, commands, file, found)
        tell_strange(domain.commands, commands, file, found)
    tell_unsayable(domain, commands.network.words(), found)
    if faults is None:
        found.raise_any()
    open_speech = domain.commands is None or domain.commands.open_speech
    too_many = len(names) > NAMES_MAX
    said = _said(domain, names) if too_many or open_speech else {}
    return Bundle(
        domain.name,
        domain.version,
        commands.network,
        commands.blocks,
        open_speech,
        _graph(commands),
        pronunciations(domain, commands.network),
        said if too_many else {},
        _examples(domain, commands),
        _phrases(said) if open_speech else {},
    )


def _examples(domain: Domain, commands: Commands) -> tuple[str, ...]:
    """Those that the domain gives, or else drawn ones; names of entries where there are no commands."""
    if domain.commands is not None and domain.commands.examples:
        return tuple(str(example) for example in domain.commands.examples[:EXAMPLES_MAX])
    sentences = examples(commands.network, commands.blocks, EXAMPLES)
    return tuple(sentences or [entry.title for entry in domain.entries[:EXAMPLES]])


def _graph(commands: Commands) -> WordGraph | None:
    """Of all sentences but the bare names of entries."""
    names_only = {str(number) for number, block in enumerate(commands.blocks) if not block.intent}
    if len(names_only) == len(commands.blocks):
        return None
    arcs = tuple(
        tuple(arc for arc in leaving if arc.mark is None or arc.mark.kind != "block" or arc.mark.name not in names_only)
        for leaving in commands.network.arcs
    )
    network = commands.network._replace(arcs=arcs)
    if _expanded(network) > EXPANDED_MAX:
        # Known at once; to try takes seconds, and 250 MB.
        return None
    try:
        graph = word_graph(network, EXPANDED_MAX)
    except TooLarge:
        return None
    return graph if len(graph.transitions) <= TRANSITIONS_MAX else None


def _expanded(network: Network) -> int:
    """The words of lists, each as often as it is gone through to another end: a graph has as many transitions at
    least."""
    callers: dict[int, set[int]] = {}
    for arc in itertools.chain.from_iterable(network.arcs):
        if arc.calls is not None:
            callers.setdefault(arc.calls, set()).add(arc.target)
    total = 0
    for start, targets in callers.items():
        words, waiting, seen = 0, [start], {start}
        while waiting:
            for arc in network.arcs[waiting.pop()]:
                words += bool(arc.word)
                if arc.target not in seen:
                    seen.add(arc.target)
                    waiting.append(arc.target)
        total += words * len(targets)
    return total


def pronunciations(domain: Domain, network: Network) -> dict[str, tuple[str, ...]]:
    """Of the network's words that the general dictionary lacks, or the domain knows better."""
    known = dictionary()
    lacking = sorted(word for word in network.words() if word in domain.lexicon or word not in known)
    said = Pronouncer(domain.lexicon).pronounce(lacking)
    return {word: tuple(names_of(variant) for variant in its.variants) for word, its in said.items() if its.variants}


def _said(domain: Domain, names: Sequence[Named]) -> dict[str, tuple[Phones, ...]]:
    """How each name is said; one that nobody can say is among them with nothing."""
    said = Pronouncer(domain.lexicon).pronounce(one.name for one in names)
    return {one.name: said[one.name].variants[:SAID_MAX] if one.name in said else () for one in names}


def _phrases(said: Mapping[str, Sequence[Phones]]) -> dict[str, Phones]:
    """The names as words, and how each is usually said; without what nobody can say."""
    phrases = {" ".join(words_of(name)).lower(): variants[0] for name, variants in said.items() if variants}
    return phrases if len(phrases) <= PHRASES_MAX else {}


def _names(domain: Domain) -> Iterator[Named]:
    """The names that can be said."""
    for entry in domain.entries:
        for name in entry.names:
            if name.isascii() or all(can_be_said(word, domain.lexicon) for word in words_of(name)):
                yield Named(entry.tags, name, entry.id)
