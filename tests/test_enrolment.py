"""How a board enrols, and who does not: real TLS on real ports."""

import errno
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from cloud.keys.enrolment import ENROLMENT_NAME
from cloud.keys.pki_folder import create
from cloud.keys.tries import BURST_ALL, BURST_EACH, EVERY_S_EACH, PEERS_MAX, Tries
from common.addresses import Address
from common.errors import IdentityError
from edge.keys import signing_request
from edge.keys.enrol import Enrolled, enrol, enrol_address, enrol_with_any, read_code
from edge.keys.enrol_channel import shown_certificate
from protos import enrolment_pb2
from protos.enrolment_code import ENROLMENT_TLS_NAME, EnrolmentCode
from tests.closed_service import WAIT_S, Clock, ClosedService, channel, closed_service

MINUTE_US = 60_000_000


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(tmp_path: Path, clock: Clock) -> Iterator[ClosedService]:
    with closed_service(tmp_path, clock) as running:
        yield running


def opened_port(service: ClosedService) -> Address:
    """The enrolment port, once it is open."""
    assert service.enrolment_is_open(True)
    return service.enrol_address


def refusal(service: ClosedService, code: EnrolmentCode, name: str = "kitchen") -> str:
    """Why a board does not get in by this code."""
    with pytest.raises(IdentityError) as caught:
        enrol(service.enrol_address, code, name)
    return str(caught.value)


def guess(service: ClosedService, **changes: object) -> grpc.StatusCode:
    """What a stranger is told who speaks the protocol, and knows what the port shows."""
    fields = {"secret": "0" * 11, "signing_request": signing_request.new_request("x").request, "device_id": "x"}
    request = enrolment_pb2.EnrolRequest(**(fields | changes))
    trusted = service.authority.pair("enrolment").certificate.decode()
    with channel(service.enrol_address, None, trusted=trusted, tls_name=ENROLMENT_TLS_NAME) as opened:
        try:
            opened.unary_unary(f"/{ENROLMENT_NAME}/Enrol")(request.SerializeToString(), timeout=WAIT_S)
        except grpc.RpcError as error:
            return error.code()
    return grpc.StatusCode.OK


def test_a_board_enrols_and_is_let_in_by_the_name_it_gives_itself(service: ClosedService) -> None:
    code = service.authority.open_code(MINUTE_US)
    enrolled = enrol(opened_port(service), read_code(str(code).lower().replace("-", " ")), "kitchen")
    identity = enrolled.identity
    assert not enrolled.renamed
    assert (identity.device_id, identity.address) == ("kitchen", str(service.address))
    assert service.lets_in(identity)
    assert list(service.authority.boards.all()) == ["kitchen"]


def test_a_code_is_good_for_one_board(service: ClosedService) -> None:
    code = service.authority.open_code(MINUTE_US)
    enrol(opened_port(service), code, "kitchen")
    assert "The code is not good" in refusal(service, code, "another")
    assert list(service.authority.boards.all()) == ["kitchen"]


def test_the_same_request_gets_an_answer_again_for_the_first_was_perhaps_lost(service: ClosedService) -> None:
    code = service.authority.open_code(MINUTE_US)
    request = signing_request.new_request("kitchen").request
    first, again = (service.authority.enrol(code.secret, request, name) for name in ("kitchen", "bedroom"))
    assert first.device_id == again.device_id == "kitchen"


def test_a_board_that_was_replaced_gets_no_newer_certificate_by_its_old_code(service: ClosedService) -> None:
    before = service.authority.open_code(MINUTE_US)
    request = signing_request.new_request("kitchen").request
    service.authority.enrol(before.secret, request, "kitchen")
    instead = service.authority.open_code(MINUTE_US, "kitchen")
    service.authority.enrol(instead.secret, signing_request.new_request("kitchen").request, "kitchen")
    with pytest.raises(IdentityError, match="The code is not good"):
        service.authority.enrol(before.secret, request, "kitchen")


def test_two_boards_with_one_code_at_once_make_one_board(service: ClosedService) -> None:
    code = service.authority.open_code(MINUTE_US)
    port = opened_port(service)
    outcomes: list[Enrolled | IdentityError] = []

    def try_it(name: str) -> None:
        try:
            outcomes.append(enrol(port, code, name))
        except IdentityError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=try_it, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(outcome, Enrolled) for outcome in outcomes) == 1
    assert len(service.authority.boards.all()) == 1


