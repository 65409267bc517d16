"""The page's certificate: when there is a new one, and what is said of an owner's that will not do."""

import asyncio
import datetime
import hashlib
import ssl
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from common.errors import IdentityError, SettingsError
from common.host_header import is_ours
from common.settings import Loaded, load
from edge.phones import shown_certificate
from edge.phones.address import known_names, page_address, page_urls
from edge.phones.certificate import LIFE_DAYS, given_certificate, own_certificate
from edge.phones.host_names import given_names, own_addresses, own_names
from edge.phones.shown_certificate import RENEWED_DAYS, ShownCertificate
from edge.settings import EdgeSettings, Page

DAY_US = 86_400_000_000
NOW_US = time.time_ns() // 1000
NAMES = ["kitchen", "kitchen.local", "localhost"]


def made(directory: Path, now_us: int = NOW_US, names: list[str] = NAMES, addresses: tuple[str, ...] = ()) -> Any:
    return own_certificate(directory, "board-1", names, addresses or ("192.0.2.7", "::1"), now_us)


def parsed(shown: ShownCertificate) -> x509.Certificate:
    return x509.load_pem_x509_certificate(Path(shown.certificate_file).read_bytes())


def settings(tmp_path: Path, **page: Any) -> Loaded[EdgeSettings]:
    options = {"device.state_dir": str(tmp_path)} | {f"page.{name}": value for name, value in page.items()}
    return load(EdgeSettings, file=None, environment={}, environment_prefix="X", options=options)


def test_a_board_makes_one_that_phones_take_and_keeps_it_for_itself(tmp_path: Path) -> None:
    shown = made(tmp_path / "page")
    certificate = parsed(shown)
    assert shown.names == ("kitchen", "kitchen.local", "localhost", "192.0.2.7", "::1")
    assert (
        shown.fingerprint.replace(":", "")
        == hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest().upper()
    )
    # 825 days are what an iPhone takes at most.
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc < datetime.timedelta(days=825)
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not shown.is_owners
    assert stat.S_IMODE(Path(shown.key_file).stat().st_mode) == 0o600
    assert shown.context().minimum_version == ssl.TLSVersion.TLSv1_2


def test_it_stays_the_same_as_long_as_it_will_do(tmp_path: Path) -> None:
    first = made(tmp_path / "page")
    later_us = NOW_US + (LIFE_DAYS - RENEWED_DAYS - 1) * DAY_US
    assert made(tmp_path / "page", later_us) == first
    # Phones would warn again: neither an address that changed is a reason, nor a name that is no more.
    assert made(tmp_path / "page", addresses=("192.0.2.99",)) == first
    assert made(tmp_path / "page", names=NAMES[:1]) == first


def test_it_is_made_anew_a_month_before_its_end_or_for_a_new_name(tmp_path: Path) -> None:
    first = made(tmp_path / "page")
    second = made(tmp_path / "page", NOW_US + (LIFE_DAYS - RENEWED_DAYS + 1) * DAY_US)
    assert second.fingerprint != first.fingerprint
    third = made(tmp_path / "page", names=[*NAMES, "kitchen.example", "[2001:db8::7]"])
    assert {"kitchen.example", "2001:db8::7"} <= set(third.names)
    assert made(tmp_path / "page", names=[*NAMES, "[2001:db8::7]"]) == third


def test_one_of_before_the_clock_was_right_is_made_anew(tmp_path: Path) -> None:
    first = made(tmp_path / "page", 5 * DAY_US)
    assert made(tmp_path / "page").fingerprint != first.fingerprint


@pytest.mark.parametrize(
    "content", [b"", b"rubbish", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_one_that_is_damaged_is_made_anew(tmp_path: Path, content: bytes) -> None:
    made(tmp_path / "page")
    (tmp_path / "page" / "certificate.pem").write_bytes(content)
    assert made(tmp_path / "page").context()


def test_an_owners_own_is_taken_as_it_is(tmp_path: Path) -> None:
    given = made(tmp_path / "owners").certificate_file
    shown = given_certificate(Path(given), Path(given), NOW_US)
    assert shown.is_owners and shown.context()


def test_what_is_wrong_with_an_owners_own_is_said(tmp_path: Path) -> None:
    first, second = (Path(made(tmp_path / name).certificate_file) for name in "ab")
    locked, nowhere = tmp_path / "locked.pem", tmp_path / "nowhere.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    under = serialization.BestAvailableEncryption(b"secret")
    locked.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, under))
    for certificate, its_key, now_us, sentence in (
        (nowhere, first, NOW_US, "page.certificate_file is .*nowhere.pem: it cannot be read: No such file"),
        (first, nowhere, NOW_US, "page.key_file is .*nowhere.pem: it cannot be read: No such file"),
        (first, second, NOW_US, "they are not a certificate and its key"),
        (first, locked, NOW_US, "the key without a passphrase"),
        (first, first, NOW_US + 800 * DAY_US, "it ended on .*; renew it"),
    ):
        with pytest.raises(IdentityError, match=sentence):
            given_certificate(certificate, its_key, now_us)


