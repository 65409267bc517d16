"""Sentences that two blocks have both."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from cloud.building.checks import shared_sentences as module
from cloud.building.checks.shared_sentences import shared_sentences
from cloud.building.commands import Commands, compile_commands
from cloud.building.commands_text import parse_commands
from cloud.understanding.network import Following, Network, Place, beginnings, plain
from cloud.understanding.parse import parse

LISTS = "lists: {x: {values: [a, b c, d, b]}, y: {values: [a e, b, c]}, z: {values: [d, e]}}"


def compiled(*blocks: str) -> Commands:
    written = ", ".join(f"{{sentences: [{sentence!r}]}}" for sentence in blocks)
    return compile_commands(parse_commands(f"intents: {{i: {{data: [{written}]}}}}\n{LISTS}"))


def _letters(number: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in f"{number:04}")


def of_block(network: Network, block: int) -> set[tuple[str, ...]]:
    """All sentences of one block, by walking every way."""
    following = Following(plain(network)._replace(start=beginnings(network)[block]))
    found: set[tuple[str, ...]] = set()
    waiting: list[tuple[Place, tuple[str, ...]]] = [(following.start, ())]
    while waiting:
        place, said = waiting.pop()
        if following.end(place) is not None:
            found.add(said)
        waiting += {(spoken.place, (*said, spoken.word.lower())) for spoken in following.words(place)}
    return found


PARTS = some.lists(
    some.sampled_from(["a", "b", "c", "d", "e", "[a]", "(b|c)", "{x}", "{y}", "{z}"]), min_size=1, max_size=4
)


@given(some.lists(PARTS.map(" ".join), min_size=2, max_size=3))
@example(["{x}", "{z}"])
@example(["{x} e", "{y}"])
@example(["a {z}", "{y}"])
def test_what_is_found_is_what_listing_all_sentences_finds(blocks: list[str]) -> None:
    commands = compiled(*blocks)
    every = [of_block(commands.network, number) - {()} for number in range(len(blocks))]
    expected = {
        (one, other) for one, other in itertools.combinations(range(len(blocks)), 2) if every[one] & every[other]
    }
    silent = {number for number in range(len(blocks)) if () in of_block(commands.network, number)}
    found = shared_sentences(commands.network, commands.blocks, lambda one, other: True)
    assert found.is_all
    assert {(one.one, one.other) for one in found.found if one.words} == {
        pair for pair in expected if not silent.issuperset(pair)
    } or silent
    for shared in filter(lambda one: one.words, found.found):
        assert {meaning.block for meaning in parse(Following(commands.network), shared.words)} >= {
            shared.one,
            shared.other,
        }


def test_only_blocks_that_differ_are_told() -> None:
    commands = compiled("go {x}", "go a")
    assert shared_sentences(commands.network, commands.blocks, lambda one, other: False).found == []
    (shared,) = shared_sentences(commands.network, commands.blocks, lambda one, other: True).found
    assert shared == (0, 1, ("go", "a"))


def test_slots_that_are_required_or_forbidden_tell_blocks_apart() -> None:
    text = (
        "intents: {i: {data: [{sentences: ['go [{x}]'], requires: [x]}, {sentences: ['go [{x}]'], %s: [x]}]}}\n" + LISTS
    )
    for key, shared in (("forbids", 0), ("requires", 1)):
        commands = compile_commands(parse_commands(text % key))
        assert len(shared_sentences(commands.network, commands.blocks, lambda one, other: True).found) == shared


def test_a_list_that_many_blocks_go_through_is_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEPS_MAX", 400_000)
    values = ", ".join(f"lamp {_letters(number)}" for number in range(3000))
    blocks = ", ".join(f"{{sentences: ['turn {{x}} {_letters(number)} [now]']}}" for number in range(40))
    one_more = f"{{sentences: ['turn lamp {_letters(7)} {_letters(5)}']}}"
    text = f"intents: {{i: {{data: [{blocks}, {one_more}]}}}}\nlists: {{x: {{values: [{values}]}}}}"
    commands = compile_commands(parse_commands(text))
    found = shared_sentences(commands.network, commands.blocks, lambda one, other: True)
    assert found.is_all
    assert [(one.one, one.other) for one in found.found] == [(5, 40)]


def test_a_walk_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEPS_MAX", 10)
    commands = compiled("[a] [b] [c] [d] [e]", "[a] [b] [c] [d] [e] now")
    assert not shared_sentences(commands.network, commands.blocks, lambda one, other: True).is_all
