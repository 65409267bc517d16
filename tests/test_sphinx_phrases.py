"""A domain's phrases among pocketsphinx's words."""

from hypothesis import given
from hypothesis import strategies as st

from cloud.decoders import Word
from cloud.decoders.sphinx_phrases import phrase_name, words_in

WORDS = st.lists(st.text("abcdefghijklmnopqrstuvwxyz'.-", min_size=1, max_size=8), min_size=1, max_size=6)


def test_a_word_that_is_no_phrase_stays_as_it_is() -> None:
    word = Word("o'clock", 100, 400)
    assert list(words_in(word)) == [word]


def test_the_words_of_a_phrase_share_its_time_by_their_letters() -> None:
    assert list(words_in(Word(phrase_name("phase of"), 1000, 1700))) == [
        Word("phase", 1000, 1500),
        Word("of", 1500, 1700),
    ]


@given(WORDS, st.integers(0, 5000), st.integers(0, 3000))
def test_no_word_and_no_time_of_a_phrase_is_lost(texts: list[str], start_ms: int, length_ms: int) -> None:
    words = list(words_in(Word(phrase_name(" ".join(texts)), start_ms, start_ms + length_ms)))
    assert [word.text for word in words] == texts
    assert (words[0].start_ms, words[-1].end_ms) == (start_ms, start_ms + length_ms)
    assert all(one.end_ms == after.start_ms for one, after in zip(words, words[1:], strict=False))
