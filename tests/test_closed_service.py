"""Strangers at the service's port, and boards that are let in no longer: real TLS on real ports."""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from cloud.keys import callers, certificates
from cloud.keys.authority import BOARD_DAYS, DAY_US, SERVICE_DAYS, Authority
from cloud.keys.boards import Boards
from cloud.keys.names import given_names, own_names
from cloud.keys.pki_folder import create, remove
from cloud.keys.tls import keep_renewed
from cloud.keys.tries import BURST_EACH
from common.errors import IdentityError
from edge.keys import signing_request
from edge.keys.enrol import renewed
from edge.keys.enrol_channel import shown_certificate
from edge.keys.identity import Identity
from protos import speech_pb2, speech_pb2_grpc
from tests.closed_service import FINAL, NOW_US, WAIT_S, Clock, ClosedService, channel, closed_service


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[ClosedService]:
    with closed_service(tmp_path_factory.mktemp("service"), clock) as running:
        yield running


@pytest.fixture(scope="module")
def board(service: ClosedService) -> Identity:
    return service.identity("kitchen")


def describe(opened: grpc.Channel) -> grpc.StatusCode:
    """OK, or why not."""
    try:
        speech_pb2_grpc.SpeechStub(opened).Describe(speech_pb2.DescribeRequest(), timeout=WAIT_S)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def config(device_id: str) -> speech_pb2.RecognizeRequest:
    return speech_pb2.RecognizeRequest(config=speech_pb2.UtteranceConfig(device_id=device_id))


END = speech_pb2.RecognizeRequest(end=speech_pb2.UtteranceEnd())


class Speaking:
    """Requests of a stream that goes on until it is ended."""

    def __init__(self, device_id: str) -> None:
        self._device_id = device_id
        self._ended = threading.Event()

    def __iter__(self) -> Iterator[speech_pb2.RecognizeRequest]:
        yield config(self._device_id)
        self._ended.wait(WAIT_S)
        yield END

    def end(self) -> None:
        self._ended.set()


def test_a_board_that_enrolled_is_let_in(service: ClosedService, board: Identity) -> None:
    with channel(service.address, board) as opened:
        assert describe(opened) is grpc.StatusCode.OK
        answers = list(speech_pb2_grpc.SpeechStub(opened).Recognize(iter([config("kitchen"), END]), timeout=WAIT_S))
    assert answers[-1] == FINAL


def test_nobody_without_a_certificate_is_let_in(service: ClosedService, board: Identity) -> None:
    with channel(service.address, None, trusted=board.authority) as opened:
        assert describe(opened) is grpc.StatusCode.UNAVAILABLE


def test_plain_text_is_not_answered(service: ClosedService) -> None:
    with grpc.insecure_channel(str(service.address)) as opened:
        assert describe(opened) is grpc.StatusCode.UNAVAILABLE


def test_a_certificate_of_another_authority_lets_nobody_in(
    service: ClosedService, board: Identity, tmp_path: Path
) -> None:
    other = create(tmp_path / "pki", [], Clock())
    stranger = _certified(other, board)
    with channel(service.address, stranger, trusted=board.authority) as opened:
        assert describe(opened) is grpc.StatusCode.UNAVAILABLE


def test_an_expired_certificate_lets_nobody_in(service: ClosedService, board: Identity) -> None:
    with channel(service.address, _certified(service.authority, board, expires_at_us=1)) as opened:
        assert describe(opened) is grpc.StatusCode.UNAVAILABLE


def test_a_board_does_not_trust_the_service_of_another_authority(
    service: ClosedService, board: Identity, tmp_path: Path
) -> None:
    trusted = create(tmp_path / "pki", [], Clock()).trusted().decode()
    with channel(service.address, board, trusted=trusted) as opened:
        assert describe(opened) is grpc.StatusCode.UNAVAILABLE


def test_a_board_is_no_service_to_others(service: ClosedService, board: Identity) -> None:
    server = grpc.server(ThreadPoolExecutor(max_workers=1))
    pair = (board.key.encode(), board.certificate.encode())
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    server.start()
    with channel(f"127.0.0.1:{port}", board, tls_name="kitchen") as opened:
        assert describe(opened) is grpc.StatusCode.UNAVAILABLE
    server.stop(0).wait()


@pytest.mark.parametrize("other", ["bedroom", "kitchen2", "kitchen.2", "hall.phone-kitchen"])
def test_a_board_does_not_speak_for_another(service: ClosedService, board: Identity, other: str) -> None:
    with channel(service.address, board) as opened:
        call = speech_pb2_grpc.SpeechStub(opened).Recognize(iter([config(other), END]), timeout=WAIT_S)
        with pytest.raises(grpc.RpcError) as caught:
            list(call)
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert caught.value.details() == f"The certificate is that of kitchen, which may not speak for {other}."


