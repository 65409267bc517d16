"""Pronunciations guessed from letters, and the table that they are guessed by."""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from cloud.pronouncing.dictionary import dictionary
from cloud.pronouncing.graphones import Graphones, graphones
from cloud.pronouncing.phones import names
from common.errors import EngineError
from models.tables.graphone_alignment import Spelt, align
from models.tables.graphone_counts import learn
from models.tables.graphones import save
from models.tables.held_words import PLAIN, family, part_of

FEW = [
    Spelt(word, tuple(phones.split()))
    for word, phones in {
        "cat": "K AE T", "act": "AE K T", "chat": "CH AE T", "hat": "HH AE T", "tax": "T AE K S", "at": "AE T",
        "ax": "AE K S", "tech": "T EH K", "echo": "EH K OW", "each": "IY CH", "teach": "T IY CH", "tea": "T IY",
    }.items()
]  # fmt: skip
SEQUENCES = ([0, 1, 2], [0, 1, 2, 2], [1, 1, 2], [0, 2], [2, 1, 0, 1], [0, 1], [0, 1, 2, 0, 1, 2])


def table(folder: Path) -> Graphones:
    """Of a few words, kept whole."""
    spelt = align(FEW)
    all_of_them = sorted({one for word in spelt for one in word})
    sequences = [[all_of_them.index(one) for one in word] for word in spelt]
    save(folder / "few.npz", all_of_them, learn(sequences, len(all_of_them), (1, 1, 1, 1)))
    return Graphones(folder / "few.npz")


def test_letters_make_their_phones() -> None:
    found = {word.word: made for word, made in zip(FEW, align(FEW), strict=True)}
    assert found["tax"] == [("t", "T"), ("a", "AE"), ("x", "K S")]
    assert [phones for _, phones in found["hat"]] == ["HH", "AE", "T"]
    for word, made in zip(FEW, found.values(), strict=True):
        assert "".join(letter for letter, _ in made) == word.word
        assert " ".join(phones for _, phones in made if phones) == " ".join(word.phones)


def test_what_is_not_spelt_so_is_left_out() -> None:
    assert align([*FEW, Spelt("at", ("K", "AE", "T", "K", "AE", "T"))])[-1] == []


def plainly(context: Sequence[int], symbol: int, order: int, size: int) -> float:
    """Interpolated Kneser and Ney by its definition, with three discounts, from the sequences themselves."""
    begin, end = size - 1, size - 2
    texts = [[begin, *sequence, end] for sequence in SEQUENCES]

    def grams(length: int) -> Counter[tuple[int, ...]]:
        return Counter(tuple(text[at : at + length]) for text in texts for at in range(len(text) - length + 1))

    def times(length: int) -> dict[tuple[int, ...], int]:
        before = Counter(gram[1:] for gram in grams(length + 1)) if length < order else {}
        counts = {gram: before.get(gram) or count for gram, count in grams(length).items()}
        return {gram: 0 if gram == (begin,) else count for gram, count in counts.items()}

    def chance(context: tuple[int, ...], symbol: int) -> float:
        counts = times(len(context) + 1)
        of = [sum(count == n for count in counts.values()) for n in (1, 2, 3, 4)]
        share = of[0] / max(1, of[0] + 2 * of[1])
        discounts = [max(0.05, n - (n + 1) * share * of[n] / max(1, of[n - 1])) for n in (1, 2, 3)]
        shorter = chance(context[1:], symbol) if context else 1 / size
        here = {gram: count for gram, count in counts.items() if gram[:-1] == context and count}
        if not here:
            return shorter
        total = sum(here.values())
        off = {gram: discounts[min(count, 3) - 1] for gram, count in here.items()}
        its = (*context, symbol)
        return (here.get(its, 0) - off.get(its, 0)) / total + sum(off.values()) / total * shorter

    return chance(tuple(context)[-(order - 1) :] if order > 1 else (), symbol)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_the_tree_has_the_chances_of_kneser_and_neys_definition(order: int) -> None:
    tree = learn(SEQUENCES, 3, [1] * order)
    parents = np.repeat(np.arange(len(tree.children)), tree.children)
    said: list[tuple[int, ...]] = [()]
    for node in range(1, len(tree.symbols)):
        said.append((*said[parents[node - 1]], int(tree.symbols[node])))
        if tree.symbols[node] != 4:
            wanted = plainly(said[node][:-1], said[node][-1], order, 5)
            assert math.exp(tree.chances[node]) == pytest.approx(wanted), said[node]


