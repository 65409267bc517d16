"""What sentence templates stand for: as a network, as words that are understood, as a graph."""

import random
from collections.abc import Sequence

import pytest

from cloud.building.commands import Commands, Named, compile_commands
from cloud.building.commands_text import parse_commands
from cloud.understanding.network import Following, Place
from cloud.understanding.parse import Meaning, parse
from cloud.understanding.word_graph import TooLarge, WordGraph, word_graph
from common.errors import DomainError

SHOP = """
intents:
  order:
    data:
      - requires: [drink]
        sentences:
          - "[(can|may) i (get|have)] [a|an] ([{size}];[{shots}]) {drink} [with <extras>]"
      - slots: {drink: water}
        action: order.free
        response: "Water, {size}."
        sentences: ["water[s] [{size}]"]
  pour:
    data:
      - sentences: ["pour {amount} (millilitre[s]|m l)", "pour {50..60,5:amount}"]
  ask:
    data:
      - sentences: ["what is in [a] {thing}"]
expansion_rules:
  extras: "{milk} [[and] sugar]"
lists:
  size: {values: [small, {in: "(large|big)", out: L}]}
  shots: {values: [{in: "double [shot]", out: 2}]}
  drink: {values: [latte, iced tea, "I'd-say tea"]}
  milk: {values: ["[some|a lot of] (soy|oat) milk"]}
  amount: {range: {from: 20, to: 30, step: 5}}
  thing: {catalogue: food}
"""
NAMES = (Named(("food",), "Carrot cake (vegan)", "cake"), Named(("tool",), "Spoon", "spoon"))


@pytest.fixture(scope="module")
def shop() -> Commands:
    return compile_commands(parse_commands(SHOP), NAMES)


@pytest.fixture(scope="module")
def following(shop: Commands) -> Following:
    return Following(shop.network)


def intents(shop: Commands, found: Sequence[Meaning]) -> list[tuple[str, dict[str, str]]]:
    return [(shop.blocks[meaning.block].intent, meaning.slots) for meaning in found]


@pytest.mark.parametrize(
    ("said", "slots"),
    [
        ("latte", {"drink": "latte"}),
        ("a small latte", {"size": "small", "drink": "latte"}),
        ("may i have a double small iced tea", {"shots": "double", "size": "small", "drink": "iced tea"}),
        ("big double shot latte", {"size": "big", "shots": "double shot", "drink": "latte"}),
        ("latte with a lot of oat milk and sugar", {"drink": "latte", "milk": "a lot of oat milk"}),
        ("i'd say tea", {"drink": "i'd say tea"}),
        ("um please can i get a latte thank you", {"drink": "latte"}),
        ("a small latte no wait make that large", {"size": "large", "drink": "latte"}),
        ("a latte with soy milk or rather oat milk", {"drink": "latte", "milk": "oat milk"}),
    ],
)
def test_an_order_is_understood_with_its_slots(
    shop: Commands, following: Following, said: str, slots: dict[str, str]
) -> None:
    assert intents(shop, parse(following, said.split())) == [("order", slots)]


@pytest.mark.parametrize(
    "said",
    ["", "a", "small", "latte with", "small small latte", "latte latte", "late", "soy milk", "pour twenty one m l"],
)
def test_what_no_template_says_is_not_understood(following: Following, said: str) -> None:
    assert parse(following, said.split()) == []


def test_values_have_one_form_beside_the_words(following: Following) -> None:
    [order] = parse(following, ["big", "double", "shot", "latte"])
    assert order.values == {"size": "L", "shots": "2", "drink": "latte"}
    [poured] = parse(following, ["pour", "twenty", "five", "millilitres"])
    assert (poured.slots, poured.values) == ({"amount": "twenty five"}, {"amount": "25"})
    [inline] = parse(following, ["pour", "fifty", "five"])
    assert inline.values == {"amount": "55"}


def test_a_block_may_fix_slots_and_say_what_is_done(shop: Commands, following: Following) -> None:
    [water] = parse(following, ["waters", "large"])
    assert water.slots == {"size": "large", "drink": "water"}
    assert water.values == {"size": "L", "drink": "water"}
    assert (shop.blocks[water.block].action, shop.blocks[water.block].response) == ("order.free", "Water, {size}.")


