"""A final that was put is there again, also in the next process, and the first one counts; what is erased is gone from
the disk; a disk that takes nothing keeps nobody from an answer."""

import asyncio
import errno
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cloud.log.answer_log import DAY_US, Key, Occasion, Span, SqliteAnswerLog
from cloud.log.answer_store import AnswerStore, Row
from common.errors import SettingsError
from protos import speech_pb2

KEY = Key("kitchen", "u-1")
NOW_US = 1_800_000_000_000_000


def put(log: SqliteAnswerLog, key: Key, transcript: str, spoken_at_unix_us: int | None = None) -> speech_pb2.Final:
    return asyncio.run(log.put(key, speech_pb2.Final(transcript=transcript), Occasion(spoken_at_unix_us)))


def get(log: SqliteAnswerLog, key: Key = KEY) -> str | None:
    final = asyncio.run(log.get(key))
    return None if final is None else final.transcript


def keep_up(log: SqliteAnswerLog) -> None:
    """What the running service does now and then."""
    asyncio.run(log._run(log._keep_up))


def on_the_disk(folder: Path, canary: str) -> list[str]:
    """Names of the files that hold it anywhere."""
    return [file.name for file in folder.rglob("*") if file.is_file() and canary.encode() in file.read_bytes()]


def test_the_first_final_of_a_key_counts_also_after_a_restart(tmp_path: Path) -> None:
    first, second = speech_pb2.Final(transcript="one"), speech_pb2.Final(transcript="two")
    with SqliteAnswerLog(tmp_path / "state" / "answers.db") as log:
        assert asyncio.run(log.get(KEY)) is None
        assert asyncio.run(log.put(KEY, first)) == first
        assert asyncio.run(log.put(KEY, second)) == first
    with SqliteAnswerLog(tmp_path / "state" / "answers.db") as log:
        assert asyncio.run(log.get(KEY)) == first
        assert asyncio.run(log.get(Key("garage", "u-1"))) is None


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path) -> None:
    with SqliteAnswerLog(tmp_path / "answers.db", answers_max=3) as log:
        for number in range(5):
            put(log, Key("kitchen", str(number)), str(number))
        kept = [number for number in range(5) if get(log, Key("kitchen", str(number))) is not None]
    assert kept == [2, 3, 4]


def test_answers_go_when_they_are_too_old_and_a_clock_that_jumps_ages_nothing_of_this_run(tmp_path: Path) -> None:
    clock = {"us": 0, "s": 0.0}

    def opened() -> SqliteAnswerLog:
        return SqliteAnswerLog(
            tmp_path / "answers.db", days_max=2, unix_us=lambda: int(clock["us"]), monotonic_s=lambda: clock["s"]
        )

    with opened() as log:
        put(log, Key("kitchen", "u-0"), "of the run before")
    with opened() as log:
        # A machine without a clock.
        put(log, KEY, "of 1970")
        clock["us"] = NOW_US
        clock["s"] = 4000.0
        keep_up(log)
        assert get(log, Key("kitchen", "u-0")) is None
        assert get(log) == "of 1970"
        put(log, Key("kitchen", "u-2"), "of today")
    with opened() as log:
        keep_up(log)
        assert (get(log), get(log, Key("kitchen", "u-2"))) == (None, "of today")
        clock["us"] += 3 * DAY_US
        clock["s"] += 3 * 86_400.0
        keep_up(log)
        assert get(log, Key("kitchen", "u-2")) is None


def test_a_file_that_is_no_database_is_named_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "answers.db"
    file.write_bytes(b"this is not a database, and far too long to be an empty one" * 20)
    with pytest.raises(SettingsError, match="answers.db: the utterance log cannot be opened"):
        SqliteAnswerLog(file).__enter__()


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    with SqliteAnswerLog(tmp_path / "answers.db") as log:
        put(log, KEY, "one")
        assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


FORGOTTEN: list[tuple[Callable[[int], bool], str | None, Span]] = [
    (lambda number: True, None, Span()),
    (lambda number: number == 7, "7", Span()),
    (lambda number: 5 <= number < 9, None, Span(5_000_000, 9_000_000)),
    (lambda number: number >= 15, None, Span(since_unix_us=15_000_000)),
]


