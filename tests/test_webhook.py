"""Webhooks: signed, tried again by the same key while somebody wants it, and held up by nothing that answers."""

import base64
import hashlib
import hmac
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.hook_server import Answer, Handler, HookServer, answered
from common.errors import ActionError, SettingsError
from common.post import check_url
from common.signature import read_secret
from edge.actions import webhook
from edge.actions.action import Action
from edge.actions.webhook import Webhook
from edge.settings import Webhook as Settings

ACTION = Action(
    utterance_id="u1", device_id="board-1", name="light.on", spoken_at_unix_us=1, transcript="light on — now"
)
SECRET = "a secret that nobody guesses"


@pytest.fixture
def server() -> Iterator[HookServer]:
    with HookServer() as server:
        yield server


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "PAUSE_S_FIRST", 0.01)
    monkeypatch.setattr(webhook, "PAUSE_S_MAX", 0.02)


def hook(server: HookServer, **more: Any) -> Webhook:
    return Webhook(Settings("hall", server.url + "?a=b", **more))


def fault(sink: Webhook, left_s: float = 5.0) -> str:
    with pytest.raises(ActionError) as error:
        sink.run(ACTION, left_s)
    return str(error.value)


def test_an_action_is_posted_as_json(server: HookServer) -> None:
    hook(server).run(ACTION, 5)
    (posted,) = server.posted
    assert posted.path == "/hook?a=b"
    assert posted.headers["content-type"] == "application/json"
    assert posted.headers["idempotency-key"] == "u1.hall"
    assert "webhook-signature" not in posted.headers
    assert json.loads(posted.body)["transcript"] == "light on — now"


def test_a_signature_is_over_key_time_and_body(server: HookServer, tmp_path: Path) -> None:
    """As on https://www.standardwebhooks.com, computed here on its own."""
    raw = b"0123456789abcdef0123456789abcdef"
    (tmp_path / "plain").write_text(SECRET + "\n")
    (tmp_path / "coded").write_text("whsec_" + base64.b64encode(raw).decode())
    for file, secret in (("plain", SECRET.encode()), ("coded", raw)):
        hook(server, secret_file=tmp_path / file).run(ACTION, 5)
        posted = server.posted[-1]
        unix_s = posted.headers["webhook-timestamp"]
        assert abs(int(unix_s) - time.time()) < 5
        told = b".".join([posted.headers["webhook-id"].encode(), unix_s.encode(), posted.body])
        mac = hmac.digest(secret, told, hashlib.sha256)
        assert posted.headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()
        assert posted.headers["webhook-id"] == posted.headers["idempotency-key"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "the secret cannot be read: No such file or directory"),
        (b"", "the secret has 0 bytes; it needs 16 at least"),
        (b"short", "the secret has 5 bytes"),
        (b"whsec_!!", "what follows whsec_ is not base64"),
        (b"\xff\xfe" * 20, "not UTF-8 text"),
    ],
)
def test_a_secret_that_is_none_is_told_and_nothing_is_posted(
    server: HookServer, tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    assert sentence in fault(hook(server, secret_file=file))
    with pytest.raises(ActionError):
        read_secret(file)
    assert server.posted == []


def test_what_fails_is_tried_again_by_the_same_key_and_acted_on_once(server: HookServer) -> None:
    def breaks_off(handler: Handler) -> None:
        handler.connection.shutdown(socket.SHUT_RDWR)
        handler.close_connection = True

    server.answers = [answered(503), breaks_off, answered(429)]
    hook(server).run(ACTION, 5)
    assert len(server.posted) == 4
    assert len({posted.headers["idempotency-key"] for posted in server.posted}) == 1
    assert len({posted.body for posted in server.posted}) == 1


def test_who_says_no_is_not_asked_again(server: HookServer) -> None:
    server.usual = answered(404)
    assert fault(hook(server)) == "hall: it answered with status 404."
    assert len(server.posted) == 1


def test_redirects_are_not_followed(server: HookServer) -> None:
    with HookServer() as other:
        server.usual = answered(307, {"location": other.url})
        assert fault(hook(server)) == "hall: it answered with status 307; redirects are not followed."
        assert (len(server.posted), other.posted) == (1, [])


def test_it_is_tried_only_while_somebody_wants_it(server: HookServer) -> None:
    server.usual = answered(500)
    began_s = time.monotonic()
    assert fault(hook(server), left_s=0.3) == "hall: it answered with status 500; nobody wants it any more."
    assert time.monotonic() - began_s < 1
    assert len(server.posted) > 2


def drips(server: HookServer, piece: bytes) -> Answer:
    """A byte at a time, for ever."""

    def answer(handler: Handler) -> None:
        while not server.over.wait(0.01):
            handler.wfile.write(piece)

    return answer


def says_nothing(server: HookServer) -> Answer:
    def answer(handler: Handler) -> None:
        server.over.wait()

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        says_nothing,
        lambda server: drips(server, b"H"),
        lambda server: drips(server, b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_an_answer_that_never_comes_is_not_waited_for(server: HookServer, answer: Any) -> None:
    server.usual = answer(server)
    began_s = time.monotonic()
    assert re.match(r"hall: no answer within 0\.[12] s; nobody", fault(hook(server, try_s_max=0.2), left_s=0.5))
    assert time.monotonic() - began_s < 1.5


def test_an_answer_without_end_is_not_read(server: HookServer) -> None:
    def endless(handler: Handler) -> None:
        answered(200)(handler)
        drips(server, b"x" * 65536)(handler)

    server.usual = endless
    began_s = time.monotonic()
    hook(server).run(ACTION, 5)
    assert time.monotonic() - began_s < 1


@pytest.mark.parametrize("answer", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n"])
def test_what_is_not_http_is_told(server: HookServer, answer: bytes) -> None:
    server.usual = lambda handler: handler.wfile.write(answer) and None
    assert "hall: its answer is not HTTP" in fault(hook(server), left_s=0.1)


def test_nobody_there_is_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    assert fault(Webhook(Settings("hall", url)), left_s=0.1) == ("hall: Connection refused; nobody wants it any more.")


def test_a_board_that_stops_ends_the_pauses(server: HookServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "PAUSE_S_FIRST", 30.0)
    sink = hook(server)
    server.usual = answered(500)
    sink.close()
    assert fault(sink, left_s=60) == "hall: it answered with status 500; the board stops."


def test_over_tls_it_is_proved_who_answers(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    with HookServer() as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server._server.socket = context.wrap_socket(server._server.socket, server_side=True)
        url = server.url.replace("http://127.0.0.1", "https://localhost")
        assert "it cannot prove who it is" in fault(Webhook(Settings("hall", url)), left_s=0.1)
        assert server.posted == []
        Webhook(Settings("hall", url, ca_file=certificate)).run(ACTION, 5)
        assert len(server.posted) == 1
    assert "the authority's certificate cannot be used" in fault(Webhook(Settings("hall", url, ca_file=key)))


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost, which is its own authority, and its key."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(2100, 1, 1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "certificate.pem", folder / "key.pem"


@pytest.mark.parametrize("url", ["http://", "http://:80/x", "http://h:0/", "http://h:99999/", "http://[::1/"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="is no address such as"):
        check_url(url)
    check_url("http://[::1]:80/x")


def test_a_preview_says_what_would_be_sent(server: HookServer) -> None:
    said = hook(server).preview(ACTION)
    assert said.startswith(f"POST {server.url}?a=b (not signed): ")
    assert server.posted == []
    assert threading.active_count() < 20
