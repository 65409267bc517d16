"""What a board is told of the others of its group: all of it, once, in order; and a stranger nothing."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from benchmarks.tried_service import enrolled
from cloud.groups import Groups, Members
from cloud.keys.pki_folder import create
from cloud.log.answer_log import NEWEST_MAX, Batch, Key, Span, SqliteAnswerLog
from cloud.log.answer_store import AnswerStore
from cloud.places import Places
from cloud.request_stream import Refusal
from cloud.settings import Group
from cloud.watching import NUMBER_MAX, WATCHES_PER_DEVICE_MAX, Watching
from common.addresses import parse_address
from protos import speech_pb2, speech_pb2_grpc
from tests.closed_service import channel
from tests.group_service import HOME, SPOKEN, WAIT_S, GroupService, group_service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[GroupService]:
    with group_service(tmp_path) as running:
        yield running


class Watch:
    """A board that looks on, and goes on from where it was."""

    def __init__(self, device: str, opened: grpc.Channel) -> None:
        self.request = speech_pb2.WatchRequest(device_id=device)
        self.told: list[str] = []
        self.numbers: list[int] = []
        self.anew = 0
        self._stub = speech_pb2_grpc.SpeechStub(opened)  # type: ignore[no-untyped-call]
        self.look()

    def look(self) -> None:
        self.call = self._stub.Watch(self.request, timeout=WAIT_S)

    def until(self, utterance_id: str) -> None:
        """Reads until this one has been told."""
        for watched in self.call:
            self._take(watched)
            if self.told[-1:] == [utterance_id]:
                return
        raise AssertionError("it ended")

    def once_anew(self) -> None:
        while (watched := next(self.call)).WhichOneof("watched") != "log":
            self._take(watched)
        self._take(watched)

    def status(self) -> tuple[grpc.StatusCode, str]:
        with pytest.raises(grpc.RpcError) as caught:
            for watched in self.call:
                self._take(watched)
        return caught.value.code(), caught.value.details()

    def _take(self, watched: speech_pb2.Watched) -> None:
        if watched.HasField("log"):
            self.request.history = watched.log.history
            if watched.log.is_anew:
                self.anew += 1
                self.told.clear()
                self.numbers.clear()
            return
        answer = watched.answer
        self.request.after = answer.number
        self.numbers.append(answer.number)
        self.told.append(answer.utterance_id)
        self.last = answer


@contextmanager
def looking(service: GroupService, device: str = "hall") -> Iterator[Watch]:
    with grpc.insecure_channel(service.address) as opened:
        watch = Watch(device, opened)
        yield watch
        watch.call.cancel()


def test_what_others_are_answered_is_told_then_what_comes_and_never_ones_own(service: GroupService) -> None:
    final = speech_pb2.Final(transcript="lights on", words=[speech_pb2.Word(text="lights")], explanation=["So it is."])
    service.answer("kitchen", "u1", final, SPOKEN)
    service.answer("hall", "own", "what time is it")
    service.answer("garage", "no group", "of nobody's")
    service.answer("attic", "another group", "of others")
    with looking(service) as watch:
        watch.until("u1")
        told = watch.last
        assert (told.device_id, told.final.transcript, told.snr_db) == ("kitchen", "lights on", 12.0)
        assert told.spoken_at_unix_us == SPOKEN.spoken_at_unix_us
        assert abs(told.answered_at_unix_us / 1e6 - time.time()) < WAIT_S
        assert (len(told.final.words), len(told.final.explanation)) == (0, 0)
        service.answer("hall", "own 2", "what time is it")
        service.answer("desk.phone-ab", "u2", "set a timer")
        watch.until("u2")
        assert watch.told == ["u1", "u2"]
        assert watch.numbers == sorted(watch.numbers)


def test_a_phone_is_told_of_the_machine_s_other_phones_where_a_group_has_it(service: GroupService) -> None:
    with looking(service, "desk.phone-ab") as watch:
        service.answer("desk.phone-ab", "own", "lights on")
        service.answer("desk.phone-cd", "u1", "lights off")
        service.answer("desk", "u2", "lights on")
        watch.until("u2")
        assert watch.told == ["u1", "u2"]


def test_over_and_over_again_nothing_is_missing_and_nothing_comes_twice(tmp_path: Path) -> None:
    port, wanted = 0, [f"u{number}" for number in range(240)]
    watch, opened = None, None
    for part in range(4):
        # The service dies and is back; the third time the board looks on all the time, else it comes late.
        with group_service(tmp_path, port=port) as service:
            port = parse_address(service.address, called="address", port_min=1).port
            opened = opened or grpc.insecure_channel(service.address)
            watch = watch or Watch("hall", opened)
            mine = wanted[60 * part : 60 * (part + 1)]

            def talk(mine: list[str] = mine, service: GroupService = service) -> None:
                for utterance in mine:
                    service.answer("kitchen", utterance, utterance)

            talking = threading.Thread(target=talk)
            talking.start()
            for break_off in mine[10::20]:
                if part:
                    watch.look()
                watch.until(break_off)
                watch.call.cancel()
                watch.look()
            watch.until(mine[-1])
            talking.join()
            watch.call.cancel()
            # After a start the newest are told anew, and all of them are there.
            assert watch.told == wanted[: 60 * (part + 1)][-len(watch.told) :]
            assert len(watch.told) >= min(NEWEST_MAX, 60 * (part + 1))
            assert watch.numbers == sorted(set(watch.numbers))
    assert opened is not None
    opened.close()


def test_who_has_been_away_is_told_all_that_came_and_a_newcomer_the_newest(service: GroupService) -> None:
    with looking(service) as watch:
        service.answer("kitchen", "first", "lights on")
        watch.until("first")
        watch.call.cancel()
        for number in range(NEWEST_MAX + 30):
            service.answer("kitchen", f"u{number}", f"number {number}")
        watch.look()
        watch.until(f"u{NEWEST_MAX + 29}")
        assert (len(watch.told), watch.anew) == (NEWEST_MAX + 31, 1)
    with looking(service, "desk") as newcomer:
        newcomer.until(f"u{NEWEST_MAX + 29}")
        assert newcomer.told[0] == "u30"


@pytest.mark.parametrize("by_command", [False, True], ids=["by its board", "by the owner's command"])
def test_what_was_erased_is_told_anew_without_it_and_its_number_is_not_given_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_command: bool
) -> None:
    monkeypatch.setattr("cloud.watching.PAUSE_S", 0.0)
    with group_service(tmp_path) as service, looking(service) as watch:
        service.answer("kitchen", "u1", "keep this")
        service.answer("kitchen", "u2", "forget this")
        watch.until("u2")
        before = watch.numbers[-1]
        if by_command:
            with closing(AnswerStore(tmp_path / "answers.db")) as store:
                store.forget("kitchen", "u2", Span())
        else:
            service.forget("kitchen", "u2")
        watch.once_anew()
        service.answer("kitchen", "u3", "and then")
        watch.until("u3")
        assert watch.told == ["u1", "u3"]
        assert watch.numbers[-1] > before
        # Whoever was away learns of it when it comes.
        watch.call.cancel()
        service.forget("kitchen")
        watch.look()
        service.answer("desk", "u4", "the last")
        watch.until("u4")
        assert watch.told == ["u4"]


def test_what_a_stranger_erases_moves_nobody(service: GroupService) -> None:
    service.answer("attic", "u1", "lights on")
    with looking(service) as watch:
        service.answer("kitchen", "u2", "lights on")
        watch.until("u2")
        service.forget("attic")
        service.forget("hall")
        service.answer("kitchen", "u3", "lights on")
        watch.until("u3")
        assert watch.anew == 1


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ({"device_id": "garage"}, "FAILED_PRECONDITION", "garage is in no group of this service"),
        ({"device_id": ""}, "INVALID_ARGUMENT", "device_id"),
        ({"device_id": "hall", "history": "x" * 65}, "INVALID_ARGUMENT", "a history of 65 characters"),
        ({"device_id": "hall", "after": NUMBER_MAX + 1}, "INVALID_ARGUMENT", "is the most"),
    ],
)
def test_who_may_not_look_on_is_told_why(service: GroupService, values: dict[str, Any], code: str, words: str) -> None:
    with grpc.insecure_channel(service.address) as opened:
        watch = Watch("hall", opened)
        watch.call.cancel()
        watch.request = speech_pb2.WatchRequest(**values)
        watch.look()
        status, sentence = watch.status()
        assert (status.name, words in sentence) == (code, True)


def test_garbage_gets_a_sentence(service: GroupService) -> None:
    with grpc.insecure_channel(service.address) as opened:
        call = opened.unary_stream("/parrotlet.v1.Speech/Watch")(b"\xff\xff", timeout=WAIT_S)
        with pytest.raises(grpc.RpcError) as caught:
            next(call)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_one_board_has_a_few_of_these_streams_and_gets_them_back(service: GroupService) -> None:
    with grpc.insecure_channel(service.address) as opened:
        watches = [Watch("hall", opened) for _ in range(WATCHES_PER_DEVICE_MAX)]
        for watch in watches:
            watch.once_anew()
        one_more = Watch("hall", opened)
        status, sentence = one_more.status()
        assert status is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "4 of these streams of this device" in sentence
        Watch("desk", opened).once_anew()
        watches[0].call.cancel()
        until_s = time.monotonic() + WAIT_S
        while service.watching._watches["hall"] == WATCHES_PER_DEVICE_MAX and time.monotonic() < until_s:
            time.sleep(0.005)
        one_more.look()
        one_more.once_anew()


def test_it_ends_at_once_when_the_service_stops(tmp_path: Path) -> None:
    with group_service(tmp_path, look_s=10 * WAIT_S) as service:
        opened = grpc.insecure_channel(service.address)
        watch = Watch("hall", opened)
        watch.once_anew()
        stopping_s = time.monotonic()
    assert time.monotonic() - stopping_s < 4.0
    assert watch.status() == (grpc.StatusCode.UNAVAILABLE, "The service is stopping.")
    opened.close()


def test_a_board_that_is_revoked_is_told_nothing_more_nor_one_with_another_s_name(tmp_path: Path) -> None:
    authority = create(tmp_path / "pki", [])
    with group_service(tmp_path, authority=authority) as service:
        address = service.address
        hall, garage = (enrolled(authority, name, address) for name in ("hall", "garage"))
        with channel(address, garage) as opened:
            for name in ("hall", "hall.phone-ab"):
                status, sentence = Watch(name, opened).status()
                assert status is grpc.StatusCode.PERMISSION_DENIED
                assert "is that of garage" in sentence
        with channel(address, hall) as opened:
            watch, phone = Watch("hall", opened), Watch("hall.phone-ab", opened)
            service.answer("kitchen", "u1", "lights on")
            for one in (watch, phone):
                one.until("u1")
            authority.revoke("hall")
            for one in (watch, phone):
                assert one.status()[0] is grpc.StatusCode.UNAUTHENTICATED
            service.answer("kitchen", "u2", "lights off")
            watch.look()
            assert watch.status()[0] is grpc.StatusCode.UNAUTHENTICATED
            assert watch.told == ["u1"]


class Context:
    """A client that does not read, after so many messages."""

    def __init__(self, reads: int) -> None:
        self.written: list[bytes] = []
        self._reads = reads

    def auth_context(self) -> dict[str, list[bytes]]:
        return {}

    async def write(self, data: bytes) -> None:
        if len(self.written) >= self._reads:
            await asyncio.Event().wait()
        self.written.append(data)


def test_who_does_not_read_is_let_go_and_comes_back_for_the_rest(tmp_path: Path) -> None:
    async def scene() -> list[str]:
        with SqliteAnswerLog(tmp_path / "answers.db") as log:
            watching = Watching(Groups([HOME]), log, idle_s_max=0.05)
            for number in range(5):
                await log.put(Key("kitchen", f"u{number}"), speech_pb2.Final())
            request = speech_pb2.WatchRequest(device_id="hall")
            told = []
            for reads in (3, 3):
                context: Any = Context(reads)
                with pytest.raises(TimeoutError):
                    await watching.watch(request.SerializeToString(), Places(streams_max=1), context)
                for watched in map(speech_pb2.Watched.FromString, context.written):
                    if watched.HasField("log"):
                        request.history = watched.log.history
                    else:
                        request.after = watched.answer.number
                        told.append(watched.answer.utterance_id)
            assert not watching._watches
            return told

    assert asyncio.run(scene()) == [f"u{number}" for number in range(4)]


def test_a_log_that_cannot_be_read_is_said_and_an_answer_that_could_not_be_written_comes_when_it_is(
    tmp_path: Path,
) -> None:
    with group_service(tmp_path, look_s=0.05) as service, looking(service) as watch:
        watch.once_anew()
        with closing(sqlite3.connect(tmp_path / "answers.db")) as other:
            other.execute("CREATE TRIGGER full BEFORE INSERT ON answers BEGIN SELECT RAISE(ABORT, 'full'); END")
            assert service.answer("kitchen", "u1", "lights on").not_logged
            other.execute("DROP TRIGGER full")
        service.answer("kitchen", "u2", "lights off")
        watch.until("u2")
        assert watch.told == ["u1", "u2"]
        with closing(sqlite3.connect(tmp_path / "answers.db")) as other:
            other.execute("DROP INDEX answers_of_device")
        assert watch.status() == (grpc.StatusCode.UNAVAILABLE, "The log cannot be read now; try again.")


def test_boards_whose_groups_are_set_otherwise_are_told_anew(tmp_path: Path) -> None:
    with group_service(tmp_path) as service:
        service.answer("kitchen", "u1", "lights on")
        service.answer("attic", "u2", "lights off")
    with group_service(tmp_path, [Group("all", ("hall", "attic"))]) as service, looking(service) as watch:
        watch.until("u2")
        assert watch.told == ["u2"]


def test_what_comes_and_what_goes_is_told_at_once(tmp_path: Path) -> None:
    with group_service(tmp_path, look_s=10 * WAIT_S) as service, looking(service) as watch:
        watch.once_anew()
        service.answer("kitchen", "u1", "lights on")
        watch.until("u1")
        service.forget("kitchen")
        watch.once_anew()


def test_a_log_that_is_an_older_copy_of_itself_is_told_anew(tmp_path: Path) -> None:
    with group_service(tmp_path) as service:
        service.answer("kitchen", "u1", "lights on")
    copy = (tmp_path / "answers.db").read_bytes()
    known = speech_pb2.WatchRequest(device_id="hall")
    for answers in (("u2", "u3"), ("u4",)):
        (tmp_path / "answers.db").write_bytes(copy)
        with group_service(tmp_path) as service, looking(service) as watch:
            for utterance in answers:
                service.answer("kitchen", utterance, "lights on")
            watch.call.cancel()
            watch.request = known
            watch.look()
            watch.until(answers[-1])
            assert watch.told == ["u1", *answers]


def test_a_log_that_is_put_back_while_the_service_runs_is_told_anew(tmp_path: Path, service: GroupService) -> None:
    service.answer("kitchen", "u1", "lights on")
    with (
        closing(sqlite3.connect(tmp_path / "answers.db")) as database,
        closing(sqlite3.connect(":memory:")) as copy,
        looking(service) as watch,
    ):
        database.backup(copy)
        service.answer("kitchen", "u2", "lights on")
        service.answer("kitchen", "u3", "lights on")
        watch.until("u3")
        copy.backup(database)
        watch.once_anew()
        service.answer("kitchen", "u4", "lights on")
        watch.until("u4")
        assert watch.told == ["u1", "u4"]


class LateLog:
    """One in which something comes while it is read."""

    def __init__(self, log: SqliteAnswerLog) -> None:
        self.watching: Watching
        self._log = log
        self._is_late = False

    async def batch(self, members: Members, after: int, history: str | None) -> Batch:
        read = await self._log.batch(members, after, history)
        if not read.is_anew and not self._is_late:
            self._is_late = True
            await self._log.put(Key("kitchen", "u1"), speech_pb2.Final())
            self.watching.logged("kitchen")
        return read


def test_what_comes_while_the_log_is_read_is_not_waited_for(tmp_path: Path) -> None:
    async def scene() -> None:
        with SqliteAnswerLog(tmp_path / "answers.db") as log:
            late: Any = LateLog(log)
            late.watching = watching = Watching(Groups([HOME]), late, look_s=10 * WAIT_S)
            context: Any = Context(reads=9)
            request = speech_pb2.WatchRequest(device_id="hall").SerializeToString()
            watch = asyncio.create_task(watching.watch(request, Places(streams_max=1), context))
            async with asyncio.timeout(WAIT_S):
                while len(context.written) < 2:
                    await asyncio.sleep(0)
            watching.close()
            with pytest.raises(Refusal, match="is stopping"):
                await watch

    asyncio.run(scene())
