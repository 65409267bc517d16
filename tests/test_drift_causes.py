"""A cause is named for what it explains; what none explains wants more evidence; what comes slowly is named again."""

import msgspec
import pytest

from benchmarks.made_facts import CHANGES, MadeBoard, Numbers, gain
from cloud.drift.board import Known
from cloud.drift.causes import speed, unknown
from cloud.drift.causes.naming import EXPLAINS, causes_of, explained
from cloud.drift.change import Change, Effect
from cloud.drift.features import NAMES
from cloud.drift.shape import BANDS
from cloud.drift.usual import WATCHED
from cloud.drift.watch import Watch
from tests import watched_board
from tests.watched_board import LEARNT, fed

known = watched_board.known
FLAT = (-60.0,) * BANDS


def change(suspect: str = "strange_voice", **changed: object) -> Change:
    """Of a board on which nothing else changed."""
    usual = Change(
        stream="kitchen-2",
        is_board=True,
        began_at_unix_us=None,
        told_at_unix_us=None,
        utterances=14,
        suspect=suspect,
        evidence=1e5,
        effects={name: Effect(1.0, 1.0, 0.0) for name in NAMES},
        shifts={},
        noise_before_db=FLAT,
        noise_after_db=FLAT,
        voice_before_db=FLAT,
        voice_after_db=FLAT,
        spread_change_db=(0.0,) * BANDS,
        intents_before={},
        intents_after={},
        versions=(),
    )
    effects = {name: one for name, one in changed.items() if isinstance(one, Effect)}
    rest = {name: one for name, one in changed.items() if not isinstance(one, Effect)}
    return msgspec.structs.replace(usual, effects=usual.effects | effects, **rest)


STRANGE = Effect(2.0, 4.0, 0.9)
NEW_MIX = {"intents_before": {"on": 0.6, "off": 0.4}, "intents_after": {"stop": 0.3, "on": 0.4, "off": 0.3}}


def test_other_people_explain_that_they_want_other_things() -> None:
    others = change(strange_voice=STRANGE, shifts={"voice": 3.5}, **NEW_MIX)
    assert causes_of(others)[0].name == "speakers"
    same = change("rare_intent", shifts={"voice": 3.5}, **NEW_MIX)
    assert causes_of(same)[0].name != "speakers" or causes_of(same)[0].fit <= 1.3


def test_who_speaks_through_another_microphone_is_nobody_else() -> None:
    lost = (-60.0,) * 10 + (-70.0,) * 6
    covered = change(
        voice_top=Effect(-10.0, -20.0, -3.0),
        strange_voice=STRANGE,
        shifts={"voice": 3.5},
        noise_after_db=lost,
        voice_after_db=lost,
    )
    assert [cause.name for cause in causes_of(covered)] == ["microphone"]


def test_several_intents_that_nobody_wanted_before_count_together() -> None:
    after = {"stop": 0.07, "go": 0.07, "left": 0.07, "on": 0.79}
    found = causes_of(change("rare_intent", intents_before={"on": 1.0}, intents_after=after))
    assert found[0].name == "intents" and "`stop`" in found[0].sentence


def test_a_gain_that_clips_is_told_as_clipping() -> None:
    louder = {"level": Effect(-30.0, -12.0, 4.0), "noise_floor": Effect(-60.0, -42.0, 4.0)}
    assert causes_of(change("level", **louder))[0].name == "gain"
    clipped = Effect(-5.0, -3.0, 4.0)
    assert [cause.name for cause in causes_of(change("level", **louder, clipped=clipped))][:2] == ["clipping", "gain"]


def test_a_cause_explains_only_what_it_moves() -> None:
    assert {feature for features in EXPLAINS.values() for feature in features} <= {*WATCHED}
    noisier = {"noise_floor": Effect(-60.0, -50.0, 2.5)}
    assert explained(change("noise_floor", **noisier)) > 1
    assert explained(change("confidence", **noisier)) == 0
    assert explained(change("confidence")) == 0


