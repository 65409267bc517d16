"""Whoever reaches the page's port is a stranger until a paired phone's cookie says otherwise."""

import http.client
import json
import logging
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from common.rates import Rate
from edge.phones.door import Bounds
from edge.phones.guard import Limits
from tests.page_server import WAIT_S, Board, served


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    with served(tmp_path) as board:
        yield board


def microphone(board: Board, cookie: str = "", **headers: str) -> ClientConnection:
    said = {"Cookie": cookie, "Origin": board.origin} | headers
    return connect(
        f"wss://localhost:{board.port}/microphone",
        ssl=board.context,
        additional_headers={name: value for name, value in said.items() if value},
        compression=None,
        open_timeout=WAIT_S,
        proxy=None,
    )


def read_answer(connection: socket.socket) -> bytes:
    """One answer, whole, of a connection that goes on."""
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer.read()


def is_ended(connection: socket.socket, within_s: float = WAIT_S) -> bool:
    """Whether the other side ends it, whatever it says before."""
    until_s = time.monotonic() + within_s
    try:
        while (left_s := until_s - time.monotonic()) > 0:
            connection.settimeout(left_s)
            if not connection.recv(65_536):
                return True
    except TimeoutError:
        pass
    except OSError:
        return True
    return False


def test_a_stranger_sees_the_page_to_pair_and_nothing_else(board: Board) -> None:
    assert board.ask("/").body == b"<p>Pair</p>"
    assert board.ask("/pair").body == b"<p>Pair</p>"
    assert board.ask("/static/pair.js").status == 200
    for path in ("/me", "/events", "/answers", "/nowhere", "/static", "//", "/pair/", "/PAIR"):
        refused = board.ask(path)
        assert (refused.status, refused.headers["Content-Type"]) == (401, "application/json")
        assert "not paired" in refused.sentence
    for path in ("/me", "/unpair", "/do/mute", "/forget"):
        assert board.post(path, {}).status == 401


@pytest.mark.parametrize(
    "path",
    [
        "/static/../me",
        "/static/%2e%2e/me",
        "/static/..%2fme",
        "/static/..%5c..%5cme",
        "/static/%00",
        "/static//me",
        "*",
    ],
)
def test_no_trick_of_a_path_leads_past_the_guard(board: Board, path: str) -> None:
    # Whatever it is taken for, it is the open folder's or nobody's.
    answered = board.ask(path)
    assert answered.status in (200, 400, 401, 404)
    assert answered.status != 200 or answered.body == b"nobody 0"
    assert answered.status == 401 or ".." not in unquote(path)


def test_a_whole_address_in_place_of_a_path_is_no_way_in(board: Board) -> None:
    assert board.ask("http://evil.example/me").status == 401


def test_a_paired_phone_is_let_in_by_its_cookie(board: Board) -> None:
    cookie = board.paired()
    assert board.ask("/me", cookie=cookie).body == b"Ada's phone 0"
    assert board.ask("/me", cookie=f"a=b; {cookie}; c").body == b"Ada's phone 0"
    assert board.ask("/me", cookie=f"{cookie}; {cookie[:-1]}x").body == b"Ada's phone 0"


@pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: c + "A", lambda c: c.replace("__Host-", ""), str.upper])
def test_what_is_not_quite_its_cookie_is_none(board: Board, change: Any) -> None:
    assert board.ask("/me", cookie=change(board.paired())).status == 401


@pytest.mark.parametrize("value", ["", ".", "00000000.", "\xff.\xff", ".".join("abc"), "x" * 8000])
def test_no_made_up_cookie_is_anybodys(board: Board, value: str) -> None:
    board.paired()
    assert board.ask("/me", cookie=f"__Host-parrotlet={value}").status == 401


def test_a_revoked_phone_is_a_stranger_at_once_also_where_it_listens(board: Board) -> None:
    cookie = board.paired()
    with board.connect() as stream, microphone(board, cookie) as websocket:
        stream.sendall(f"GET /events HTTP/1.1\r\nHost: {board.host}\r\nCookie: {cookie}\r\n\r\n".encode())
        assert stream.recv(100).startswith(b"HTTP/1.1 200")
        websocket.send("here")
        assert websocket.recv(WAIT_S) == "here"
        board.phones.revoke([phone.id for phone in board.phones.all()])
        assert is_ended(stream)
        with pytest.raises(Exception, match="close"):
            websocket.recv(WAIT_S)
    assert board.ask("/me", cookie=cookie).status == 401


