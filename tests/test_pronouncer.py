"""How words are said, by whoever knows."""

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cloud.pronouncing.dictionary import dictionary
from cloud.pronouncing.phones import SILENCE, names, numbers
from cloud.pronouncing.pronouncer import VARIANTS_MAX, Pronouncer, Pronunciation

LEXICON = {
    "parrotlet": (numbers("P AE R AH T L AH T"),),
    "wah": (numbers("W AA"), numbers("W AH")),
    "roast": (numbers("R OW S"),),
    "7up": (numbers("S EH V AH N AH P"),),
}


def said(written: str) -> Pronunciation:
    return Pronouncer(LEXICON, alone=True).pronounce([written])[written]


def ways(written: str) -> list[str]:
    return [names(phones) for phones in said(written).variants]


@pytest.mark.parametrize(
    ("written", "first", "source"),
    [
        ("coffee", "K AA F IY", "dictionary"),
        ("Coffee", "K AA F IY", "dictionary"),
        ("roast", "R OW S", "lexicon"),
        ("Roast", "R OW S", "lexicon"),
        ("7Up", "S EH V AH N AH P", "lexicon"),
        ("parrotlets", "P AE R AH T L AH T S", "parts"),
        ("parrotlet's", "P AE R AH T L AH T S", "lexicon"),
        ("wahs", "W AA Z", "parts"),
        ("NHS", "EH N EY CH EH S", "letters"),
        ("nhs", "EH N EY CH EH S", "letters"),
        ("NASA", "N AE S AH", "dictionary"),
        ("GIMP", "JH IY AY EH M P IY", "letters"),
        ("W3C", "D AH B AH L Y UW TH R IY S IY", "dictionary"),
        ("7 pm", "S EH V AH N P IY EH M", "letters"),
        ("12", "T W EH L V", "dictionary"),
        ("caf\u00e9", "K AH F EY", "dictionary"),
        ("Wi-Fi", "W AY F AY", "dictionary"),
        ("able-bodied", "EY B AH L B AA D IY D", "dictionary"),
        ("icedmocha", "AY S T M OW K AH", "parts"),
        ("dougouwaga", "D UW G UW AA G AH", "guess"),
        ("frappuccino's", "F R AE P UW CH IY N OW Z", "guess"),
        ("boxes'", "B AA K S AH Z", "dictionary"),
        ("dark roast", "D AA R K R OW S", "dictionary"),
    ],
)  # fmt: skip
def test_who_knows_a_word_says_it(written: str, first: str, source: str) -> None:
    assert (ways(written)[0], said(written).source) == (first, source)


def test_a_phrase_has_the_variants_of_its_words_the_usual_ones_first() -> None:
    assert ways("a wah") == ["AH W AA", "AH W AH", "EY W AA", "EY W AH"]
    many = said("a wah a wah a wah a wah a wah a wah a wah a wah a wah a wah")
    assert len(many.variants) == VARIANTS_MAX
    assert names(many.variants[0]) == "AH W AA " * 9 + "AH W AA"


def test_a_guess_has_variants_the_likeliest_first() -> None:
    assert ways("zephyrine") == list(dict.fromkeys(ways("zephyrine")))
    assert 1 < len(ways("zephyrine")) <= VARIANTS_MAX
    assert said("zephyrine").source == "guess"
    assert "zephyrine" not in dictionary()


@pytest.mark.parametrize("written", ["", " ", "***", "'", "\u5317\u4eac", "-", "\n"])
def test_what_has_nothing_to_be_said_is_left_out(written: str) -> None:
    assert Pronouncer().pronounce([written, "a"]).keys() == {"a"}


@given(some.lists(some.text("aeioubcdst'- 12.\u00e9\u00dfA", max_size=12), max_size=6))
def test_alone_and_among_others_a_word_is_said_the_same(written: Sequence[str]) -> None:
    pronouncer = Pronouncer(LEXICON, alone=True)
    together = pronouncer.pronounce(written)
    for text in written:
        assert together.get(text) == pronouncer.pronounce([text]).get(text)
    for found in together.values():
        assert 0 < len(found.variants) <= VARIANTS_MAX
        assert all(phones and max(phones) < SILENCE for phones in found.variants)


def test_a_word_of_any_length_is_guessed_in_no_time() -> None:
    began = time.process_time()
    found = Pronouncer().pronounce(["ab" * 5000, "x" * 5000, "1" * 5000, "a-" * 5000])
    assert len(found) == 4
    assert time.process_time() - began < 5