def test_the_port_is_open_only_while_a_code_is(service: ClosedService, clock: Clock) -> None:
    assert service.enrolment_is_open(False)
    code = service.authority.open_code(MINUTE_US)
    port = opened_port(service)
    clock.unix_us += MINUTE_US
    assert service.enrolment_is_open(False)
    with pytest.raises(IdentityError, match="nobody can enrol there"):
        shown_certificate(port)
    service.authority.open_code(MINUTE_US)
    assert opened_port(service) == port
    assert "The code is not good" in refusal(service, code)


def test_a_clock_that_was_put_back_makes_no_old_code_good(service: ClosedService, clock: Clock) -> None:
    service.authority.open_code(MINUTE_US)
    clock.unix_us -= 10 * MINUTE_US
    assert not service.authority.codes_are_open()


def test_a_code_that_was_guessed_at_is_dead(service: ClosedService, caplog: pytest.LogCaptureFixture) -> None:
    code = service.authority.open_code(MINUTE_US)
    opened_port(service)
    named = code.secret[0] + "".join("1" if character == "0" else "0" for character in code.secret[1:])
    unnamed = ("1" if code.secret[0] == "0" else "0") + code.secret[1:]
    assert guess(service, secret=unnamed) is grpc.StatusCode.PERMISSION_DENIED
    request = signing_request.new_request("kitchen").request
    for _ in range(5):
        with pytest.raises(IdentityError, match="The code is not good"):
            service.authority.enrol(named, request, "kitchen")
    with pytest.raises(IdentityError, match="The code is not good"):
        service.authority.enrol(code.secret, request, "kitchen")
    assert service.enrolment_is_open(False)


def test_who_guesses_fast_is_told_to_wait(service: ClosedService) -> None:
    service.authority.open_code(MINUTE_US)
    opened_port(service)
    told = [guess(service, secret="") for _ in range(BURST_EACH + 1)]
    assert told == [grpc.StatusCode.PERMISSION_DENIED] * BURST_EACH + [grpc.StatusCode.RESOURCE_EXHAUSTED]


def test_tries_are_earned_slowly_by_each_and_by_all() -> None:
    now_s = 0.0
    tries = Tries(lambda: now_s)
    assert [tries.may("a") for _ in range(BURST_EACH + 1)] == [True] * BURST_EACH + [False]
    now_s += EVERY_S_EACH
    assert [tries.may("a"), tries.may("a")] == [True, False]
    assert sum(tries.may(f"peer {number}") for number in range(100)) == BURST_ALL - 1
    for number in range(2 * PEERS_MAX):
        tries.may(f"other {number}")
    assert len(tries._peers) == PEERS_MAX


@pytest.mark.parametrize(
    "changes",
    [
        {"signing_request": b""},
        {"signing_request": b"\x30\x82"},
        {"device_id": ""},
        {"device_id": "../x"},
        {"device_id": "k" * 65},
        {"device_id": "kitchen.phone-1"},
        {"secret": "0" * 17},
        {"signing_request": bytes(5000)},
    ],
    ids=str,
)
def test_a_request_that_is_none_is_told_so(service: ClosedService, changes: dict[str, object]) -> None:
    service.authority.open_code(MINUTE_US)
    opened_port(service)
    assert guess(service, **changes) is grpc.StatusCode.INVALID_ARGUMENT


