"""The spool on a real disk: what is kept, what makes room, what it says in trouble."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from edge_fakes import ANSWER, utterance

from common.errors import SpoolError
from edge.settings import Spool as Settings
from edge.speech.utterance import EndReason, UtteranceEnd, UtteranceHead
from edge.spool import damaged, unwritten
from edge.spool.erasure import Erasure
from edge.spool.event import Event, Kind
from edge.spool.spool import Spool
from edge.spool.store import Kept, Piece, Quota, SpoolStore, State
from edge.spool.unwritten import Entry

WAIT_S = 20


def spool(folder: Path, on_event: Callable[[Event], None] = lambda event: None, megabytes_max: int = 64) -> Spool:
    settings = Settings(megabytes_max=megabytes_max)
    file = folder / "spool.db"
    return Spool(file, settings, boot_id="boot", coding="coded", hop_ms=10, on_event=on_event, unix_us=lambda: 7)


def head(number: int) -> UtteranceHead:
    heard = utterance(number)[0]
    assert isinstance(heard, UtteranceHead)
    return heard


def end(number: int = 0) -> UtteranceEnd:
    heard = utterance(number)[-1]
    assert isinstance(heard, UtteranceEnd)
    return heard


def piece(first_frame: int, data: bytes = b"frames") -> Piece:
    return Piece(first_frame, 10, data)


def speak(to: Spool, number: int, pieces: int = 3, data: bytes = b"frames") -> Entry:
    entry = to.begin(head(number))
    for at in range(pieces):
        to.append(entry, piece(10 * at, data))
    to.finish(entry, end(number))
    return entry


def kept(of: Spool) -> list[Kept]:
    return of.ask(lambda store: store.kept()).result(WAIT_S)


def events(of: Spool) -> list[Event]:
    return [event for _, event in of.ask(lambda store: store.events()).result(WAIT_S)]


def test_what_was_said_outlives_the_daemon(tmp_path: Path) -> None:
    with spool(tmp_path) as first:
        speak(first, 0)
        speak(first, 1, pieces=1)
        assert [one.number for one in kept(first)] == [1, 2]
    with spool(tmp_path) as second:
        one, other = kept(second)
        assert (one.head, one.end, one.state) == (head(0), end(0), State.WAITING)
        assert (one.boot_id, one.coding, one.attempts, one.told) == ("boot", "coded", 0, False)
        assert second.ask(lambda store: store.pieces(1)).result(WAIT_S) == [piece(0), piece(10), piece(20)]
        assert second.ask(lambda store: store.pieces(2)).result(WAIT_S) == [piece(0)]
        assert other.bytes < one.bytes


def test_numbers_rise_for_ever(tmp_path: Path) -> None:
    with spool(tmp_path) as first:
        first.acknowledge(speak(first, 0))
        assert kept(first) == []
    with spool(tmp_path) as second:
        speak(second, 1)
        assert [one.number for one in kept(second)] == [1]
        second.acknowledge(speak(second, 2))
        kept(second)
        speak(second, 3)
        assert [one.head.utterance_id for one in kept(second)] == ["u1", "u3"]


def test_what_is_acknowledged_leaves_no_byte(tmp_path: Path) -> None:
    canary = os.urandom(64)
    with spool(tmp_path) as kept_in:
        entry = speak(kept_in, 0, data=canary)
        assert kept(kept_in)
        assert any(canary in file.read_bytes() for file in tmp_path.iterdir())
        kept_in.acknowledge(entry)
    assert not any(canary in file.read_bytes() for file in tmp_path.iterdir())


def test_what_is_answered_before_its_commit_is_never_written(tmp_path: Path) -> None:
    with spool(tmp_path) as kept_in:
        kept_in.ask(lambda store: None).result(WAIT_S)
        entry = speak(kept_in, 0)
        kept_in.tell(entry, Kind.FINAL, answer=ANSWER)
        kept_in.acknowledge(entry)
        assert kept(kept_in) == []
        assert entry.number is None
        (event,) = events(kept_in)
        assert event == Event("u0", Kind.FINAL, 7, head(0).started_at_unix_us, ANSWER, duration_ms=event.duration_ms)
        assert event.duration_ms


def test_speech_that_a_death_cut_off_ends_with_its_last_frame(tmp_path: Path) -> None:
    with spool(tmp_path) as died:
        entry = died.begin(head(0))
        died.append(entry, piece(0))
        died.append(entry, piece(10))
        died.begin(head(1))
        assert [one.state for one in kept(died)] == [State.SPEAKING] * 2
    with spool(tmp_path) as next_run:
        (cut,) = kept(next_run)
        assert cut.state is State.WAITING
        assert cut.end is not None
        assert (cut.end.reason, cut.end.duration_ms, cut.end.speech_end_ms) == (EndReason.STOPPED, 200, 200)


def test_an_utterance_has_one_final(tmp_path: Path) -> None:
    seen: list[Event] = []
    with spool(tmp_path, seen.append) as kept_in:
        entry = speak(kept_in, 0)
        kept_in.tell(entry, Kind.KEPT, sentence="It will be sent.")
        kept_in.tell(entry, Kind.LATE, answer=ANSWER)
        kept_in.tell(entry, Kind.EXPIRED, sentence="Too late.")
        kept_in.tell(entry, Kind.BETTER, answer=ANSWER)
        assert [event.kind for event in events(kept_in)] == [Kind.KEPT, Kind.LATE, Kind.BETTER]
        assert seen == events(kept_in)
        assert kept(kept_in)[0].told


def test_events_outlive_the_acknowledgement_up_to_a_bound(tmp_path: Path) -> None:
    settings = Settings(answers_max=3)
    bounded = Spool(tmp_path / "spool.db", settings, boot_id="b", coding="c", hop_ms=10)
    with bounded:
        for number in range(5):
            entry = speak(bounded, number)
            bounded.tell(entry, Kind.FINAL, answer=ANSWER)
            bounded.acknowledge(entry)
        assert [number for number, _ in bounded.ask(lambda store: store.events()).result(WAIT_S)] == [3, 4, 5]
        assert [event.utterance_id for _, event in bounded.ask(lambda store: store.events(4)).result(WAIT_S)] == ["u4"]


def test_whoever_asks_what_waits_reads_no_table_whole(tmp_path: Path) -> None:
    """A full spool is 64 MB, and a board is asked every few seconds, in the thread that writes."""
    with closing(SpoolStore(tmp_path / "spool.db", Quota(1 << 20, 50))) as store:
        before = store.figures()
        assert (before.waiting, before.quarantined, before.oldest_at_unix_us) == (0, 0, None)
        for number in range(3):
            kept_as = store.begin(head(number), "boot", "coded")
            store.append(kept_as, 0, [piece(0, b"x" * 5000)])
            store.finish(kept_as, end(number))
        store.quarantine(kept_as, "refused")
        asked: list[str] = []
        store._database.set_trace_callback(asked.append)
        after = store.figures()
        store._database.set_trace_callback(None)
        assert (after.waiting, after.quarantined) == (2, 1)
        assert after.oldest_at_unix_us == head(0).started_at_unix_us
        assert 15_000 < after.bytes - before.bytes < 30_000
        plans = [str(row[3]) for one in asked for row in store._database.execute(f"EXPLAIN QUERY PLAN {one}")]
        assert plans
        assert [plan for plan in plans if plan.startswith("SCAN") and "INDEX" not in plan] == []


def test_the_oldest_makes_room_and_is_told(tmp_path: Path) -> None:
    seen: list[Event] = []
    with spool(tmp_path, seen.append, megabytes_max=1) as small:
        for number in range(12):
            speak(small, number, pieces=100, data=os.urandom(1000))
            numbers = [one.head.sequence_number for one in kept(small)]
        assert numbers == list(range(small.dropped, 12))
        assert 2 < small.dropped < 8
        assert [(event.utterance_id, event.kind) for event in seen] == [
            (f"u{number}", Kind.DROPPED) for number in range(small.dropped)
        ]
    assert (tmp_path / "spool.db").stat().st_size <= 1 << 20


def test_a_disk_that_takes_nothing_is_said_and_outlived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.spool.writer.TROUBLE_S", 0.01)
    (tmp_path / "folder").write_text("in the way")
    with spool(tmp_path / "folder") as troubled:
        speak(troubled, 0)
        with pytest.raises(SpoolError, match=r"folder/spool\.db: what is said cannot be kept .* waits in memory"):
            kept(troubled)
        assert troubled.trouble
        (tmp_path / "folder").unlink()
        while troubled.trouble:
            try:
                kept(troubled)
            except SpoolError:
                continue
        assert [one.head for one in kept(troubled)] == [head(0)]
        assert troubled.dropped == 0


def test_whoever_speaks_never_waits_for_the_disk(tmp_path: Path) -> None:
    with spool(tmp_path) as locked:
        kept(locked)
        other = sqlite3.connect(tmp_path / "spool.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        answer = locked.ask(lambda store: store.kept())
        speak(locked, 0)
        assert not answer.done() or answer.result() == []
        other.execute("ROLLBACK")
        other.close()
        assert len(kept(locked)) == 1


def test_what_waits_in_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unwritten, "BYTES_MAX", 50_000)
    seen: list[Event] = []
    never_opened = spool(tmp_path, seen.append)
    for number in range(4):
        speak(never_opened, number, pieces=100, data=bytes(100))
    assert [event.utterance_id for event in seen] == ["u0", "u1", "u2"]
    with never_opened:
        assert [one.head.utterance_id for one in kept(never_opened)] == ["u3"]


def test_what_was_answered_takes_no_room_in_memory_and_is_not_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unwritten, "BYTES_MAX", 50_000)
    never_opened = spool(tmp_path)
    for number in range(30):
        entry = speak(never_opened, number, pieces=20, data=bytes(100))
        never_opened.tell(entry, Kind.FINAL, answer=ANSWER)
        never_opened.acknowledge(entry)
    speak(never_opened, 30)
    assert never_opened.dropped == 0
    with never_opened:
        assert [one.head.utterance_id for one in kept(never_opened)] == ["u30"]
        assert len(events(never_opened)) == 30


def test_what_is_told_in_trouble_that_never_ends_is_bounded_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unwritten, "BYTES_MAX", 10_000)
    never_opened = spool(tmp_path)
    for number in range(100):
        entry = speak(never_opened, number, pieces=1)
        never_opened.tell(entry, Kind.FINAL, answer=ANSWER)
        never_opened.acknowledge(entry)
    with never_opened:
        assert kept(never_opened) == []
        assert 0 < len(events(never_opened)) < 50


def test_trouble_in_the_middle_of_a_word_ends_no_utterance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.spool.writer.TROUBLE_S", 0.01)
    monkeypatch.setattr("edge.spool.tables.BUSY_S_MAX", 0.01)
    with spool(tmp_path) as troubled:
        silent, speaking = troubled.begin(head(0)), troubled.begin(head(1))
        troubled.append(speaking, piece(0))
        assert [one.state for one in kept(troubled)] == [State.SPEAKING] * 2
        other = sqlite3.connect(tmp_path / "spool.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        troubled.append(silent, piece(0))
        with pytest.raises(SpoolError):
            kept(troubled)
        other.execute("ROLLBACK")
        other.close()
        while troubled.trouble:
            with suppress(SpoolError):
                kept(troubled)
        assert [one.state for one in kept(troubled)] == [State.SPEAKING] * 2
        troubled.finish(silent, end(0))
        assert [one.state for one in kept(troubled)] == [State.WAITING, State.SPEAKING]


def test_what_is_in_a_hurry_is_on_the_disk_before_its_time(tmp_path: Path) -> None:
    settings = Settings(commit_ms=10_000)
    with Spool(tmp_path / "spool.db", settings, boot_id="b", coding="c", hop_ms=10) as unasked:
        kept(unasked)
        entry = speak(unasked, 0)
        unasked.tell(entry, Kind.FINAL, answer=ANSWER)
        unasked.hurry()
        other = sqlite3.connect(tmp_path / "spool.db")
        until_s = time.monotonic() + 5
        while not (found := other.execute("SELECT told FROM utterances").fetchall()) and time.monotonic() < until_s:
            continue
        other.close()
        assert found == [(1,)]


def test_a_final_is_marked_and_put_down_in_one_commit(tmp_path: Path) -> None:
    with spool(tmp_path) as kept_in:
        entry = speak(kept_in, 0)
        kept(kept_in)
        waiting = []
        kept_in._unwritten.put = lambda *change, **rest: waiting.append((change, rest))  # type: ignore[method-assign,assignment]
        kept_in.tell(entry, Kind.FINAL, answer=ANSWER)
        assert len(waiting) == 1


def test_a_damaged_file_is_kept_aside(tmp_path: Path) -> None:
    (tmp_path / "spool.db").write_bytes(b"not a database" * 1000)
    with spool(tmp_path) as new:
        speak(new, 0)
        assert len(kept(new)) == 1
    aside = [file for file in tmp_path.iterdir() if "damaged" in file.name]
    assert aside[0].read_bytes() == b"not a database" * 1000


def test_of_damaged_files_the_newest_few_are_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in (9, 10, 11):
        for suffix in ("", "-wal"):
            (tmp_path / f"spool.db.damaged-{number}{suffix}").write_bytes(b"older")
    (tmp_path / "spool.db").write_bytes(b"not a database" * 1000)
    with spool(tmp_path) as new:
        speak(new, 0)
        assert len(kept(new)) == 1
    aside = damaged.spools(tmp_path / "spool.db")
    assert len(aside) == damaged.KEPT_MAX
    assert aside[0].name == "spool.db.damaged-11"
    assert aside[-1].read_bytes() == b"not a database" * 1000
    assert sum("was erased: there are enough of them" in record.message for record in caplog.records) == 2
    assert not list(tmp_path.glob("spool.db.damaged-9*"))


def test_a_file_that_is_damaged_within_is_kept_aside_with_its_log(tmp_path: Path) -> None:
    with spool(tmp_path) as first:
        for number in range(40):
            speak(first, number)
        kept(first)
    file = tmp_path / "spool.db"
    sound = file.read_bytes()
    file.write_bytes(sound[:1024] + os.urandom(len(sound) - 1024))
    (tmp_path / "spool.db-wal").write_bytes(b"of before")
    with spool(tmp_path) as new:
        speak(new, 0)
        assert len(kept(new)) == 1
    aside = sorted(file.name for file in tmp_path.iterdir() if "damaged" in file.name)
    assert len(aside) >= 1


def spoil_a_row(file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute("UPDATE utterances SET head = ? WHERE number = 2", (b'{"utterance_id": 7',))
    database.close()


def test_a_row_that_a_card_has_spoilt_is_told_and_the_next_start_sets_the_file_aside(tmp_path: Path) -> None:
    with spool(tmp_path) as running:
        for number in range(3):
            speak(running, number)
        kept(running)
        spoil_a_row(tmp_path / "spool.db")
        with pytest.raises(SpoolError, match="not what was written"):
            kept(running)
        # What is spoken is written on, and the fault is not forgotten over it.
        speak(running, 3)
        running.ask(lambda store: None).result(WAIT_S)
        assert running.trouble
        assert "is damaged" in running.trouble
    with spool(tmp_path) as next_run:
        assert kept(next_run) == []
        assert next_run.trouble is None
        assert any("damaged" in file.name for file in tmp_path.iterdir())


def test_a_spoilt_row_can_be_erased_with_all_others(tmp_path: Path) -> None:
    with spool(tmp_path) as running:
        for number in range(3):
            running.tell(speak(running, number), Kind.FINAL, answer=ANSWER)
        kept(running)
        spoil_a_row(tmp_path / "spool.db")
        assert running.ask(lambda store: store.erase(Erasure())).result(WAIT_S) == 4
        assert kept(running) == []
        assert events(running) == []


def test_tables_of_a_newer_release_are_left_as_they_are(tmp_path: Path) -> None:
    with spool(tmp_path) as first:
        speak(first, 0)
    with sqlite3.connect(tmp_path / "spool.db") as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with spool(tmp_path) as older:
        with pytest.raises(SpoolError, match="made by a newer Parrotlet"):
            kept(older)
    with sqlite3.connect(tmp_path / "spool.db") as unchanged:
        assert unchanged.execute("PRAGMA user_version").fetchone() == (99,)
    unchanged.close()


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    with spool(tmp_path) as private:
        speak(private, 0)
        kept(private)
        assert {file.stat().st_mode & 0o077 for file in tmp_path.iterdir()} == {0}


_KILLED = """
import itertools, sys
from pathlib import Path
sys.path[:0] = ["tests"]
from test_spool import speak, spool
with spool(Path(sys.argv[1])) as kept_in:
    for number in itertools.count():
        speak(kept_in, number)
        kept_in.ask(lambda store: None).result()
        print(number, flush=True)
"""


def test_what_was_committed_outlives_kill_9(tmp_path: Path) -> None:
    for round_ in range(3):
        folder = tmp_path / str(round_)
        writing = subprocess.Popen([sys.executable, "-c", _KILLED, folder], stdout=subprocess.PIPE, text=True)
        assert writing.stdout is not None
        for _ in range(20 + 7 * round_):
            writing.stdout.readline()
        writing.send_signal(signal.SIGKILL)
        said = [int(line) for line in writing.stdout]
        writing.wait(WAIT_S)
        writing.stdout.close()
        last = said[-1] if said else 19 + 7 * round_
        with spool(folder) as found:
            assert [one.head.sequence_number for one in kept(found)][: last + 1] == list(range(last + 1))