def test_it_speaks_for_its_phones(service: ClosedService, board: Identity) -> None:
    with channel(service.address, board) as opened:
        call = speech_pb2_grpc.SpeechStub(opened).Recognize(iter([config("kitchen.phone-ab12"), END]), timeout=WAIT_S)
        assert list(call)[-1].HasField("final")


def test_a_revoked_boards_stream_ends_within_seconds_and_it_gets_in_no_more(service: ClosedService) -> None:
    board, speaking = service.identity("attic"), Speaking("attic")
    with channel(service.address, board) as opened:
        call = speech_pb2_grpc.SpeechStub(opened).Recognize(iter(speaking), timeout=WAIT_S)
        next(call)
        # As `pki revoke` does it in another process: it has the files alone in common.
        Authority(service.authority.directory).revoke("attic")
        revoked_s = time.monotonic()
        with pytest.raises(grpc.RpcError) as caught:
            list(call)
        assert time.monotonic() - revoked_s < 2
        # The service looks less often than this one.
        assert callers.LOOK_S <= 1
        speaking.end()
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert caught.value.details() == "The board attic was revoked."
        assert describe(opened) is grpc.StatusCode.UNAUTHENTICATED
    with channel(service.address, board) as opened:
        assert describe(opened) is grpc.StatusCode.UNAUTHENTICATED
        renew = opened.unary_unary("/parrotlet.v1.Identity/Renew")
        with pytest.raises(grpc.RpcError) as caught:
            renew(b"", timeout=WAIT_S)
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_a_revoked_boards_stream_ends_though_nothing_is_said_in_it(service: ClosedService) -> None:
    """Of reflection, which waits for questions."""
    board, asked = service.identity("yard"), threading.Event()

    def asking() -> Iterator[reflection_pb2.ServerReflectionRequest]:
        yield reflection_pb2.ServerReflectionRequest(list_services="")
        asked.wait(WAIT_S)

    with channel(service.address, board) as opened:
        stub = reflection_pb2_grpc.ServerReflectionStub(opened)
        call = stub.ServerReflectionInfo(asking(), timeout=WAIT_S)
        assert next(call).list_services_response.service
        service.authority.revoke("yard")
        with pytest.raises(grpc.RpcError) as caught:
            next(call)
        asked.set()
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert caught.value.details() == "The board yard was revoked."


def test_a_new_authority_shuts_out_who_is_connected_and_whoever_the_old_one_may_have_let_in(tmp_path: Path) -> None:
    with closed_service(tmp_path, Clock()) as service:
        board, speaking = service.identity("kitchen"), Speaking("kitchen")
        with channel(service.address, board) as opened:
            call = speech_pb2_grpc.SpeechStub(opened).Recognize(iter(speaking), timeout=WAIT_S)
            next(call)
            remove(service.authority)
            create(service.authority.directory, [])
            service.authority.boards.add("kitchen", 0, DAY_US, replace=False)
            with pytest.raises(grpc.RpcError) as caught:
                list(call)
            speaking.end()
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
            assert describe(opened) is grpc.StatusCode.UNAUTHENTICATED


def test_who_enrols_in_place_of_another_shuts_that_one_out(service: ClosedService) -> None:
    before, after = service.identity("hall"), service.identity("hall")
    with channel(service.address, before) as opened:
        assert describe(opened) is grpc.StatusCode.UNAUTHENTICATED
    with channel(service.address, after) as opened:
        assert describe(opened) is grpc.StatusCode.OK


def test_the_services_certificate_is_renewed_under_a_running_stream(
    service: ClosedService, board: Identity, clock: Clock
) -> None:
    speaking = Speaking("kitchen")
    with channel(service.address, board) as opened:
        call = speech_pb2_grpc.SpeechStub(opened).Recognize(iter(speaking), timeout=WAIT_S)
        next(call)
        first = certificates.facts(service.authority.pair("service").certificate)
        assert not service.authority.renew_service([])
        clock.unix_us = NOW_US + SERVICE_DAYS * DAY_US * 2 // 3 + 1
        try:
            assert service.authority.renew_service([])
        finally:
            clock.unix_us = NOW_US
        second = certificates.facts(service.authority.pair("service").certificate)
        assert second.expires_at_unix_us - first.expires_at_unix_us > SERVICE_DAYS * DAY_US // 2
        # Whoever comes now gets the new one, and it is good.
        assert shown_certificate(service.address) == certificates.as_der(service.authority.pair("service").certificate)
        with channel(service.address, board) as newcomer:
            assert describe(newcomer) is grpc.StatusCode.OK
        speaking.end()
        assert list(call)[-1] == FINAL