@pytest.mark.parametrize(("forgotten", "utterance_id", "span"), FORGOTTEN)
def test_what_is_forgotten_is_gone_from_every_byte_of_the_files(
    tmp_path: Path, forgotten: Callable[[int], bool], utterance_id: str | None, span: Span
) -> None:
    def canary(device: str, number: int) -> str:
        # Long enough to have pages of its own.
        return f"{device}-canary-{number:02} " * 100

    with SqliteAnswerLog(tmp_path / "answers.db") as log:
        for number in range(20):
            put(log, Key("kitchen", str(number)), canary("kitchen", number), number * 1_000_000)
            put(log, Key("garage", str(number)), canary("garage", number), number * 1_000_000)
        assert on_the_disk(tmp_path, "kitchen-canary-07")
        erased = asyncio.run(log.forget("kitchen", utterance_id, span))
        gone = [number for number in range(20) if forgotten(number)]
        assert erased == len(gone)
        for number in range(20):
            assert bool(on_the_disk(tmp_path, f"kitchen-canary-{number:02}")) == (number not in gone)
            assert on_the_disk(tmp_path, f"garage-canary-{number:02}")
            assert (get(log, Key("kitchen", str(number))) is None) == (number in gone)


def test_what_ages_out_is_gone_from_every_byte_of_the_files(tmp_path: Path) -> None:
    with SqliteAnswerLog(tmp_path / "answers.db", answers_max=2) as log:
        for number in range(5):
            put(log, Key("kitchen", str(number)), f"canary-{number} " * 100)
        keep_up(log)
        assert not on_the_disk(tmp_path, "canary-0")
        assert on_the_disk(tmp_path, "canary-4")


def test_much_is_erased_in_steps_so_that_who_writes_has_a_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud.log.answer_log.ERASED_AT_ONCE", 2)
    clock = {"us": NOW_US, "s": 0.0}

    def opened() -> SqliteAnswerLog:
        return SqliteAnswerLog(
            tmp_path / "answers.db", days_max=2, unix_us=lambda: int(clock["us"]), monotonic_s=lambda: clock["s"]
        )

    async def written_while(log: SqliteAnswerLog) -> int:
        forgetting = asyncio.create_task(log.forget("kitchen", None, Span()))
        await asyncio.sleep(0)
        await log.put(Key("hall", "new"), speech_pb2.Final(transcript="new"))
        assert not forgetting.done()
        return await forgetting

    with opened() as log:
        for number in range(5):
            put(log, Key("kitchen", str(number)), f"canary-{number} " * 100)
            put(log, Key("hall", str(number)), f"hall-{number} " * 100)
        assert asyncio.run(written_while(log)) == 5
        assert not on_the_disk(tmp_path, "canary-")
        assert get(log, Key("hall", "0")) is not None
    clock["us"] += 3 * DAY_US
    with opened() as log:
        left = [asyncio.run(log._run(log._keep_up)) for _ in range(4)]
        assert left == [True, True, True, False]
        assert not on_the_disk(tmp_path, "hall-")


def test_an_answer_that_nobody_waits_for_any_more_can_be_forgotten(tmp_path: Path) -> None:
    async def given_up(log: SqliteAnswerLog) -> int:
        busy = threading.Event()
        log._thread.submit(busy.wait, 10)
        putting = asyncio.create_task(log.put(KEY, speech_pb2.Final(transcript="one")))
        await asyncio.sleep(0)
        putting.cancel()
        await asyncio.gather(putting, return_exceptions=True)
        assert putting.cancelled()
        busy.set()
        return await log.forget("kitchen", None, Span())

    with SqliteAnswerLog(tmp_path / "answers.db") as log:
        assert asyncio.run(given_up(log)) == 1
    with SqliteAnswerLog(tmp_path / "answers.db") as log:
        assert get(log) is None


