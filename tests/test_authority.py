"""The small authority: what its certificates say, and what its lists remember."""

import base64
import contextlib
import datetime
import random
import threading
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from benchmarks.mutants import SIGNING_REQUEST
from benchmarks.mutations import changed
from cloud.keys import authority as authority_module
from cloud.keys import certificates
from cloud.keys.authority import AUTHORITY_DAYS, BOARD_DAYS, DAY_US, SERVICE_DAYS, Authority, unix_us
from cloud.keys.boards import Boards, ShutOut
from cloud.keys.names import given_names, own_names
from cloud.keys.pki_folder import create
from common.errors import IdentityError, SettingsError
from common.record import Record
from edge.keys import signing_request
from protos.enrolment_code import SERVICE_TLS_NAME
from tests.closed_service import NOW_US, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authority(tmp_path: Path, clock: Clock) -> Authority:
    return create(tmp_path / "pki", ["speech.example", "192.0.2.1"], clock)


def board(authority: Authority) -> bytes:
    code = authority.open_code(60_000_000)
    return authority.enrol(code.secret, signing_request.new_request("kitchen").request, "kitchen").certificate


def test_all_are_good_from_1970_on_for_boards_whose_clocks_stand_there(authority: Authority) -> None:
    pairs = {name: authority.pair(name).certificate for name in authority_module.FILES} | {"board": board(authority)}
    lives = {"authority": AUTHORITY_DAYS, "enrolment": AUTHORITY_DAYS, "service": SERVICE_DAYS, "board": BOARD_DAYS}
    for name, certificate in pairs.items():
        parsed = x509.load_pem_x509_certificate(certificate)
        assert parsed.not_valid_before_utc == datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
        known = certificates.facts(certificate)
        assert abs(known.issued_at_unix_us - NOW_US) < 10
        assert abs(known.expires_at_unix_us - NOW_US - lives[name] * DAY_US) < 2_000_000


def test_only_the_authority_issues_and_each_end_is_good_for_its_part(authority: Authority) -> None:
    def extension(certificate: bytes, kind: type[x509.ExtensionType]) -> "x509.Extension[x509.ExtensionType]":
        return x509.load_pem_x509_certificate(certificate).extensions.get_extension_for_class(kind)

    own, service, ours = authority.trusted(), authority.pair("service").certificate, board(authority)
    constraints = [extension(each, x509.BasicConstraints) for each in (own, service, ours)]
    assert all(each.critical for each in constraints)
    assert [each.value.ca for each in constraints] == [True, False, False]
    assert constraints[0].value.path_length == 0
    assert [extension(each, x509.ExtendedKeyUsage).value for each in (service, ours)] == [
        x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]),
        x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH]),
    ]
    assert all(certificates.is_issued_by(each, own) for each in (service, ours))
    names = certificates.facts(service).alternative_names
    assert {SERVICE_TLS_NAME, "speech.example", "192.0.2.1"} == names


def test_the_services_certificate_follows_time_and_names(authority: Authority, clock: Clock) -> None:
    names = ["speech.example", "192.0.2.1"]
    assert not authority.renew_service(names)
    clock.unix_us = NOW_US + SERVICE_DAYS * DAY_US * 2 // 3 - 1_000_000
    assert not authority.renew_service(names)
    clock.unix_us += 2_000_000
    assert authority.renew_service(names)
    assert authority.renew_service([*names, "other.example"])
    (authority.directory / "service.pem").unlink()
    assert authority.renew_service(names)


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("FE80::1", "fe80::1"),
        ("fe80:0::0:1%eth0", "fe80::1"),
        ("192.0.2.9", "192.0.2.9"),
        ("Speech_1.example.", "Speech_1.example"),
        ("*.example", "*.example"),
        ("küche.example", "xn--kche-0ra.example"),
    ],
)
def test_names_that_an_owner_gave_are_known_again_in_the_certificate(
    authority: Authority, given: str, known: str
) -> None:
    names = given_names([given])
    assert names == [known]
    assert authority.renew_service(names)
    assert not authority.renew_service(names)
    certificate = x509.load_pem_x509_certificate(authority.pair("service").certificate)
    alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert known in {str(each.value) for each in alternatives}


