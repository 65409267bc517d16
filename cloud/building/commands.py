"""A domain's commands as a network of words: its intents with their sentences, and the names of its catalogue."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hassil.expression import Expression, ListReference

from cloud.building.commands_text import BlockText, CommandsText, ListText, RangeText
from cloud.building.courtesy import AFTER, BEFORE, CHANGE, CHANGE_COST, COURTESY_COST
from cloud.building.fault import quoted
from cloud.building.folder import COMMANDS
from cloud.building.spoken_text import words_of
from cloud.building.template_text import is_template, parse_template, range_of
from cloud.building.templates import ARCS_MAX, Effort, Template, add_words
from cloud.building.word_tree import WordTree
from cloud.pronouncing.number_words import number
from cloud.understanding.block import Block
from cloud.understanding.network import Arc, Mark, Network, NetworkBuilder
from common.errors import DomainError


class Named(NamedTuple):
    """A name of an entry of the catalogue."""

    tags: tuple[str, ...]
    name: str
    id: str


class Commands(NamedTuple):
    """What may be said, and what it means."""

    network: Network
    blocks: tuple[Block, ...]
    """By the number that the mark "block" names: those of the file in its order, then that of the names."""


ENTRY = "entry"
"""The slot of a sentence that only names an entry of the catalogue."""

ASKED = "[find|show me|search for|look for|look up|where is|what is|tell me about|i am looking for]"
"""What may stand before a name."""

NAMES_MAX = 2_000
"""Names of a catalogue that are sentences; those of a larger one are listened for beside the sentences."""

NAME_COST = 2.0
"""A name alone is a little less likely than a command, a negative natural logarithm."""

SHORT_LIST_MAX = 200
"""Values of a list each of which has a way of its own, so that all are as likely; beginnings that many share are one
way in longer ones, which would not fit otherwise."""


def compile_commands(text: CommandsText, names: Sequence[Named] = (), file: Path = Path(COMMANDS)) -> Commands:
    """The network of a commands.yaml, called `file` in what is said of it, and the names of a catalogue. DomainError if
    a part of it makes no sense."""
    return _Compiler(text, names, file).compile()


def blocks_of(text: CommandsText) -> list[tuple[str, BlockText]]:
    """The blocks in order, with the intent of each."""
    return [(str(intent), block) for intent, its in text.intents.items() for block in its.data]


class _Compiler:
    def __init__(self, text: CommandsText, names: Sequence[Named], file: Path) -> None:
        self._text = text
        self._names = names
        self._file = file
        self._effort = Effort()
        self._builder = NetworkBuilder()
        self._lists: dict[int | tuple[int, int, int], int] = {}
        """First state of each list that was built, by its text's identity; of each range, by its numbers."""
        self._rules = _parsed(text.expansion_rules)

    def compile(self) -> Commands:
        start, gate, said, final = (self._builder.state() for _ in range(4))
        self._builder.add(start, Arc(gate))
        self._builder.add(said, Arc(final))
        self._around(BEFORE, gate)
        self._around(AFTER, said)
        blocks: list[Block] = []
        for intent, block in blocks_of(self._text):
            self._add_block(len(blocks), block, gate, said)
            blocks.append(_block(intent, block))
        if 0 < len(self._names) <= NAMES_MAX:
            asked = BlockText((f"{ASKED} {{{ENTRY}}}",), lists={ENTRY: ListText(catalogue="*")})
            self._add_block(len(blocks), asked, gate, said, NAME_COST)
            blocks.append(_block("", asked))
        return Commands(self._builder.finish(start, final), tuple(blocks))

    def _add_block(self, number: int, block: BlockText, start: int, final: int, cost: float = 0.0) -> None:
        rules = self._rules | _parsed(block.expansion_rules)
        lists = self._text.lists | block.lists
        begun, done = self._builder.state(), self._builder.state()
        self._builder.add(start, Arc(begun, mark=Mark("block", str(number)), cost=cost))
        slotted = done
        for slot, value in block.slots.items():
            before, slotted = slotted, self._builder.state()
            self._builder.add(before, Arc(slotted, mark=Mark("fixed", str(slot), str(value))))
        self._builder.add(slotted, Arc(final))
        template = Template(self._builder, self._effort, rules, lambda reference: self._list_start(reference, lists))
        for sentence in block.sentences:
            try:
                template.add(parse_template(sentence), begun, done)
            except DomainError as error:
                line = getattr(sentence, "line", "?")
                raise DomainError(f"{self._file}:{line}: {quoted(sentence)} {error}.") from error
        self._may_change(template.slots, done)

    def _around(self, phrases: Sequence[str], state: int) -> None:
        """Phrases that may be said any number of times at a state."""
        begun = self._builder.state()
        self._builder.add(state, Arc(begun, cost=COURTESY_COST))
        template = Template(self._builder, self._effort, {}, _no_list)
        for phrase in phrases:
            template.add(parse_template(phrase), begun, state)

    def _may_change(self, slots: Mapping[str, int], done: int) -> None:
        """After a sentence, its slots may be said again: `slots` has the first state of the list of each."""
        if not slots:
            return
        begun, changed = self._builder.state(), self._builder.state()
        self._builder.add(done, Arc(begun, cost=CHANGE_COST))
        template = Template(self._builder, self._effort, {}, _no_list)
        for phrase in CHANGE:
            template.add(parse_template(phrase), begun, changed)
        for slot, start in slots.items():
            opened, closing = self._builder.state(), self._builder.state()
            self._builder.add(changed, Arc(opened, mark=Mark("open", slot)))
            self._builder.add(opened, Arc(closing, calls=start))
            self._builder.add(closing, Arc(done, mark=Mark("close", slot)))

    def _list_start(self, reference: ListReference, lists: Mapping[str, ListText]) -> int:
        if numbers := range_of(reference):
            if numbers not in self._lists:
                first, last, step = numbers
                self._lists[numbers] = self._build(ListText(range=RangeText(first, last, step)))
            return self._lists[numbers]
        if reference.list_name not in lists:
            raise DomainError(f"refers to {{{reference.list_name}}}, and there is no such list")
        text = lists[reference.list_name]
        if id(text) not in self._lists:
            self._lists[id(text)] = self._build(text)
        return self._lists[id(text)]

    def _build(self, text: ListText) -> int:
        start, final = self._builder.state(), self._builder.state()
        values = list(_values(text, self._names))
        tree = WordTree(self._builder, start) if len(values) > SHORT_LIST_MAX else None
        template = Template(self._builder, self._effort, {}, _no_list)
        for said, value, may_be_template in values:
            if may_be_template and is_template(said):
                end = self._builder.state()
                template.add(parse_template(said), start, end)
            elif tree is not None:
                end = tree.add(words_of(said))
            else:
                end = self._builder.state()
                add_words(self._builder, said, start, end)
            # The value is told where the list is left; empty: the words that were said.
            self._builder.add(end, Arc(final, mark=Mark("value", value=value)))
            if self._builder.size > ARCS_MAX:
                raise DomainError(f"stands for too many sentences, more than {ARCS_MAX:,} steps")
        self._builder.end_list(final)
        return start


def _parsed(rules: Mapping[str, str]) -> dict[str, Expression]:
    return {str(name): parse_template(body) for name, body in rules.items()}


def _block(intent: str, text: BlockText) -> Block:
    """Without what only the reader of a file needs to know of its texts."""
    return Block(
        intent,
        frozenset(map(str, text.requires)),
        frozenset(map(str, text.forbids)),
        text.action and str(text.action),
        text.response and str(text.response),
        text.sure,
        text.ask,
    )


def _values(text: ListText, names: Sequence[Named]) -> Iterator[tuple[str, str, bool]]:
    """What is said, its value in one form (empty: what was said), and whether it may be a template."""
    for value in text.values:
        if isinstance(value, str):
            yield str(value), "", True
        else:
            yield str(value.said), "" if value.value is None else str(value.value), True
    if text.range is not None:
        for each in range(text.range.start, text.range.to + 1, text.range.step):
            for way in number(str(each)):
                yield " ".join(way), str(each), False
    if text.catalogue is not None:
        for named in names:
            if text.catalogue in ("*", *named.tags) and words_of(named.name):
                yield named.name, named.id, False


def _no_list(reference: ListReference) -> int:
    raise DomainError(f"refers to {{{reference.list_name}}} within a list")