def test_another_page_changes_nothing(board: Board) -> None:
    cookie = board.paired()
    others = (
        "https://evil.example",
        "null",
        f"http://{board.host}",
        f"https://localhost:{board.port + 1}",
        f"https://{board.host}.evil.example",
        f"https://{board.host}/",
    )
    for origin in others:
        assert board.post("/me", {}, cookie=cookie, Origin=origin).status == 403
    assert board.post("/me", {}, cookie=cookie, Origin="").status == 403
    assert board.post("/me", {}, cookie=cookie, Origin="", Sec_Fetch_Site="same-site").status == 403
    assert board.post("/me", {}, cookie=cookie, Origin="", Sec_Fetch_Site="same-origin").status == 200
    assert board.post("/me", {}, cookie=cookie).status == 200
    assert board.post("/pair", {"code": "x"}, Origin="https://evil.example").status == 403


def test_another_page_cannot_even_look(board: Board) -> None:
    cookie = board.paired()
    assert board.ask("/me", cookie=cookie, Sec_Fetch_Site="cross-site").status == 403
    assert board.ask("/me", cookie=cookie, Sec_Fetch_Site="same-site").status == 403
    assert board.ask("/me", cookie=cookie, Sec_Fetch_Site="none").status == 200
    # A link from anywhere may lead here; the browser keeps the cookie back then.
    assert board.ask("/", Sec_Fetch_Site="cross-site").status == 200


