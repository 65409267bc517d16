"""Changes are found soon, named, and rarely told for nothing; what is known survives."""

import math

import msgspec
import numpy as np
import pytest

from benchmarks.made_facts import CHANGES, MadeBoard, gain, louder_noise
from cloud.drift.board import LEARN_MIN, Known
from cloud.drift.causes import speakers
from cloud.drift.change import NONE, Change, Effect
from cloud.drift.facts import Facts
from cloud.drift.features import row_of
from cloud.drift.finding import Finding
from cloud.drift.group import LEARN
from cloud.drift.watch import ALL, Watch
from tests import watched_board
from tests.watched_board import LEARNT, fed

known = watched_board.known


def changed(known: Known, cause: str, seed: int = 1) -> list[Finding]:
    """What a watch tells of 60 utterances as usual and 60 changed."""
    watch, board = Watch(known=known), MadeBoard(seed=7)
    list(board.facts(LEARNT + 10 * seed))
    assert fed(watch, board.facts(60)) == []
    return fed(watch, board.facts(60, CHANGES[cause]))


@pytest.mark.parametrize("cause", CHANGES)
def test_a_sudden_change_is_told_within_fifty_and_named(known: Known, cause: str) -> None:
    finding = changed(known, cause)[0]
    assert finding.kind == "changed"
    assert finding.change.utterances <= 50
    assert finding.cause.name == cause
    assert finding.cause.sentence.startswith("Board kitchen-2: ")
    assert finding.cause.advice.endswith(".")


def test_it_began_when_it_began(known: Known) -> None:
    watch, board = Watch(known=known), MadeBoard(seed=7)
    fed(watch, board.facts(LEARNT + 50))
    after = list(board.facts(60, CHANGES["noise"]))
    began = fed(watch, after)[0].change.began_at_unix_us
    assert began in {one.at_unix_us for one in after[:3]}


def test_a_sentence_has_its_evidence(known: Known) -> None:
    finding = changed(known, "noise")[0]
    assert "noise floor up 1" in finding.cause.sentence and "since " in finding.cause.sentence
    assert "`dishes`" in finding.cause.sentence
    assert finding.cause.numbers["rise_db"] == pytest.approx(10, abs=2)
    assert finding.cause.plot.name == "noise"


def test_other_people_are_told(known: Known) -> None:
    watch, board = Watch(known=known), MadeBoard(seed=7)
    fed(watch, board.facts(LEARNT + 40))
    board.new_people()
    assert fed(watch, board.facts(60))[0].cause.name == "speakers"


def test_other_people_who_also_speak_faster_are_other_people(known: Known) -> None:
    watch, board = Watch(known=known), MadeBoard(seed=8)
    fed(watch, board.facts(LEARNT + 40))
    board.new_people()
    told = fed(watch, board.facts(30)) + fed(watch, board.facts(200, CHANGES["speed"]))
    assert {finding.cause.name for finding in told} == {"speakers"}


def with_effects(change: Change, **effects: Effect) -> Change:
    return msgspec.structs.replace(change, effects=change.effects | effects)


def test_where_the_pitch_moved_other_people_speak_whatever_the_room_does(known: Known) -> None:
    watch, board = Watch(known=known), MadeBoard(seed=7)
    list(board.facts(LEARNT))
    board.new_people()
    change = fed(watch, board.facts(60))[0].change
    strange, still = Effect(3.0, 7.0, 2.0), Effect(7.0, 7.05, 0.2)
    higher, louder = Effect(math.log2(110), math.log2(200), 2.0), Effect(-60.0, -50.0, 2.0)
    of_pitch = speakers.find(with_effects(change, strange_voice=strange, pitch=higher, noise_floor=louder))
    assert of_pitch is not None
    assert "their pitch up from 110 to 200 Hz; no room does that" in of_pitch.sentence
    assert speakers.find(with_effects(change, strange_voice=strange, pitch=still, noise_floor=louder)) is None
    # An echo moves the pitch that is heard, now and then; all voices are as strange as they were.
    assert speakers.find(with_effects(change, strange_voice=NONE, pitch=higher, noise_floor=louder)) is None
    others = speakers.find(with_effects(change, strange_voice=strange, pitch=still, noise_floor=NONE))
    assert others is not None and others.fit < of_pitch.fit and "Hz" not in others.sentence


