"""The names of a catalogue as tokens."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cloud.decoders.name_table import NameTable, Node, name_table, written


def letters(texts: list[str]) -> list[list[int]]:
    return [[ord(char) for char in text] for text in texts]


def follow(table: NameTable, text: str) -> Node | None:
    """Where a text leads, letter by letter."""
    node = table.start
    for char in text:
        ways = table.next(node)
        at = np.flatnonzero(ways.tokens == ord(char))
        if not len(at):
            return None
        node = Node(int(ways.firsts[at[0]]), int(ways.ends[at[0]]), node.depth + 1)
    return node


def ended(table: NameTable, text: str) -> list[str]:
    node = follow(table, text)
    return [] if node is None else [one.name for one in table.ended(node)]


def test_a_name_is_written_with_and_without_its_accents_and_signs() -> None:
    assert list(written("São Tomé-Sul")) == ["São Tomé-Sul", "Sao Tome-Sul", "Sao Tome Sul", "sao tome sul"]
    assert list(written("Bodø")) == ["Bodø", "Bodo", "bodo"]
    assert list(written("paris")) == ["paris"]
    table = name_table(["Bodø", "Bo", "Åre"], letters)
    assert ended(table, " bodo") == ended(table, " Bodø") == ["Bodø"]
    assert ended(table, " Bo") == ["Bo"]
    assert ended(table, " Bod") == ended(table, "") == []


def test_names_that_are_written_alike_are_both_there() -> None:
    assert ended(name_table(["Sao Tome", "São Tomé"], letters), " sao tome") == ["Sao Tome", "São Tomé"]


def test_only_some_of_the_names_may_be_listened_for_and_the_likelier_tell_on_their_beginnings() -> None:
    table = name_table(["Bath", "Bari", "Oslo"], letters)
    some = table.among(np.array([-2.0, -0.5, -np.inf], np.float32))
    assert follow(some, " O") is None
    node = follow(some, " B")
    assert node is not None
    ways = some.next(Node(node.first, node.end, node.depth))
    assert (ways.tokens.tolist(), ways.likely.tolist()) == ([ord("a")], [-0.5])
    assert some.ended(follow(some, " Bath") or node) == [("Bath", -2.0)]
    none = table.among(np.full(3, -np.inf, np.float32))
    assert len(none.next(none.start).tokens) == 0


@given(st.lists(st.text("abcé -", min_size=1, max_size=6), max_size=8))
def test_every_way_to_write_a_name_leads_to_it(names: list[str]) -> None:
    unique = list(dict.fromkeys(names))
    table = name_table(unique, letters)
    for name in unique:
        for text in written(name):
            assert name in ended(table, f" {text}")
