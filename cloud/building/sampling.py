"""Sentences that a network stands for, drawn at random, and how many there are. Pure."""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from cloud.building.fault import quoted
from cloud.building.near import did_you_mean
from cloud.understanding.block import Block
from cloud.understanding.network import Arc, Mark, Network, beginnings, plain
from common.errors import DomainError

TRIES_MAX = 200
"""Until a sentence has the slots that its block requires."""
EXAMPLES_DRAWN = 20
MISSES_MAX = 100
"""Sentences in a row that a block had before: it has no others."""


class Said(NamedTuple):
    """A sentence and what it means."""

    text: str
    block: int
    slots: dict[str, str]
    values: dict[str, str]


class Sampler:
    """Draws sentences of a network; the same from the same generator."""

    def __init__(self, network: Network, blocks: Sequence[Block], generator: random.Random) -> None:
        self._network = plain(network)
        self._blocks = blocks
        self._generator = generator
        self._count = ways(self._network)
        self._begins = beginnings(network)

    def draw(self, block: int) -> Said | None:
        """One of a block; None where none was found that has the slots which the block wants."""
        for _ in range(TRIES_MAX):
            said = self._one(block)
            wanted = self._blocks[block]
            if wanted.requires <= said.slots.keys() and not wanted.forbids & said.slots.keys():
                return said
        return None

    def sentences(self, block: int) -> int:
        """How many ways of saying things a block has, whatever slots it wants."""
        return self._count(self._begins[block])

    def _one(self, block: int) -> Said:
        slots: dict[str, str] = {}
        values: dict[str, str] = {}
        words: list[str] = []
        begun, value = 0, ""
        for arc in self._way(self._begins[block]):
            words += [arc.word] if arc.word else []
            match arc.mark:
                case Mark("open"):
                    begun, value = len(words), ""
                case Mark("value", _, in_one_form):
                    value = in_one_form
                case Mark("close", slot):
                    slots[slot] = " ".join(words[begun:]).lower()
                    values[slot] = value or slots[slot]
                case Mark("fixed", slot, in_one_form):
                    slots[slot], values[slot] = in_one_form.lower(), in_one_form
        return Said(" ".join(words), block, slots, values)

    def _way(self, state: int) -> Iterable[Arc]:
        """Arcs to the end of the sentence."""
        while state != self._network.final:
            arc = self._generator.choice(self._network.arcs[state])
            if arc.calls is not None:
                yield from self._value(arc.calls)
            yield arc
            state = arc.target

    def _value(self, state: int) -> Iterable[Arc]:
        """Arcs through a list: every value is as likely, whatever beginning it shares with others."""
        while state not in self._network.list_ends:
            arcs = self._network.arcs[state]
            (arc,) = self._generator.choices(arcs, [self._count(arc.target) for arc in arcs])
            yield arc
            state = arc.target


def examples(network: Network, blocks: Sequence[Block], count: int) -> list[str]:
    """Sentences of as many intents, for people to begin with: of a few that are drawn the shortest with a slot, as far
    as there are any. Always the same."""
    sampler = Sampler(network, blocks, random.Random(0))
    intents = {block.intent: number for number, block in reversed(list(enumerate(blocks))) if block.intent}
    chosen = [intents[intent] for intent in sorted(intents, key=lambda intent: intents[intent])]
    chosen = chosen[:: max(1, len(chosen) // count)][:count]
    said = [[said for _ in range(EXAMPLES_DRAWN) if (said := sampler.draw(block)) is not None] for block in chosen]
    return [min(drawn, key=lambda one: (not one.slots, len(one.text))).text for drawn in said if drawn]


def blocks_to_say(blocks: Sequence[Block], intent: str | None) -> list[int]:
    """Blocks of an intent, else of all; of a domain without commands that of the names. DomainError if there is no such
    intent."""
    intents = sorted({block.intent for block in blocks if block.intent})
    if intent is not None and intent not in intents:
        raise DomainError(
            f"There is no intent {quoted(intent)}. {did_you_mean(intent, intents, 'The intents are')}".strip()
        )
    return [number for number, block in enumerate(blocks) if block.intent in ([intent] if intent else intents or [""])]


def drawn(network: Network, blocks: Sequence[Block], of: Sequence[int], generator: random.Random) -> Iterator[Said]:
    """Different sentences, from all those blocks alike, as long as new ones are found."""
    sampler = Sampler(network, blocks, generator)
    left, seen, misses = list(of), set[str](), dict.fromkeys(of, 0)
    while left:
        block = generator.choice(left)
        said = sampler.draw(block)
        if said is not None and said.text not in seen:
            seen.add(said.text)
            misses[block] = 0
            yield said
            continue
        misses[block] += 1
        if misses[block] >= MISSES_MAX or said is None:
            left.remove(block)


def ways(network: Network) -> Callable[[int], int]:
    """Tells how many ways lead from a state to the end of the sentence, or of the list where it is in one."""
    counts: dict[int, int] = dict.fromkeys((network.final, *network.list_ends), 1)

    def count(state: int) -> int:
        # Without recursion: a sentence may be longer than Python goes deep.
        waiting = [state]
        while waiting:
            here = waiting[-1]
            if here in counts:
                waiting.pop()
                continue
            needed = {after for arc in network.arcs[here] for after in (arc.target, arc.calls) if after is not None}
            missing = [after for after in needed if after not in counts]
            if missing:
                waiting += missing
                continue
            counts[here] = sum(
                counts[arc.target] * (1 if arc.calls is None else counts[arc.calls]) for arc in network.arcs[here]
            )
            waiting.pop()
        return counts[state]

    return count