def test_who_is_answered_waits_for_nobody_who_reads_what_was_erased(tmp_path: Path) -> None:
    async def written_while(log: SqliteAnswerLog, reader: sqlite3.Connection) -> int:
        forgetting = asyncio.create_task(log.forget("kitchen", None, Span()))
        await asyncio.sleep(0)
        for number in range(5):
            await log.put(Key("hall", str(number)), speech_pb2.Final(transcript="new"))
        await log._run(log._keep_up)
        assert not forgetting.done()
        assert on_the_disk(tmp_path, "canary")
        reader.close()
        return await forgetting

    with SqliteAnswerLog(tmp_path / "answers.db") as log:
        put(log, KEY, "canary " * 100)
        with closing(sqlite3.connect(tmp_path / "answers.db", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT final FROM answers").fetchall()
            assert asyncio.run(written_while(log, reader)) == 1
        assert not on_the_disk(tmp_path, "canary")


@pytest.fixture
def of_the_older_release(tmp_path: Path) -> Iterator[Path]:
    """As 0.1.0 made it; one answer was deleted, and not overwritten."""
    file = tmp_path / "answers.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA secure_delete = OFF")
        database.executescript(
            """
            PRAGMA journal_mode = WAL;
            CREATE TABLE answers (
                number INTEGER PRIMARY KEY,
                device_id TEXT NOT NULL,
                utterance_id TEXT NOT NULL,
                answered_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
                final BLOB NOT NULL,
                UNIQUE (device_id, utterance_id)
            );
            """
        )
        for name in ("deleted", "kept"):
            final = speech_pb2.Final(transcript=f"{name}-canary " * 500).SerializeToString()
            database.execute(
                "INSERT INTO answers (device_id, utterance_id, final) VALUES ('kitchen', ?, ?)", (name, final)
            )
        database.execute("DELETE FROM answers WHERE utterance_id = 'deleted'")
    return file


def test_a_log_of_the_older_release_is_taken_over(of_the_older_release: Path) -> None:
    assert on_the_disk(of_the_older_release.parent, "deleted-canary")
    with SqliteAnswerLog(of_the_older_release) as log:
        assert get(log, Key("kitchen", "kept"))
        put(log, KEY, "one", NOW_US)
        assert not on_the_disk(of_the_older_release.parent, "deleted-canary")
        assert asyncio.run(log.forget("kitchen", None, Span(until_unix_us=NOW_US))) == 1
        assert get(log) == "one"


def test_a_log_of_a_newer_release_is_left_as_it_is(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "answers.db")) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(SettingsError, match="made by a newer Parrotlet"):
        SqliteAnswerLog(tmp_path / "answers.db").__enter__()


def set_pages_max(log: SqliteAnswerLog, pages: int) -> None:
    """A disk that has room for so much."""
    assert log._store is not None
    log._store._database.execute(f"PRAGMA max_page_count = {pages}")


def test_where_the_disk_takes_nothing_answers_are_given_said_so_once_and_written_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with SqliteAnswerLog(tmp_path / "answers.db") as log:
        put(log, Key("kitchen", "before"), "before")
        set_pages_max(log, 1)
        answers = [put(log, Key("kitchen", str(number)), f"answer {number} " * 500) for number in range(3)]
        assert all(answer.not_logged for answer in answers)
        # The first of a key counts, and is known, whether it is on the disk or not.
        assert put(log, Key("kitchen", "1"), "another").transcript == answers[1].transcript
        assert asyncio.run(log.get(Key("kitchen", "1"))) == answers[1]
        assert get(log, Key("kitchen", "before")) == "before"
        assert log.trouble is not None
        keep_up(log)
        set_pages_max(log, 1_000_000)
        keep_up(log)
        assert log.trouble is None
        later = asyncio.run(log.get(Key("kitchen", "1")))
        assert later is not None
        assert not later.not_logged
    with SqliteAnswerLog(tmp_path / "answers.db") as log:
        assert [get(log, Key("kitchen", str(number))) for number in range(3)] == [one.transcript for one in answers]
    said = [record.getMessage() for record in caplog.records if "answers.db" in record.getMessage()]
    assert len(said) == 2
    assert "cannot be kept (database or disk is full)" in said[0]
    assert said[1].endswith("answers are kept again; 0 were lost")
    assert "answer 1" not in caplog.text


def test_what_waits_for_the_disk_is_bounded_and_can_be_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud.log.answer_log.WAITING_MAX", 2)
    with SqliteAnswerLog(tmp_path / "answers.db") as log:
        put(log, KEY, "x" * 3000)
        set_pages_max(log, 1)
        for number in range(3):
            put(log, Key("kitchen", str(number)), f"answer {number} " * 500)
        assert log.lost == 1
        assert get(log, Key("kitchen", "0")) is None
        assert asyncio.run(log.forget("kitchen", "1", Span())) == 1
        assert get(log, Key("kitchen", "1")) is None


class Unreadable(AnswerStore):
    """On a card that has gone."""

    def __init__(self) -> None:
        pass

    def add(self, rows: Iterable[Row], answers_max: int) -> bool:
        raise OSError(errno.EIO, "Input/output error")

    def get(self, key: Key) -> bytes | None:
        raise OSError(errno.EIO, "Input/output error")

    def prune(self, before_unix_us: int, numbers_max: object, limit: int) -> int:
        raise OSError(errno.EIO, "Input/output error")


def test_a_fault_of_the_file_system_is_a_disk_that_takes_nothing(tmp_path: Path) -> None:
    with SqliteAnswerLog(tmp_path / "answers.db") as log:
        whole, log._store = log._store, Unreadable()
        assert asyncio.run(log.put(KEY, speech_pb2.Final(transcript="one"))).not_logged
        assert get(log, Key("kitchen", "u-2")) is None
        keep_up(log)
        assert "Input/output error" in str(log.trouble)
        log._store = whole
        keep_up(log)
        assert get(log) == "one"
        assert log.trouble is None
