"""CMU's pronouncing dictionary, searched as it lies."""

import time

import pytest

from cloud.pronouncing import dictionary as module
from cloud.pronouncing.dictionary import Dictionary, dictionary
from cloud.pronouncing.phones import names
from common.errors import EngineError

TEXT = b"'bout B AW T\na AH\na(2) EY\na's EY Z\ncat K AE T\ncat(2) K AE T\nzoo Z UW\n"


def said(words: Dictionary, word: str) -> list[str]:
    return [names(phones) for phones in words.lookup(word)]


@pytest.mark.parametrize("text", [TEXT, TEXT[:-1]])
def test_variants_are_merged_the_usual_first_and_each_once(text: bytes) -> None:
    words = Dictionary(text)
    assert said(words, "a") == ["AH", "EY"]
    assert said(words, "cat") == ["K AE T"]
    assert said(words, "'bout") == ["B AW T"]
    assert said(words, "zoo") == ["Z UW"]
    assert list(words) == ["'bout", "a", "a's", "cat", "zoo"]


@pytest.mark.parametrize("word", ["", "a(2)", "b", "A", "zzz", "!", "z", "ca", "cat ", "\u00e9t\u00e9", "a\n"])
def test_what_is_no_word_of_it_has_no_pronunciation(word: str) -> None:
    assert Dictionary(TEXT).lookup(word) == ()
    assert word not in Dictionary(TEXT)
    assert Dictionary(b"").lookup(word) == ()


def test_the_one_that_is_installed_is_read_quickly_and_found_whole() -> None:
    began = time.process_time()
    words = Dictionary((dictionary())._text)
    assert time.process_time() - began < 0.2
    place = {line.split(b" ")[0].split(b"(")[0].decode() for line in words._text.splitlines()}
    assert list(words) == sorted(place)
    assert all(words.lookup(word) for word in list(place)[::20])


def test_without_pocketsphinx_a_sentence_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PLACE", "pocketsphinx/nowhere.dict")
    with pytest.raises(EngineError, match="pip install pocketsphinx"):
        dictionary.__wrapped__()
