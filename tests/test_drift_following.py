"""A service's watch follows its log: what it finds is told, what it knows outlives a kill, what is erased is gone."""

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import datetime
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.made_facts import CHANGES, Changed, MadeBoard
from cloud.__main__ import main
from cloud.alerts.alert_sinks import LogSink
from cloud.alerts.alerts import END_US, AlertBook, Told
from cloud.alerts.alerts import FILE_NAME as ALERTS_FILE
from cloud.alerts.ringing import TRY_S, Ringing
from cloud.drift.facts import Facts
from cloud.drift.finding import Finding
from cloud.drift.following import FILE_NAME as DRIFT_FILE
from cloud.drift.following import Following, followed
from cloud.drift.new_words import LEARN
from cloud.groups import Groups
from cloud.log.answer_log import FILE_NAME
from cloud.log.answer_store import AnswerStore, Key, Row, Span
from cloud.log.record import Record
from cloud.onlookers import watched_drift
from cloud.settings import CloudSettings, Storage
from common.errors import ActionError, IdentityError, SettingsError
from common.record import Record as KeptRecord
from tests.watched_board import LEARNT

NOW_US = 1_800_000_000_000_000


def keep(folder: Path, facts: Iterable[Facts], transcript: str = "play") -> None:
    """As the service does."""
    rows = [
        Row(
            Key(one.device_id, one.utterance_id),
            b"",
            NOW_US,
            record=Record(one, transcript, b"", b"", None),
        )
        for one in facts
    ]
    with closing(AnswerStore(folder / FILE_NAME)) as store:
        store.add(rows, 1_000_000)


class Kept:
    """Whoever is told."""

    def __init__(self, found: list[Finding]) -> None:
        self._found = found

    def take(self, found: Sequence[Finding]) -> None:
        self._found.extend(found)

    def look(self) -> None: ...

    def accepted(self) -> Sequence[str]:
        return ()

    def was_accepted(self, streams: Sequence[str]) -> None: ...

    def erase(self, is_said: Callable[[str], bool], has_board: Callable[[str], bool]) -> None: ...


def follow(folder: Path, found: list[Finding], monotonic_s: Callable[[], float] = time.monotonic) -> Following:
    told = Kept(found)
    return Following(folder / FILE_NAME, folder, told, knows_word=lambda word: word == "play", monotonic_s=monotonic_s)


class Deaf:
    """A sink that is not there yet."""

    name = "deaf"

    def __init__(self) -> None:
        self.hears, self.asked = False, 0
        self.told: list[Told] = []

    def tell(self, told: Told) -> None:
        self.asked += 1
        if not self.hears:
            raise ActionError("It is not there.")
        self.told.append(told)


def look(following: Following) -> None:
    while following.look():
        pass


def test_a_dishwasher_is_told_once_and_its_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    board, found = MadeBoard("kitchen", seed=7), list[Finding]()
    keep(tmp_path, board.facts(LEARNT + 50))
    with follow(tmp_path, found) as following:
        look(following)
        assert not found
        keep(tmp_path, board.facts(50, CHANGES["noise"]))
        look(following)
        keep(tmp_path, board.facts(60))
        look(following)
    assert [(one.kind, one.stream, one.cause.name) for one in found] == [
        ("changed", "kitchen", "noise"),
        ("recovered", "kitchen", "noise"),
    ]
    now_s, now_us = 0.0, NOW_US
    deaf, log = Deaf(), LogSink()
    ringing = Ringing(tmp_path, [deaf, log], monotonic_s=lambda: now_s, unix_us=lambda: now_us)
    for one in found:
        ringing.take([one])
        # Found again by a service that was killed before it had kept that it knew.
        ringing.take([one])
    ringing.look()
    # It may come back: that it is over is told when it has been over for a while.
    now_us += END_US
    now_s = TRY_S
    ringing.look()
    warned, over = (record.message for record in caplog.records if record.name == "cloud.alerts.alert_sinks")
    assert warned.startswith("alert 1 [kitchen]: Board kitchen: noise floor up") and "dishes" in warned
    assert over.startswith("alert 1 [kitchen]: It is over since ") and ": Board kitchen" in over
    assert deaf.asked == 2
    # Who could not be told is asked again, after a while, and nobody else is told twice.
    ringing.look()
    assert deaf.asked == 2
    now_s = 2 * TRY_S
    deaf.hears = True
    ringing.look()
    assert [told.event for told in deaf.told] == ["began", "over"]
    began = datetime.fromtimestamp((found[0].change.began_at_unix_us or 0) / 1e6)
    assert deaf.told[0].command == (
        f"parrotlet-cloud log export --device kitchen --since {began:%Y-%m-%dT%H:%M} since.jsonl"
    )
    assert len([record for record in caplog.records if record.name == "cloud.alerts.alert_sinks"]) == 2
    # What is over and another thing in the same moment is not over.
    ringing.take([found[0]])
    ringing.take([found[1], found[0]])
    book = KeptRecord(tmp_path / ALERTS_FILE, AlertBook).read()
    assert [(one.number, one.state, one.times) for one in book.alerts] == [(1, "over", 2), (2, "standing", 2)]


