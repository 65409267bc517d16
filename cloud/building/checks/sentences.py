"""What can be wrong with the intents, blocks, sentences and rules of a commands.yaml: one function a kind."""

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from hassil.expression import Expression, Permutation

from cloud.building.catalogue import ACTION
from cloud.building.checks.lists import Told
from cloud.building.commands_text import BlockText, CommandsText
from cloud.building.fault import quoted
from cloud.building.near import did_you_mean
from cloud.building.template_facts import Facts, circle, facts_of, flat_rules, lists_in, parts_of, rules_in
from cloud.building.template_text import NAME, parse_template, range_fault, range_of
from cloud.building.templates import ARCS_MAX, DEPTH_MAX, PERMUTED_MAX
from common.errors import DomainError

SHOWN_MAX = 8
"""Rules of a circle that are told."""
ENDLESS_MAX = 20
"""Rules without end that are told at once."""
UNKNOWN = Facts(is_spoken=True, is_silent=False)
"""Of a rule that is not there, or has no end."""


class Scope(NamedTuple):
    """What a template may refer to."""

    lists: frozenset[str]
    rules: Mapping[str, Expression]
    """Those that are templates."""
    flat: frozenset[str]
    """Those of them that end: not in a circle, nor beyond DEPTH_MAX others."""
    known_rules: frozenset[str]
    """All."""
    endless: Mapping[str, str]
    """What is wrong with some of those that do not end."""
    known: dict[str, Facts]
    """Facts of rules that were asked for."""

    def facts(self, expression: Expression) -> Facts:
        """Of a template; what it refers to wrongly counts for nothing."""
        return facts_of(expression, self._rule_facts)

    def within(self, block: BlockText) -> "Scope":
        """The same with what only a block has."""
        if not block.lists and not block.expansion_rules:
            return self
        return _scope(
            self.lists.union(map(str, block.lists)),
            {**self.rules, **dict(_templates(block.expansion_rules))},
            self.known_rules.union(map(str, block.expansion_rules)),
        )

    def _rule_facts(self, name: str) -> Facts:
        if name not in self.known:
            self.known[name] = facts_of(self.rules[name], self._rule_facts) if name in self.flat else UNKNOWN
        return self.known[name]


def scope_of(text: CommandsText) -> Scope:
    """Of the whole file."""
    rules = text.expansion_rules
    return _scope(frozenset(map(str, text.lists)), dict(_templates(rules)), frozenset(map(str, rules)))


def _scope(lists: frozenset[str], rules: Mapping[str, Expression], known_rules: frozenset[str]) -> Scope:
    leads = {name: rules_in(body) for name, body in rules.items()}
    flat = flat_rules(leads)
    others = {name: to for name, to in leads.items() if name not in flat}
    endless = {name: _endless(name, others) for name in list(others)[:ENDLESS_MAX]}
    return Scope(lists, rules, flat, known_rules, endless, {})


def _templates(bodies: Mapping[str, str]) -> Iterator[tuple[str, Expression]]:
    for name, body in bodies.items():
        try:
            yield str(name), parse_template(body)
        except DomainError:
            continue


def rule_faults(name: str, body: str, scope: Scope) -> Iterator[Told]:
    """Of an expansion rule that is called so."""
    line = getattr(name, "line", None)
    if not NAME.fullmatch(name):
        yield line, f"{quoted(name)} is no name of a rule: letters, digits, _ and - make one."
    try:
        parsed = parse_template(body)
    except DomainError as error:
        yield getattr(body, "line", line), f"the rule {name[:64]} {error}"
        return
    for sentence in _references(f"the rule {name}", parsed, scope):
        yield getattr(body, "line", line), sentence
    if str(name) in scope.endless:
        yield line, scope.endless[str(name)]


def _endless(name: str, rules: Mapping[str, Sequence[str]]) -> str:
    way = [f"<{rule}>" for rule in circle(rules, name)]
    if not way:
        return (
            f"the rule {name} leads through more than {DEPTH_MAX} rules, or into a circle. Put some of them together."
        )
    shown = way if len(way) <= SHOWN_MAX else [*way[: SHOWN_MAX - 1], "...", way[-1]]
    return f"{' leads to '.join(shown)}: rules go round in a circle. Take one of them out."


def block_faults(block: BlockText, scope: Scope) -> Iterator[Told]:
    """Of a block of sentences."""
    if not block.sentences and not block.is_partial:
        yield block.line("sentences"), "there are no sentences. Write at least one."
    found: list[Facts] = []
    for sentence in block.sentences:
        line = getattr(sentence, "line", block.line())
        try:
            parsed = parse_template(sentence)
        except DomainError as error:
            yield line, str(error)
            continue
        wrong = list(_references(quoted(sentence), parsed, scope))
        yield from ((line, told) for told in wrong)
        if not wrong:
            its = scope.facts(parsed)
            found.append(its._replace(may=its.may | block.slots.keys(), must=its.must | block.slots.keys()))
            yield from ((line, told) for told in _never(sentence, found[-1], block))
    is_whole = len(found) == len(block.sentences) and not block.is_partial
    may = frozenset().union(*(its.may for its in found))
    if is_whole:
        yield from _unknown_slots(block, may)
    yield from _outcome(block, may if is_whole else None)