@pytest.mark.parametrize(
    ("name", "effect", "told"),
    [
        ("silence_before", Effect(1.96, 0.64, -2.0), "silence before 91.2 → 4.37 s."),
        ("speech", Effect(3.2, 3.5, 2.0), "length of speech 1.58 → 3.16 s."),
        ("pitch", Effect(7.0, 8.0, 2.0), "pitch 128 → 256 Hz."),
        ("confidence", Effect(2.42, 0.456, -2.0), "confidence 92 → 61 %."),
        ("clipped", Effect(-5.0, -2.0, 2.0), "clipping 0.001 → 1 %."),
        ("speech_share", Effect(0.66, 0.39, -2.0), "share of speech 66 → 39 %."),
        ("broken", Effect(-0.02, 0.54, 2.0), "lost sound 0 → 54 %."),
        ("level", Effect(-30.5, -28.26, 2.0), "level -30.5 → -28.3 dB."),
        ("rare_intent", Effect(2.1, 2.77, 2.0), "rarity of what is wanted 2.1 → 2.77 bits."),
    ],
)
def test_what_no_cause_explains_is_told_in_units_that_people_know(name: str, effect: Effect, told: str) -> None:
    cause = unknown.cause_of(change(name, **{name: effect}))
    assert cause.sentence == f"Board kitchen-2: changed over the last 14 utterances: {told}"
    assert set(cause.numbers) == {name}


def test_what_no_cause_explains_is_told_later(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    def stutters(one: Numbers) -> Numbers:
        return one | {"gaps": one["number"] % 2}

    told = []
    for wanted in (1e4, 1.0):
        monkeypatch.setattr("cloud.drift.watcher.UNEXPLAINED", wanted)
        watch, board = Watch(known=known), MadeBoard(seed=7)
        list(board.facts(LEARNT))
        told.append(fed(watch, board.facts(60, stutters))[0])
    assert [finding.change.suspect for finding in told] == ["broken", "broken"]
    assert told[0].change.utterances >= told[1].change.utterances
    assert told[0].change.evidence >= 4e7


def test_what_one_person_says_in_a_row_is_no_change(known: Known) -> None:
    watch, board = Watch(known=known), MadeBoard(seed=7)
    first, *rest = board.facts(40, CHANGES["gain"])
    at_us = first.at_unix_us or 0
    said = [msgspec.structs.replace(one, at_unix_us=at_us + 10_000_000 * n) for n, one in enumerate(rest)]
    assert fed(watch, said) == []


def test_what_comes_slowly_is_named_again_and_the_first_name_is_over(known: Known) -> None:
    """Somebody turns the gain up, bit by bit, until it clips."""
    watch, board = Watch(known=known), MadeBoard(seed=7)
    list(board.facts(LEARNT))
    told = [finding for step in range(150) for finding in fed(watch, board.facts(1, gain(min(15, step / 6))))] + fed(
        watch, board.facts(130, CHANGES["clipping"])
    )
    kinds = [(finding.kind, finding.cause.name) for finding in told]
    assert kinds[0] == ("changed", "gain")
    assert ("recovered", "gain") in kinds and kinds[-1] == ("changed", "clipping")
    assert kinds.index(("recovered", "gain")) == kinds.index(("changed", "clipping")) - 1
    again = told[-1].change
    assert again.began_at_unix_us is not None and again.told_at_unix_us is not None
    assert [cause.name for cause in causes_of(watch.changes()[0])][0] == "clipping"


def test_the_few_words_of_a_board_that_went_deaf_say_nothing_of_who_speaks() -> None:
    fewer, longer = Effect(3.0, 1.2, -6.0), Effect(0.0, 0.1, 2.0)
    deaf = Effect(0.02, 0.93, 9.0)
    slower = change("words", words=fewer, syllables=Effect(4.0, 3.2, -6.0), slowness=longer)
    assert (found := speed.find(slower)) is not None
    assert found.numbers["ratio"] == pytest.approx(0.79, abs=0.01)
    # What is measured without words still tells.
    assert speed.find(msgspec.structs.replace(slower, effects=slower.effects | {"empty": deaf})) is not None
    assert speed.find(change("words", words=fewer, slowness=longer, empty=deaf)) is None