def test_what_was_not_kept_before_a_kill_is_seen_again(tmp_path: Path) -> None:
    board, found = MadeBoard("kitchen", seed=7), list[Finding]()
    keep(tmp_path, board.facts(LEARNT + 50))
    with follow(tmp_path, found) as following:
        look(following)
    killed = follow(tmp_path, [])
    killed.__enter__()
    keep(tmp_path, board.facts(50, CHANGES["noise"]))
    look(killed)
    # No __exit__: it is gone.
    with follow(tmp_path, found) as following:
        assert following.watch.number == LEARNT + 50
        look(following)
    assert [one.kind for one in found] == ["changed"]
    with follow(tmp_path, found) as following:
        look(following)
    assert len(found) == 1


def test_who_asks_for_alerts_hears_of_which_boards_none_can_come_yet(tmp_path: Path) -> None:
    def asked(**environment: str) -> str:
        environment |= {"PARROTLET_CLOUD_STORAGE_STATE_DIR": str(tmp_path)}
        return CliRunner().invoke(main, ["alerts"], env=environment).output

    assert asked() == "Nothing has changed.\n"
    keep(tmp_path, MadeBoard("kitchen", seed=7).facts(LEARNT))
    for number in range(7):
        keep(tmp_path, MadeBoard(f"new-{number}", seed=8).facts(40), "play zorblight")
    with follow(tmp_path, []) as following:
        look(following)
    assert asked() == (
        "Nothing has changed.\nOf new-0, new-1, new-2, new-3, new-4 and 2 more it is not known yet what is usual.\n"
    )
    assert "Nothing is watched: drift.watch." in asked(PARROTLET_CLOUD_DRIFT_WATCH="false")


def test_a_board_of_which_all_is_erased_is_known_no_more(tmp_path: Path) -> None:
    keep(tmp_path, MadeBoard("kitchen", seed=7).facts(40))
    keep(tmp_path, MadeBoard("hall", seed=8).facts(40))
    # A minute passes at each look, so that what it knows is kept by each.
    with follow(tmp_path, [], count(0.0, 60.0).__next__) as following:
        look(following)
        assert set(following.watch.boards) == {"kitchen", "hall"}
        with closing(AnswerStore(tmp_path / FILE_NAME)) as store:
            store.forget("kitchen", None, Span())
        look(following)
        assert set(following.watch.boards) == {"hall"}
        assert not any(b"kitchen" in file.read_bytes() for file in tmp_path.glob(f"{DRIFT_FILE}*"))


def test_what_was_erased_while_no_service_ran_is_known_no_more(tmp_path: Path) -> None:
    keep(tmp_path, MadeBoard("kitchen", seed=7).facts(40))
    with follow(tmp_path, []) as following:
        look(following)
    with closing(AnswerStore(tmp_path / FILE_NAME)) as store:
        store.forget("kitchen", None, Span())
    with follow(tmp_path, []) as following:
        look(following)
        assert not following.watch.boards
    assert b"kitchen" not in (tmp_path / DRIFT_FILE).read_bytes()


def test_a_word_of_an_utterance_that_was_erased_is_known_no_more(tmp_path: Path) -> None:
    board = MadeBoard("kitchen", seed=7)
    keep(tmp_path, board.facts(3), "play jazz")
    secret = list(board.facts(1))
    keep(tmp_path, secret, "play zorblight jazz")
    with follow(tmp_path, []) as following:
        look(following)
        with closing(AnswerStore(tmp_path / FILE_NAME)) as store:
            store.forget("kitchen", secret[0].utterance_id, Span())
        look(following)
        [words] = following.watch.words.values()
        assert set(words.state.heard) == {"jazz"} and set(following.watch.boards) == {"kitchen"}
    assert b"zorblight" not in (tmp_path / DRIFT_FILE).read_bytes()


def test_an_older_copy_of_the_log_is_followed_from_its_end(tmp_path: Path) -> None:
    board = MadeBoard("kitchen", seed=7)
    keep(tmp_path, board.facts(20))
    copy = (tmp_path / FILE_NAME).read_bytes()
    keep(tmp_path, board.facts(20))
    with follow(tmp_path, []) as following:
        look(following)
        assert following.watch.number == 40
    (tmp_path / FILE_NAME).write_bytes(copy)
    with follow(tmp_path, []) as following:
        look(following)
        keep(tmp_path, board.facts(5))
        look(following)
        assert following.watch.number == 25


