"""`parrotlet-edge forget`: what was said is gone from every byte of the board's files, and from the service's, at once
or when it is there again."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest
from click.testing import CliRunner, Result
from edge_fakes import ANSWER, utterance

from cloud.claims import OwnClaims
from cloud.log.answer_log import Key, SqliteAnswerLog
from cloud.places import Places
from cloud.service import SpeechService
from cloud.settings import Server
from common.settings import load
from edge.__main__ import main
from edge.asking.chain import Chain
from edge.asking.services import chain_of
from edge.clock import SYSTEM_CLOCK
from edge.settings import EdgeSettings
from edge.settings import Spool as Settings
from edge.speech.utterance import UtteranceEnd, UtteranceHead
from edge.spool import courier
from edge.spool.erasure import Erasure
from edge.spool.event import Kind
from edge.spool.spool import Spool
from edge.spool.store import Piece, Quota, SpoolStore
from tests.test_answer_log import get, on_the_disk, put

WAIT_S = 20
NUMBERS = range(4)


def canary(number: int, part: str) -> str:
    return f"{part}-canary-{number} "


@pytest.fixture
def board(tmp_path: Path) -> Path:
    return filled(tmp_path / "board")


def filled(folder: Path) -> Path:
    """u0 to u3, spoken a second apart: even ones wait, odd ones have been answered."""
    with Spool(folder / "spool.db", Settings(), boot_id="b", coding="coded", hop_ms=10) as spool:
        for number in NUMBERS:
            head, _, end = utterance(number)
            assert isinstance(head, UtteranceHead)
            assert isinstance(end, UtteranceEnd)
            entry = spool.begin(msgspec.structs.replace(head, started_at_unix_us=number * 1_000_000))
            for at in range(20):
                spool.append(entry, Piece(10 * at, 10, canary(number, "frames").encode() * 50))
            spool.finish(entry, end)
            if number % 2:
                answer = msgspec.structs.replace(ANSWER, transcript=canary(number, "words") * 20)
                spool.tell(entry, Kind.FINAL, answer=answer)
                spool.acknowledge(entry)
            spool.ask(lambda store: store.figures()).result(WAIT_S)
    return folder


def left(board: Path) -> list[int]:
    """Numbers of which any file holds anything."""
    parts = ("frames", "words")
    return [number for number in NUMBERS if any(on_the_disk(board, canary(number, part)) for part in parts)]


def run(board: Path, *arguments: str, service: str = "127.0.0.1:1") -> Result:
    options = ["--state-dir", str(board), "--cloud", service, "--device-id", "kitchen"]
    environment = {"PARROTLET_EDGE_CLOUD_CONNECT_S_MAX": "0.5"}
    return CliRunner().invoke(main, ["forget", *arguments, *options], env=environment)


class Answering:
    """A service without engines: it forgets, and nothing else."""

    def __init__(self, log: SqliteAnswerLog, address: str) -> None:
        self.log = log
        self.address = address


@contextmanager
def answering(folder: Path) -> Iterator[Answering]:
    with SqliteAnswerLog(folder / "answers.db") as log:
        recogniser: Any = None
        domains: Any = {"home": None}
        service = SpeechService(Server(), recogniser, domains, OwnClaims(log), Places(streams_max=1))
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()

        async def start() -> tuple[grpc.aio.Server, int]:
            server = grpc.aio.server()
            server.add_generic_rpc_handlers((service.handler(),))
            port = server.add_insecure_port("127.0.0.1:0")
            await server.start()
            return server, port

        server, port = asyncio.run_coroutine_threadsafe(start(), loop).result(WAIT_S)
        try:
            yield Answering(log, f"127.0.0.1:{port}")
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(0), loop).result(WAIT_S)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(WAIT_S)
            loop.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Answering]:
    with answering(tmp_path / "service") as running:
        for number in NUMBERS:
            for device in ("kitchen", "garage"):
                put(running.log, Key(device, f"u{number}"), f"{device} {number}", number * 1_000_000)
        yield running


CASES = [
    (["--all"], [0, 1, 2, 3]),
    (["u1", "u2"], [1, 2]),
    (["--since", "1970-01-01T00:00:02Z"], [2, 3]),
    (["--since", "1970-01-01T00:00:01Z", "--until", "1970-01-01T00:00:02Z"], [1]),
]


@pytest.mark.parametrize(("arguments", "gone"), CASES)
def test_what_is_forgotten_is_gone_here_and_there(
    board: Path, service: Answering, arguments: list[str], gone: list[int]
) -> None:
    assert left(board) == list(NUMBERS)
    result = run(board, *arguments, service=service.address)
    assert result.exit_code == 0, result.output
    assert result.output == f"Erased: {len(gone)} utterances on this board, {len(gone)} at the service.\n"
    assert left(board) == [number for number in NUMBERS if number not in gone]
    for number in NUMBERS:
        assert (get(service.log, Key("kitchen", f"u{number}")) is None) == (number in gone)
        assert get(service.log, Key("garage", f"u{number}"))


def test_a_service_that_is_away_is_asked_when_it_is_there_again(
    board: Path, service: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(board, "--since", "1970-01-01T00:00:03Z")
    assert result.exit_code == 3
    assert result.stdout == "Erased: 1 utterances on this board.\n"
    assert result.stderr.startswith("The service is asked as soon as the daemon reaches it. 127.0.0.1:1: ")
    assert left(board) == [0, 1, 2]
    assert get(service.log, Key("kitchen", "u3"))

    monkeypatch.setattr(courier, "LOOK_S", 0.01)
    with daemon(board, service.address) as spool:
        while spool.ask(lambda store: store.debts.owed("cloud")).result(WAIT_S):
            pass
    assert get(service.log, Key("kitchen", "u3")) is None
    assert get(service.log, Key("kitchen", "u2"))


@contextmanager
def daemon(board: Path, address: str) -> Iterator[Spool]:
    """What it has of a spool and a chain, and no microphone."""
    options = {"cloud.address": address, "device.id": "kitchen", "device.state_dir": board}
    chain: Chain = chain_of(load(EdgeSettings, file=None, environment_prefix="NONE", options=options))
    with Spool(board / "spool.db", Settings(), boot_id="b", coding="coded", hop_ms=10) as spool, chain:
        # Nothing that waits is sent meanwhile: somebody sees to it.
        spool.live |= {f"u{number}" for number in NUMBERS}
        chain.replay(spool, SYSTEM_CLOCK)
        yield spool


def test_where_nothing_was_ever_kept_the_service_is_asked_all_the_same(tmp_path: Path, service: Answering) -> None:
    result = run(tmp_path / "new", "--all", service=service.address)
    assert result.output == "Erased: 0 utterances on this board, 4 at the service.\n"


def test_spools_that_were_set_aside_as_damaged_go_with_everything(board: Path, service: Answering) -> None:
    (board / "spool.db.damaged-1").write_bytes(b"words-canary-1 ")
    run(board, "u0", service=service.address)
    assert left(board) == [1, 2, 3]
    run(board, "--all", service=service.address)
    assert left(board) == []


@pytest.mark.parametrize("arguments", [[], ["u1", "--all"], ["--all", "--since", "2026-01-01"], ["--until", "noon"]])
def test_what_is_to_be_forgotten_must_be_said(board: Path, arguments: list[str]) -> None:
    assert run(board, *arguments).exit_code == 2
    assert left(board) == list(NUMBERS)


def test_an_id_that_several_begin_with_erases_nothing(board: Path) -> None:
    result = run(board, "u")
    assert (result.exit_code, result.output) == (2, "u: 4 utterances begin so; give more of it.\n")
    assert left(board) == list(NUMBERS)


def test_a_spool_of_the_tables_before_is_taken_over(board: Path) -> None:
    with closing(sqlite3.connect(board / "spool.db")) as database:
        database.executescript("DROP TABLE owed; DROP TABLE feedback; PRAGMA user_version = 1;")
    assert run(board, "u1").exit_code == 3
    with closing(SpoolStore(board / "spool.db", Quota(1 << 20, 1000))) as store:
        assert store.debts.owed("cloud") == [(1, Erasure("u1"))]
        assert [kept.head.utterance_id for kept in store.kept()] == ["u0", "u2"]