@pytest.mark.parametrize("least", [(1, 1, 1), (1, 1, 2), (1, 2, 2)])
def test_after_any_context_all_chances_add_up_to_one(tmp_path: Path, least: Sequence[int]) -> None:
    save(tmp_path / "t.npz", [("a", ""), ("a", "AA"), ("b", "B")], learn(SEQUENCES, 3, least))
    found = Graphones(tmp_path / "t.npz")
    for node in range(len(found._shorter)):
        chances, _ = found._step(np.full(5, node), np.arange(5))
        # Each to the nearest sixteenth of a logarithm.
        assert 0.95 < np.exp(chances).sum() < 1.05


def test_words_are_said_as_those_that_are_spelt_like_them(tmp_path: Path) -> None:
    found = table(tmp_path)
    guesses = found.guess(["tat", "chax", "hax"])
    assert [names(its[0].phones) for its in guesses] == ["T AE T", "CH AE K S", "HH AE K S"]
    assert all(its == sorted(its, key=lambda guess: -guess.likelihood) for its in guesses)
    assert len({guess.phones for guess in guesses[1]}) == len(guesses[1])


def test_the_beam_finds_the_likeliest_way_of_all(tmp_path: Path) -> None:
    found = table(tmp_path)
    for word in ("tat", "chat", "act"):
        # All ways to spell it, one by one.
        ways: list[tuple[int, float, bytes]] = [(int(found._start[0]), 0.0, b"")]
        for letter in word:
            its = ord(letter) - ord("a")
            symbols = range(found._first[its], found._first[its] + found._count[its])
            longer = []
            for node, likelihood, phones in ways:
                for symbol in symbols:
                    chance, after = found._step(np.array([node]), np.array([symbol]))
                    longer.append((int(after[0]), likelihood + float(chance[0]), phones + found._phones[symbol]))
            ways = longer
        sums: dict[bytes, float] = {}
        for node, likelihood, phones in ways:
            chance, _ = found._step(np.array([node]), np.array([found._end]))
            sums[phones] = sums.get(phones, 0) + math.exp(likelihood + float(chance[0]))
        best = found.guess([word], 1)[0][0]
        assert best.phones == max(sums, key=lambda phones: sums[phones])
        assert best.likelihood == pytest.approx(math.log(sums[best.phones]), abs=0.02)


def test_ways_to_spell_the_same_pronunciation_add_up(tmp_path: Path) -> None:
    save(tmp_path / "t.npz", [("a", ""), ("a", "AA")], learn([[0, 1], [1, 0]], 2, (1, 1)))
    found = Graphones(tmp_path / "t.npz")
    ways = []
    for symbols in ([0, 1, found._end], [1, 0, found._end]):
        node, likelihood = found._start, 0.0
        for symbol in symbols:
            chance, node = found._step(node, np.array([symbol]))
            likelihood += float(chance[0])
        ways.append(likelihood)
    (best,) = [guess for guess in found.guess(["aa"])[0] if names(guess.phones) == "AA"]
    assert best.likelihood == pytest.approx(np.logaddexp(*ways), abs=1e-4)


@given(some.lists(some.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12), max_size=5))
def test_any_letters_are_guessed_the_same_alone_and_among_others(words: list[str]) -> None:
    together = graphones().guess(words, 3)
    assert together == [graphones().guess([word], 3)[0] for word in words]
    assert all(len(its) <= 3 and all(guess.phones for guess in its) for its in together)


def test_of_held_out_words_two_of_three_are_right_first_and_nine_of_ten_among_five() -> None:
    held = [word for word in dictionary() if PLAIN.fullmatch(word) and part_of(word) == "tune"]
    assert 1900 < len(held) < 2200
    guesses = graphones().guess(held)
    right = [
        [guess.phones in dictionary().lookup(word) for guess in its] for word, its in zip(held, guesses, strict=True)
    ]
    assert np.mean([its[0] for its in right]) > 0.67
    assert np.mean([any(its) for its in right]) > 0.88


def test_a_word_and_its_plural_are_held_out_together() -> None:
    assert family("lantern's") == family("lanterns") == family("lantern") == "lantern"
    assert family("grass") == "grass"
    assert {part_of(word) for word in dictionary()} == {"learn", "tune", "test"}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"no table"])
def test_a_damaged_table_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.npz").write_bytes(content)
    with pytest.raises(EngineError, match="install Parrotlet again"):
        Graphones(tmp_path / "t.npz")
    np.savez(tmp_path / "t.npz", version=0)
    with pytest.raises(EngineError, match="not the table of this version"):
        Graphones(tmp_path / "t.npz")
