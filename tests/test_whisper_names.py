"""Which names of a large catalogue a Whisper may have heard, asked of a decoder that is a few lines long."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
from pytest import MonkeyPatch

from cloud.building.build import make_bundle
from cloud.building.commands import NAMES_MAX
from cloud.building.domain import Domain, Entry
from cloud.decoders import whisper_names
from cloud.decoders.name_table import NameTable, name_table
from cloud.decoders.whisper_decoder import State
from cloud.decoders.whisper_names import BEFORE_MAX, Floats, Listening, Named, Vocabulary, best_names
from cloud.pronouncing.phones import NAMES as PHONES
from cloud.pronouncing.phones import Phones
from cloud.pronouncing.pronouncer import Pronouncer
from tests.test_name_table import letters

NAMES = ["Bath", "Bathurst", "Oslo", "To"]
END = ord(".")
VOCABULARY = Vocabulary([END], np.arange(128) == ord(" "))


class Listener:
    """A decoder of letters: so likely is each text, and what it expects of people who write."""

    def __init__(self, hears: dict[str, float], expects: dict[str, float]) -> None:
        self._likely = (expects, hears)
        self._said = [""]
        self._hears = [True]
        self.followed: list[str] = []

    def begin(self, memory: object, tokens: object, *, deaf: bool) -> State:
        assert deaf
        self._said, self._hears = ["", ""], [True, False]
        return self._state()

    def step(self, memory: object, state: State, parents: list[int], tokens: list[int], hears: list[bool]) -> State:
        self._said = [self._said[parent] + chr(token) for parent, token in zip(parents, tokens, strict=True)]
        self._hears = list(hears)
        self.followed += self._said
        return self._state()

    def _state(self) -> State:
        likely = np.full((len(self._said), 128), -9.0, np.float32)
        for row, (said, hears) in enumerate(zip(self._said, self._hears, strict=True)):
            for text, log_probability in self._likely[hears].items():
                if text.startswith(said):
                    letter = ord(text[len(said) :][:1] or ".")
                    likely[row, letter] = max(likely[row, letter], log_probability)
        return State(0, (), (), likely)


def listen(
    hears: dict[str, float], expects: dict[str, float] | None = None, table: NameTable | None = None
) -> list[Named]:
    found = best_names(
        Listener(hears, expects or {}),  # type: ignore[arg-type]
        [],
        [0, 0],
        dict.fromkeys(range(9), table or name_table(NAMES, letters)),
        VOCABULARY,
    )
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    return found


def told(named: Named) -> tuple[str, str, str]:
    before, after = ("".join(map(chr, tokens)) for tokens in (named.before, named.after))
    return before, named.name, after


def test_any_words_may_stand_around_a_name() -> None:
    assert told(listen({" Oslo": -0.1})[0]) == ("", "Oslo", "")
    assert told(listen({" Show me Oslo now": -0.1})[0]) == (" Show me", "Oslo", " now")


def test_a_name_is_found_though_other_words_are_likelier() -> None:
    found = listen({" Where is a bath": -0.1, " Where is Bathurst": -1.0})
    assert (" Where is", "Bathurst", "") in list(map(told, found))
    assert (" Where is a", "Bath", "") in list(map(told, found))


def test_a_name_does_not_end_within_a_word() -> None:
    assert all(name.name != "Bath" for name in listen({" Bathurst": -0.1})[:1])
    assert not [one for one in listen({" Bathurst": -0.1}) if one.name == "Bath" and not told(one)[2].startswith(" ")
                and one.after]  # fmt: skip


def test_what_people_would_write_anyway_is_no_sign_of_a_name() -> None:
    hears = {" Bath": -0.5, " Oslo": -0.7}
    assert listen(hears)[0].name == "Bath"
    assert listen(hears, expects={" Bath": -0.1})[0].name == "Oslo"


def test_a_name_is_listened_for_where_it_may_begin() -> None:
    table = name_table(NAMES, letters)
    listener = Listener({" Show me Oslo": -0.1}, {})
    there, elsewhere = (
        max(one.score for one in best_names(listener, [], [0, 0], {before: table}, VOCABULARY))  # type: ignore[arg-type]
        for before in (2, 1)
    )
    assert there > elsewhere + 10


def test_what_sounds_alike_is_likelier_from_its_first_letter_on() -> None:
    table = name_table(NAMES, letters)
    hears = {" Bath": -1.0, " Oslo": -1.0}
    for likely in ("Bath", "Oslo"):
        bonus = np.array([0.0 if name == likely else -4.0 for name in NAMES], np.float32)
        assert listen(hears, table=table.among(bonus))[0].name == likely


def test_readings_far_behind_are_given_up(monkeypatch: MonkeyPatch) -> None:
    def followed() -> list[str]:
        listener = Listener({" Show me Oslo now": -0.1}, {})
        tables = dict.fromkeys(range(9), name_table(NAMES, letters))
        found = best_names(listener, [], [0, 0], tables, VOCABULARY)  # type: ignore[arg-type]
        assert told(found[0]) == (" Show me", "Oslo", " now")
        return listener.followed

    few = followed()
    monkeypatch.setattr(whisper_names, "BEHIND_MAX", 1000.0)
    assert len(followed()) > 2 * len(few)


def test_nothing_unlikely_is_followed_behind_a_name(monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(whisper_names, "FREE", 1)
    listener = Listener({" Oslo": -0.1}, {})
    best_names(listener, [], [0, 0], dict.fromkeys(range(9), name_table(NAMES, letters)), VOCABULARY)  # type: ignore[arg-type]
    # A letter that nobody said is 9 less likely, two are 18.
    assert max(len(said) for said in listener.followed if said.startswith(" Oslo")) == len(" Oslo") + 1


def test_nobody_who_is_left_out_is_found() -> None:
    none = name_table(NAMES, letters).among(np.full(len(NAMES), -np.inf, np.float32))
    assert listen({" Oslo": -0.1}, table=none) == []


def test_a_large_catalogue_has_its_names_beside_its_network_with_how_they_are_said() -> None:
    small, large = (
        make_bundle(
            Domain("shop", Path("shop"), "0123456789ab", tuple(entries(count)), entry_lines=tuple(range(1, count + 1)))
        )
        for count in (3, NAMES_MAX + 1)
    )
    assert small.names == {}
    assert len(large.names) == NAMES_MAX + 1
    assert large.names["Shelf 7"] == dictionary_said("shelf seven")
    assert not [block for block in large.blocks if not block.intent]


def entries(count: int) -> Iterator[Entry]:
    return (Entry(id=f"shelf-{number}", title=f"Shelf {number}") for number in range(count))


def dictionary_said(text: str) -> tuple[Phones, ...]:
    return Pronouncer().pronounce([text])[text].variants[:2]


class Ear:
    """Hears Oslo, whatever there is."""

    def hear(self, encoded: Floats) -> Floats:
        heard = np.full((4, len(PHONES)), -9.0, np.float32)
        heard[np.arange(4), list(dictionary_said("oslo")[0])] = -0.01
        return heard


def listening(ear: Ear | None) -> Listening:
    said = {name: dictionary_said(name) for name in ("Bath", "Oslo", "Paris", "Rome")}
    bundle = make_bundle(Domain("towns", Path("towns"), "0123456789ab", (), entry_lines=()))
    return Listening(msgspec.structs.replace(bundle, names=said), letters, ear)  # type: ignore[arg-type]


def names_at(tables: dict[int, NameTable], before: int) -> dict[str, float]:
    found = best_names(Listener({}, {}), [], [0, 0], {0: tables[before]}, VOCABULARY)  # type: ignore[arg-type]
    return {one.name: one.score for one in reversed(found)}


def test_names_in_the_phones_are_listened_for_everywhere_the_best_as_the_likeliest(
    monkeypatch: MonkeyPatch,
) -> None:
    monkeypatch.setattr(whisper_names, "SPOTTED_MAX", 1)
    monkeypatch.setattr(whisper_names, "SOUNDING_MAX", 1)
    tables = listening(Ear()).among("where is rome", np.zeros((4, 3), np.float32))
    scores = names_at(tables, 2)
    assert set(scores) == {"Oslo", "Rome"}
    assert scores["Oslo"] > scores["Rome"] + 1
    assert set(names_at(tables, BEFORE_MAX)) == {"Oslo"}


def test_without_an_ear_only_what_sounds_like_the_words_is_listened_for(monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(whisper_names, "SOUNDING_MAX", 1)
    tables = listening(None).among("where is rome", np.zeros((0, 3), np.float32))
    assert set(names_at(tables, 2)) == {"Rome"}
    assert BEFORE_MAX not in tables


def test_nothing_is_listened_for_where_a_name_is_all_that_was_heard() -> None:
    assert listening(Ear()).among("where is Oslo?", np.zeros((4, 3), np.float32)) == {}
    assert listening(Ear()).among("where is Rome?", np.zeros((4, 3), np.float32)), "the phones are another name's"
    assert listening(None).among("where is Oslo?", np.zeros((4, 3), np.float32))


MUCH = "the old child almost hurt the small yellow dog yesterday evening"


class Deaf:
    """Hears phones that are in no name."""

    def hear(self, encoded: Floats) -> Floats:
        heard = np.full((40, len(PHONES)), -9.0, np.float32)
        heard[np.arange(40), np.tile(list(dictionary_said("judge")[0])[:2], 20)] = -0.01
        return heard


def test_nothing_is_listened_for_where_much_else_was_said_and_no_name_fits() -> None:
    large = np.zeros((40, 3), np.float32)
    assert listening(Deaf()).among(MUCH, large) == {}  # type: ignore[arg-type]
    assert listening(Deaf()).among("road", large)  # type: ignore[arg-type]
    assert listening(Ear()).among(MUCH, large)
