"""The page's server: what a phone is told of a daemon, in order and once, and what it may ask for."""

import io
import itertools
import json
import queue
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from common.errors import DaemonError
from common.settings import Loaded, load
from common.supervision import Supervision
from edge.board.daemon import serve
from edge.console import Console
from edge.page.page import Page
from edge.settings import EdgeSettings
from edge.sound.audio_file import AudioFile
from edge.sound.player import Player
from edge.sound.source import Block
from edge.speech.hearing import hear
from edge.speech.utterance import Heard
from edge.spool.event import Event, Kind
from edge.spool.kept_list import opened
from edge.spool.store import Quota, SpoolStore
from tests.conftest import Speech
from tests.edge_fakes import ANSWER, FakeRecogniser
from tests.page_phone import PATIENCE_S, Phone
from tests.test_daemon import Endless, Notes


class Waiting(Endless):
    """Begins when it is told to."""

    def __init__(self, blocks: list[Block]) -> None:
        super().__init__(blocks)
        self.begin = threading.Event()

    def blocks(self) -> Iterator[Block]:
        self.begin.wait(PATIENCE_S)
        yield from super().blocks()

    def close(self) -> None:
        self.begin.set()
        super().close()


class Daemon:
    """With a page of its own, and a microphone in which nobody speaks unless blocks are given."""

    page: Page

    def __init__(
        self,
        directory: Path,
        blocks: list[Block],
        asking: Callable[[Loaded[EdgeSettings]], Any],
        settings: Mapping[str, Any],
    ) -> None:
        options = {
            "device.id": "kitchen",
            "device.runtime_dir": str(directory),
            "device.state_dir": str(directory),
            "page.listen": "127.0.0.1:0",
            "page.tls": False,
        }
        self.loaded: Loaded[EdgeSettings] = load(
            EdgeSettings, file=None, environment={}, environment_prefix="X", options=options | settings
        )
        self.recogniser = asking(self.loaded)
        self.ear = Waiting(blocks)
        self._stop: queue.Queue[int] = queue.Queue()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.died_of: DaemonError | None = None

    def _run(self) -> None:
        supervision = Supervision(Notes(), environment={})
        try:
            serve(self.loaded, Player(self.ear), self.recogniser, self._wait, supervision, Console(io.StringIO()), 1.0)
        except DaemonError as error:
            self.died_of = error

    def _wait(self, timeout_s: float) -> int | None:
        self._ready.set()
        with suppress(queue.Empty):
            return self._stop.get(timeout=min(timeout_s, 0.02))
        return None