def test_a_board_that_begins_to_tell_its_pitch_did_not_change() -> None:
    watch, board = Watch(), MadeBoard(seed=7)
    older = [msgspec.structs.replace(one, pitch_hz=None) for one in board.facts(LEARNT)]
    assert fed(watch, older) == [] and watch.boards["kitchen-2"].known is not None
    assert fed(watch, board.facts(60)) == []


def test_a_voice_of_another_pitch_is_strange(known: Known) -> None:
    usual = next(iter(MadeBoard(seed=7).facts(1)))
    row = row_of(usual)
    assert usual.pitch_hz is not None
    higher, untold = (row_of(msgspec.structs.replace(usual, pitch_hz=hz)) for hz in (2.5 * usual.pitch_hz, None))
    strangeness = known.profile.strangeness
    assert strangeness(higher) > strangeness(row) + 5
    assert strangeness(untold) <= strangeness(row) < 4


def test_nothing_is_told_of_what_is_usual() -> None:
    """Two false ones are allowed; seasons, and people who say several things, are in them."""
    told = 0
    for seed in range(2):
        watch, board = Watch(), MadeBoard(seed=100 + seed)
        told += len(fed(watch, board.facts(2000 + LEARN_MIN)))
    assert told <= 1


def test_a_slow_change_is_told_on_its_way(known: Known) -> None:
    watch, board = Watch(known=known), MadeBoard(seed=7)
    list(board.facts(LEARNT))
    steps = [one for step in range(300) for one in board.facts(1, louder_noise(10 * step / 300))]
    assert fed(watch, steps)[0].cause.name == "noise"


def test_what_is_over_is_told_once(known: Known) -> None:
    watch, board = Watch(known=known), MadeBoard(seed=7)
    list(board.facts(LEARNT))
    told = fed(watch, board.facts(80, CHANGES["gain"]))
    assert [finding.kind for finding in told] == ["changed"] and len(watch.changes()) == 1
    told = fed(watch, board.facts(80))
    assert [finding.kind for finding in told] == ["recovered"] and watch.changes() == []
    assert told[0].cause.name == "gain"


def test_a_change_beyond_a_change_is_told(known: Known) -> None:
    watch, board = Watch(known=known), MadeBoard(seed=7)
    list(board.facts(LEARNT))
    fed(watch, board.facts(90, CHANGES["gain"]))
    told = fed(watch, board.facts(60, lambda one: CHANGES["intents"](gain(-12)(one))))
    assert "intents" in {cause.name for finding in told for cause in finding.causes}


def test_a_board_learns_a_week_first_and_anew_when_told() -> None:
    watch, board = Watch(), MadeBoard(seed=3)
    fed(watch, board.facts(LEARN_MIN))
    assert watch.boards["kitchen-2"].watcher is None
    fed(watch, board.facts(LEARNT - LEARN_MIN))
    assert watch.boards["kitchen-2"].watcher is not None
    watch.learn_anew("kitchen-2")
    assert watch.boards["kitchen-2"].watcher is None
    watch.learn_anew("nobody")


def test_what_is_usual_can_lie_in_a_card(known: Known) -> None:
    written = msgspec.json.encode(known)
    assert len(written) < 200_000
    read = msgspec.json.decode(written, type=Known)
    assert changed(read, "noise")[0].cause.name == "noise"


