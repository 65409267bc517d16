"""What was made of a domain, for its owner: what is understood, by examples, and how large it is."""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cloud.building.bundle import Bundle
from cloud.building.commands import blocks_of
from cloud.building.commands_text import ListText
from cloud.building.domain import Domain
from cloud.building.sampling import Sampler
from cloud.pronouncing.pronouncer import Pronouncer

EXAMPLES = 3
DRAWN = 40
"""Sentences that a block's slots are told by."""
GUESSES_SHOWN_MAX = 12


class BlockView(NamedTuple):
    """A block of sentences."""

    intent: str
    line: int | None
    sentences: int
    """Ways to say it."""
    slots: tuple[str, ...]
    action: str | None
    response: str | None
    examples: tuple[str, ...]


def block_views(domain: Domain, bundle: Bundle) -> Iterator[BlockView]:
    """The blocks of a domain in their order."""
    sampler = Sampler(bundle.network, bundle.blocks, random.Random(0))
    for number, (intent, text) in enumerate(blocks_of(domain.commands) if domain.commands else ()):
        drawn = [said for said in (sampler.draw(number) for _ in range(DRAWN)) if said is not None]
        slots = dict.fromkeys(slot for said in drawn for slot in said.slots)
        examples = list(dict.fromkeys(said.text for said in drawn))[:EXAMPLES]
        yield BlockView(
            intent,
            text.line("sentences"),
            sampler.sentences(number),
            tuple(slots),
            text.action,
            text.response,
            tuple(examples),
        )


def overview(domain: Domain, bundle: Bundle) -> Iterator[str]:
    """Lines to read."""
    yield f"{domain.name} {domain.version}, {domain.folder}"
    yield f"{len(domain.entries):,} entries, {len({tag for one in domain.entries for tag in one.tags}):,} tags"
    views = list(block_views(domain, bundle))
    for view in views:
        where = f" (line {view.line})" if view.line else ""
        yield f"\n{view.intent}{where}: {about(view.sentences)} ways to say it"
        if view.slots:
            yield f"  slots     {', '.join(view.slots)}"
        if view.action:
            yield f"  action    {view.action}"
        if view.response:
            yield f"  response  {view.response}"
        for example in view.examples:
            yield f'  "{example}"'
    if domain.commands and domain.commands.lists:
        yield "\nlists"
        for name, text in domain.commands.lists.items():
            yield f"  {name:<20} {_values(text, domain)}"
    yield ""
    yield f"{about(sum(view.sentences for view in views))} ways to say something, {len(bundle.network.arcs):,} states"
    yield from _words(domain, bundle)
    yield _graph(bundle)


def about(number: int) -> str:
    """A count; of a large one the power of ten."""
    if number < 1_000_000:
        return f"{number:,}"
    power = len(str(number)) - 1
    return f"about {number // 10 ** (power - 1) / 10:g} x 10^{power}"


def _values(text: ListText, domain: Domain) -> str:
    if text.range is not None:
        return f"whole numbers from {text.range.start} to {text.range.to}"
    if text.catalogue is not None:
        entries = [entry for entry in domain.entries if text.catalogue in ("*", *entry.tags)]
        return f"{sum(len(entry.names) for entry in entries):,} names of {len(entries):,} entries"
    return f"{len(text.values):,} values"


def _words(domain: Domain, bundle: Bundle) -> Iterator[str]:
    words: Sequence[str] = sorted(bundle.network.words())
    said = Pronouncer(domain.lexicon).pronounce(words)
    guessed = [word for word in words if word in said and said[word].source == "guess"]
    shown = ", ".join(guessed[:GUESSES_SHOWN_MAX]) + (", ..." if len(guessed) > GUESSES_SHOWN_MAX else "")
    yield f"{len(words):,} words, {len(guessed):,} of them guessed" + (f": {shown}" if guessed else "")


def _graph(bundle: Bundle) -> str:
    if not bundle.has_commands:
        return "no commands: pocketsphinx listens to open speech"
    if bundle.graph is None:
        return "pocketsphinx gets no graph of the sentences, which would be too large: Whisper alone listens for them"
    return f"pocketsphinx gets a graph of {len(bundle.graph.transitions):,} transitions, {bundle.graph.states:,} states"
