"""Sentence templates as a network of words: the same sentences that Home Assistant's own library makes of them."""

import random

import pytest
from hassil import parse_sentence
from hassil.intents import TextSlotList
from hassil.sample import sample_sentence
from hypothesis import given
from hypothesis import strategies as some

from cloud.building.commands import SHORT_LIST_MAX, Commands, compile_commands
from cloud.building.commands_text import parse_commands
from cloud.building.sampling import Sampler, blocks_to_say, drawn
from cloud.understanding.network import Following, Place, plain
from cloud.understanding.parse import parse
from common.errors import DomainError

LISTS = {"x": ["red", "dark blue"], "y": ["one", "two"]}
RULES = {"r": "(left|right)", "s": "[very] {y}"}


def compiled(*sentences: str, more: str = "") -> Commands:
    written = "".join(f"          - {sentence!r}\n" for sentence in sentences)
    rules = "".join(f"  {name}: {body!r}\n" for name, body in RULES.items())
    lists = "".join(f"  {name}: {{values: {values!r}}}\n" for name, values in LISTS.items())
    text = f"intents:\n  a:\n    data:\n      - sentences:\n{written}expansion_rules:\n{rules}lists:\n{lists}"
    return compile_commands(parse_commands(text + more))


def sentences(commands: Commands) -> set[str]:
    """All of them, by walking every way."""
    following = Following(plain(commands.network))
    found: set[str] = set()
    waiting: list[tuple[Place, tuple[str, ...]]] = [(following.start, ())]
    while waiting:
        place, said = waiting.pop()
        if following.end(place) is not None:
            found.add(" ".join(said))
        waiting += {(spoken.place, (*said, spoken.word)) for spoken in following.words(place)}
    return found


def by_hassil(sentence: str) -> set[str]:
    lists = {name: TextSlotList.from_strings(values, name=name) for name, values in LISTS.items()}
    rules = {name: parse_sentence(body) for name, body in RULES.items()}
    return {" ".join(one.split()) for one in sample_sentence(parse_sentence(sentence), lists, rules)}


def _within(inner: some.SearchStrategy[str]) -> some.SearchStrategy[str]:
    parts = some.lists(inner, min_size=2, max_size=3)
    return some.one_of(
        inner.map("[{}]".format),
        parts.map(" ".join),
        parts.map("".join),
        parts.map(lambda its: f"({'|'.join(its)})"),
        parts.map(lambda its: f" ({';'.join(its)}) "),
    )


# A value is a word of its own, whatever touches it; hassil would glue them.
WORDS = some.sampled_from(["go", "light", "s", "to the", "<r>", " <s> ", " {x} ", " {y} ", " {y:z} ", "now "])
TEMPLATES = some.recursive(WORDS, _within, max_leaves=6)


@given(TEMPLATES)
def test_a_template_stands_for_the_sentences_that_hassil_makes_of_it(template: str) -> None:
    assert sentences(compiled(template)) == by_hassil(template)


@given(TEMPLATES, some.randoms(use_true_random=False))
def test_a_sentence_that_is_drawn_means_what_it_was_drawn_as(template: str, generator: random.Random) -> None:
    commands = compiled(f"begin {template}")
    said = Sampler(commands.network, commands.blocks, generator).draw(0)
    assert said is not None
    # Values of x and y differ, so only a slot that another name has too can be another.
    meanings = parse(Following(commands.network), said.text.split())
    assert {meaning.block for meaning in meanings} == {said.block}
    if "z" not in template:
        assert {str(meaning.slots | meaning.values) for meaning in meanings} == {str(said.slots | said.values)}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("light[s] on", {"light on", "lights on"}),
        ("(un|)lock", {"unlock", "lock"}),
        ("[please] turn (on|off)", {"turn on", "turn off", "please turn on", "please turn off"}),
        ("(a;b;[c])", {"a b", "b a", "c a b", "a c b", "a b c", "c b a", "b c a", "b a c"}),
        ("set to 50%", {"set to fifty percent"}),
        ("salt & pepper", {"salt and pepper"}),
        ("wi-fi at 7:30", {"wi fi at seven thirty"}),
        ("it's, well... fine!", {"it's well fine"}),
        ("7up", {"seven up"}),
        (r"a \(b\)", {"a b"}),
        ("caf\u00e9 'n' r&b", {"caf\u00e9 n r&b"}),
    ],
)
def test_letters_signs_and_numbers_become_the_words_that_are_said(template: str, expected: set[str]) -> None:
    assert sentences(compiled(template)) == expected


