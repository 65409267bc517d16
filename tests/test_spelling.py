"""Sentences as a recogniser would write them, token by token."""

from cloud.building.commands import compile_commands
from cloud.building.commands_text import parse_commands
from cloud.decoders.spelling import forms
from cloud.decoders.token_paths import Step, TokenPaths

TIMER = """
intents:
  timer: {data: [{sentences: ["i need {minutes} minutes", "stop"]}]}
lists:
  minutes: {values: [one hundred and five]}
"""
NUMBERS = """
intents:
  timer: {data: [{sentences: ["i need {minutes} minutes", "{minutes} percent"]}]}
lists:
  minutes: {range: {from: 19, to: 105}}
"""


def letters(text: str) -> list[int]:
    """A token a letter."""
    return [ord(letter) for letter in text]


def walk(paths: TokenPaths, text: str) -> Step | None:
    """Where a written text leads, and at what cost; None where it may not be written."""
    way: Step | None = Step(paths.start(), 0.0)
    for number, token in enumerate(letters(text)):
        step = paths.next(way.frontier, first=number == 0).get(token) if way else None
        way = Step(step.frontier, step.cost + way.cost) if step and way else None
    return way


def paths(commands: str) -> TokenPaths:
    return TokenPaths(compile_commands(parse_commands(commands)).network, letters)


def test_words_may_have_capitals_hyphens_and_symbols() -> None:
    assert forms("ounce", first=False) == [" ounce", " Ounce", "-ounce"]
    assert forms("ounce", first=True) == [" ounce", " Ounce"]
    assert forms("percent", first=False) == [" percent", " Percent", "%", "-percent"]
    assert forms("i'd", first=False) == [" I'd"]


def test_what_was_prepared_is_not_spelled_again() -> None:
    written: list[str] = []

    def write(text: str) -> list[int]:
        written.append(text)
        return letters(text)

    minutes = TokenPaths(compile_commands(parse_commands(NUMBERS)).network, write)
    minutes.prepare(50)
    known = len(written)
    frontier = minutes.start()
    for number, letter in enumerate(" I need"):
        frontier = minutes.next(frontier, first=not number)[ord(letter)].frontier
    assert len(written) == known
    minutes.prepare(1000)
    assert len(written) > known


def test_numbers_may_be_written_in_digits() -> None:
    minutes = paths(NUMBERS)
    for written, words in {
        " I need twenty five minutes": "i need twenty five minutes",
        " I need 25 minutes": "i need twenty five minutes",
        " I need 25-minutes": "i need twenty five minutes",
        " 105%": "one hundred five percent",
        " Nineteen percent": "nineteen percent",
    }.items():
        step = walk(minutes, written)
        assert step is not None
        assert minutes.is_final(step.frontier)
        assert " ".join(minutes.words(tuple(letters(written)))) == words


def test_what_no_sentence_is_may_not_be_written() -> None:
    minutes = paths(NUMBERS)
    for written in (" I need 18 minutes", " I need 250", " i need", " need", "I"):
        assert walk(minutes, written) is None
    begun = walk(minutes, " I need 2")
    assert begun is not None
    assert not minutes.is_final(begun.frontier)
    assert minutes.words(tuple(letters(" I need 2"))) == ()


def test_a_number_with_an_and_in_it() -> None:
    timer = paths(TIMER)
    assert " ".join(timer.words(tuple(letters(" I need 105 minutes")))) == "i need one hundred and five minutes"


def test_what_people_say_around_a_command_costs_something() -> None:
    timer = paths(TIMER)
    plain, kind = walk(timer, " Stop"), walk(timer, " Please stop")
    assert plain is not None
    assert kind is not None
    assert 0 == plain.cost < kind.cost