def test_a_list_may_be_a_part_of_the_catalogue_and_any_entry_may_be_named(shop: Commands, following: Following) -> None:
    [asked] = parse(following, ["what", "is", "in", "a", "carrot", "cake", "vegan"])
    assert (asked.slots, asked.values) == ({"thing": "carrot cake vegan"}, {"thing": "cake"})
    [named] = parse(following, ["spoon"])
    assert (shop.blocks[named.block].intent, named.values) == ("", {"entry": "spoon"})
    assert parse(following, ["what", "is", "in", "spoon"]) == []


def test_courtesy_and_changes_of_mind_are_less_likely_than_the_plain_sentence(following: Following) -> None:
    plain, kind, changed = (
        parse(following, said.split())[0].cost
        for said in ("small latte", "small latte please", "small latte no make it big")
    )
    assert 0 == plain < kind < changed


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("light[s] on", {"light on", "lights on"}),
        ("(un|re)lock it", {"unlock it", "relock it"}),
        ("dim(| the| all the) lamp", {"dim lamp", "dim the lamp", "dim all the lamp"}),
        ("twenty-five, please!", {"twenty five please"}),
        ("(a;b)c", {"a b c", "b a c"}),
    ],
)
def test_letters_are_put_together_to_words(template: str, words: set[str]) -> None:
    commands = compile_commands(parse_commands(f'intents: {{one: {{data: [{{sentences: ["{template}"]}}]}}}}'))
    following = Following(commands.network)
    assert {said for said in sentences(following) if not parse(following, said.split())[0].cost} == words


def sentences(following: Following, longest: int = 5) -> set[str]:
    """All that may be said in so many words."""
    found: set[str] = set()
    ways: list[tuple[Place, tuple[str, ...]]] = [(following.start, ())]
    while ways:
        place, said = ways.pop()
        if said and following.end(place) is not None:
            found.add(" ".join(said))
        if len(said) < longest:
            ways += [(one.place, (*said, one.word)) for one in following.words(place) if not one.cost]
    return found


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("a {size}", "there is no such list"),
        ("a <size>", "there is no such rule"),
        ("a <round>", "circle"),
        ("(e;f;g;h;i;j;k)", "in any order"),
        ("<million>", "too many"),
    ],
)
def test_what_makes_no_sense_is_told(sentence: str, why: str) -> None:
    rules = {"round": "x <round>", "million": "<many> " * 100, "many": "<ten> " * 100, "ten": "(a|b|c) " * 100}
    written = ", ".join(f'{name}: "{body}"' for name, body in rules.items())
    text = f'{{intents: {{one: {{data: [{{sentences: ["{sentence}"]}}]}}}}, expansion_rules: {{{written}}}}}'
    with pytest.raises(DomainError, match=why):
        compile_commands(parse_commands(text))


def test_the_graph_says_what_the_network_says(shop: Commands, following: Following) -> None:
    graph = word_graph(shop.network, 100_000)
    draw = random.Random(3)
    for _ in range(300):
        said = drawn(graph, draw)
        assert parse(following, said.split()), said
    for said in ("a big double latte with soy milk", "pour twenty m l", "what is in carrot cake vegan"):
        assert accepts(graph, said.split())


def test_the_graph_has_nothing_twice_and_a_bound(shop: Commands) -> None:
    graph = word_graph(shop.network, 100_000)
    futures = {
        state: frozenset((one.word, one.probability, one.target) for one in graph.transitions if one.source == state)
        for state in range(graph.states)
    }
    assert len(set(futures.values())) == graph.states
    with pytest.raises(TooLarge):
        word_graph(shop.network, 100)


def drawn(graph: WordGraph, draw: random.Random) -> str:
    state, said = graph.start, []
    while state != graph.end:
        one = draw.choice([one for one in graph.transitions if one.source == state])
        said += [one.word] if one.word else []
        state = one.target
    return " ".join(said)


def accepts(graph: WordGraph, words: Sequence[str]) -> bool:
    states = {graph.start}
    for word in words:
        states = {one.target for one in graph.transitions if one.source in states and one.word == word}
    return any(one.source in states and one.target == graph.end and not one.word for one in graph.transitions)
