"""The entries for all that was heard together."""

from pathlib import Path

import pytest

from cloud.building.domain import Domain, Entry
from cloud.decoders import Alternative, Hypothesis, Name
from cloud.finding.heard import find
from cloud.finding.index import SqliteIndex, open_index
from cloud.finding.sounding import Sounding
from cloud.pronouncing.pronouncer import Pronouncer

ENTRIES = (
    Entry(id="sao", title="São Tomé"),
    Entry(id="sao-2", title="Sao Tome"),
    Entry(id="kure", title="Kure"),
    Entry(id="cure", title="Cure of headaches"),
    Entry(id="rantepao", title="Rantepao"),
    Entry(id="bath", title="Bath", aliases=("Aquae Sulis",)),
)


@pytest.fixture(scope="module")
def index() -> SqliteIndex:
    return open_index(Domain(name="shop", folder=Path("shop"), version="0123456789ab", entries=ENTRIES))


def ids(index: SqliteIndex, heard: Hypothesis) -> list[str]:
    found, why = find(index, None, heard, 5, explain=True)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert all(0 < one.score <= 1 for one in found)
    assert len(why) == len(found)
    return [one.id for one in found]


def heard(transcript: str, *names: tuple[str, float], others: tuple[str, ...] = ()) -> Hypothesis:
    return Hypothesis(
        "whisper",
        "tiny.en",
        transcript,
        alternatives=tuple(Alternative(text, None, "pocketsphinx") for text in others),
        names=tuple(Name(name, f"Take me to {name}", score) for name, score in names),
    )


def test_words_alone_find_what_they_always_found(index: SqliteIndex) -> None:
    assert ids(index, heard("show me bath")) == ["bath"]
    assert find(index, None, heard("show me bath"), 5)[0][0].score == 1.0
    assert ids(index, heard("take me to nowhere")) == []


def test_a_name_that_was_listened_for_comes_before_what_the_words_say(index: SqliteIndex) -> None:
    found = ids(index, heard("A cure of headaches.", ("Kure", 4.0), ("Bath", -3.0)))
    assert found[0] == "kure"
    assert set(found) == {"kure", "cure", "bath"}


def test_names_that_nobody_is_likely_to_have_said_come_behind_the_words(index: SqliteIndex) -> None:
    assert ids(index, heard("A cure of headaches.", ("Kure", -12.0)))[0] == "cure"


def test_a_name_finds_who_is_called_so_to_the_letter(index: SqliteIndex) -> None:
    assert ids(index, heard("x", ("São Tomé", 4.0))) == ["sao"]
    assert ids(index, heard("x", ("Sao Tome", 4.0))) == ["sao-2"]
    assert ids(index, heard("x", ("Aquae Sulis", 4.0))) == ["bath"]


def test_what_another_engine_heard_is_searched_for_too_and_counts_less(index: SqliteIndex) -> None:
    assert ids(index, heard("kure", others=("bath",))) == ["kure", "bath"]
    found, _ = find(index, None, heard("kure", others=("bath",)), 5)
    assert [one.score for one in found] == [1.0, 0.5]


def test_a_reading_with_a_name_in_it_counts_once(index: SqliteIndex) -> None:
    said = heard("x", ("Kure", 4.0))
    twice = heard("x", ("Kure", 4.0), others=("Take me to Kure",))
    assert find(index, None, said, 5) == find(index, None, twice, 5)


def test_what_several_readings_lead_to_is_likelier_and_never_more_than_certain(index: SqliteIndex) -> None:
    alone, together = (heard(words, ("Kure", 8.0)) for words in ("x", "kure"))
    assert ids(index, alone) == ids(index, together) == ["kure"]
    scores = [find(index, None, said, 5)[0][0].score for said in (alone, together)]
    assert scores[0] < scores[1]


def test_it_says_why_where_that_is_asked_for(index: SqliteIndex) -> None:
    said = heard("A cure of headakes.", ("Kure", 4.0))
    assert find(index, None, said, 5)[1] == []
    _, why = find(index, None, said, 5, explain=True)
    assert why[0] == 'Kure (0.73): its name was heard in "Take me to Kure" (share 0.73 of all names).'
    assert why[1].startswith("Cure of headaches (0.2")
    assert '"A cure of headakes." matches with 0.' in why[1]
    assert 'times 0.30: "cure", "headakes" is spelled like "headach"' in why[1]


def test_a_name_that_sounds_like_a_part_is_found_where_no_word_is_right(index: SqliteIndex) -> None:
    pronouncer = Pronouncer()
    said = pronouncer.pronounce(["Kure", "Rantepao", "Bath"])
    sounding = Sounding({name: its.variants for name, its in said.items()}, pronouncer)
    misheard = heard("where is run tea pow")
    assert find(index, None, misheard, 5)[0] == []
    found, why = find(index, sounding, misheard, 5, explain=True)
    assert found[0].id == "rantepao"
    assert '"run tea pow" sounds like its name (likeness 0.' in why[0]
    # Where names were listened for, they come first.
    assert find(index, sounding, heard("where is run tea pow", ("Kure", 6.0)), 5)[0][0].id == "kure"
