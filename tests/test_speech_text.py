"""Which words of an answer are spoken, and what of any text can be."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.answering.speech_text import CHARACTERS_MAX, Says, speakable, spoken
from edge.asking.answer import Answer, Choice, Result

RESULT = Result("w", "Will it rain?", "Not before tonight.", 1.0, None, None)
BARE = msgspec.structs.replace(RESULT, snippet="")
CHOICES = (Choice("a large mocha", "order"), Choice("a large latte", "order"))


@pytest.mark.parametrize(
    ("answer", "says", "text"),
    [
        (Answer("cloud", response="Done.", results=(RESULT,)), "snippet", "Done."),
        (
            Answer("cloud", choices=CHOICES, results=(RESULT,)),
            "snippet",
            "Did you mean a large mocha, or a large latte?",
        ),
        (Answer("cloud", results=(RESULT, BARE)), "snippet", "Not before tonight."),
        (Answer("cloud", results=(BARE,)), "snippet", "Will it rain?"),
        (Answer("cloud", results=(RESULT,)), "title", "Will it rain?"),
        (Answer("cloud", results=(RESULT,)), "response", ""),
        (Answer("cloud", transcript="hello"), "snippet", ""),
    ],
)
def test_the_response_goes_before_a_question_and_that_before_what_was_found(
    answer: Answer, says: Says, text: str
) -> None:
    assert spoken(answer, says) == text


def test_a_long_text_is_cut_between_words_and_a_word_without_end_somewhere() -> None:
    assert speakable("abcd " * 200) == ("abcd " * 100).strip()
    assert speakable("a" * 900) == "a" * CHARACTERS_MAX


@given(st.text(max_size=2000))
def test_any_text_becomes_one_line_that_is_bounded_and_obeyed_by_nothing(text: str) -> None:
    line = speakable(text)
    assert len(line) <= CHARACTERS_MAX
    assert line.isprintable()
    assert not set("[]") & set(line)
    assert line == line.strip()
