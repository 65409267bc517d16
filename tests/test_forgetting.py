"""What a board or an owner wants forgotten is gone from the service, and nothing else is."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import pytest
from click.testing import CliRunner, Result

from cloud.__main__ import main
from cloud.changing.shadow_store import FILE_NAME as SHADOW_FILE_NAME
from cloud.changing.shadow_store import Comparison, ShadowHeard, ShadowStore
from cloud.claims import OwnClaims
from cloud.forgetting import forget
from cloud.keys.pki_folder import create
from cloud.log.answer_log import Key, SqliteAnswerLog
from cloud.places import Places
from cloud.request_stream import Refusal
from cloud.settings import Limits
from edge.keys.signing_request import new_request
from protos import speech_pb2
from tests.test_answer_log import get, on_the_disk, put


class Client:
    """What a call knows of who makes it."""

    def __init__(self, certificate: bytes | None) -> None:
        self._certificate = certificate

    def auth_context(self) -> dict[str, list[bytes]]:
        return {"x509_pem_cert": [self._certificate]} if self._certificate else {}


def ask(
    log: SqliteAnswerLog,
    request: speech_pb2.ForgetRequest | bytes,
    certificate: bytes | None = None,
    places: Places | None = None,
) -> int:
    """How many were erased."""
    data = request if isinstance(request, bytes) else request.SerializeToString()
    context: Any = Client(certificate)
    return asyncio.run(forget(OwnClaims(log), places or Places(streams_max=1), data, context)).erased


def certificate(folder: Path, device_id: str) -> bytes:
    """That of an enrolled board, PEM."""
    authority = create(folder / device_id, [])
    made = new_request(device_id)
    return authority.enrol(authority.open_code(60_000_000, device_id).secret, made.request, device_id).certificate


def span(**fields: int) -> speech_pb2.ForgetRequest:
    return speech_pb2.ForgetRequest(device_id="kitchen", span=speech_pb2.Span(**fields))


ALL = speech_pb2.ForgetRequest(device_id="kitchen", everything=speech_pb2.Everything())


@pytest.fixture
def log(tmp_path: Path) -> Any:
    with SqliteAnswerLog(tmp_path / "answers.db") as opened:
        for number in range(4):
            for device in ("kitchen", "garage"):
                put(opened, Key(device, str(number)), f"{device}-canary-{number} " * 100, number * 1_000_000)
        yield opened


def left(log: SqliteAnswerLog) -> list[int]:
    """Numbers of the board's answers; those of the other one are all there."""
    assert all(get(log, Key("garage", str(number))) for number in range(4))
    return [number for number in range(4) if get(log, Key("kitchen", str(number)))]


def test_a_board_has_its_own_utterances_erased(log: SqliteAnswerLog) -> None:
    assert ask(log, speech_pb2.ForgetRequest(device_id="kitchen", utterance_id="1")) == 1
    assert left(log) == [0, 2, 3]
    assert ask(log, span(since_unix_us=2_000_000, until_unix_us=3_000_000)) == 1
    assert left(log) == [0, 3]
    assert ask(log, ALL) == 2
    assert left(log) == []
    assert ask(log, ALL) == 0


def test_a_board_may_not_have_those_of_another_erased(log: SqliteAnswerLog, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="may not speak for kitchen") as caught:
        ask(log, ALL, certificate(tmp_path, "garage"))
    assert caught.value.code is grpc.StatusCode.PERMISSION_DENIED
    assert left(log) == [0, 1, 2, 3]
    assert ask(log, ALL, certificate(tmp_path, "kitchen")) == 4


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (b"\xff", "not a parrotlet.v1.ForgetRequest"),
        (speech_pb2.ForgetRequest(everything=speech_pb2.Everything()), "device_id"),
        (speech_pb2.ForgetRequest(device_id="kitchen"), "does not say what"),
        (speech_pb2.ForgetRequest(device_id="kitchen", utterance_id="../x"), "utterance_id"),
        (span(), "without a beginning and an end"),
    ],
)
def test_a_broken_request_erases_nothing(log: SqliteAnswerLog, request_: Any, words: str) -> None:
    with pytest.raises(Refusal, match=words) as caught:
        ask(log, request_)
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert left(log) == [0, 1, 2, 3]


def test_a_board_that_asks_too_often_is_refused(log: SqliteAnswerLog) -> None:
    places = Places(limits=Limits(utterances_per_minute_max=1), streams_max=1)
    assert ask(log, ALL, places=places) == 4
    with pytest.raises(Refusal, match="more than 1 utterances a minute"):
        ask(log, ALL, places=places)


def test_what_cannot_be_erased_now_is_said(log: SqliteAnswerLog) -> None:
    assert log._store is not None
    log._store._database.execute("PRAGMA query_only = ON")
    with pytest.raises(Refusal, match="cannot be erased now") as caught:
        ask(log, ALL)
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE


def run(folder: Path, *arguments: str) -> Result:
    environment = {"PARROTLET_CLOUD_STORAGE_STATE_DIR": str(folder)}
    return CliRunner().invoke(main, ["forget", *arguments], env=environment)


@pytest.mark.parametrize(
    ("arguments", "erased"),
    [
        (["--device", "kitchen"], [0, 1, 2, 3]),
        (["--device", "kitchen", "--utterance", "2"], [2]),
        (["--device", "kitchen", "--since", "1970-01-01T00:00:01Z", "--until", "1970-01-01T00:00:03Z"], [1, 2]),
    ],
)
def test_an_owner_erases_while_the_service_runs(
    log: SqliteAnswerLog, tmp_path: Path, arguments: list[str], erased: list[int]
) -> None:
    result = run(tmp_path, *arguments)
    assert result.output == f"{len(erased)} answers are erased.\n"
    assert left(log) == [number for number in range(4) if number not in erased]
    for number in range(4):
        assert bool(on_the_disk(tmp_path, f"kitchen-canary-{number}")) == (number not in erased)


def test_an_owner_erases_all_of_all_boards(log: SqliteAnswerLog, tmp_path: Path) -> None:
    assert run(tmp_path, "--all").output == "8 answers are erased.\n"
    assert not on_the_disk(tmp_path, "canary")


@pytest.mark.parametrize("arguments", [[], ["--all", "--device", "kitchen"], ["--since", "yesterday"]])
def test_an_owner_says_what(log: SqliteAnswerLog, tmp_path: Path, arguments: list[str]) -> None:
    assert run(tmp_path, *arguments).exit_code == 2
    assert left(log) == [0, 1, 2, 3]


def test_where_there_is_no_log_that_is_said(tmp_path: Path) -> None:
    result = run(tmp_path, "--all")
    assert (result.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert "There is no utterance log" in result.output


def test_a_log_that_somebody_reads_is_said_not_to_be_clean(log: SqliteAnswerLog, tmp_path: Path) -> None:
    with closing(ShadowStore(tmp_path / SHADOW_FILE_NAME)) as shadow:
        one = Comparison(1, Key("kitchen", "0"), 1, "both", ("a",))
        shadow.put(one, ShadowHeard("a secret word", "", None, 9, agrees=False))
    with closing(sqlite3.connect(tmp_path / "answers.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM answers").fetchone()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("common.private_database.BUSY_S_MAX", 0.1)
            assert "somebody reads it" in run(tmp_path, "--device", "kitchen").output
    assert left(log) == []
    assert not on_the_disk(tmp_path, "a secret word")