@contextmanager
def running(
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    blocks: list[Block] | None = None,
    *,
    asking: Callable[[Loaded[EdgeSettings]], Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    **how: Any,
) -> Iterator[tuple[Daemon, Phone]]:
    """A daemon, and a phone that is paired with it. `asking` makes the recogniser of the settings, else it is a
    FakeRecogniser of that kind."""
    pages: queue.Queue[Page] = queue.Queue()
    enter = Page.__enter__

    def entered(page: Page) -> Page:
        pages.put(enter(page))
        return page

    monkeypatch.setattr(Page, "__enter__", entered)
    daemon = Daemon(directory, blocks or [], asking or (lambda _: FakeRecogniser(**how)), settings or {})
    daemon._thread.start()
    try:
        daemon.page = pages.get(timeout=PATIENCE_S)
        yield daemon, Phone(daemon.page)
    finally:
        daemon._stop.put(15)
        daemon._thread.join(PATIENCE_S)
        assert not daemon._thread.is_alive()


def test_a_phones_hearing_thread_that_dies_ends_the_daemon_and_what_was_said_is_answered(
    tmp_path: Path, speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: Any, **how: Any) -> Iterator[Heard]:
        yield from itertools.islice(hear(*given, **how), 6)
        raise ZeroDivisionError

    monkeypatch.setattr("edge.page.microphone.hear", broken)
    with running(tmp_path, monkeypatch) as (daemon, phone):
        with suppress(ConnectionClosed):
            phone.say(spoken(speech))
        daemon._thread.join(PATIENCE_S)
        assert str(daemon.died_of).startswith("The daemon cannot go on. A thread that hears a phone died of ZeroDiv")
    with opened(daemon.loaded) as store:
        event = store.events()[0][1]
        assert (event.kind, event.ear, event.answer) == (Kind.FINAL, phone.id, ANSWER)


def spoken(speech: Speech) -> list[Block]:
    return list(AudioFile(str(speech.path("timer"))).blocks())


def with_answers(directory: Path, count: int) -> None:
    store = SpoolStore(directory / "spool.db", Quota(1 << 26, 5000))
    for number in range(1, count + 1):
        store.record(Event(f"u{number}", Kind.FINAL, number, number, ANSWER))
    store.close()


def test_an_answer_is_told_at_once_and_again_with_its_number(
    tmp_path: Path, speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, monkeypatch, spoken(speech), at_once=False) as (daemon, phone):
        watcher = phone.look()
        hello, _ = watcher.next("hello")
        assert hello["board"] == "kitchen"
        daemon.ear.begin.set()
        partial, _ = watcher.next("partial")
        daemon.ear.all_read.wait(PATIENCE_S)
        daemon.recogniser.streams[0].settle()
        # What it asks for is done meanwhile, and told as well.
        finals = (item for item in iter(lambda: watcher.next("answer"), None) if item[0]["kind"] == "final")
        (told, number), (kept, kept_number) = next(finals), next(finals)
        watcher.close()
    assert number is None
    assert kept_number == 1
    assert kept == told
    assert told["transcript"] == ANSWER.transcript
    assert told["utterance_id"] == partial["utterance_id"]
    assert told["by"] == "board"


def test_who_comes_back_misses_nothing_and_gets_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_answers(tmp_path, 300)
    with running(tmp_path, monkeypatch) as (_, phone):
        first = phone.look("?last=20")
        newest = [first.next("answer")[1] for _ in range(20)]
        first.close()
        again = phone.look("?last=20", **{"Last-Event-ID": "120"})
        missed = [again.next("answer")[1] for _ in range(180)]
        again.close()
        _, page = phone.ask("/answers?before=281&limit=100")
        _, rest = phone.ask("/answers?before=181&limit=200")
    assert newest == list(range(281, 301))
    assert missed == list(range(121, 301))
    assert [one["id"] for one in page["answers"]] == list(range(280, 180, -1))
    assert page["more"]
    assert not rest["more"]


def test_who_knows_more_than_was_ever_told_here_gets_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_answers(tmp_path, 3)
    with running(tmp_path, monkeypatch) as (_, phone):
        looking = phone.look(**{"Last-Event-ID": "99"})
        assert looking.next("hello")[0]["last"] == 3
        assert [looking.next("answer")[1] for _ in range(3)] == [1, 2, 3]
        looking.close()


def test_no_number_that_is_asked_for_is_too_strange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_answers(tmp_path, 3)
    with running(tmp_path, monkeypatch) as (_, phone):
        for number in (10**30, -(10**30)):
            assert len(phone.ask(f"/answers?before={number}")[1]["answers"]) == 3
            for query in (f"?after={number}", f"?last={number}"):
                looking = phone.look(query)
                assert looking.next("hello")[0]["last"] == 3
                looking.close()
            assert phone.ask(f"/answers?limit={number}")[0] == 200
        assert phone.ask("/answers?before=1")[1] == {"answers": [], "more": False}
        assert [one["id"] for one in phone.ask("/answers?limit=2")[1]["answers"]] == [3, 2]
        assert phone.ask("/answers?limit=2")[1]["more"]
        assert not phone.ask("/answers?limit=3")[1]["more"]


def test_history_is_searched_by_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_answers(tmp_path, 3)
    with running(tmp_path, monkeypatch) as (_, phone):
        assert len(phone.ask("/answers?search=TIMER%20ten")[1]["answers"]) == 3
        assert phone.ask("/answers?search=lamp")[1] == {"answers": [], "more": False}


def test_what_is_forgotten_is_gone_and_who_keeps_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_answers(tmp_path, 3)
    with running(tmp_path, monkeypatch) as (_, phone):
        watcher = phone.look()
        before, _ = watcher.next("hello")
        assert phone.ask("/forget", {"utterance_id": "u2"}) == (200, {"here": 1})
        watcher.next("forgotten")
        watcher.close()
        later = phone.look()
        after, _ = later.next("hello")
        later.close()
        assert [one["utterance_id"] for one in phone.ask("/answers")[1]["answers"]] == ["u3", "u1"]
        status, why = phone.ask("/forget", {})
    assert before["history"] != after["history"]
    assert (status, list(why)) == (400, ["sentence"])


def test_what_a_person_says_of_an_answer_is_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_answers(tmp_path, 2)
    said = {"feedback_id": "f1", "utterance_id": "u2", "given_at_unix_ms": 1_700_000_000_000, "transcript": "Hello."}
    with running(tmp_path, monkeypatch) as (_, phone):
        assert [phone.ask("/feedback", said)[0] for _ in range(2)] == [202, 202]
        assert phone.ask("/feedback", "[" * 60_000)[0] == 400
        for wrong in ({}, {"verdict": "perhaps"}, {"transcript": 5}, {"feedback_id": "<script>"}):
            status, why = phone.ask("/feedback", said | wrong if wrong else {})
            assert status == 400
            assert why["sentence"].endswith(".")
    store = SpoolStore(tmp_path / "spool.db", Quota(1 << 26, 5000))
    (kept,) = store.debts.feedback()
    store.close()
    assert (kept.utterance_id, kept.transcript, kept.given_by) == ("u2", "Hello.", phone.id)
    assert kept.of_transcript == ANSWER.transcript


def test_a_phone_mutes_the_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path, monkeypatch) as (_, phone):
        watcher = phone.look()
        assert watcher.next("state")[0]["doing"] == "idle"
        assert phone.ask("/do/mute", {})[0] == 204
        while watcher.next("state")[0]["doing"] != "muted":
            pass
        assert phone.ask("/do/press", {})[0] == 409
        assert phone.ask("/do/self-destruct", {})[0] == 400
        watcher.close()


