"""Everything that can be told of a commands.yaml before it is built: faults by their lines, and warnings."""

from collections.abc import Collection, Iterator
from pathlib import Path

from cloud.building.checks.lists import Told, list_faults
from cloud.building.checks.sentences import block_faults, rule_faults, scope_of
from cloud.building.commands_text import BlockText, CommandsText
from cloud.building.fault import Faults, quoted
from cloud.building.template_facts import lists_in, rules_in
from cloud.building.template_text import NAME, parse_template
from common.errors import DomainError

LETTERS_MAX = 400_000
"""Of all sentences and rules."""


def find_faults(text: CommandsText, tags: Collection[str] | None, file: Path, faults: Faults) -> None:
    """`tags`: of the catalogue; None: they are not known."""
    for line, sentence in _all(text, tags):
        faults.fault(file, line, sentence)


def find_unused(text: CommandsText, file: Path, faults: Faults) -> None:
    """Warns of lists and rules that no sentence uses, and of sentences that are written twice in a block."""
    for block in [None, *(block for block in _blocks(text) if block.lists or block.expansion_rules)]:
        lists, rules = (text.lists, text.expansion_rules) if block is None else (block.lists, block.expansion_rules)
        used_lists, used_rules = _used(text, block)
        for kind, names, used in (("list", lists, used_lists), ("rule", rules, used_rules)):
            for name in names:
                if name not in used:
                    told = f"no sentence uses the {kind} {name}. Use it, or take it out."
                    faults.warn(file, getattr(name, "line", None), told)
    for block in _blocks(text):
        seen: dict[str, int | None] = {}
        for sentence in block.sentences:
            line = getattr(sentence, "line", None)
            if sentence in seen:
                faults.warn(file, line, f"{quoted(sentence)} stands in line {seen[sentence]} already. Take one out.")
            seen.setdefault(sentence, line)


def _all(text: CommandsText, tags: Collection[str] | None) -> Iterator[Told]:
    letters = sum(map(len, text.expansion_rules.values()))
    letters += sum(len(one) for block in _blocks(text) for one in (*block.sentences, *block.expansion_rules.values()))
    if letters > LETTERS_MAX:
        yield None, f"sentences and rules have {letters:,} letters, but {LETTERS_MAX:,} are the most. Use lists."
        return
    if not text.language.lower().startswith("en"):
        yield text.line("language"), f"the language is {quoted(text.language)}, but only English (en) is listened for."
    if not text.intents and not text.is_partial:
        yield text.line("intents"), "there are no intents. Write at least one, or take the file out of the folder."
    scope = scope_of(text)
    # A rule of the whole file may refer to what only the blocks have that use it.
    everywhere = scope
    for block in _blocks(text):
        everywhere = everywhere.within(block)
    for name, its in text.lists.items():
        yield from list_faults(name, its, tags)
    for name, body in text.expansion_rules.items():
        yield from rule_faults(name, body, everywhere)
    for intent, its_text in text.intents.items():
        if not NAME.fullmatch(intent):
            told = f"{quoted(intent)} is no name of an intent: letters, digits, _ and - make one."
            yield getattr(intent, "line", None), told
        if not its_text.data and not its_text.is_partial:
            yield its_text.line("data"), f"the intent {intent[:64]} has no sentences. Write some, or take it out."
        for block in its_text.data:
            within = scope.within(block)
            for name, its in block.lists.items():
                yield from list_faults(name, its, tags)
            for name, body in block.expansion_rules.items():
                yield from rule_faults(name, body, within)
            yield from block_faults(block, within)


def _blocks(text: CommandsText) -> list[BlockText]:
    return [block for intent in text.intents.values() for block in intent.data]


def _used(text: CommandsText, block: BlockText | None) -> tuple[set[str], set[str]]:
    """Lists and rules that the sentences of a block come to; without one, of all blocks."""
    lists: set[str] = set()
    rules: set[str] = set()
    for one in [block] if block else _blocks(text):
        bodies = dict(text.expansion_rules) | one.expansion_rules
        waiting = [str(sentence) for sentence in one.sentences]
        while waiting:
            try:
                parsed = parse_template(waiting.pop())
            except DomainError:
                continue
            lists.update(reference.list_name for reference in lists_in(parsed))
            new = set(rules_in(parsed)) - rules
            rules |= new
            waiting += [str(bodies[name]) for name in new if name in bodies]
    return lists, rules