@pytest.mark.parametrize("origin", ["", "https://evil.example", "null"])
def test_no_other_page_opens_a_microphone(board: Board, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        microphone(board, board.paired(), Origin=origin)
    assert refused.value.response.status_code == 403
    assert "Another page" in json.loads(refused.value.response.body or b"")["sentence"]


def test_no_stranger_opens_a_microphone(board: Board) -> None:
    with pytest.raises(InvalidStatus) as refused:
        microphone(board)
    assert refused.value.response.status_code == 401


@pytest.mark.parametrize(
    "host",
    ["evil.example:{port}", "localhost", "localhost:1", "", "localhost:{port}.evil.example", "127.0.0.2:{port}", "a b"],
)
def test_a_name_that_was_turned_to_our_address_is_not_served(board: Board, host: str) -> None:
    said = host.format(port=board.port)
    refused = board.ask("/me", cookie=board.paired(), Host=said)
    # Without any, HTTP itself is broken.
    assert refused.status == (421 if said else 400)
    assert not said or "page.names" in refused.sentence


@pytest.mark.parametrize("host", ["LOCALHOST:{port}", "localhost.:{port}", "127.0.0.1:{port}"])
def test_every_way_to_write_our_own_name_is(board: Board, host: str) -> None:
    assert board.ask("/", Host=host.format(port=board.port)).status == 200


def test_every_answer_says_what_a_browser_shall_not_do(board: Board) -> None:
    for answered in (board.ask("/"), board.ask("/me"), board.ask("/", Host="evil.example")):
        assert "default-src 'none'; script-src 'self'" in answered.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answered.headers["Content-Security-Policy"]
        assert answered.headers["X-Content-Type-Options"] == "nosniff"
        assert answered.headers["Referrer-Policy"] == "no-referrer"
        assert answered.headers["Permissions-Policy"].startswith("microphone=(self)")
        assert answered.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answered.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answered.headers["Cache-Control"] == "no-store"
        # Other servers of the same name may have no TLS: it would shut them out.
        assert answered.headers["Strict-Transport-Security"] is None
        assert answered.headers["Server"] is None


def endless(size: int = 1024) -> Iterator[bytes]:
    while True:
        yield b"x" * size


def test_what_is_too_long_is_refused(tmp_path: Path) -> None:
    with served(tmp_path, limits=Limits(body_bytes_max=1000)) as board:
        cookie = board.paired()
        assert board.ask("/me", "POST", cookie=cookie, body=b"x" * 1000).body == b"Ada's phone 1000"
        assert board.ask("/me", "POST", cookie=cookie, body=b"x" * 1001).status == 413
        assert board.ask("/me", "POST", cookie=cookie, body=iter([b"x" * 600] * 2)).status == 413
        assert board.ask("/pair", "POST", body=b"x" * 1001).status == 413
        assert board.ask("/me", cookie=cookie, body=b"x" * 1001).status == 413
        # At once, not when it has come.
        with board.connect() as connection:
            head = f"POST /pair HTTP/1.1\r\nHost: {board.host}\r\nOrigin: {board.origin}\r\n"
            connection.sendall(head.encode() + b"Content-Length: 1001\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 413")
        said = [b"x" * 600, b"x" * 300]
        assert board.ask("/me", "POST", cookie=cookie, body=iter(said)).body == b"Ada's phone 900"


def test_a_body_without_end_ends(tmp_path: Path) -> None:
    with served(tmp_path, bounds=Bounds(silence_s_max=0.3)) as board, board.connect() as connection:
        head = (
            f"POST /pair HTTP/1.1\r\nHost: {board.host}\r\nOrigin: {board.origin}\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        connection.sendall(head.encode())
        until_s = time.monotonic() + WAIT_S
        with suppress(OSError):
            while time.monotonic() < until_s:
                connection.sendall(b"400\r\n" + b"x" * 1024 + b"\r\n")
        assert time.monotonic() < until_s


def test_a_slow_body_is_not_waited_for(tmp_path: Path) -> None:
    with served(tmp_path, limits=Limits(body_s_max=0.2)) as board, board.connect() as connection:
        head = f"POST /pair HTTP/1.1\r\nHost: {board.host}\r\nOrigin: {board.origin}\r\nContent-Length: 100\r\n\r\n"
        connection.sendall(head.encode() + b"{")
        assert connection.recv(100).startswith(b"HTTP/1.1 408")
        assert is_ended(connection)


def test_headers_without_end_end(board: Board) -> None:
    with board.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        with suppress(OSError):
            for number in range(100):
                connection.sendall(f"X-{number}: {'x' * 1000}\r\n".encode())
        assert is_ended(connection)
    assert board.ask("/").status == 200


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHo"])
def test_who_says_nothing_or_nothing_more_is_let_go(tmp_path: Path, said: bytes) -> None:
    with served(tmp_path, bounds=Bounds(silence_s_max=0.2)) as board:
        with board.connect() as connection:
            connection.sendall(said)
            assert is_ended(connection)
        with socket.create_connection(("127.0.0.1", board.port), WAIT_S) as no_handshake:
            assert is_ended(no_handshake)
        assert len(board.door) == 0


def test_whatever_is_said_gets_an_end_and_no_line_in_the_log_and_the_next_is_served(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for said in (b"\x00" * 100, b"GET\r\n\r\n", b"\x16\x03\x01" * 50, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"{}\n" * 9):
        for connection in (board.connect(), socket.create_connection(("127.0.0.1", board.port), WAIT_S)):
            with connection:
                connection.sendall(said)
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
                assert is_ended(connection)
    assert board.ask("/").status == 200
    assert caplog.messages == []


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.2"])
def test_a_thousand_connections_shut_no_paired_phone_out(board: Board, source: str) -> None:
    cookie = board.paired()
    with board.connect(source) as phone, ExitStack() as crowd:
        ask = f"GET /me HTTP/1.1\r\nHost: {board.host}\r\nCookie: {cookie}\r\n\r\n".encode()
        phone.sendall(ask)
        assert read_answer(phone) == b"Ada's phone 0"
        for _ in range(1000):
            crowd.enter_context(socket.create_connection(("127.0.0.1", board.port), WAIT_S))
        assert len(board.door) <= 128 + 1
        # The one that is open goes on, whoever else is at its address.
        phone.sendall(ask)
        assert read_answer(phone) == b"Ada's phone 0"
        if source != "127.0.0.1":
            began_s = time.monotonic()
            assert board.ask("/me", cookie=cookie, source=source).status == 200
            assert time.monotonic() - began_s < 2


def test_silent_strangers_give_way_to_whoever_comes(tmp_path: Path) -> None:
    bounds = Bounds(strangers_max=6, strangers_each_max=4)
    with served(tmp_path, bounds=bounds) as board, ExitStack() as crowd:
        held = [crowd.enter_context(board.connect(source)) for source in ("127.0.0.2", "127.0.0.3") for _ in range(4)]
        assert len(board.door) == 6
        # Whoever has the most gives way, the oldest first.
        assert [is_ended(each, 0.3) for each in held] == [True, False, False, False] * 2
        assert board.ask("/", source="127.0.0.4").status == 200


def test_a_small_answer_is_sent_at_once(board: Board) -> None:
    cookie, took_s = board.paired(), []
    for _ in range(9):
        began_s = time.monotonic()
        assert board.ask("/me", cookie=cookie).status == 200
        took_s.append(time.monotonic() - began_s)
    # Nagle's algorithm and a delayed acknowledgement make 40 ms.
    assert min(took_s) < 0.035


def test_one_address_has_few_places_and_more_where_a_paired_phone_came_from(tmp_path: Path) -> None:
    with served(tmp_path, bounds=Bounds(strangers_each_max=2)) as board, ExitStack() as crowd:
        held = [crowd.enter_context(board.connect("127.0.0.2")) for _ in range(3)]
        assert [is_ended(each, 0.3) for each in held] == [True, False, False]
        assert board.ask("/me", cookie=board.paired(), source="127.0.0.2").status == 200
        held = [*held[1:], *(crowd.enter_context(board.connect("127.0.0.2")) for _ in range(3))]
        assert [is_ended(each, 0.3) for each in held] == [True, False, False, False, False]


def test_a_phone_has_its_own_places_and_no_more(tmp_path: Path) -> None:
    with served(tmp_path, bounds=Bounds(strangers_each_max=2, phone_max=3)) as board, ExitStack() as tabs:
        cookie = board.paired()
        opened: list[Any] = []
        for _ in range(4):
            connection = tabs.enter_context(board.connect())
            connection.sendall(f"GET /events HTTP/1.1\r\nHost: {board.host}\r\nCookie: {cookie}\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
            opened.append(connection)
        assert is_ended(opened[0])
        assert len(board.door) == 3


def test_new_connections_of_one_address_have_a_rate(tmp_path: Path) -> None:
    with served(tmp_path, bounds=Bounds(rate_each=Rate(3, 0.01))) as board:
        for _ in range(3):
            assert board.ask("/").status == 200
        with pytest.raises((OSError, ssl.SSLError)):
            board.ask("/")
        assert board.ask("/", source="127.0.0.9").status == 200


def test_strangers_together_have_a_rate_that_phones_need_not_mind(tmp_path: Path) -> None:
    with served(tmp_path, bounds=Bounds(rate_strange=Rate(3, 0.01))) as board:
        cookie = board.paired()
        assert board.ask("/me", cookie=cookie, source="127.0.0.5").status == 200
        for number in (6, 7):
            assert board.ask("/", source=f"127.0.0.{number}").status == 200
        with pytest.raises((OSError, ssl.SSLError)):
            board.ask("/", source="127.0.0.8")
        assert board.ask("/me", cookie=cookie, source="127.0.0.5").status == 200


def test_requests_have_a_rate_of_each_address_and_of_each_phone(tmp_path: Path) -> None:
    limits = Limits(stranger=Rate(3, 0.1), phone=Rate(5, 0.1))
    with served(tmp_path, limits=limits) as board:
        assert [board.ask("/").status for _ in range(4)] == [200, 200, 200, 429]
        refused = board.ask("/")
        assert refused.headers["Retry-After"] == "10"
        assert refused.sentence == "That is too often. Try again in 10 s."
        cookie = board.paired()
        assert [board.ask("/me", cookie=cookie).status for _ in range(6)] == [200] * 5 + [429]
        assert board.ask("/", source="127.0.0.3").status == 200


def test_phones_that_cannot_be_looked_up_are_not_let_in_and_the_log_says_why(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    cookie = board.paired()
    (board.phones.record._file).write_text("{")
    with caplog.at_level(logging.ERROR):
        refused = board.ask("/me", cookie=cookie)
    assert refused.status == 503
    assert "phones.json" not in refused.sentence
    assert any("phones.json" in line for line in caplog.messages)


def test_without_tls_the_cookie_has_the_name_that_a_browser_takes_then(tmp_path: Path) -> None:
    with served(tmp_path, tls=False) as board:
        cookie = board.paired()
        assert cookie.startswith("parrotlet=")
        given = board.ask("/", cookie=cookie)
        assert given.body == b"Ada's phone 0"
        assert given.headers["Set-Cookie"] == f"{cookie}; Path=/; Max-Age=34560000; HttpOnly; SameSite=Strict"


def test_who_opens_the_page_gets_the_cookie_anew_so_that_it_never_gets_old(board: Board) -> None:
    cookie = board.paired()
    given = board.ask("/", cookie=cookie).headers["Set-Cookie"]
    assert given == f"{cookie}; Path=/; Max-Age=34560000; HttpOnly; SameSite=Strict; Secure"
    assert board.ask("/me", cookie=cookie).headers["Set-Cookie"] is None
    assert board.ask("/").headers["Set-Cookie"] is None