def test_all_boards_that_change_a_little_change_together() -> None:
    watch = Watch()
    boards = [MadeBoard(f"board-{number}", seed=20 + number) for number in range(4)]
    for _ in range(LEARNT + 110):
        for board in boards:
            fed(watch, board.facts(1))
    told: list[Finding] = []
    for _ in range(12):
        for board in boards:
            told += fed(watch, board.facts(1, CHANGES["version"]))
    assert [finding.stream for finding in told][0] == ALL
    assert told[0].cause.name == "version" and "en-us 6.0" in told[0].cause.sentence
    # What is known of all is not told of each.
    assert {finding.stream for finding in told} == {ALL}
    watch.forget("board-2")
    kept = {stream: state for stream, state in watch.touched().items() if state is not None}
    assert ALL in kept and not any(b"board-2" in state for state in kept.values())
    assert b"board-1" in kept[ALL]
    for board in boards:
        fed(watch, board.facts(20, CHANGES["version"]))
    over = watch.learn_anew(ALL)
    # Those that have changed with it, also where nobody was told of each.
    assert {finding.stream for finding in over} == {"board-0", "board-1", "board-3"}
    assert {finding.kind for finding in over} == {"recovered"}
    assert watch.groups[ALL].watcher is None and watch.changes() == []
    assert [name for name, board in watch.boards.items() if board.known is not None] == []
    for _ in range(LEARNT + LEARN // 3):
        for board in boards:
            fed(watch, board.facts(1, CHANGES["version"]))
    assert watch.groups[ALL].watcher is not None and watch.changes() == []


def test_a_board_that_is_left_changed_is_told_when_all_boards_are_not_so_any_more() -> None:
    watch = Watch()
    boards = [MadeBoard(f"board-{number}", seed=20 + number) for number in range(4)]
    told: list[Finding] = []
    for _ in range(LEARNT + 110):
        for board in boards:
            fed(watch, board.facts(1))
    for _ in range(32):
        for board in boards:
            told += fed(watch, board.facts(1, CHANGES["version"]))
    assert {finding.stream for finding in told} == {ALL}
    assert "board-3" in {change.stream for change in watch.changes()}
    told.clear()
    for _ in range(80):
        for board in boards:
            told += fed(watch, board.facts(1, *([CHANGES["version"]] if board is boards[3] else [])))
    assert (ALL, "recovered") in {(finding.stream, finding.kind) for finding in told}
    changed = [finding for finding in told if finding.kind == "changed"]
    assert [(finding.stream, finding.cause.name) for finding in changed] == [("board-3", "version")]


def test_a_group_that_learns_forgets_a_board_by_learning_anew(known: Known) -> None:
    watch = Watch(known=known)
    for name in ("hall", "kitchen"):
        fed(watch, MadeBoard(name, seed=7).facts(20))
    assert b"hall" in (watch.touched()[ALL] or b"")
    watch.forget("hall")
    kept = watch.touched()[ALL] or b""
    assert b"hall" not in kept and b"kitchen" not in kept


def test_replayed_utterances_say_nothing_of_now(known: Known) -> None:
    watch, board = Watch(known=known), MadeBoard(seed=7)
    list(board.facts(LEARNT))
    late = [msgspec.structs.replace(one, replayed=True) for one in board.facts(100, CHANGES["gain"])]
    assert fed(watch, late) == []


def test_facts_with_nothing_in_them_break_nothing(known: Known) -> None:
    watch = Watch(known=known)
    for number in range(30):
        assert watch.saw(Facts(device_id="kitchen-2", utterance_id=str(number))) == []
    odd = Facts(device_id="kitchen-2", utterance_id="odd", noise_bands_db=(1.0,), clipped_share=0.0, confidence=1.0)
    assert watch.saw(odd) == []
    learning = Watch()
    for number in range(450):
        learning.saw(Facts(device_id="kitchen-2", utterance_id=str(number)))
    assert np.isfinite(learning.boards["kitchen-2"].push(odd)[0] is not None)


def test_new_words_are_read_from_the_log_only_when_they_rise(known: Known) -> None:
    asked: list[int] = []

    def transcripts(keys: "object") -> list[str]:
        asked.append(1)
        return ["play the zorblight", "zorblight please", "a zorblight", "play jazz"]

    watch = Watch(
        known=known,
        transcripts=transcripts,
        knows_word={"play", "the", "please", "a", "jazz"}.__contains__,
        pronounces=lambda words: dict.fromkeys(words, ("Z AO R B L AY T", "guess")),
    )
    board = MadeBoard(seed=7)
    list(board.facts(LEARNT))
    assert fed(watch, board.facts(40)) == [] and not asked
    finding = fed(watch, board.facts(60, CHANGES["words"]))[0]
    assert asked and finding.change.new_words == (("zorblight", 3),)
    assert "“zorblight” (3 times)" in finding.cause.sentence and "Z AO R B L AY T" in finding.cause.advice


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud.drift.watch.BOARDS_MAX", 3)
    watch = Watch()
    for number in range(5):
        watch.saw(Facts(device_id=f"board-{number}", utterance_id="u"))
    assert list(watch.boards) == ["board-2", "board-3", "board-4"]
    watch.forget("board-3")
    assert "board-3" not in watch.boards


def test_a_change_can_be_written_and_read(known: Known) -> None:
    finding = changed(known, "noise")[0]
    assert msgspec.json.decode(msgspec.json.encode(finding.change), type=Change) == finding.change
    assert msgspec.json.decode(msgspec.json.encode(finding), type=Finding).cause == finding.cause