def test_what_is_to_stay_so_is_learnt_anew(tmp_path: Path) -> None:
    board, ringing = MadeBoard("kitchen", seed=7), Ringing(tmp_path, ())
    alerts = KeptRecord(tmp_path / ALERTS_FILE, AlertBook)

    def heard(count: int, change: Changed) -> tuple[list[str], bool]:
        """What stands, and whether it is known what is usual."""
        keep(tmp_path, board.facts(count, change))
        with Following(tmp_path / FILE_NAME, tmp_path, ringing) as following:
            look(following)
            assert not alerts.read().accepted
            standing = [one.cause for one in alerts.read().alerts if one.state == "standing"]
            return standing, following.watch.boards["kitchen"].known is not None

    keep(tmp_path, board.facts(LEARNT))
    assert heard(60, CHANGES["gain"]) == (["gain"], True)
    environment = {"PARROTLET_CLOUD_STORAGE_STATE_DIR": str(tmp_path)}
    assert CliRunner().invoke(main, ["alerts", "accept", "1"], env=environment).exit_code == 0
    # A service that did not run then knows it when it does.
    assert heard(300, CHANGES["gain"]) == ([], False)
    assert heard(LEARNT - 300, CHANGES["gain"]) == ([], True)
    assert heard(60, lambda one: CHANGES["noise"](CHANGES["gain"](one))) == (["noise"], True)
    # It is compared with what is usual now: from what was usual at first it would be down.
    assert "noise floor up 11 dB" in alerts.read().alerts[-1].sentence


def test_a_service_guesses_how_a_new_word_is_said(tmp_path: Path) -> None:
    board = MadeBoard("kitchen", seed=7, a_day=24)
    keep(tmp_path, board.facts(LEARN))
    for number, facts in enumerate(board.facts(60)):
        keep(tmp_path, [facts], "play" if number % 4 else "play zorblight")
    settings = CloudSettings(storage=Storage(state_dir=tmp_path))
    alerts, until_s = KeptRecord(tmp_path / ALERTS_FILE, AlertBook), time.monotonic() + 20

    async def watched() -> None:
        async with watched_drift(settings, Groups(), {"home": Knows()}):  # type: ignore[dict-item]
            while not alerts.read().alerts and time.monotonic() < until_s:
                await asyncio.sleep(0.05)

    asyncio.run(watched())
    [alert] = alerts.read().alerts
    assert alert.words == ["zorblight"] and "zorblight  Z AO R B L AY T" in alert.sentence


class Knows:
    """A domain that is served, and has one word."""

    @property
    def now(self) -> "Knows":
        return self

    def knows_word(self, word: str) -> bool:
        return word == "play"


def test_without_a_log_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="There is no utterance log"), follow(tmp_path, []):
        pass


def test_what_could_not_be_told_is_found_again(tmp_path: Path) -> None:
    board, found = MadeBoard("kitchen", seed=7), list[Finding]()

    class Full(Kept):
        def take(self, found: Sequence[Finding]) -> None:
            raise IdentityError("The disk is full.")

    keep(tmp_path, board.facts(LEARNT + 50))
    with follow(tmp_path, found) as following:
        look(following)
    keep(tmp_path, board.facts(50, CHANGES["noise"]))
    full = Following(tmp_path / FILE_NAME, tmp_path, Full([]))
    with pytest.raises(IdentityError), full as following:
        look(following)
    with follow(tmp_path, found) as following:
        look(following)
    assert [one.kind for one in found] == ["changed"]


class Faulty:
    """A follower that has a fault at its first look, or at its end."""

    def __init__(self, looked: threading.Event, at_a_look: list[Exception], at_the_end: list[Exception]) -> None:
        self._looked, self._at_a_look, self._at_the_end = looked, at_a_look, at_the_end

    def __enter__(self) -> "Faulty":
        return self

    def __exit__(self, *cause: object) -> None:
        if self._at_the_end:
            raise self._at_the_end[0]

    def look(self) -> bool:
        if self._at_a_look:
            raise self._at_a_look.pop()
        self._looked.set()
        return False


def served(at_a_look: list[Exception], at_the_end: list[Exception]) -> None:
    """A service runs until a look has no fault, and stops."""
    looked = threading.Event()

    async def run() -> None:
        async with asyncio.timeout(10), followed(lambda: Faulty(looked, at_a_look, at_the_end)):
            assert await asyncio.to_thread(looked.wait, 5)

    asyncio.run(run())


def test_a_service_stops_where_what_is_known_cannot_be_kept(caplog: pytest.LogCaptureFixture) -> None:
    served([], [SettingsError("The disk is full.")])
    assert [record.message for record in caplog.records] == ["What changes is not noticed now. The disk is full."]


def test_a_fault_is_told_once_in_a_sentence_and_it_begins_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("cloud.drift.following.AGAIN_S", 0.0)
    served([sqlite3.OperationalError("disk I/O error") for _ in range(3)], [])
    [record] = caplog.records
    assert record.message.endswith("not noticed now. The utterance log cannot be read (disk I/O error).")
    assert record.exc_info is None
