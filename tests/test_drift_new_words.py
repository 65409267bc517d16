"""Words that a domain lacks, and that more and more people say."""

import numpy as np

from cloud.drift.causes import spelling, words
from cloud.drift.new_words import LEARN, WORDS_MAX, NewWords, NewWordsState, Rising
from cloud.pronouncing.lexicon import parse

HOUR_US = 3_600_000_000


def pushed(new: NewWords, said: list[list[str]], board: str = "bar", every_us: int = HOUR_US) -> list[Rising]:
    start = new.state.utterances
    return [one for number, unknown in enumerate(said) for one in new.push(board, (start + number) * every_us, unknown)]


def test_a_word_that_keeps_coming_back_is_told_once() -> None:
    new = NewWords(10_000)
    assert pushed(new, [[]] * LEARN) == []
    told = pushed(new, [["mocha"] if number % 5 == 0 else [] for number in range(60)])
    assert [(one.word, one.boards, one.usual_share) for one in told] == [("mocha", ("bar",), 0.0)]
    assert told[0].times >= 4 and told[0].utterances < 50


def test_talk_of_many_words_is_none_of_them() -> None:
    """As of somebody who reads a paper to the board: half of all utterances, each with other words."""
    new, draw = NewWords(10_000), np.random.default_rng(1)
    said = [
        [f"word{int(n)}" for n in draw.zipf(1.3, 3) if n < 5000] if draw.random() < 0.5 else [] for _ in range(5000)
    ]
    assert len(pushed(new, said)) <= 1


def test_who_is_not_understood_says_it_again_and_that_counts_once() -> None:
    new = NewWords(10_000)
    pushed(new, [[]] * LEARN)
    assert pushed(new, [["mocha"]] * 30, every_us=10_000_000) == []


def test_a_word_that_was_usual_must_rise_above_that() -> None:
    new = NewWords(10_000)
    half = [["please"], []]
    assert pushed(new, half * (LEARN // 2)) == []
    assert pushed(new, half * 1000) == []


def test_it_is_kept_and_forgotten() -> None:
    new = NewWords(10_000)
    pushed(new, [[]] * LEARN)
    pushed(new, [["mocha"], [], ["mocha"]])
    import msgspec

    again = NewWords(10_000, msgspec.msgpack.decode(msgspec.msgpack.encode(new.state), type=NewWordsState))
    assert again.state == new.state
    again.forget("bar")
    assert again.state.heard == {}


def test_memory_is_bounded() -> None:
    new = NewWords(10_000)
    pushed(new, [[f"w{number}"] for number in range(WORDS_MAX + 50)])
    assert len(new.state.heard) == WORDS_MAX


def test_it_is_told_with_how_it_is_said() -> None:
    rising = Rising("mocha", 5, 40, 0, ("bar",), 0.0)
    cause = words.cause_of(words.change_of(rising, HOUR_US, "All boards"), spelling.said)
    assert cause.name == "words" and "Board bar: “mocha” 5 times in 40 utterances" in cause.sentence
    assert "mocha  M OW K AH" in cause.advice
    several = words.change_of(rising._replace(boards=("bar", "hall")), HOUR_US, "All boards")
    assert words.cause_of(several).sentence.startswith("All boards: ")


def test_numbers_and_letters_are_no_words() -> None:
    assert words.unknown_in("A 12 oz. Mocha, please!", {"please"}.__contains__) == ["mocha"]


def test_what_no_dictionary_has_is_told_as_a_guess_with_its_line_for_the_lexicon() -> None:
    def line(word: str) -> str:
        rising = Rising(word, 9, 100, None, ("bar",), 0.0)
        cause = words.cause_of(words.change_of(rising, None, "All boards"), spelling.said)
        return cause.advice.rpartition("lexicon.txt: ")[2].removesuffix(".")

    guess = line("zorblight")
    assert guess == "zorblight  Z AO R B L AY T (guessed)" and parse(guess.removesuffix(" (guessed)"))
    assert parse(line("corona"))