@pytest.mark.parametrize("name", ["", "*", "a..b", "k" * 64, "a b", "[::1]", "a.*.b", "kitchen:7407", "\0", "a." * 130])
def test_what_is_no_name_is_told_in_a_sentence(name: str) -> None:
    with pytest.raises(SettingsError, match=r"^server\.names has .*, but must have names and addresses, such as"):
        given_names([name])


def test_this_machine_has_names() -> None:
    assert {"localhost", "127.0.0.1"} <= set(own_names())


def test_an_authority_made_before_the_clock_was_set_is_good_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 5_000_000_000)
    assert unix_us() == authority_module.WRITTEN_US


def request(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    made = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def test_only_signed_requests_of_p256_are_taken() -> None:
    good = signing_request.new_request("kitchen").request
    assert certificates.requested_key(good)
    bad = [
        b"",
        good[:-1],
        good[:-1] + bytes([good[-1] ^ 1]),
        request(ec.generate_private_key(ec.SECP384R1())),
        request(rsa.generate_private_key(65537, 2048)),
        # A kind of key, and a curve, that nobody knows.
        good.replace(bytes.fromhex("2a8648ce3d0201"), bytes.fromhex("2a8648ce3d0209")),
        good.replace(bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030177")),
    ]
    for each in bad:
        with pytest.raises(ValueError):
            certificates.requested_key(each)


def test_whatever_becomes_of_a_signing_request_is_a_value_error_at_most() -> None:
    draw = random.Random(1)
    good = (base64.b64decode(SIGNING_REQUEST),)
    for _ in range(3000):
        for each in changed(draw, good, good):
            with contextlib.suppress(ValueError):
                certificates.requested_key(each)


def test_a_key_and_a_certificate_that_are_not_of_each_other_are_told(authority: Authority) -> None:
    other = authority.pair("enrolment")
    authority.keep("service", authority.pair("service")._replace(key=other.key))
    with pytest.raises(IdentityError, match=r"service\.pem: the key and the certificate are not of each other"):
        authority.pair("service")


def test_what_is_revoked_stays_so_whatever_the_clock_does(tmp_path: Path) -> None:
    boards = Boards(tmp_path / "boards.json")
    first = boards.add("kitchen", NOW_US, DAY_US, replace=False)
    assert first is not None
    boards.revoke("kitchen", NOW_US - 5 * DAY_US)
    # The clock was put back: what is issued now is still newer than what was revoked.
    second = boards.add("kitchen", NOW_US - 5 * DAY_US, DAY_US, replace=False)
    assert second is not None
    assert second.renewed_at_unix_us > first.renewed_at_unix_us
    assert boards.why_not("kitchen", first.renewed_at_unix_us)
    assert boards.why_not("kitchen", second.renewed_at_unix_us) is None
    assert boards.why_not("bedroom", NOW_US) == "No board called bedroom is enrolled here."


def test_a_board_that_is_out_gets_no_newer_certificate(authority: Authority) -> None:
    issued_at_us = certificates.facts(board(authority)).issued_at_unix_us
    request = signing_request.new_request("kitchen").request
    assert authority.renew("kitchen", issued_at_us, request)
    authority.revoke("kitchen")
    with pytest.raises(ShutOut, match="The board kitchen was revoked"):
        authority.renew("kitchen", issued_at_us, request)
    # Another board enrolled under that name, before the lock was had.
    board(authority)
    with pytest.raises(ShutOut, match="Another board is kitchen now"):
        authority.renew("kitchen", issued_at_us, request)
    with pytest.raises(ShutOut, match="No board called bedroom is enrolled here"):
        authority.renew("bedroom", issued_at_us, request)


class _Counted(msgspec.Struct):
    number: int = 0


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    def count() -> None:
        for _ in range(20):
            with Record(tmp_path / "counted.json", _Counted).change() as content:
                content.number += 1

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Record(tmp_path / "counted.json", _Counted).read().number == 80
    assert [file.name for file in tmp_path.iterdir()] == ["counted.json"]


def test_an_error_on_the_way_changes_nothing(tmp_path: Path) -> None:
    record = Record(tmp_path / "counted.json", _Counted)
    with pytest.raises(ZeroDivisionError):
        with record.change() as content:
            content.number = 1 // 0
    assert not (tmp_path / "counted.json").exists()
    with pytest.raises(IdentityError, match="cannot be changed: No such file or directory"):
        with Record(tmp_path / "nowhere" / "counted.json", _Counted).change():
            pass