def test_a_service_that_cannot_write_says_so_and_the_code_stays_good(
    service: ClosedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = service.authority.open_code(MINUTE_US)
    opened_port(service)
    with monkeypatch.context() as full:
        full.setattr("common.record.write_private", no_space)
        assert "The service cannot issue certificates now; its log says more" in refusal(service, code)
    assert enrol(service.enrol_address, code, "kitchen")


def test_a_code_that_was_used_up_for_nothing_is_good_for_the_same_board(
    service: ClosedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = service.authority.open_code(MINUTE_US)
    made = signing_request.new_request("kitchen")
    with monkeypatch.context() as full:
        full.setattr(service.authority.boards, "add", no_space)
        with pytest.raises(OSError, match="No space"):
            service.authority.enrol(code.secret, made.request, "kitchen")
    assert service.authority.enrol(code.secret, made.request, "kitchen").device_id == "kitchen"


def no_space(*arguments: object, **more: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_request_of_garbage_is_told_so(service: ClosedService) -> None:
    service.authority.open_code(MINUTE_US)
    trusted = service.authority.pair("enrolment").certificate.decode()
    with channel(opened_port(service), None, trusted=trusted, tls_name=ENROLMENT_TLS_NAME) as opened:
        with pytest.raises(grpc.RpcError) as caught:
            opened.unary_unary(f"/{ENROLMENT_NAME}/Enrol")(b"\xff" * 50, timeout=WAIT_S)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        with pytest.raises(grpc.RpcError) as caught:
            opened.unary_unary(f"/{ENROLMENT_NAME}/Enrol")(bytes(100_000), timeout=WAIT_S)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        with pytest.raises(grpc.RpcError) as caught:
            opened.unary_unary("/parrotlet.v1.Identity/Renew")(b"", timeout=WAIT_S)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_board_tells_its_code_to_no_one_in_the_middle(service: ClosedService, tmp_path: Path) -> None:
    with closed_service(tmp_path / "middle", Clock()) as middle:
        middle.authority.open_code(MINUTE_US)
        code = service.authority.open_code(MINUTE_US)
        opened_port(middle)
        assert "what answers there did not make this code; it was told nothing" in refusal(middle, code)
        # A copy of what the port shows does not help: the key is missing.
        own = middle.authority.pair("enrolment")
        middle.authority.keep("enrolment", own._replace(certificate=service.authority.pair("enrolment").certificate))
        with pytest.raises(IdentityError, match="not of each other"):
            middle.authority.pair("enrolment")
        assert enrol_with_any([middle.enrol_address, opened_port(service)], code, "kitchen")
        with pytest.raises(IdentityError, match="No service that was found here made this code"):
            enrol_with_any([Address("127.0.0.1", 9), middle.enrol_address], code, "kitchen")


def test_a_name_is_taken_until_the_owner_says_otherwise(service: ClosedService) -> None:
    opened = service.authority.open_code
    enrol_first = opened(MINUTE_US)
    enrol(opened_port(service), enrol_first, "kitchen")
    code = opened(MINUTE_US)
    assert "pki enrol --device kitchen" in refusal(service, code)
    # The code is as good as before, for another name.
    assert enrol(service.enrol_address, code, "bedroom").identity.device_id == "bedroom"
    enrolled = enrol(service.enrol_address, opened(MINUTE_US, "kitchen"), "board-1234")
    assert (enrolled.identity.device_id, enrolled.renamed) == ("kitchen", True)


def test_a_board_that_was_revoked_may_enrol_again(service: ClosedService) -> None:
    before = service.identity("kitchen")
    service.authority.revoke("kitchen")
    assert not service.lets_in(before)
    after = enrol(opened_port(service), service.authority.open_code(MINUTE_US), "kitchen").identity
    assert service.lets_in(after)
    assert not service.lets_in(before)


def test_neither_files_nor_logs_tell_a_code(service: ClosedService, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    codes = [service.authority.open_code(MINUTE_US) for _ in range(3)]
    enrol(opened_port(service), codes[0], "kitchen")
    refusal(service, codes[0], "another")
    kept = "".join(file.read_text() for file in service.authority.directory.iterdir())
    for code in codes:
        for part in (code.secret, code.secret[1:], code.pin, str(code)):
            assert part not in kept + caplog.text + repr(code)


def test_the_way_back_from_a_lost_authority_is_a_new_one(service: ClosedService, tmp_path: Path) -> None:
    before = service.identity("kitchen")
    service.authority.open_code(MINUTE_US)
    shown = shown_certificate(opened_port(service))
    for file in service.authority.directory.iterdir():
        file.unlink()
    create(service.authority.directory, [])
    assert not service.lets_in(before)
    code = service.authority.open_code(MINUTE_US)
    until_s = time.monotonic() + WAIT_S
    while service.shows() in (shown, None) and time.monotonic() < until_s:
        time.sleep(0.01)
    after = enrol(service.enrol_address, code, "kitchen").identity
    assert service.lets_in(after)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("kitchen", Address("kitchen", 7408)),
        ("192.0.2.1:99", Address("192.0.2.1", 99)),
        ("[::1]", Address("[::1]", 7408)),
        ("[::1]:99", Address("[::1]", 99)),
    ],
)
def test_the_port_of_enrolment_need_not_be_named(text: str, address: Address) -> None:
    assert enrol_address(text) == address


def test_where_nobody_listens_the_sentence_says_what_to_do() -> None:
    with pytest.raises(
        IdentityError, match=r"nobody can enrol there \(Connection refused\). Is a code open\? parrotlet-c"
    ):
        shown_certificate(Address("127.0.0.1", 9))
