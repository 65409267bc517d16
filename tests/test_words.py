import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.finding.words import content_words, sound, stem


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("um, today's weather", "today weather"),
        ("Uh what's the WEATHER like please?", "weather"),
        ("hey could you tell me the forecast", "forecast"),
        ("whats the weather like", "what\u2019s the weather like"),
        ("set a timer for ten minutes", "set timer 10 minutes"),
        ("twenty-five minutes", "25 minutes"),
        ("two hundred and ten grams", "210 grams"),
        ("one thousand two hundred and five", "1,205"),
        ("salt and two eggs", "salt 2 eggs"),
        ("at 7:30 a.m.", "seven thirty am"),
        ("at 7:00", "seven o'clock"),
        ("180°C", "one hundred and eighty degrees c"),
        ("10min", "ten min"),
        ("São Paulo, crème brûlée", "sao paulo creme brulee"),
        ("James Bond 007", "james bond seven"),
    ],
)
def test_two_ways_to_say_it_are_the_same_words(said: str, meant: str) -> None:
    assert content_words(said) == content_words(meant)


def test_fillers_stay_where_nothing_else_was_said() -> None:
    assert content_words("um what is it") == ["um", "what", "is", "it"]
    assert content_words(" ?! ") == []


def test_words_that_change_the_meaning_are_no_fillers() -> None:
    assert content_words("turn the light off") != content_words("turn the light on")
    assert content_words("volume up") != content_words("volume down")


@pytest.mark.parametrize(
    "forms",
    ["boil boils boiled boiling", "bake bakes baked baking", "potato potatoes", "berry berries",
     "stop stopped stopping", "dish dishes", "egg eggs", "chop chopping", "fill filled"],
)  # fmt: skip
def test_forms_of_a_word_have_one_stem(forms: str) -> None:
    assert len({stem(form) for form in forms.split()}) == 1


def test_short_words_keep_their_letters() -> None:
    assert [stem(word) for word in ("gas", "bed", "king", "red", "bus", "need")] == [
        "gas", "bed", "king", "red", "bus", "need",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "pair", ["light lite", "weather whether", "flour flower", "tokyo tokio", "chilli chili", "meat meet"]
)
def test_words_that_sound_alike_have_one_sound(pair: str) -> None:
    first, second = pair.split()
    assert sound(first) == sound(second) != ""


def test_what_is_not_english_has_no_sound() -> None:
    assert sound("7") == sound("日本") == ""


@given(st.text(st.characters()))
def test_any_text_gives_words_of_letters_and_digits(text: str) -> None:
    for word in content_words(text):
        assert word.isalnum()
        assert stem(word)
        sound(word)


@given(st.integers(min_value=1, max_value=99_999))
def test_a_number_in_words_is_the_number_in_digits(number: int) -> None:
    assert content_words(_spoken(number)) == [str(number)]


def _spoken(number: int) -> str:
    """Written independently of the code under test: "ninety nine thousand nine hundred and ninety nine"."""
    units = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    tens = "twenty thirty forty fifty sixty seventy eighty ninety"
    names = dict(enumerate([*units.split(), "eighteen", "nineteen"], 1))
    names |= dict(zip(range(20, 100, 10), tens.split(), strict=True))
    if number >= 1000:
        rest = number % 1000
        return f"{_spoken(number // 1000)} thousand" + (f" {'and ' * (rest < 100)}{_spoken(rest)}" if rest else "")
    if number >= 100:
        return f"{names[number // 100]} hundred" + (f" and {_spoken(number % 100)}" if number % 100 else "")
    return names.get(number) or f"{names[number // 10 * 10]} {names[number % 10]}"
