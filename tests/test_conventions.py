"""The conventions of labels: what a text is under the agreement, and what only a person can tell."""

import time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.labels.agreement import Agreement
from models.labels.definition import Definition
from models.labels.number_words import NUMBER_MAX, in_words, ordinal, value

TEXTS = [
    *(f"What's the {thing} like in Berlin?" for thing in ("weather", "food", "beer", "traffic", "music", "air")),
    *(f"Go to Berlin {when}." for when in ("now", "today", "at seven", "again")),
    *(f"Set the {thing}." for thing in ("timer", "table", "alarm", "clock")),
]


def agreement(**sections: dict[str, Any]) -> Agreement:
    """The example's with other values, on a set of a few texts."""
    definition = Definition()
    for section, values in sections.items():
        changed = msgspec.structs.replace(getattr(definition, section), **values)
        definition = msgspec.structs.replace(definition, **{section: changed})
    return Agreement(definition, TEXTS)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("Um… today's weather.", "Um, today's weather."),
        ("Um... today's weather.", "Um, today's weather."),
        ("Umm today's weather.", "Um, today's weather."),
        ("Set a um timer.", "Set a, um, timer."),
        ("Set a, uh… timer.", "Set a, uh, timer."),
        ("Um - set a timer.", "Um, set a timer."),
        ("Hello, um.", "Hello, um."),
        ("Uh-huh, the ER is 5 km away.", "Uh-huh, the ER is five km away."),
        ("set the timer", "Set the timer."),
        ("Set The Timer", "Set the timer."),
        ("SET THE TIMER.", "Set the timer."),
        ("go to berlin.", "Go to Berlin."),
        ("What's the time like in Berlin", "What's the time like in Berlin?"),
        ("Set the timer..", "Set the timer…"),
        ("Set the timer , please !!", "Set the timer, please!"),
        ("Whats the weather like in Berlin?", "What's the weather like in Berlin?"),
        ("I do n’t know.", "I don't know."),
        ("Id like the id of it.", "I'd like the id of it."),
        ("The color of the center's theater.", "The colour of the centre's theatre."),
        ("Ok, set 10 timers on the 21st.", "Okay, set ten timers on the twenty-first."),
        ("[COUGH] set it (inaudible).", "Set it [unintelligible]."),
        ("Set\u00a0the  tim\u200ber.", "Set the timer."),
        ("Set the tіmer.", "Set the timer."),  # The first i is Cyrillic.
    ],
)
def test_a_text_is_put_under_the_agreement(text: str, after: str) -> None:
    assert agreement().final(text) == after
    assert agreement().final(after) == after


@pytest.mark.parametrize("marks", ["." * 2000, ". " * 1000, ",…" * 500, " -" * 500, "\t " * 1000])
def test_a_run_of_marks_beside_a_filler_takes_no_time(marks: str) -> None:
    text = f"Um, go{marks}x um."
    began_s = time.process_time()
    assert "Um, go" in agreement().final(text)
    assert time.process_time() - began_s < 5


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Wake me at 7:30.", "numbers"),
        (f"Take {'9' * 5000}.", "numbers"),
        ("Take 1,000,000,000,000.", "numbers"),
        ("It was in 1990.", "numbers"),
        ("Why so", "punctuation"),
        ("Set the <whatever>.", "unclear"),
        ("[cough]", "noises"),
        ("Play the program.", "spelling"),
        ("Set the time日.", "characters"),
    ],
)
def test_what_only_a_person_can_tell_is_left_alone(text: str, name: str) -> None:
    steps = agreement().steps(text)
    assert (name, None) in [(step.name, step.after) for step in steps]


@pytest.mark.parametrize(
    ("section", "values", "text", "after"),
    [
        ("fillers", {"write": "ellipsis"}, "Um, today.", "Um… today."),
        ("fillers", {"write": "bare"}, "Um, today, er, now.", "Um today er now."),
        ("fillers", {"write": "drop"}, "Um, today, er, now.", "Today now."),
        ("punctuation", {"write": "none"}, "Well, it's [cough] on-line?", "Well it's on-line"),
        ("letter_case", {"write": "lower"}, "Go to Berlin.", "go to berlin."),
        ("letter_case", {"write": "upper"}, "Go [foreign] now.", "GO [foreign] NOW."),
        ("numbers", {"write": "digits"}, "Set twenty-one timers, this one too.", "Set 21 timers, this one too."),
        ("contractions", {"write": "expanded"}, "I can't, it's Ann's.", "I can not, it is Ann's."),
        ("spelling", {"english": "american"}, "The colour is grey.", "The color is gray."),
        ("noises", {"write": "mark"}, "Go (coughs) now.", "Go [cough] now."),
    ],
)
def test_another_agreement_gives_another_text(section: str, values: dict[str, Any], text: str, after: str) -> None:
    assert agreement(**{section: values}).final(text) == after


def test_ways_tell_how_it_is_written() -> None:
    table = {convention.name: convention for convention in agreement().conventions}
    written = ["Um, today's weather", "Um… today's weather", "Today's weather"]
    assert [table["fillers"].ways(text) for text in written] == [["comma"], ["ellipsis"], ["not written"]]
    assert table["numbers"].ways("ten and 10") == ["digits", "words"]
    assert table["letter_case"].ways("Set The Timer") == ["a capital a word"]


@given(st.text(max_size=60))
def test_any_text_is_settled_in_one_go(text: str) -> None:
    once = agreement().final(text)
    assert agreement().steps(once) is not None


@given(st.integers(0, NUMBER_MAX))
def test_a_number_in_words_is_read_back(number: int) -> None:
    spoken = in_words(number).replace("-", " ").split()
    assert value(spoken) == number


@pytest.mark.parametrize(("number", "word"), [(1, "first"), (12, "twelfth"), (20, "twentieth"), (43, "forty-third")])
def test_ordinals(number: int, word: str) -> None:
    assert ordinal(number) == word