def test_numbers_are_said_in_every_usual_way_and_have_one_value() -> None:
    commands = compiled("{1..200:n}")
    for said, value in (("seven", "7"), ("a hundred", None), ("one hundred and five", "105"), ("one oh five", None)):
        assert [meaning.values for meaning in parse(Following(commands.network), said.split())] == (
            [{"n": value}] if value else []
        )
    assert {meaning.values["n"] for meaning in parse(Following(commands.network), ["one", "hundred", "five"])} == {
        "105"
    }


def test_a_slot_that_is_not_said_is_there() -> None:
    text = (
        "intents: {a: {data: [{sentences: ['go {x}', stop], slots: {state: 'On', b: 2}}]}}\nlists: {x: {values: [up]}}"
    )
    following = Following(compile_commands(parse_commands(text)).network)
    (meaning,) = parse(following, ["go", "up"])
    assert meaning.slots == {"x": "up", "state": "on", "b": "2"}
    assert meaning.values == {"x": "up", "state": "On", "b": "2"}
    assert parse(following, ["stop"])[0].slots == {"state": "on", "b": "2"}


@pytest.mark.parametrize("values", [SHORT_LIST_MAX, SHORT_LIST_MAX + 1])
def test_a_long_list_means_the_same_as_a_short_one(values: int) -> None:
    """Values that share their beginning are one way in a long one."""
    names = [f"lamp {first} {second}" for first in "abcdefghijklmnopqrst" for second in "abcdefghijklmnopqrst"][:values]
    listed = "".join(f"      - {{in: {name}, out: {number}}}\n" for number, name in enumerate(names))
    text = f"intents: {{a: {{data: [{{sentences: ['on {{lamp}}']}}]}}}}\nlists:\n  lamp:\n    values:\n{listed}"
    commands = compile_commands(parse_commands(text))
    for number in (0, 57, values - 1):
        assert [one.values for one in parse(Following(commands.network), ["on", *names[number].split()])] == [
            {"lamp": str(number)}
        ]
    assert parse(Following(commands.network), ["on", "lamp", "a"]) == []
    sampler = Sampler(commands.network, commands.blocks, random.Random(0))
    assert sampler.sentences(0) == values
    first = [sampler.draw(0) for _ in range(400)]
    assert len({said.text for said in first if said}) > 100


def test_every_value_of_a_list_is_as_likely_whatever_beginning_it_shares() -> None:
    values = ", ".join(["alone", *(f"lamp {chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(300))])
    text = f"intents: {{a: {{data: [{{sentences: ['{{x}}']}}]}}}}\nlists: {{x: {{values: [{values}]}}}}"
    commands = compile_commands(parse_commands(text))
    sampler = Sampler(commands.network, commands.blocks, random.Random(0))
    drawn_texts = [said.text for said in (sampler.draw(0) for _ in range(300)) if said]
    assert drawn_texts.count("alone") < 10


def test_what_a_template_refers_to_must_be_there() -> None:
    for wrong in ("{none}", "<none>"):
        with pytest.raises(DomainError, match=r"commands\.yaml:5: .* refers to .none., and there is no such"):
            compiled(wrong)


def test_sentences_are_drawn_from_all_blocks_alike_each_once_and_the_same_again() -> None:
    text = """
intents:
  few: {data: [{sentences: ["(a|b) now"]}]}
  many: {data: [{sentences: ["{1..50:n} now [then]"], forbids: [m]}, {sentences: ["{m} {k}"], requires: [k]}]}
lists: {m: {values: [here]}, k: {values: [there]}}
"""
    commands = compile_commands(parse_commands(text))

    def draw(intent: str | None) -> list[str]:
        of = blocks_to_say(commands.blocks, intent)
        return [said.text for said in drawn(commands.network, commands.blocks, of, random.Random(1))]

    assert sorted(draw("few")) == ["a now", "b now"]
    every = draw(None)
    assert len(every) == len(set(every)) > 60
    assert every == draw(None)
    assert {"a now", "b now", "here there"} < set(every[:30])
    with pytest.raises(DomainError, match="Did you mean many"):
        draw("manny")
