"""A domain's own lexicon.txt."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cloud.pronouncing.lexicon import FAULTS_SHOWN_MAX, LINES_MAX, parse, read_lexicon
from cloud.pronouncing.phones import names
from common.errors import DomainError


def said(text: str) -> dict[str, list[str]]:
    return {word: [names(phones) for phones in ways] for word, ways in parse(text).items()}


def test_a_word_has_phones_or_is_spelt_as_it_sounds() -> None:
    text = """
    # How our words are said.
    Macchiato  M AA1 K IY0 AA1 T OW0   # stress may be told
    tomato\tT AH M EY T OW
    tomato     T AH M AA T OW
    dougou = dew goo
    zhuzh-o = zhuh show
    guh-day = guh-day
    Caf\u00e9 = ka fay
    st-\u00e9tienne = sant eh tea en
    7up = seven up
    o'neil = oh kneel
    abc = A B C
    """
    assert said(text) == {
        "macchiato": ["M AA K IY AA T OW"],
        "tomato": ["T AH M EY T OW", "T AH M AA T OW"],
        "dougou": ["D UW G UW"],
        "zhuzh-o": ["ZH AH SH OW"],
        "guh-day": ["G AH D EY"],
        "caf\u00e9": ["K AA F EY"],
        "st-\u00e9tienne": ["S AE N T EH T IY EH N"],
        "7up": ["S EH V AH N AH P"],
        "o'neil": ["OW N IY L"],
        "abc": ["AH B IY S IY"],
    }


def test_a_folder_without_one_has_no_words_of_its_own(tmp_path: Path) -> None:
    assert read_lexicon(tmp_path) == {}
    (tmp_path / "lexicon.txt").write_bytes(b"\xef\xbb\xbfwah W AA\r\n\r\n# end\r\n")
    assert {word: list(map(names, ways)) for word, ways in read_lexicon(tmp_path).items()} == {"wah": ["W AA"]}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("latte L AA T EE", "there is no phone EE. Did you mean "),
        ("latte L AA T QQQ", "there is no phone QQQ. The phones are AA AE "),
        ("latte L AA T SIL", "there is no phone SIL. "),
        ("latte", 'has no phones: write them as in "coffee K AA F IY"'),
        ("latte =", 'nothing stands behind "="'),
        ("= lah tay", 'no word stands before "="'),
        ("iced latte = ice lah tay", '"iced latte" is more than one word: give each a line of its own.'),
        ("latte! L AA T EY", '"latte!" is no word'),
        ("latte(2) L AA T EY", '"latte(2)" is no word'),
        ("_x_ L AA", "is no word"),
        ("latte = lah \u5317\u4eac", "cannot be said: write it in plain English letters."),
        ("latte " + "T AH " * 31, "has 62 phones, but 60 are the most."),
        ("good G UH D", "says good as line 2 does already."),
    ],
)
def test_a_fault_is_named_with_its_line_and_the_way_out(tmp_path: Path, line: str, fault: str) -> None:
    (tmp_path / "lexicon.txt").write_text(f"\ngood G UH D\n{line}\nbetter B EH T ER\n")
    with pytest.raises(DomainError) as raised:
        read_lexicon(tmp_path)
    assert str(raised.value).startswith(f"{tmp_path}/lexicon.txt:3: ")
    assert fault in str(raised.value)
    assert "\n" not in str(raised.value)


def test_all_faults_are_told_at_once_up_to_a_screenful() -> None:
    with pytest.raises(DomainError) as raised:
        parse("word\n" * 30)
    lines = str(raised.value).splitlines()
    assert len(lines) == FAULTS_SHOWN_MAX + 1
    assert lines[-1] == "... and 10 more."


def test_a_file_that_is_no_text_or_far_too_long_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lexicon.txt").write_bytes(b"wah \xff\xfe")
    with pytest.raises(DomainError, match="lexicon.txt: not UTF-8 text."):
        read_lexicon(tmp_path)
    with pytest.raises(DomainError, match=f"{LINES_MAX} are the most"):
        parse("\n" * (LINES_MAX + 1))
    (tmp_path / "lexicon.txt").unlink()
    (tmp_path / "lexicon.txt").mkdir()
    with pytest.raises(DomainError, match="cannot be read"):
        read_lexicon(tmp_path)


@given(some.text(alphabet="ab =#'.\n\t12AHTSIL\u00e9-", max_size=60))
def test_any_text_is_a_lexicon_or_has_faults_with_their_lines(text: str) -> None:
    try:
        found = parse(text)
    except DomainError as error:
        assert all(line.startswith(("lexicon.txt:", "... and ")) for line in str(error).splitlines())
    else:
        assert all(word and ways and all(ways) for word, ways in found.items())