def test_a_phone_is_heard_as_the_board_is(tmp_path: Path, speech: Speech, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path, monkeypatch) as (_, phone):
        watcher = phone.look()
        # The number of a sample may run over.
        phone.say(spoken(speech), first=2**32 - 8000)
        told, _ = watcher.next("answer")
        watcher.close()
    assert told["transcript"] == ANSWER.transcript
    assert told["by"] == phone.id


@pytest.mark.parametrize("message", [b"", b"1234", b"123456789", b"\0" * 60_001, "no JSON", '{"gap": 1}'])
def test_what_is_no_sound_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: bytes | str
) -> None:
    with running(tmp_path, monkeypatch) as (_, phone), phone.speak() as microphone:
        microphone.send(json.dumps({"rate_hz": 48000}))
        assert json.loads(microphone.recv(PATIENCE_S)) == {"ready": True}
        microphone.send(message)
        assert json.loads(microphone.recv(PATIENCE_S))["sentence"].endswith(".")
        with pytest.raises(ConnectionClosed):
            microphone.recv(PATIENCE_S)


@pytest.mark.parametrize(
    "begin", [b"\0\0\0\0\0\0", "[" * 60_000, "", "{}", '{"rate_hz": 7}', '{"rate_hz": 16000, "mode": "shout"}', "[]"]
)
def test_a_microphone_that_begins_wrongly_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begin: str | bytes
) -> None:
    with running(tmp_path, monkeypatch) as (_, phone), phone.speak() as microphone:
        microphone.send(begin)
        assert json.loads(microphone.recv(PATIENCE_S))["sentence"].endswith(".")


def test_more_than_real_time_is_not_heard_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path, monkeypatch) as (_, phone), phone.speak() as microphone:
        microphone.send(json.dumps({"rate_hz": 8000}))
        microphone.recv(PATIENCE_S)
        with suppress(ConnectionClosed):
            for number in range(200):
                microphone.send(struct.pack("<I", number * 8000) + bytes(16000))
        while "heard" in (told := json.loads(microphone.recv(PATIENCE_S))):
            pass
        assert "faster than anybody speaks" in told["sentence"]


def test_a_phone_is_told_how_much_of_its_sound_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path, monkeypatch) as (_, phone), phone.speak() as microphone:
        microphone.send(json.dumps({"rate_hz": 48000}))
        for number in range(1, 5):
            microphone.send(struct.pack("<I", number * 24000) + bytes(24000))
        told = [json.loads(microphone.recv(PATIENCE_S)) for _ in range(3)]
    assert told == [{"ready": True}, {"heard": 24000}, {"heard": 48000}]


def test_a_message_that_is_too_large_ends_the_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path, monkeypatch) as (_, phone), phone.speak() as microphone:
        microphone.send(json.dumps({"rate_hz": 16000}))
        microphone.recv(PATIENCE_S)
        with pytest.raises(ConnectionClosed):
            microphone.send(bytes(70_000))
            microphone.recv(PATIENCE_S)