def _references(what: str, parsed: Expression, scope: Scope) -> Iterator[str]:
    for reference in lists_in(parsed):
        if numbers := range_of(reference):
            if wrong := range_fault(*numbers):
                yield f"the range {{{reference.list_name}}} of {what} {wrong}"
        elif reference.list_name not in scope.lists:
            hint = did_you_mean(reference.list_name, sorted(scope.lists), "The lists are")
            yield f"{what} refers to {{{reference.list_name}}}, and there is no such list. {hint}".rstrip()
    for rule in rules_in(parsed):
        if rule not in scope.known_rules:
            hint = did_you_mean(rule, sorted(scope.known_rules), "The rules are")
            yield f"{what} refers to <{rule}>, and there is no such rule. {hint}".rstrip()
    for part in parts_of(parsed):
        if isinstance(part, Permutation) and len(part.items) > PERMUTED_MAX:
            most = f"{PERMUTED_MAX} are the most"
            yield f"{what} has {len(part.items)} parts in any order (;), but {most}. Write several sentences."


def _never(sentence: str, its: Facts, block: BlockText) -> Iterator[str]:
    """Why nobody can say the sentence, or why nobody should have to."""
    what = quoted(sentence)
    if its.steps > ARCS_MAX:
        yield f"{what} stands for too much, about {its.steps:.0e} steps. Fewer parts in any order, shorter rules."
    elif not its.is_spoken:
        yield f"{what} has no words, so nobody can say it. Write what is said, or take it out."
    elif its.is_silent:
        yield f"{what} can be nothing at all, so silence would mean it. Take a part of it out of the brackets [ ]."
    for slot in sorted(map(str, block.requires & _unmet(block, its))):
        yield f"{what} can never match: it never has the slot {slot}, which its block requires. Put {{{slot}}} into it."
    for slot in sorted(map(str, block.forbids & its.must)):
        yield f"{what} can never match: it always has the slot {slot}, which its block forbids. Take it out."


def _unmet(block: BlockText, its: Facts) -> frozenset[str]:
    """Required slots that other sentences of the block may have and this one never has."""
    return frozenset(slot for slot in block.requires if slot not in its.may)


def _unknown_slots(block: BlockText, may: frozenset[str]) -> Iterator[Told]:
    for key, slots in (("requires", block.requires), ("forbids", block.forbids)):
        for slot in sorted(slots):
            if slot not in may:
                hint = did_you_mean(slot, sorted(may), "Its slots are")
                line = getattr(slot, "line", block.line(key))
                yield line, f"{key} names the slot {quoted(slot)}, and no sentence of the block has it. {hint}".rstrip()
    for slot in sorted(block.requires & block.forbids):
        yield getattr(slot, "line", None), f"the slot {quoted(slot)} is required and forbidden. Take one of them out."


def _outcome(block: BlockText, may: frozenset[str] | None) -> Iterator[Told]:
    """`may`: the block's slots; None: not all of them are known."""
    for slot in block.slots:
        if not NAME.fullmatch(slot):
            yield (
                getattr(slot, "line", None),
                f"{quoted(slot)} is no name of a slot: letters, digits, _ and - make one.",
            )
    if block.action is not None and not re.fullmatch(ACTION, block.action):
        hint = "Write it as in timer.start: small letters, digits, dots, _ and -."
        yield block.line("action"), f"{quoted(block.action)} is no name of an action. {hint}"
    if block.sure < block.ask:
        told = (
            f"sure is {block.sure:g} and ask is {block.ask:g}, but nobody is asked what is sure. Make sure the larger."
        )
        yield block.line("sure" if "sure" in block.lines else "ask"), told
    if block.response is not None:
        yield from ((block.line("response"), told) for told in _response(block.response, may))


def _response(response: str, may: frozenset[str] | None) -> Iterator[str]:
    try:
        parts = list(string.Formatter().parse(response))
    except ValueError:
        yield "the response has a bracket { or } of its own. Write {slot} for a slot's words, {{ and }} for brackets."
        return
    for _, slot, form, conversion in parts:
        if slot is None:
            continue
        if not NAME.fullmatch(slot) or form or conversion:
            yield f"the response has {quoted('{' + slot + '}')}, but only {{slot}} can stand there."
        elif may is not None and slot not in may:
            hint = did_you_mean(slot, sorted(may), "Its slots are")
            yield f"the response names the slot {slot}, and no sentence of the block has it. {hint}".rstrip()