def test_the_service_looks_after_its_own_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock, names = Clock(), given_names(["FE80::1", "küche.example"])
    authority = create(tmp_path / "pki", [*names, *own_names()], clock)
    file = authority.directory / "service.pem"
    first, rounds = file.read_bytes(), 0

    async def looked(content: bytes | None = None) -> None:
        """Until the certificate is another one, or has been looked at some times."""
        until = rounds + 3
        async with asyncio.timeout(WAIT_S):
            while file.read_bytes() == content if content else rounds < until:
                await asyncio.sleep(0.001)

    def renew_service(given: Sequence[str]) -> bool:
        nonlocal rounds
        rounds += 1
        return Authority.renew_service(authority, given)

    async def kept() -> None:
        keeping = asyncio.create_task(keep_renewed(authority, names, look_s=0.001))
        await looked()
        assert file.read_bytes() == first
        clock.unix_us += SERVICE_DAYS * DAY_US * 2 // 3 + 1
        await looked(first)
        # A fault is told, and outlived.
        second = file.read_bytes()
        file.write_text("")
        await looked()
        assert file.read_bytes() == b""
        file.write_bytes(first)
        await looked(first)
        assert file.read_bytes() != second
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)

    monkeypatch.setattr(authority, "renew_service", renew_service)
    asyncio.run(kept())
    assert "the service's certificate could not be renewed: " in caplog.text


def test_a_boards_certificate_is_renewed_by_itself_alone(service: ClosedService, board: Identity, clock: Clock) -> None:
    clock.unix_us = NOW_US + BOARD_DAYS * DAY_US // 2
    try:
        newer = renewed(board, str(service.address))
    finally:
        clock.unix_us = NOW_US
    assert newer.device_id == "kitchen"
    assert newer.key != board.key
    assert newer.expires_at_unix_us == board.expires_at_unix_us + BOARD_DAYS * DAY_US // 2
    # The one before is good until it expires: the board may have lost the answer.
    for identity in (board, newer):
        with channel(service.address, identity) as opened:
            assert describe(opened) is grpc.StatusCode.OK


@pytest.mark.parametrize("request_", [b"", b"\x0a\x03abc", b"\xff" * 100, b"\x0a\x80\x40" + bytes(8192)], ids=len)
def test_a_renewal_that_is_none_is_told_so(service: ClosedService, board: Identity, request_: bytes) -> None:
    with channel(service.address, board) as opened:
        with pytest.raises(grpc.RpcError) as caught:
            opened.unary_unary("/parrotlet.v1.Identity/Renew")(request_, timeout=WAIT_S)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_board_that_renews_again_and_again_is_told_to_wait(service: ClosedService, board: Identity) -> None:
    busy = service.identity("busy")
    for _ in range(BURST_EACH):
        renewed(busy, str(service.address))
    with pytest.raises(IdentityError, match="There are too many renewals; wait a minute"):
        renewed(busy, str(service.address))
    # Others are not.
    assert renewed(service.identity("calm"), str(service.address))


def test_a_board_that_is_replaced_while_it_renews_gets_nothing(
    service: ClosedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = service.identity("cellar")
    service.identity("cellar")
    # As if it had been let in just before.
    monkeypatch.setattr(Boards, "why_not", lambda *known: None)
    with pytest.raises(IdentityError, match="Another board is cellar now; this one's certificate is no longer good"):
        renewed(before, str(service.address))


def test_a_list_of_boards_that_cannot_be_read_lets_nobody_in_and_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closed_service(tmp_path, Clock()) as service:
        board = service.identity()
        (service.authority.directory / "boards.json").write_text("{")
        with channel(service.address, board) as opened:
            assert [describe(opened) for _ in range(3)] == [grpc.StatusCode.UNAUTHENTICATED] * 3
    assert sum("nobody is let in" in record.message for record in caplog.records) == 1


def test_a_certificate_that_cannot_be_used_is_told_once_and_the_former_one_used_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closed_service(tmp_path, Clock()) as service:
        board = service.identity()
        file = service.authority.directory / "service.pem"
        whole = file.read_bytes()

        def let_in() -> list[grpc.StatusCode]:
            statuses = []
            for _ in range(3):
                with channel(service.address, board) as opened:
                    statuses.append(describe(opened))
            return statuses

        for spoilt in (b"spoilt", b"spoilt otherwise"):
            file.write_bytes(spoilt)
            assert let_in() == [grpc.StatusCode.OK] * 3
        assert sum("the former certificate is used on" in record.message for record in caplog.records) == 2
        file.write_bytes(whole)
        assert let_in() == [grpc.StatusCode.OK] * 3


def _certified(authority: Authority, board: Identity, expires_at_us: int = NOW_US + DAY_US * 365) -> Identity:
    """The same board, certified otherwise."""
    made = signing_request.new_request(board.device_id)
    key = certificates.requested_key(made.request)
    certificate = certificates.new_board(authority.pair("authority"), board.device_id, key, NOW_US, expires_at_us)
    return Identity(board.address, board.device_id, made.key, certificate.decode(), board.authority, 0, expires_at_us)