def test_the_daemon_asks_another_process_and_gets_the_same(tmp_path: Path) -> None:
    loaded = settings(tmp_path, names=("Kitchen.Example",), listen="0.0.0.0:7443")
    shown = shown_certificate.ask(loaded)
    assert "kitchen.example" in shown.names
    assert shown.certificate_file == str(tmp_path / "page" / "certificate.pem")
    assert shown_certificate.ask(loaded) == shown
    with pytest.raises(IdentityError, match="page.names has 'a b'"):
        shown_certificate.ask(settings(tmp_path, names=("a b",)))


class Context(ssl.SSLContext):
    """Knows what was loaded into it."""

    def __init__(self, *protocol: Any) -> None:
        self.taken: list[str] = []

    def load_cert_chain(self, *files: Any, **more: Any) -> None:
        super().load_cert_chain(*files, **more)
        self.taken.append(files[0])


async def follow(loaded: Loaded[EdgeSettings], shown: ShownCertificate, change: Callable[[], object]) -> list[str]:
    """What is taken up first when that changes while it is shown."""
    context = Context(ssl.PROTOCOL_TLS_SERVER)
    following = asyncio.ensure_future(shown_certificate.keep_renewed(loaded, shown, context, 0.01))
    await asyncio.sleep(0)
    change()
    async with asyncio.timeout(10):
        while not context.taken:
            await asyncio.sleep(0.01)
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following
    return context.taken


def test_the_boards_own_is_renewed_when_it_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    due = made(tmp_path / "page", NOW_US - (LIFE_DAYS - 1) * DAY_US)
    newer = made(tmp_path / "newer")
    monkeypatch.setattr(shown_certificate, "ask", lambda loaded: newer)
    assert asyncio.run(follow(settings(tmp_path), due, lambda: None)) == [newer.certificate_file]


def test_an_owners_own_is_taken_up_when_its_file_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, other = (Path(made(tmp_path / name).certificate_file) for name in "ab")
    shown = given_certificate(file, file, NOW_US)
    monkeypatch.setattr(shown_certificate, "ask", lambda loaded: given_certificate(file, file, NOW_US))
    assert asyncio.run(follow(settings(tmp_path), shown, lambda: other.replace(file))) == [str(file)]


def test_settings_of_the_page_that_do_not_go_together_are_told() -> None:
    for page, sentence in (
        (Page(), "page.listen is not set"),
        (Page(listen="7443"), "page.listen is '7443', but must be HOST:PORT"),
        (Page(listen="0.0.0.0:7443", tls=False), "browsers give no microphone"),
        (Page(listen="0.0.0.0:7443", key_file=Path("k")), "set both, or neither"),
        (Page(listen="0.0.0.0:7443", names=("a/b",)), "page.names has 'a/b'"),
    ):
        with pytest.raises(SettingsError, match=sentence):
            page_urls(page, page_address(page).port)


def test_where_a_phone_opens_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.phones.address.own_names", lambda: ["kitchen", "kitchen.local", "localhost"])
    monkeypatch.setattr("edge.phones.address.own_addresses", lambda: ["192.0.2.7", "2001:db8::7", "127.0.0.1"])
    page = Page(listen="0.0.0.0:7443", names=("parrot.example", "other.example"))
    assert page_urls(page, 7443) == [f"https://{n}:7443" for n in ("parrot.example", "kitchen.local", "192.0.2.7")]
    assert page_urls(Page(listen="0.0.0.0:443"), 443) == ["https://kitchen.local", "https://192.0.2.7"]
    assert page_urls(Page(listen="127.0.0.1:80", tls=False), 80) == ["http://127.0.0.1"]
    assert known_names(page) == ["parrot.example", "other.example", "kitchen", "kitchen.local", "localhost"]


def test_names_are_written_as_browsers_do() -> None:
    assert given_names(("Küche.example.", "2001:DB8::0:7", "192.0.2.1")) == [
        "xn--kche-0ra.example",
        "[2001:db8::7]",
        "192.0.2.1",
    ]
    assert own_names()[-1] == "localhost"
    assert "127.0.0.1" in own_addresses()


@pytest.mark.parametrize(
    ("host", "is_it"),
    [
        ("kitchen:7443", True),
        ("KITCHEN.:7443", True),
        ("192.0.2.7:7443", True),
        ("kitchen:07443", True),
        ("kitchen", False),
        ("kitchen:443", False),
        ("192.0.2.8:7443", False),
        ("kitchen:7443:7443", False),
        ("user@kitchen:7443", False),
        ("", False),
        (":7443", False),
        ("[::1]:7443", False),
        ("[:7443", False),
        ("0300.0.2.7:7443", False),
    ],
)
def test_a_host_is_ours_or_not(host: str, *, is_it: bool) -> None:
    assert is_ours(host, names={"kitchen"}, address="::ffff:192.0.2.7", port=7443, default_port=443) == is_it


def test_an_address_of_ipv6_and_the_usual_port() -> None:
    assert is_ours("[2001:DB8::7]", names=(), address="2001:db8::7%eth0", port=443, default_port=443)
    assert is_ours("[2001:db8::8]", names=("[2001:db8::8]",), address="2001:db8::7", port=443, default_port=443)
